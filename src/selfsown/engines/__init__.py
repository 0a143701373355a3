"""Where work runs: on the threads of this process."""
