"""Work on several machines: workers on a Ray cluster, and their way to the journal and the budget of the driver."""

import os
import sys
from pathlib import Path

# Ray reads these when it is imported. Nothing is reported to anybody.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# `ray start` wrote the token; without this, nobody would read it. Where a user's own program has imported Ray already,
# it is too late: only processes that start from now on would read it, and this one be refused by them.
if "ray" not in sys.modules and Path("~/.ray/auth_token").expanduser().exists():
    os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as it will be by default; else there is a warning
