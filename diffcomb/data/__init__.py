"""Readers of public instance formats, and the downloader."""

from diffcomb.data.tsplib import TsplibInstance, read_tsplib

__all__ = ["TsplibInstance", "read_tsplib"]
