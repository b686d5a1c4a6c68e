"""What the claims of README and docs stand on: each module is run as `python -m benchmarks.NAME`."""
