"""Losses of start times."""
