"""Readers of public instance formats, the downloader, and published optima."""

from diffcomb.data.best_known import tsplib_optima
from diffcomb.data.dimacs import DimacsGraph, read_dimacs
from diffcomb.data.jobshop import JobShopInstance, read_jobshop
from diffcomb.data.mixed_integer_model import MixedIntegerModel
from diffcomb.data.read_model import read_model
from diffcomb.data.tntp import (
    TntpNetwork,
    read_tntp_flows,
    read_tntp_network,
    read_tntp_trips,
)
from diffcomb.data.tntp_coordinates import read_tntp_coordinates
from diffcomb.data.tsplib import TsplibInstance, read_tsplib

__all__ = [
    "DimacsGraph",
    "JobShopInstance",
    "MixedIntegerModel",
    "TntpNetwork",
    "TsplibInstance",
    "read_dimacs",
    "read_jobshop",
    "read_model",
    "read_tntp_coordinates",
    "read_tntp_flows",
    "read_tntp_network",
    "read_tntp_trips",
    "read_tsplib",
    "tsplib_optima",
]
