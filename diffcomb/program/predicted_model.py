"""A model together with what of it is predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffcomb.data.mixed_integer_model import MixedIntegerModel
from diffcomb.errors import InvalidInstanceError
from diffcomb.program.cost_map import CostMap
from diffcomb.program.names import Names
from diffcomb.program.open_program import OpenProgram
from diffcomb.program.parameters import Parameters


@dataclass(frozen=True, eq=False)
class PredictedModel:
    """What every front end hands over.

    Args:
        rows: the feasible set and the quadratic term.
        cost_map: predicted numbers -> costs, with sense and constant.
        costs: (P,) the model's own values of what is predicted, or None.
        names: (P,) what the predicted numbers are called.
        parameters: where they enter rows, or None.
        signs: (P,) +1, -1 where a predicted number may not be negative, positive; 0 elsewhere; None: all 0.
    """

    rows: OpenProgram
    cost_map: CostMap
    costs: np.ndarray | None
    names: tuple[str, ...]
    parameters: Parameters | None = None
    signs: np.ndarray | None = None

    @staticmethod
    def of(model: MixedIntegerModel, predicted: np.ndarray | None = None) -> PredictedModel:
        """The costs of some columns predicted, in this order; None: all of them, in the order of the model.

        The other costs are known. Both are in the model's own sense, as its constant is.

        Raises:
            InvalidInstanceError: a column twice, or none; and from `OpenProgram.of`.
        """
        n = len(model.names)
        columns = np.arange(n) if predicted is None else np.asarray(predicted, dtype=np.int64)
        if not len(columns):
            raise InvalidInstanceError("No cost is predicted; name at least one variable.")
        values, counts = np.unique(columns, return_counts=True)
        if (counts > 1).any():
            twice = model.names[values[counts > 1][0]]
            raise InvalidInstanceError(f"The cost of {twice} is predicted twice; name every variable once.")
        count = len(columns)
        matrix = sparse.csr_array((np.ones(count), (columns, np.arange(count))), shape=(n, count))
        known = model.costs.copy()
        known[columns] = 0.0
        quadratic = model.Q if model.Q is None or model.sense == "min" else -model.Q
        rows = OpenProgram.of(
            model.A, model.b, model.G, model.h, model.lower, model.upper, model.integer, quadratic,
            Names(model.names, model.equality_names, model.inequality_names),
        )  # fmt: skip
        return PredictedModel(
            rows,
            CostMap.of(n, matrix, known, model.sense, offset=model.constant),
            model.costs[columns],
            tuple(model.names[j] for j in columns),
        )
