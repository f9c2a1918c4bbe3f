"""Up to 60 cities: branch and bound on 1-trees, which goes first."""
