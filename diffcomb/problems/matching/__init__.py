"""Matchings, and the separation of their odd sets."""

from diffcomb.problems.matching.matching import Matching

__all__ = ["Matching"]
