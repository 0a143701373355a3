"""What all tests share: the sandbox, if the machine has one, one thread for linear algebra, and no token of Ray."""

from __future__ import annotations

import os
from pathlib import Path

# Before NumPy is imported, here and in processes that tests start: its threads only wait for each other where several
# workers of pytest share the cores, which makes the small matrices of the tests several times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Clusters of Ray that tests start at the same time would write one token over another's; and their workers, which Ray
# makes wait for everything else, would wait for other tests.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("RAY_worker_niceness", "0")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # trainers in this process; `selfsown` sets it for their own

import pytest

from selfsown.records import SelfsownError
from selfsown.sandbox.sandbox import Sandbox

# Files whose tests take seconds each: slow as those that say so themselves.
SLOW_FILES = """
attack/test_planted_graders audit/test_all_rows audit/test_audit audit/test_near_duplicates
calibration/test_calibrate compare/test_compare contamination/test_searching engines/test_ray
cli/test_exit_codes cli/test_list estimate/test_estimator export/test_export export/test_hub generate/test_claude
generate/test_pivotal_tokens generate/test_ready generate/test_self_debug grade/test_code_roundtrip guard/test_monitor
html/test_make_page html/test_monitor_page html/test_report models/hf/test_hf_model models/hf/test_hf_objectives
models/hf/test_hf_worker models/test_early_stopping models/test_runner plan/test_fit_scaling_law
tasks/test_reasoning_gym terminal/test_run_eta test_acceptance test_control test_custom_methods test_docs
test_findings test_generation/test_derivation test_hf_run test_loop test_make test_palmyra test_phi test_planted
test_revising test_run_folder usage/test_cost
"""


@pytest.fixture(scope="session")
def walled() -> None:
    """Tests that run programs are skipped where no sandbox can be had (another system than Linux, an old kernel, no
    namespaces for users), with what it says itself: it runs nothing without its walls."""
    try:
        Sandbox(workers=1).close()
    except SelfsownError as error:
        pytest.skip(str(error))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests, slow = Path(__file__).parent, SLOW_FILES.split()
    for item in items:
        if item.path.relative_to(tests).with_suffix("").as_posix() in slow:
            item.add_marker("slow")
