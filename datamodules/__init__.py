"""LightningDataModules; imported by the scripts from the repository root."""

from datamodules.learned_costs import LearnedCostsDataModule
from datamodules.shop_floor import ShopFloorDataModule
from datamodules.tsplib import BenchmarkInstance, TsplibInstances
from datamodules.uniform_tsp import UniformTSPDataModule

__all__ = [
    "BenchmarkInstance",
    "LearnedCostsDataModule",
    "ShopFloorDataModule",
    "TsplibInstances",
    "UniformTSPDataModule",
]
