"""The shortest path from a source to a target in a directed graph."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import InfeasibleError, InvalidInstanceError
from diffcomb.problems.end_points import end_points
from diffcomb.problems.own_arrays import whole_number
from diffcomb.problems.paths.arcs import Arcs
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program, Rows


class ShortestPath(Problem):
    """min theta'z over simple source-target paths z, one cost per arc.

    Program: unit flows, A the node-arc incidence matrix with the (redundant) target row dropped,
    b = e_source. It is conv(Z) on acyclic graphs; on graphs with cycles its vertices may add a
    detached cycle to a path, so it equals conv(Z) only where no such vertex is optimal (costs
    without negative cycles).

    Args:
        edges: (n, 2) or (2, n) arcs (tail, head); a (2, 2) input is read as two rows (tail, head).
            Parallel arcs are allowed, self-loops are not.
        num_nodes: number of nodes.
        source, target: different nodes; the target must be reachable.
        grid_shape: (rows, cols) when the graph is a grid, for pictures only.
    """

    default_oracle = "shortest_path"
    structure = ("num_nodes", "tails", "heads", "target")

    def __init__(
        self,
        edges: Tensor | np.ndarray | list[tuple[int, int]],
        num_nodes: int,
        source: int,
        target: int,
        *,
        grid_shape: tuple[int, int] | None = None,
    ) -> None:
        num_nodes = whole_number(num_nodes, "num_nodes", 1)
        source, target = whole_number(source, "source"), whole_number(target, "target")
        arcs = end_points(edges, num_nodes)
        if source == target or not (0 <= source < num_nodes and 0 <= target < num_nodes):
            raise InvalidInstanceError(
                f"source and target must be different nodes in 0..{num_nodes - 1}, got {source}, {target}."
            )
        self.tails, self.heads = arcs[:, 0].copy(), arcs[:, 1].copy()
        self.num_nodes, self.source, self.target = num_nodes, source, target
        self.grid_shape = grid_shape
        self.num_costs = len(arcs)
        self.arcs = Arcs.of(self.tails, self.heads, num_nodes)
        #: topological order of the nodes, or None on a graph with cycles
        self.order = self._topological_order()
        adjacency = sparse.csr_array(
            (np.ones(self.num_costs), (self.tails, self.heads)), shape=(num_nodes, num_nodes)
        )
        reached = sparse.csgraph.breadth_first_order(adjacency, source, return_predecessors=False)
        if target not in reached:
            raise InfeasibleError(f"Node {target} cannot be reached from node {source}.")

    @classmethod
    def grid(cls, rows: int, cols: int) -> ShortestPath:
        """rows x cols grid, arcs right and down, from the top-left to the bottom-right corner.

        Arcs are ordered row by row: the `cols - 1` right arcs of a row, then the `cols` down arcs
        below it (PyEPO's order).
        """
        rows, cols = whole_number(rows, "rows", 1), whole_number(cols, "cols", 1)
        if rows * cols < 2:
            raise InvalidInstanceError(f"A grid needs at least two cells, got {rows} x {cols}.")
        arcs = []
        for r in range(rows):
            arcs += [(r * cols + c, r * cols + c + 1) for c in range(cols - 1)]
            if r + 1 < rows:
                arcs += [(r * cols + c, (r + 1) * cols + c) for c in range(cols)]
        return cls(arcs, rows * cols, 0, rows * cols - 1, grid_shape=(rows, cols))

    def _topological_order(self) -> np.ndarray | None:
        """Nodes so that every arc goes forward (Kahn 1962), or None if there is a cycle."""
        indegree = np.bincount(self.heads, minlength=self.num_nodes)
        ready = list(np.flatnonzero(indegree == 0))
        order = []
        while ready:
            node = ready.pop()
            order.append(node)
            for arc in self.arcs.by_tail[self.arcs.first[node] : self.arcs.first[node + 1]]:
                indegree[self.heads[arc]] -= 1
                if indegree[self.heads[arc]] == 0:
                    ready.append(self.heads[arc])
        return np.asarray(order, dtype=np.int64) if len(order) == self.num_nodes else None

    def path(self, z: Tensor) -> list[int]:
        """Decision z (n,) -> nodes from source to target."""
        chosen = np.flatnonzero(z.detach().double().cpu().numpy() > 0.5)
        follow = dict(zip(self.tails[chosen].tolist(), self.heads[chosen].tolist(), strict=True))
        nodes = [self.source]
        while nodes[-1] != self.target:
            if nodes[-1] not in follow or len(nodes) > self.num_nodes:
                raise InvalidInstanceError("This decision is not a path; check problem.is_feasible(z).")
            nodes.append(follow[nodes[-1]])
        return nodes

    # -- Problem ----------------------------------------------------------------------------------
    def is_feasible(self, z: Tensor) -> Tensor:
        flat = z.detach().reshape(-1, self.num_costs).double().cpu().numpy()
        feasible = np.zeros(len(flat), dtype=bool)
        for i, row in enumerate(flat):
            chosen = np.flatnonzero(row > 0.5)
            if np.abs(row - (row > 0.5)).max() > 1e-6:
                continue
            follow = dict(zip(self.tails[chosen].tolist(), self.heads[chosen].tolist(), strict=True))
            node, steps = self.source, 0
            while node != self.target and node in follow and steps < len(chosen):
                node, steps = follow[node], steps + 1
            # exactly the chosen arcs, each once: no branch and no detached cycle
            feasible[i] = node == self.target and steps == len(chosen)
        return torch.from_numpy(feasible).reshape(z.shape[:-1]).to(z.device)

    def polytope(self) -> Program:
        arcs = np.arange(self.num_costs)
        incidence = sparse.csr_array(
            (
                np.concatenate([np.ones(self.num_costs), -np.ones(self.num_costs)]),
                (np.concatenate([self.tails, self.heads]), np.concatenate([arcs, arcs])),
            ),
            shape=(self.num_nodes, self.num_costs),
        )
        kept = np.arange(self.num_nodes) != self.target
        b = np.zeros(self.num_nodes)
        b[self.source] = 1.0
        return Program.from_arrays(
            incidence[kept], b[kept], num_vars=self.num_costs, integral=self.order is not None
        )

    def lazy_rows(self, z: np.ndarray) -> Rows:
        """z(C) <= |C| - 1 for each cycle C that an integral flow z carries beside its path."""
        chosen = np.flatnonzero(z > 0.5)
        shape = (self.num_nodes, self.num_nodes)
        graph = sparse.csr_array(
            (np.ones(len(chosen)), (self.tails[chosen], self.heads[chosen])), shape=shape
        )
        _, labels = sparse.csgraph.connected_components(graph, directed=True, connection="strong")
        inside = labels[self.tails[chosen]] == labels[self.heads[chosen]]
        cycle_labels = np.unique(labels[self.tails[chosen[inside]]])
        supports = [chosen[inside & (labels[self.tails[chosen]] == label)] for label in cycle_labels]
        return Rows.from_lists(
            supports, [np.ones(len(s)) for s in supports], [len(s) - 1.0 for s in supports], self.num_costs
        )

    def repair(self, z: np.ndarray, cost: np.ndarray) -> np.ndarray:
        """Drop the detached cycles of an integral flow."""
        follow = {int(self.tails[k]): k for k in np.flatnonzero(z > 0.5)}
        path, node = np.zeros(self.num_costs), self.source
        while node != self.target:
            path[follow[node]] = 1.0
            node = int(self.heads[follow[node]])
        return path

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Uniform in (0.1, 1.1)."""
        return 0.1 + torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        edge_index = torch.from_numpy(np.stack([self.tails, self.heads]))
        return CostGraph(edge_index, self.num_nodes)
