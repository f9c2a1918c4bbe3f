"""Soft permutations and tours decomposed over the Birkhoff polytope."""
