"""Convex losses of the difference between a decision and what replaces it at the predicted costs."""
