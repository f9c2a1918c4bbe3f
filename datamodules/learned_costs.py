"""LightningDataModule for learned costs: PyG graphs with features, true costs and optimal decisions."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader

from datamodules.cache import cache_key, save_whole
from datamodules.contextual_costs import (
    EDGE_FEATURES,
    NODE_FEATURES,
    ContextualCosts,
    generate_contextual_costs,
)
from datamodules.epoch_shuffle import EpochShuffle
from diffcomb.errors import InvalidInstanceError, UnsupportedError
from diffcomb.oracles import Limits
from diffcomb.problems import Problem, every_oracle_name

log = logging.getLogger(__name__)

#: raise when the generator changes, so that stale caches are not read
_FORMAT = 1


class LearnedCostsDataModule(pl.LightningDataModule):
    """Train, validation and test sets of one problem, generated, labelled once and cached.

    Each item is a PyG `Data`: x, edge_index (both directions of every cost edge), edge_attr,
    cost_edges (which columns of edge_index are the costs, in order), costs (1, n), decisions (1, n)
    = z*(costs), node positions.

    Args:
        problem: what is decided on the costs.
        num_train, num_val, num_test: instances.
        batch_size: instances a training step.
        degree, noise: of the hidden cost; see `contextual_costs`.
        seed: of the data; the three sets use different streams of it.
        cache_dir: labelled data is kept here, one file per (problem, generator, seed).
        oracle: solves the labels: a name, or Limits with limits. Labels of a heuristic or under a
            time limit are cached apart from proven ones.
    """

    node_features, edge_features = len(NODE_FEATURES), len(EDGE_FEATURES)
    #: what kind of problem the data are for
    decides: type = Problem
    #: fields that a loss may ask for in training
    supervision: tuple[str, ...] = ("costs", "decisions")

    def __init__(
        self,
        problem: Problem,
        num_train: int = 400,
        num_val: int = 100,
        num_test: int = 200,
        batch_size: int = 32,
        degree: float = 5.0,
        noise: float = 0.2,
        seed: int = 0,
        cache_dir: str = "data/learned_costs",
        oracle: str | Limits = "auto",
    ) -> None:
        super().__init__()
        if not isinstance(problem, self.decides):
            raise UnsupportedError(
                f"{type(self).__name__} draws data for a {self.decides.__name__},"
                f" not for {type(problem).__name__}; choose another datamodule."
            )
        if min(num_train, num_val, num_test, batch_size) < 1:
            raise InvalidInstanceError("num_train, num_val, num_test and batch_size must be at least 1.")
        if degree < 0 or noise < 0:
            raise InvalidInstanceError(f"degree and noise must not be negative, got {degree}, {noise}.")
        self.problem = problem
        self.counts = {"train": num_train, "val": num_val, "test": num_test}
        self.batch_size, self.seed = batch_size, seed
        self.degree, self.noise = degree, noise
        self.cache_dir = Path(cache_dir)
        self.oracle = Limits(oracle) if isinstance(oracle, str) else oracle
        self.sets: dict[str, list[Data]] = {}

    def cache_file(self, split: str) -> Path | None:
        """Where the labelled `split` is kept; None where nothing tells the problem from another."""
        content = self._fingerprint()
        if content is None:
            return None
        identity = {
            "format": _FORMAT,
            "problem": type(self.problem).__name__,
            "content": content,
            "split": split,
            "count": self.counts[split],
            "degree": self.degree,
            "noise": self.noise,
            "seed": self.seed,
            **self._label_quality(),
        }
        key = cache_key(identity)
        return self.cache_dir / f"{identity['problem']}-{split}-{key}.pt"

    def _label_quality(self) -> dict[str, Any]:
        """Empty for proven labels, whoever proves them."""
        limit, name = self.oracle.time_limit, self.oracle.oracle
        proven = name == "auto" or name in every_oracle_name(exact_only=True)
        return {} if proven and limit is None else {"oracle": name, "time_limit": limit}

    def _fingerprint(self) -> str | None:
        """Of the feasible set: labels of one problem are no labels of another. None: known by its oracle."""
        try:
            polytope = self.problem.polytope()
        except UnsupportedError:
            return None
        content = hashlib.sha256(self.problem.cost_graph().edge_index.numpy().tobytes())
        for part in (polytope.b, polytope.h):
            content.update(part.tobytes())
        for matrix in (polytope.A, polytope.G):
            for part in (matrix.indptr, matrix.indices, matrix.data):
                content.update(part.tobytes())
        return content.hexdigest()

    def sample(self, count: int) -> Batch:
        """`count` labelled instances of a stream of their own, as a batch; nothing is kept."""
        return Batch.from_data_list(self._graphs(self._label("sample", count, self.seed * 3 + 2**32)))

    def instance_bytes(self) -> int:
        """Memory of one instance: features of nodes and edges, costs, decision, positions, float32."""
        graph = self.problem.cost_graph()
        nodes = graph.num_nodes * (self.node_features + 2)
        return 4 * (nodes + self.problem.num_costs * (2 * self.edge_features + 2))

    def prepare_data(self) -> None:
        for split in self.counts:
            path = self.cache_file(split)
            if path is not None and not path.exists():
                save_whole(self._generate(split), path)  # appears only when it is complete

    def setup(self, stage: str | None = None) -> None:
        for split in self.counts:
            if split not in self.sets:
                path = self.cache_file(split)
                stored = self._generate(split) if path is None else torch.load(path, weights_only=True)
                self.sets[split] = self._graphs(stored)

    def _generate(self, split: str) -> dict[str, Any]:
        """Draw and label one split."""
        stream = self.seed * 3 + list(self.counts).index(split)
        log.info("Labelling %d %s instances with optimal decisions", self.counts[split], split)
        return self._label(split, self.counts[split], stream, progress=True)

    def _label(self, split: str, count: int, seed: int, *, progress: bool = False) -> dict[str, Any]:
        """Tensors to store: what was drawn, and its optimal decisions."""
        drawn = self._draw(count, seed)
        return {**vars(drawn), "decisions": self._decide(self.problem, drawn.costs, progress=progress)}

    def _decide(self, problem: Problem, costs: torch.Tensor, *, progress: bool = False) -> torch.Tensor:
        """z*(costs) float32, within the limits of the run."""
        o = self.oracle
        solved = problem.solve(
            costs.double(), o.oracle, o.time_limit, num_workers=o.num_workers, seed=o.seed, progress=progress
        )
        return solved.decision.float()

    def _draw(self, count: int, seed: int) -> ContextualCosts:
        return generate_contextual_costs(self.problem, count, seed=seed, degree=self.degree, noise=self.noise)

    def _graphs(self, stored: dict[str, torch.Tensor]) -> list[Data]:
        graph = self.problem.cost_graph()
        tails, heads = graph.edge_index
        both = torch.stack([torch.cat([tails, heads]), torch.cat([heads, tails])])
        cost_edges = torch.arange(self.problem.num_costs)
        decisions = stored.pop("decisions")
        drawn = ContextualCosts(**stored)
        return [
            Data(
                x=drawn.nodes[i],
                edge_index=both,
                edge_attr=drawn.edges[i].repeat(2, 1),
                cost_edges=cost_edges,
                costs=drawn.costs[i][None],
                decisions=decisions[i][None],
                positions=drawn.positions[i],
            )
            for i in range(len(drawn.costs))
        ]

    def train_dataloader(self) -> DataLoader:
        order = EpochShuffle(len(self.sets["train"]), self.seed)
        return DataLoader(self.sets["train"], self.batch_size, sampler=order)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.sets["val"], 256)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.sets["test"], 256)
