"""Readers of public instance formats, the downloader, and published optima."""

from diffcomb.data.best_known import tsplib_optima
from diffcomb.data.tsplib import TsplibInstance, read_tsplib

__all__ = ["TsplibInstance", "read_tsplib", "tsplib_optima"]
