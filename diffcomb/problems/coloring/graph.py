"""Simple undirected graphs, with their adjacency as bit rows for the compiled searches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from diffcomb.compiled import inlined


class Neighbours(NamedTuple):
    """Adjacency lists: the neighbours of v are ends[starts[v]:starts[v + 1]].

    Attributes:
        starts: (N + 1,) int64. ends: (2 E,) int32.
    """

    starts: np.ndarray
    ends: np.ndarray


@dataclass(frozen=True, eq=False)
class Graph:
    """Vertices 0..num_vertices-1 and edges (E, 2) int64, each once, tail < head."""

    num_vertices: int
    edges: np.ndarray

    @cached_property
    def adjacency(self) -> np.ndarray:
        """(N, N) bool, symmetric, empty diagonal."""
        matrix = np.zeros((self.num_vertices, self.num_vertices), dtype=np.bool_)
        matrix[self.edges[:, 0], self.edges[:, 1]] = True
        return matrix | matrix.T

    @cached_property
    def bits(self) -> np.ndarray:
        """(N, ceil(N/64)) uint64: bit v of row u is set when u and v are adjacent."""
        return pack_bits(self.adjacency)

    @cached_property
    def degrees(self) -> np.ndarray:
        return self.adjacency.sum(1)

    @cached_property
    def neighbours(self) -> Neighbours:
        starts = np.concatenate([[0], np.cumsum(self.degrees)]).astype(np.int64)
        return Neighbours(starts, np.nonzero(self.adjacency)[1].astype(np.int32))

    @property
    def density(self) -> float:
        pairs = self.num_vertices * (self.num_vertices - 1) / 2
        return len(self.edges) / pairs if pairs else 0.0

    def induced(self, vertices: np.ndarray) -> Graph:
        """The subgraph on `vertices`, renumbered in the order given."""
        inside = np.triu(self.adjacency[np.ix_(vertices, vertices)])
        return Graph(len(vertices), np.argwhere(inside))

    def conflicts(self, colors: np.ndarray) -> np.ndarray:
        """(c, 2) edges whose end points have the same colour."""
        return self.edges[colors[self.edges[:, 0]] == colors[self.edges[:, 1]]]


def pack_bits(matrix: np.ndarray) -> np.ndarray:
    """(N, M) bool -> (N, ceil(M/64)) uint64, bit v of a row = column v."""
    words = max(1, -(-matrix.shape[1] // 64))
    padded = np.zeros((matrix.shape[0], 64 * words), dtype=np.bool_)
    padded[:, : matrix.shape[1]] = matrix
    packed = np.packbits(padded, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64)


@inlined
def popcount(word: np.uint64) -> int:
    """Number of set bits (the SWAR method, which LLVM turns into one instruction)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))  # type: ignore[return-value]


@inlined
def lowest_bit(word: np.uint64) -> int:
    """Position of the lowest set bit of a nonzero word."""
    return popcount((word & (~word + np.uint64(1))) - np.uint64(1))
