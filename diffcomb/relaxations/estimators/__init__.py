"""Exact decision forward, an estimate of its derivative backward."""
