"""LightningDataModules; imported by the scripts from the repository root."""

from datamodules.channel_costs import ChannelCostsDataModule
from datamodules.learned_costs import LearnedCostsDataModule
from datamodules.reporting import Reporting
from datamodules.road_trips import RoadTrips
from datamodules.roads import RoadsDataModule
from datamodules.shop_floor import ShopFloorDataModule
from datamodules.transmitters import TransmitterNetworks
from datamodules.tsplib import BenchmarkInstance, TsplibInstances
from datamodules.uniform_tsp import UniformTSPDataModule

__all__ = [
    "BenchmarkInstance",
    "ChannelCostsDataModule",
    "LearnedCostsDataModule",
    "Reporting",
    "RoadTrips",
    "RoadsDataModule",
    "ShopFloorDataModule",
    "TransmitterNetworks",
    "TsplibInstances",
    "UniformTSPDataModule",
]
