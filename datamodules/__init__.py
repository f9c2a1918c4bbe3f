"""LightningDataModules; imported by the scripts from the repository root."""

from datamodules.learned_costs import LearnedCostsDataModule

__all__ = ["LearnedCostsDataModule"]
