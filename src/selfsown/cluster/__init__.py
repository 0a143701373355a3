"""Work on several machines: workers on a Ray cluster, and their way to the journal and the budget of the driver."""

import os
from pathlib import Path

# Ray reads these when it is imported. Nothing is reported to anybody.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
if Path("~/.ray/auth_token").expanduser().exists():  # `ray start` wrote it; without this, nobody would read it
    os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as it will be by default; else there is a warning
