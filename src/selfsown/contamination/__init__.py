"""Questions of held-out rows and benchmarks, and the search for them in other rows."""
