"""Running experiments: typed configs, result tables, figures."""

from diffcomb.protocol.coloring_figure import save_coloring_figure
from diffcomb.protocol.commands.building import build, oracle_settings, parameters_of, refusal, target_of
from diffcomb.protocol.commands.check_types import arguments_of, check_types, shown
from diffcomb.protocol.commands.check_values import check_values
from diffcomb.protocol.commands.command import launch, run_command, say
from diffcomb.protocol.commands.config import EvaluateConfig, TrainConfig, register_configs
from diffcomb.protocol.commands.memory import (
    SavedBytes,
    allocations_refused,
    problem_bytes,
    refuse_beyond_memory,
)
from diffcomb.protocol.commands.output_folder import CLAIM, check_output, check_writable, claim
from diffcomb.protocol.decision_figure import save_decision_figure
from diffcomb.protocol.heads import refuse_meaningless_loss
from diffcomb.protocol.report import Report
from diffcomb.protocol.results import CollectResults, format_results, save_results
from diffcomb.protocol.route_figure import save_route_figure
from diffcomb.protocol.run_protocol import (
    PROTOCOL_FILES,
    ReportSweep,
    add_to_report,
    check_report,
    protocol_folder,
    run_protocol,
)
from diffcomb.protocol.savings import save_savings_figure, savings_table
from diffcomb.protocol.tour_figure import save_tour_figure

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
