"""Every option of the relaxation group on learned shortest paths: `python -m benchmarks.baselines`.

A linear model predicts the 40 costs of a 5 x 5 grid from 5 features (polynomial degree 4, noise 0.5, 1000
instances to train and to test): PyEPO's data set where DIFFCOMB_DATA has pyepo/sp5x5.npz, drawn by the same
formula otherwise. Adam 1e-2, batches of 32, one thread. Printed per method: normalized test regret after
the last epoch, CPU seconds an epoch, and rows handed to the exact oracle per instance and epoch, convex and
linear programs not counted.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from diffcomb.errors import DiffcombError
from diffcomb.metrics import normalized_regret
from diffcomb.oracles import OracleResult
from diffcomb.problems import ShortestPath
from diffcomb.protocol import build, oracle_settings, register_configs

CONF = Path(__file__).parents[1] / "conf"


class CountedGrid(ShortestPath):
    """A shortest path problem that counts the cost vectors its oracle is asked to decide."""

    rows_solved = 0

    def solve(self, theta: Tensor | None = None, *args: object, **options: object) -> OracleResult:
        assert theta is not None
        self.rows_solved += theta.numel() // self.num_costs
        return super().solve(theta, *args, **options)  # type: ignore[arg-type]


def drawn_data(count: int) -> dict[str, np.ndarray]:
    """c = (((B x / sqrt 5) + 3)^4 + 1) / 3.5^4 times uniform noise in [0.5, 1.5], B Bernoulli(1/2)."""
    rng = np.random.default_rng(42)
    mixing = rng.integers(0, 2, (5, 40))
    x = rng.standard_normal((2 * count, 5))
    c = ((x @ mixing / 5**0.5 + 3) ** 4 + 1) / 3.5**4 * rng.uniform(0.5, 1.5, (2 * count, 40))
    grid = ShortestPath.grid(5, 5)
    arcs = np.stack([grid.tails, grid.heads], 1)
    return {
        "x_train": x[:count],
        "c_train": c[:count],
        "x_test": x[count:],
        "c_test": c[count:],
        "arcs": arcs,
    }


def load_data() -> tuple[str, dict[str, np.ndarray]]:
    path = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "pyepo/sp5x5.npz"
    if path.exists():
        return str(path.name), dict(np.load(path))
    return "drawn here", drawn_data(1000)


def train(option: str, data: dict[str, np.ndarray], epochs: int, seed: int, overrides: list[str]) -> str:
    """One row of the table."""
    chosen = [f"relaxation={option}", "problem=shortest_path", f"seed={seed}", *overrides]
    cfg = compose("train", chosen)
    problem = CountedGrid(data["arcs"], 25, 0, 24)
    oracle = oracle_settings(cfg.oracle)
    layer = build(cfg.relaxation.layer or cfg.solver, problem, key="layer", oracle=oracle)
    loss: nn.Module = build(cfg.relaxation.loss or cfg.loss, layer, key="loss")
    x, c, x_test, c_test = (
        torch.as_tensor(data[name], dtype=torch.float64)
        for name in ("x_train", "c_train", "x_test", "c_test")
    )
    fields = {"costs": c, "decisions": problem.solve(c).decision}
    optimum = problem.solve(c_test).value
    torch.manual_seed(seed)
    model = nn.Linear(x.shape[1], c.shape[1]).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    # the first batch compiles; it is not timed and changes nothing
    loss(model(x[:2]), *(fields[name][:2] for name in loss.needs)).backward()
    problem.rows_solved, seconds = 0, 0.0
    for _ in range(epochs):
        order = torch.randperm(len(x))
        start = time.process_time()
        for rows in order.split(32):
            optimizer.zero_grad()
            loss(model(x[rows]), *(fields[name][rows] for name in loss.needs)).backward()
            optimizer.step()
        seconds += time.process_time() - start
    calls = problem.rows_solved / (len(x) * epochs)
    with torch.no_grad():
        decisions = layer.eval()(model(x_test))
    regret = float(normalized_regret((c_test * decisions).sum(-1), optimum))
    name = type(loss).__name__
    return f"{option:22}{name:28}{regret:8.4f}{seconds / epochs:12.3f}{calls:10.2f}"


def run(options: list[str], epochs: int, seed: int, overrides: list[str]) -> None:
    torch.set_num_threads(1)
    register_configs()
    source, data = load_data()
    print(f"data: {source}, {epochs} epochs, seed {seed}")
    print(f"{'relaxation':22}{'loss':28}{'regret':>8}{'s/epoch':>12}{'calls':>10}")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for option in options:
            try:
                print(train(option, data, epochs, seed, overrides), flush=True)
            except DiffcombError as error:
                print(f"{option:22}{error}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("options", nargs="*", help="of conf/relaxation; all when empty")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], help="a Hydra override, may be repeated")
    given = parser.parse_args()
    every = sorted(path.stem for path in (CONF / "relaxation").glob("*.yaml"))
    run(given.options or every, given.epochs, given.seed, given.set)
