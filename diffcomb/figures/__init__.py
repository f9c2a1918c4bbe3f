"""Pictures of decisions: tours, colourings, schedules, routes, savings."""

from diffcomb.figures.coloring import save_coloring_figure
from diffcomb.figures.decision import save_decision_figure
from diffcomb.figures.gantt import save_gantt_figure
from diffcomb.figures.route import save_route_figure
from diffcomb.figures.savings import save_savings_figure, savings_table
from diffcomb.figures.tour import save_tour_figure

__all__ = [
    "save_coloring_figure",
    "save_decision_figure",
    "save_gantt_figure",
    "save_route_figure",
    "save_savings_figure",
    "save_tour_figure",
    "savings_table",
]
