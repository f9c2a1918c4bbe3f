"""PyG encoders and the LightningModule; imported by the scripts from the repository root."""

from models.assembly import assemble, build_data
from models.batch_fields import batch_size, instances, own_problems
from models.checkpoint import continue_in, describe, read_checkpoint, refuse_other_weights
from models.choice_encoder import ChoiceEncoder
from models.cost_encoder import CostEncoder
from models.dimes_meta_solver import DimesMetaSolver
from models.operation_encoder import OperationEncoder
from models.processes import is_child, sets_for, wait_for_all
from models.progress import TotalProgress
from models.road_encoder import RoadEncoder
from models.training_module import TrainingModule
from models.tuner import Tuned, tune
from models.validation import Parts, check_limits, validate

__all__ = [
    "ChoiceEncoder",
    "CostEncoder",
    "DimesMetaSolver",
    "OperationEncoder",
    "Parts",
    "RoadEncoder",
    "TotalProgress",
    "TrainingModule",
    "Tuned",
    "assemble",
    "batch_size",
    "build_data",
    "check_limits",
    "continue_in",
    "describe",
    "instances",
    "is_child",
    "own_problems",
    "read_checkpoint",
    "refuse_other_weights",
    "sets_for",
    "tune",
    "validate",
    "wait_for_all",
]
