"""Benchmarks that print the figures quoted in the documentation; run from the repository root."""
