"""From soft decisions to feasible ones."""
