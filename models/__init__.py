"""PyG encoders and the LightningModule; imported by the scripts from the repository root."""

from models.assembly import assemble
from models.checkpoint import continue_in, describe, read_checkpoint
from models.cost_encoder import CostEncoder
from models.dimes_meta_solver import DimesMetaSolver
from models.progress import TotalProgress
from models.training_module import TrainingModule

__all__ = [
    "CostEncoder",
    "DimesMetaSolver",
    "TotalProgress",
    "TrainingModule",
    "assemble",
    "continue_in",
    "describe",
    "read_checkpoint",
]
