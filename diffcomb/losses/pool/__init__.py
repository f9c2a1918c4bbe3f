"""Losses that compare costs over a pool of decisions seen so far."""
