"""Running experiments: typed configs, result tables, figures."""

from diffcomb.protocol.coloring_figure import save_coloring_figure
from diffcomb.protocol.command import run_command
from diffcomb.protocol.config import EvaluateConfig, TrainConfig, register_configs
from diffcomb.protocol.decision_figure import save_decision_figure
from diffcomb.protocol.report import Report
from diffcomb.protocol.results import CollectResults, format_results, save_results
from diffcomb.protocol.route_figure import save_route_figure
from diffcomb.protocol.run_protocol import ReportSweep, add_to_report, run_protocol
from diffcomb.protocol.savings import save_savings_figure, savings_table
from diffcomb.protocol.tour_figure import save_tour_figure

__all__ = [
    "CollectResults",
    "EvaluateConfig",
    "Report",
    "ReportSweep",
    "TrainConfig",
    "add_to_report",
    "format_results",
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
]
