"""What tests, benchmarks and acceptance measurements share: servers, toy models, and data with planted faults."""
