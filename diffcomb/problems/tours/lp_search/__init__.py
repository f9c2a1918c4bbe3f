"""Beyond 60 cities, or when 1-trees do not finish: branch and cut on linear programs."""
