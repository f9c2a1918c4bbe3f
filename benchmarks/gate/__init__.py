"""An old checkout against a new one, in turn: `python -m benchmarks.gate --old ../old --new .`."""
