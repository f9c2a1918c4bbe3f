"""Soft decisions while training, feasible ones when judged."""
