.PHONY: check test quick

check:  ## lint, format and types
	ruff check .
	ruff format --check .
	mypy

test:  ## everything
	python -m pytest -q -n 2 --dist loadfile

quick:  ## all but the whole runs
	python -m pytest -q -n 2 --dist loadfile -m "not slow"
