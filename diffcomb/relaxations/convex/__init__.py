"""Decisions relaxed to a convex program."""
