"""DIMES: a network meta-learned so that a few REINFORCE steps on an instance find short tours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from diffcomb.errors import UnsupportedError
from diffcomb.metrics import cost_unit, normalized_regret
from diffcomb.problems import Problem, TravelingSalesman
from diffcomb.relaxations.soft.decoding.tour_search import decode_tours, neighbor_prior, reinforce
from models.dimes_networks import EmbNet, ParNet


class ExpectedTourLength(nn.Module):
    """What the meta-solver minimises: E_q[length] after the inner steps; names the row of the table."""


class DimesMetaSolver(pl.LightningModule):
    """Qiu, Sun & Yang 2022 (arXiv:2210.04123): theta = ParNet(EmbNet(instance)), tours from q_theta.

    Training, first-order MAML: on each instance `inner_steps` of AdamW on the edge embedding and its own
    copy of ParNet's weights against E_q[length] (REINFORCE, leave-one-out baseline, analytic score);
    the gradient at the adapted point updates ParNet and, through the embedding, EmbNet.
    Evaluation: `search_steps` of the same inner loop (active search), then greedy walks from every
    city and `num_decoded` sampled tours, the best of them.

    No oracle calls. Test metrics: `regret` (the mean gap to the optimum), `regret_no_search`, and
    `regret_prior`, greedy walks on the parameter-free heatmap 1/(rank + 1) of the neighbours.

    Args:
        problem: TravelingSalesman. Costs are an input here: the data's one edge feature is the length.
        num_neighbors: k of the graph; published 50.
        width, num_layers: of the networks; published 32 and 12.
        inner_steps, inner_rate, num_samples: T, AdamW's rate and K; published 15, 0.01 and 100. More
            inner steps: better adapted, slower, outer gradients of a point farther away.
        search_steps: of active search; published 100 on 500 cities. 0: one forward pass.
        num_decoded: sampled tours beside the greedy ones; 0 = greedy alone.
        learning_rate, weight_decay: of the outer AdamW; published 1e-3 and 1e-5.

    Raises:
        UnsupportedError: not a TSP, or data that hide the costs.
    """

    def __init__(
        self,
        problem: Problem,
        node_features: int,
        edge_features: int,
        num_neighbors: int = 20,
        width: int = 32,
        num_layers: int = 6,
        inner_steps: int = 10,
        inner_rate: float = 0.01,
        num_samples: int = 100,
        search_steps: int = 50,
        num_decoded: int = 0,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not isinstance(problem, TravelingSalesman):
            raise UnsupportedError(
                f"DimesMetaSolver does not apply to {type(problem).__name__}, only to TravelingSalesman."
            )
        if edge_features != 1:
            raise UnsupportedError(
                "DimesMetaSolver searches with known costs, which these data hide; use"
                " datamodule=uniform_tsp, or relaxation=dimes on predicted costs."
            )
        self.problem = problem
        self.num_neighbors = min(num_neighbors, problem.num_cities - 1)
        self.inner_steps, self.inner_rate, self.num_samples = inner_steps, inner_rate, num_samples
        self.search_steps, self.num_decoded = search_steps, num_decoded
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.embed = EmbNet(node_features, width, num_layers)
        self.head = ParNet(width)
        # train.py draws layer(module(batch)) and names the loss: here the module decides by itself
        self.layer, self.loss = nn.Identity(), ExpectedTourLength()
        self.automatic_optimization = False
        self.seed = seed
        self._judged: dict[str, list[tuple[Tensor, ...]]] = {}

    # -- one batch of instances ---------------------------------------------------------------------
    def graph(self, batch: Batch) -> tuple[Tensor, Tensor, np.ndarray]:
        """Node features (batch, N, 2), neighbours (batch, N, k), cost matrices (batch, N, N) NumPy."""
        n = self.problem.num_cities
        matrix = batch.costs.new_full((len(batch.costs), n, n), torch.inf)
        tails, heads = self.problem.tails, self.problem.heads
        matrix[:, tails, heads] = batch.costs
        matrix[:, heads, tails] = batch.costs
        neighbours = matrix.topk(self.num_neighbors, dim=-1, largest=False).indices
        return batch.x.reshape(-1, n, batch.x.shape[-1]), neighbours, matrix.cpu().double().numpy()

    def embedding(self, nodes: Tensor, neighbours: Tensor, cost: np.ndarray) -> Tensor:
        lengths = torch.from_numpy(cost).to(nodes.device, nodes.dtype).gather(-1, neighbours)
        out: Tensor = self.embed(nodes, neighbours, lengths)
        return out

    def adapt(
        self,
        embedding: Tensor,
        neighbours: np.ndarray,
        cost: np.ndarray,
        steps: int,
        rng: np.random.Generator,
    ) -> tuple[list[Tensor], list[Tensor], float]:
        """The inner loop: (embedding, *weights) after `steps`, the gradients there, mean length there."""
        # tests run in inference mode, where the search still needs gradients
        with torch.inference_mode(False), torch.enable_grad():
            variables = [embedding.detach().clone(), *self.head.copies(len(embedding))]
            for variable in variables:
                variable.requires_grad_()
            optimizer = torch.optim.AdamW(variables, lr=self.inner_rate, weight_decay=1e-4)
            for step in range(steps + 1):
                logits = self.head(variables[0], variables[1:])
                gradient, lengths = reinforce(
                    logits.detach().cpu().double().numpy(), neighbours, cost, self.num_samples, rng
                )
                outer = torch.from_numpy(gradient).to(logits.device, logits.dtype)
                gradients = list(torch.autograd.grad(logits, variables, outer))
                if step < steps:
                    for variable, g in zip(variables, gradients, strict=True):
                        variable.grad = g
                    optimizer.step()
        return variables, gradients, float(lengths.mean())

    def forward(self, batch: Batch) -> Tensor:
        """Tours z (batch, n), active search included."""
        return self.solve(batch, self.search_steps)

    def solve(self, batch: Batch, search_steps: int) -> Tensor:
        """Tours z (batch, n) after `search_steps` of active search."""
        nodes, neighbours, cost = self.graph(batch)
        around, rng = neighbours.cpu().numpy(), np.random.default_rng(self.seed)
        with torch.no_grad():
            embedding = self.embedding(nodes, neighbours, cost)
            variables, _, _ = self.adapt(embedding, around, cost, search_steps, rng)
            logits = self.head(variables[0], variables[1:]).cpu().double().numpy()
        return self._tours(decode_tours(logits, around, cost, self.num_decoded, rng), batch)

    def rehearse(self, batch: Batch) -> None:
        """One pass without search, to see that batch and networks fit."""
        self.solve(batch, 0)

    def _tours(self, tours: np.ndarray, batch: Batch) -> Tensor:
        z = np.stack([self.problem.decision_of(tour) for tour in tours])
        return torch.from_numpy(z).to(batch.costs)

    # -- training -------------------------------------------------------------------------------------
    def training_step(self, batch: Batch, batch_index: int) -> None:
        optimizer: Any = self.optimizers()
        nodes, neighbours, cost = self.graph(batch)
        rng = np.random.default_rng([self.seed, self.global_step])
        embedding = self.embedding(nodes, neighbours, cost)
        _, gradients, length = self.adapt(embedding, neighbours.cpu().numpy(), cost, self.inner_steps, rng)
        optimizer.zero_grad()
        embedding.backward(gradients[0] / len(embedding))
        for weight, gradient in zip(self.head.weights, gradients[1:], strict=True):
            weight.grad = gradient.mean(0)
        optimizer.step()
        self.log("train/loss", length, on_step=False, on_epoch=True, batch_size=len(embedding), prog_bar=True)

    def configure_optimizers(self) -> Any:
        return torch.optim.AdamW(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)

    # -- judging ------------------------------------------------------------------------------------
    def validation_step(self, batch: Batch, batch_index: int) -> None:
        self._judge("val/regret", batch, self.solve(batch, 0))

    def test_step(self, batch: Batch, batch_index: int) -> None:
        self._judge("test/regret", batch, self(batch))
        self._judge("test/regret_no_search", batch, self.solve(batch, 0))
        _, neighbours, cost = self.graph(batch)
        prior = np.tile(neighbor_prior(self.problem.num_cities, self.num_neighbors), (len(cost), 1, 1))
        tours = decode_tours(prior, neighbours.cpu().numpy(), cost, 0, np.random.default_rng(0))
        self._judge("test/regret_prior", batch, self._tours(tours, batch))

    def _judge(self, name: str, batch: Batch, tours: Tensor) -> None:
        costs = batch.costs
        judged = ((costs * tours).sum(-1), (costs * batch.decisions).sum(-1), cost_unit(costs))
        self._judged.setdefault(name, []).append(judged)

    def on_validation_epoch_end(self) -> None:
        self._log_judged("val/")

    def on_test_epoch_end(self) -> None:
        self._log_judged("test/")

    def _log_judged(self, prefix: str) -> None:
        for name in [name for name in self._judged if name.startswith(prefix)]:
            cost, optimum, unit = (torch.cat(parts) for parts in zip(*self._judged.pop(name), strict=True))
            self.log(name, normalized_regret(cost, optimum, unit), prog_bar=name == "val/regret")
