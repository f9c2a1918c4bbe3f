"""Experiments, in the order of a run.

commands  how train.py and evaluate.py start and end: checks of a config, errors in words, run folders
setup     what a run is made of: typed configs, instances, methods, cells
run       plan and cells of the experimental protocol, over processes
measure   one file a group of measurements
report    from finished cells to tables, figures, verdicts and a page
results   the table of a training, and of a multirun
"""

from diffcomb.figures import (
    save_coloring_figure,
    save_decision_figure,
    save_route_figure,
    save_savings_figure,
    save_tour_figure,
    savings_table,
)
from diffcomb.protocol.commands.building import build, oracle_settings, parameters_of, refusal, target_of
from diffcomb.protocol.commands.check_types import arguments_of, check_types, shown
from diffcomb.protocol.commands.check_values import check_values
from diffcomb.protocol.commands.command import launch, run_command, say
from diffcomb.protocol.commands.memory import (
    SavedBytes,
    allocations_refused,
    problem_bytes,
    refuse_beyond_memory,
)
from diffcomb.protocol.commands.output_folder import CLAIM, check_output, check_writable, claim
from diffcomb.protocol.report.joining import ReportSweep, add_to_report, check_report
from diffcomb.protocol.report.report import Report
from diffcomb.protocol.results import CollectResults, format_results, save_results
from diffcomb.protocol.run.run_protocol import PROTOCOL_FILES, protocol_folder, run_protocol
from diffcomb.protocol.setup.config import EvaluateConfig, TrainConfig, register_configs
from diffcomb.protocol.setup.methods import refuse_meaningless_loss

__all__ = [
    "CLAIM",
    "PROTOCOL_FILES",
    "CollectResults",
    "EvaluateConfig",
    "Report",
    "ReportSweep",
    "SavedBytes",
    "TrainConfig",
    "add_to_report",
    "allocations_refused",
    "arguments_of",
    "build",
    "check_output",
    "check_report",
    "check_types",
    "check_values",
    "check_writable",
    "claim",
    "format_results",
    "launch",
    "oracle_settings",
    "parameters_of",
    "problem_bytes",
    "protocol_folder",
    "refusal",
    "refuse_beyond_memory",
    "refuse_meaningless_loss",
    "register_configs",
    "run_command",
    "run_protocol",
    "save_coloring_figure",
    "save_decision_figure",
    "save_results",
    "save_route_figure",
    "save_savings_figure",
    "save_tour_figure",
    "savings_table",
    "say",
    "shown",
    "target_of",
]
