"""What the user calls variables and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InvalidInstanceError


@dataclass(frozen=True, eq=False)
class Names:
    """Names of variables and rows, and the user's own variables as arrays of columns.

    Args:
        variables: one per column.
        equalities, inequalities: one per row of A and of G.
        blocks: (name, columns) pairs, columns an integer array of the variable's shape; None: every column
            is a variable of its own.
    """

    variables: tuple[str, ...]
    equalities: tuple[str, ...]
    inequalities: tuple[str, ...]
    blocks: tuple[tuple[str, np.ndarray], ...] | None = None

    def by_name(self, z: Tensor) -> dict[str, Tensor]:
        """z (..., n) -> name -> (..., *shape of that variable).

        Raises:
            InvalidInstanceError: two variables of one name.
        """
        blocks = self.blocks
        if blocks is None:
            return self._columns_by_name(z)
        self._refuse_repeated([name for name, _ in blocks])
        places = ((name, torch.as_tensor(columns, device=z.device)) for name, columns in blocks)
        return {name: z[..., columns] for name, columns in places}

    def _columns_by_name(self, z: Tensor) -> dict[str, Tensor]:
        self._refuse_repeated(self.variables)
        return dict(zip(self.variables, z.unbind(-1), strict=True))

    def _refuse_repeated(self, names: Sequence[str]) -> None:
        repeated = first_repeated(names)
        if repeated is not None:
            raise InvalidInstanceError(f"Two variables are called {repeated}; rename one to ask by name.")

    @staticmethod
    def of(
        num_vars: int,
        num_equalities: int,
        num_inequalities: int,
        variables: Sequence[str] | None = None,
    ) -> Names:
        """x0, x1, ... and "row 3 of A" where nobody gave a name.

        Raises:
            InvalidInstanceError: not one name per variable.
        """
        if variables is None:
            variables = [f"x{j}" for j in range(num_vars)]
        if len(variables) != num_vars:
            raise InvalidInstanceError(f"{num_vars} variables need as many names, got {len(variables)}.")
        return Names(
            tuple(variables),
            tuple(f"row {k} of A" for k in range(num_equalities)),
            tuple(f"row {k} of G" for k in range(num_inequalities)),
        )


def first_repeated(names: Sequence[str]) -> str | None:
    """The first name that occurs twice, if any."""
    counts: Mapping[str, int] = Counter(names)
    return next((name for name, count in counts.items() if count > 1), None)
