"""The frame of all losses: supervision checked, rows regrouped by problem, one mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from diffcomb.errors import InvalidCostsError, UnsupportedError
from diffcomb.layers import Costs, FullPrecision, as_rows, exact_decisions, form_of, group
from diffcomb.losses.scenarios import one_row_a_scenario
from diffcomb.losses.supervision import (
    ANY_WIDTH,
    MembershipCheck,
    cast,
    matching,
    require_finite,
    widest_dtype,
    working_dtype,
)
from diffcomb.oracles import Limits
from diffcomb.problems import Problem


class Loss(FullPrecision):
    """Mean over the batch of what `block_loss` says of each instance.

    Called as loss(theta, *supervision, problems=None) with the supervision that `needs` names: "costs",
    true costs c, and "decisions", optimal decisions z. All are (batch, n), or (n,), or lists of (n_i,)
    vectors with one problem each. Costs, and decisions with them, may also be (batch, scenarios, n): an
    instance counts by its mean over the scenarios. An empty batch costs 0. float32 and float64 stay as
    they are; lower precisions are computed in float64 and give a float32 loss.

    Args:
        layer: gives the problem, and its oracle or convex solver.

    Raises:
        InvalidCostsError: supervision that does not fit theta, does not float or is not finite;
            decisions outside Z; a loss that overflows.
    """

    needs: tuple[str, ...] = ()
    #: whether `block_loss` sees each scenario as a row of its own, or takes the mean over them itself
    scenarios_are_rows = True

    def __init__(self, layer: Any = None) -> None:
        super().__init__()
        self.layer = layer
        self._require_members = MembershipCheck()

    def block_loss(self, *args: Any, **kwargs: Any) -> Tensor:
        """(problem, theta, *supervision, *decided) of rows of one problem, (rows, n) each -> (rows, ...).

        The supervision comes in the order of `needs`, and then what `decide` returned.
        """
        raise NotImplementedError

    def decide(self, problems: Sequence[Problem] | None, *given: Costs) -> tuple[Any, ...]:
        """(problems, theta, *supervision) of the whole call -> what the layer says of it, in theta's form."""
        return ()

    @property
    def limits(self) -> Any:
        """The layer's oracle and its limits; the defaults where it has none."""
        own = getattr(self.layer, "oracle", None)
        return own if isinstance(own, Limits) else Limits()

    def exact_decisions(self, problem: Problem, costs: Tensor) -> Tensor:
        """z*(costs), (..., n) -> (..., n) in their dtype, by the layer's oracle."""
        return exact_decisions(problem, costs, self.limits).to(costs.dtype)

    def forward(
        self,
        theta: Costs,
        *supervision: Any,
        problems: Sequence[Problem] | None = None,
        costs: Costs | None = None,
        z_true: Costs | None = None,
    ) -> Tensor:
        """theta, the supervision and the problems, in this order or by name -> scalar."""
        given, problems = self._named(supervision, {"costs": costs, "decisions": z_true}, problems)
        form = form_of(theta)
        widths = {"decisions": self._decision_width(problems)}
        batches = [theta, *(matching(name, f, theta, widths.get(name)) for name, f in given.items())]
        if form == "vector":
            batches = [batch[None] for batch in batches]  # type: ignore[call-overload]
        if len(batches[0]) == 0:
            return theta.sum() * 0 if isinstance(theta, Tensor) else torch.zeros((), requires_grad=True)
        if self.scenarios_are_rows:
            batches, problems = one_row_a_scenario(batches, problems or self._own_problems())
        losses = self._block_losses(batches, problems)
        mean = (
            losses[0].mean() if len(losses) == 1 else torch.cat([loss.reshape(-1) for loss in losses]).mean()
        )
        if not isfinite(mean.item()):
            raise InvalidCostsError(
                f"{type(self).__name__} is {mean.item()} although all costs are finite: they are too large to"
                " be added up; divide costs and predictions by a common factor."
            )
        return mean.to(torch.promote_types(torch.float32, widest_dtype(theta)))

    def _block_losses(self, batches: Sequence[Costs], problems: Sequence[Problem] | None) -> list[Tensor]:
        """`block_loss` of each block of rows, after a check of its supervision."""
        dtype = working_dtype(*batches)
        theta, *fields = cast(batches[0], dtype), *batches[1:]
        owners, split = self._grouped(theta, problems)
        columns = [split(batch) for batch in (theta, *fields)]
        for name, column in zip(self.needs, columns[1:], strict=True):
            for owner, rows in zip(owners, column, strict=True):
                self._check(name, owner, rows)
        columns += [split(part) for part in self.decide(problems, theta, *fields)]
        return [
            self.block_loss(owner, *(part.to(dtype) for part in rows))
            for owner, *rows in zip(owners, *columns, strict=True)
        ]

    def _grouped(
        self, theta: Costs, problems: Sequence[Problem] | None
    ) -> tuple[Sequence[Problem | None], Callable[[Costs], Sequence[Tensor]]]:
        """The problem of each block of rows, and what brings a batch into these blocks."""
        problem = getattr(self.layer, "problem", None)
        if problem is None and problems is None:  # any module with the call of a layer, or no layer at all
            return [None] * len(as_rows(theta)), as_rows
        grouping = group([] if problem is None else problem, theta, problems)
        return [block.problem for block in grouping.blocks], grouping.split

    def _check(self, name: str, problem: Problem | None, rows: Tensor) -> None:
        if problem is not None and name == "costs":
            problem.check_costs(rows.detach().reshape(-1, rows.shape[-1]))
        elif problem is not None and not problem.set_moves:
            self._require_members(problem, rows)
        else:  # whether start times are feasible depends on durations that not every loss has
            require_finite(name, rows)

    def _own_problems(self) -> Sequence[Problem] | None:
        """Of a layer over several; None where it has one or none."""
        own = getattr(self.layer, "problem", None)
        return own if isinstance(own, Sequence) else None

    def _decision_width(self, problems: Sequence[Problem] | None) -> int | None:
        """Length of a decision; None: that of theta."""
        problem = getattr(self.layer, "problem", None)
        if problems is not None or not isinstance(problem, Problem):
            return ANY_WIDTH if problems is not None else None
        try:
            return problem.num_vars
        except UnsupportedError:  # a function whose first decision is still to come
            return ANY_WIDTH

    def _named(
        self, supervision: Sequence[Any], by_name: Mapping[str, Any], problems: Sequence[Problem] | None
    ) -> tuple[dict[str, Any], Sequence[Problem] | None]:
        """What was given for each of `needs`, in their order, and the problems."""
        if len(supervision) == len(self.needs) + 1:
            *supervision, problems = supervision
        given = dict(zip(self.needs, supervision, strict=False))
        given |= {name: field for name, field in by_name.items() if field is not None}
        if len(supervision) > len(self.needs) or set(given) != set(self.needs):
            more = " and more" if len(supervision) > len(self.needs) else ""
            raise InvalidCostsError(
                f"{type(self).__name__} takes theta and {' and '.join(self.needs)}, got theta and"
                f" {', '.join(sorted(given)) or 'nothing'}{more}."
            )
        return {name: given[name] for name in self.needs}, problems
