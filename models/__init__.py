"""PyG encoders and the LightningModule; imported by the scripts from the repository root."""

from models.assembly import assemble
from models.batch_fields import instances, own_problems
from models.checkpoint import continue_in, describe, read_checkpoint
from models.choice_encoder import ChoiceEncoder
from models.cost_encoder import CostEncoder
from models.dimes_meta_solver import DimesMetaSolver
from models.operation_encoder import OperationEncoder
from models.progress import TotalProgress
from models.road_encoder import RoadEncoder
from models.training_module import TrainingModule
from models.tuner import Tuned, tune

__all__ = [
    "ChoiceEncoder",
    "CostEncoder",
    "DimesMetaSolver",
    "OperationEncoder",
    "RoadEncoder",
    "TotalProgress",
    "TrainingModule",
    "Tuned",
    "assemble",
    "continue_in",
    "describe",
    "instances",
    "own_problems",
    "read_checkpoint",
    "tune",
]
