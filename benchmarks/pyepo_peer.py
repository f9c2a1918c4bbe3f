"""Train PyEPO's methods for `benchmarks.predict_then_optimize`, which starts this file with any Python.

`python pyepo_peer.py jobs.json`: reads {"data": npz, "kind": ..., "jobs": [...], "out": npz}, writes per job
the linear predictor and the CPU seconds of each epoch; with "solves": k, the seconds of k exact solves. It
imports PyEPO, torch and NumPy only, so it runs in a virtual environment of its own where PyEPO's needs
conflict with ours.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import warnings

import numpy as np
import torch

warnings.simplefilter("ignore")
with contextlib.redirect_stdout(io.StringIO()):  # one line per solver that is not installed
    import pyepo
    from pyepo import EPO
    from pyepo.model import grb, omo, ort


def solver_model(kind: str, data: dict[str, np.ndarray]):  # type: ignore[no-untyped-def]
    """The fastest of PyEPO's solvers that runs without a paid licence."""
    if kind == "grid":
        return ort.shortestPathModel(tuple(int(v) for v in data["grid"]))
    if kind == "knapsack":
        # the size-limited Gurobi licence that pip installs is enough for 32 items
        return grb.knapsackModel(data["weights"], data["capacity"])
    if kind == "tsp":
        return grb.tspDFJModel(int(data["num_cities"]))
    # what is left without Gurobi: Pyomo, with the fastest open solver it drives
    return omo.tspGGModel(int(data["num_cities"]), solver="appsi_highs")


def make_loss(method: str, model, dataset):  # type: ignore[no-untyped-def]
    """name -> (loss module, fields of the data set it takes)."""
    if method == "PyEPO SPO+":
        return pyepo.func.SPOPlus(model, processes=1), ("c", "w", "z")
    if method == "PyEPO PFYL":
        return pyepo.func.perturbedFenchelYoung(model, n_samples=1, sigma=1.0, processes=1), ("w",)
    raise ValueError(method)


def train(job: dict, model, fields: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    torch.manual_seed(job["seed"])
    predictor = torch.nn.Linear(fields["x"].shape[1], fields["c"].shape[1])
    optimizer = torch.optim.Adam(predictor.parameters(), lr=job["lr"])
    loss, needs = make_loss(job["method"], model, None)
    rows = torch.tensor(job["rows"])
    seconds = []
    for _ in range(job["epochs"]):
        order = rows[torch.randperm(len(rows))]
        start = time.process_time()
        for batch in order.split(job["batch_size"]):
            optimizer.zero_grad()
            loss(predictor(fields["x"][batch]), *(fields[name][batch] for name in needs)).backward()
            optimizer.step()
        seconds.append(time.process_time() - start)
    return {
        "weight": predictor.weight.detach().numpy(),
        "bias": predictor.bias.detach().numpy(),
        "seconds": np.array(seconds),
    }


def solve_seconds(model, costs: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """CPU seconds of one exact solve each, costs (count, n)."""
    seconds = []
    for cost in costs:
        start = time.process_time()
        model.setObj(cost)
        model.solve()
        seconds.append(time.process_time() - start)
    return np.array(seconds)


def main(path: str) -> None:
    torch.set_num_threads(1)
    with open(path) as file:
        task = json.load(file)
    data = dict(np.load(task["data"]))
    model = solver_model(task["kind"], data)
    maximize = model.modelSense == EPO.MAXIMIZE
    costs = -data["c"] if maximize else data["c"]
    fields = {name: torch.as_tensor(data[name], dtype=torch.float32) for name in ("x", "w")}
    fields["c"] = torch.as_tensor(costs, dtype=torch.float32)
    fields["z"] = (fields["c"] * fields["w"]).sum(1, keepdim=True)
    out = {}
    if "solves" in task:
        out["solves"] = solve_seconds(model, costs[: task["solves"]])
    for k, job in enumerate(task["jobs"]):
        for name, value in train(job, model, fields).items():
            # costs to minimise, whatever PyEPO's sense
            out[f"{k}/{name}"] = -value if maximize and name != "seconds" else value
    np.savez(task["out"], **out)


if __name__ == "__main__":
    main(sys.argv[1])
