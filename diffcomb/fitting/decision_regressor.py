"""Arrays in, decisions out: predicted costs fitted for the decisions they lead to."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from diffcomb.errors import InvalidCostsError, SolveFailedError, UnknownNameError, UnsupportedError
from diffcomb.fitting.scaling import Scaling, as_matrix
from diffcomb.layers import DecisionLayer
from diffcomb.losses import CostMSELoss, FenchelYoungLoss, RegretLoss, SmoothedSPOPlusLoss, SPOPlusLoss
from diffcomb.metrics import normalized_regret
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem

LOSSES: dict[str, Callable[[DecisionLayer], Any]] = {
    "smoothed_spo_plus": SmoothedSPOPlusLoss,
    "spo_plus": SPOPlusLoss,
    "fenchel_young": FenchelYoungLoss,
    "regret": RegretLoss,
    "squared_error": CostMSELoss,
}


class DecisionRegressor:
    """costs = net(features), trained on what the decisions cost.

    Features are standardised and costs scaled inside, and both are stored with the weights. The start is the
    least-squares fit (ridge 1e-6); training goes on with the loss from there, and the weights with the
    least regret on held-out rows are kept, the start among them: where decisions cannot be improved, least
    squares is what is left.

    Args:
        problem: what is decided.
        loss: a name of `LOSSES`; "auto": smoothed SPO+ where the problem has rows, SPO+ where it is known by
            its oracle alone, squared error where costs decide what is feasible (job shops).
        hidden: widths of hidden layers between the features and the costs, a correction of the linear fit.
        epochs, batch_size, learning_rate, seed: of Adam.
        validation: share of the rows held out.
        oracle: of exact decisions; a name, an oracle, or Limits.

    Attributes:
        regret_: on the held-out rows, of the weights kept. least_squares_regret_: of the start.

    Raises:
        UnknownNameError: a loss that does not exist.
    """

    def __init__(
        self,
        problem: Problem,
        loss: str = "auto",
        *,
        hidden: Sequence[int] = (),
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 1e-2,
        validation: float = 0.2,
        seed: int = 0,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        if loss != "auto" and loss not in LOSSES:
            raise UnknownNameError(f"Unknown loss {loss!r}; choose auto or one of {', '.join(LOSSES)}.")
        if epochs < 0 or batch_size < 1 or not learning_rate > 0 or not 0 < validation < 1:
            raise UnsupportedError(
                "epochs must not be negative, batch_size at least 1, learning_rate positive and validation"
                " in (0, 1)."
            )
        self.problem, self.loss = problem, loss
        self.options: dict[str, Any] = {
            "hidden": tuple(hidden),
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "validation": validation,
            "seed": seed,
        }
        self.limits = Limits.of(oracle)
        self.net: _Net | None = None
        self.cost_names: list[str] | None = None
        self.regret_, self.least_squares_regret_ = float("nan"), float("nan")

    def fit(self, X: Any, C: Any, *, progress: bool = False) -> DecisionRegressor:
        """Train on features X (rows, F) and true costs C (rows, P): arrays, tensors or DataFrames.

        Raises:
            InvalidCostsError: shapes that do not fit, values that are not finite, fewer than five rows.
        """
        features, _, _ = as_matrix(X, "X")
        costs, self.cost_names, _ = as_matrix(C, "C", self.problem.num_costs)
        if len(features) != len(costs) or len(features) < 5:
            raise InvalidCostsError(
                f"X and C need the same number of rows, at least 5; got {len(features)} and {len(costs)}."
            )
        o, generator = self.options, torch.Generator().manual_seed(self.options["seed"])
        order = torch.randperm(len(features), generator=generator)
        held = max(1, int(o["validation"] * len(order)))
        train, test = order[held:], order[:held]
        net = _Net(features.shape[1], self.problem.num_costs, o["hidden"], o["seed"])
        net.start(features[train], costs[train])
        best_costs = self._best(costs)
        self._train(net, features, costs / net.scaling.size, (train, test), best_costs, generator, progress)
        self.net = net
        return self

    def _best(self, costs: Tensor) -> Tensor:
        """Optimal decisions of all rows, solved once."""
        return self.problem.solve(costs, self.limits).decision

    def _train(
        self,
        net: _Net,
        X: Tensor,
        C: Tensor,
        split: tuple[Tensor, Tensor],
        best: Tensor,
        generator: torch.Generator,
        progress: bool,
    ) -> None:
        train, test = split
        decision = "relaxed" if self.problem.has_linear_oracle else "exact"
        loss = LOSSES[self._loss_name](DecisionLayer(self.problem, decision=decision, oracle=self.limits))
        fields = {"costs": C, "decisions": best}
        needs = [fields[name] for name in loss.needs]
        optimizer = torch.optim.Adam(net.parameters(), lr=self.options["learning_rate"])
        self.least_squares_regret_ = self.regret_ = self._regret(net, X[test], C[test], best[test])
        kept = {k: v.clone() for k, v in net.state_dict().items()}
        bar = tqdm(range(self.options["epochs"]), desc="fitting", unit="epoch", disable=not progress)
        for _ in bar:
            shuffled = train[torch.randperm(len(train), generator=generator)]
            for rows in shuffled.split(self.options["batch_size"]):
                optimizer.zero_grad()
                loss(net.scaled(X[rows]), *(field[rows] for field in needs)).backward()
                optimizer.step()
            now = self._regret(net, X[test], C[test], best[test])
            bar.set_postfix_str(f"held-out regret {now:.4f}")
            if now < self.regret_:
                self.regret_ = now
                kept = {k: v.clone() for k, v in net.state_dict().items()}
        net.load_state_dict(kept)

    @property
    def _loss_name(self) -> str:
        if self.loss != "auto":
            return self.loss
        if not self.problem.has_linear_oracle:
            return "squared_error"
        try:
            self.problem.polytope()
        except UnsupportedError:
            return "spo_plus"
        return "smoothed_spo_plus"

    def _regret(self, net: _Net, X: Tensor, C: Tensor, best: Tensor) -> float:
        with torch.no_grad():
            theta = net.scaled(X)
        decided = self.problem.solve(theta, self.limits).decision
        return float(normalized_regret(self.problem.cost_of(decided, C), self.problem.cost_of(best, C)))

    def predict(self, X: Any) -> Any:
        """Predicted costs (rows, P), in the units of C: a DataFrame for a DataFrame, else an array."""
        features, _, index = as_matrix(X, "X", self._fitted.features)
        with torch.no_grad():
            costs = self._fitted(features).numpy()
        if index is None:
            return costs
        import pandas as pd

        return pd.DataFrame(costs, index=index, columns=self.cost_names)

    def decide(self, X: Any) -> Any:
        """Optimal decisions (rows, n) for the predicted costs, as an array."""
        costs = torch.as_tensor(as_matrix(self.predict(X), "costs")[0])
        return self.problem.solve(costs, self.limits).decision.numpy()

    def score(self, X: Any, C: Any) -> float:
        """1 - normalized regret of the decisions on true costs C (rows, P): 1 is perfect."""
        costs, _, _ = as_matrix(C, "C", self.problem.num_costs)
        decided = torch.from_numpy(self.decide(X))
        best = self._best(costs)
        found = normalized_regret(self.problem.cost_of(decided, costs), self.problem.cost_of(best, costs))
        return 1.0 - float(found)

    @property
    def _fitted(self) -> _Net:
        if self.net is None:
            raise SolveFailedError("This DecisionRegressor is not fitted yet; call fit(X, C) first.")
        return self.net

    def save(self, path: str | Path) -> None:
        """Weights, scaling, options and the problem in one file.

        A problem that cannot be pickled (a function of this process alone) is left out; hand it to `load`.
        """
        try:
            problem: bytes | None = pickle.dumps(self.problem)
        except Exception:  # pickle raises whatever an object's own reduction raises
            problem = None
        net = self._fitted
        torch.save(
            {
                "problem": problem,
                "loss": self.loss,
                "options": self.options,
                "cost_names": self.cost_names,
                "features": net.features,
                "state": net.state_dict(),
                "regrets": (self.regret_, self.least_squares_regret_),
            },
            path,
        )

    @staticmethod
    def load(path: str | Path, problem: Problem | None = None) -> DecisionRegressor:
        """What `save` wrote, in any process. The file holds a pickle: load only files you trust.

        Raises:
            UnsupportedError: the problem was left out, and none is given.
        """
        saved = torch.load(path, weights_only=True)
        if problem is None:
            if saved["problem"] is None:
                raise UnsupportedError(f"{path} holds no problem, which could not be pickled; pass problem=.")
            problem = pickle.loads(saved["problem"])
        found = DecisionRegressor(problem, saved["loss"], **saved["options"])
        found.cost_names = saved["cost_names"]
        found.regret_, found.least_squares_regret_ = saved["regrets"]
        hidden, seed = saved["options"]["hidden"], saved["options"]["seed"]
        found.net = _Net(saved["features"], problem.num_costs, hidden, seed)
        found.net.load_state_dict(saved["state"])
        return found


class _Net(nn.Module):
    """A linear map of scaled features, and a correction by hidden layers that starts at 0."""

    def __init__(self, features: int, costs: int, hidden: Sequence[int], seed: int) -> None:
        super().__init__()
        self.features = features
        self.scaling = Scaling(features)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.linear = nn.Linear(features, costs, dtype=torch.float64)
            widths = [features, *hidden]
            parts: list[nn.Module] = []
            for a, b in pairwise(widths):
                parts += [nn.Linear(a, b, dtype=torch.float64), nn.ReLU()]
            self.correction = nn.Sequential(*parts, nn.Linear(widths[-1], costs, dtype=torch.float64))
        self.has_correction = bool(hidden)
        last = self.correction[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        if not hidden:
            self.correction.requires_grad_(False)

    def start(self, X: Tensor, C: Tensor) -> None:
        """The least-squares fit of C by X, with a ridge of 1e-6 against features that repeat others."""
        self.scaling.fit(X, C)
        x = torch.cat([self.scaling.features(X), torch.ones(len(X), 1, dtype=torch.float64)], dim=1)
        ridge = 1e-6 * len(X) * torch.eye(x.shape[1], dtype=torch.float64)
        weights = torch.linalg.solve(x.T @ x + ridge, x.T @ (C / self.scaling.size))
        with torch.no_grad():
            self.linear.weight.copy_(weights[:-1].T)
            self.linear.bias.copy_(weights[-1])

    def scaled(self, X: Tensor) -> Tensor:
        """Predicted costs divided by the size of the training costs."""
        x = self.scaling.features(X)
        out: Tensor = self.linear(x)
        return out + self.correction(x) if self.has_correction else out

    def forward(self, X: Tensor) -> Tensor:
        return self.scaled(X) * self.scaling.size
