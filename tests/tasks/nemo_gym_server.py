"""A resources server of NeMo Gym's own for the tests of its client: python nemo_gym_server.py PORT.

It is the example `example_session_state_mgmt` of a checkout on PYTHONPATH, served as the package's own test builds it.
"""

from __future__ import annotations

import sys
from unittest.mock import MagicMock

import uvicorn
from nemo_gym.server_utils import ServerClient
from resources_servers.example_session_state_mgmt.app import (
    StatefulCounterResourcesServer,
    StatefulCounterResourcesServerConfig,
)

if __name__ == "__main__":
    config = StatefulCounterResourcesServerConfig(host="127.0.0.1", port=int(sys.argv[1]), entrypoint="", name="")
    server = StatefulCounterResourcesServer(config=config, server_client=MagicMock(spec=ServerClient))
    uvicorn.run(server.setup_webserver(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
