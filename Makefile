.PHONY: check test quick

check:  ## lint, format and types
	ruff check .
	ruff format --check .
	mypy

test:  ## everything
	python -m pytest -q

quick:  ## all but the whole runs
	python -m pytest -q -m "not slow"
