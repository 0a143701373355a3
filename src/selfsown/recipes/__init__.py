"""Ready recipes: each a YAML file that `selfsown run NAME` runs."""
