"""Schedules without proof, for comparisons."""
