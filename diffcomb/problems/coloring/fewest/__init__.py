"""The fewest colours: searches from above, bounds from below."""
