"""Tours without proof: starts, improvements, rounding."""
