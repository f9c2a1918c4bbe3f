"""Dense blocks D + G' W G of a Newton matrix on the side of the variables."""

from __future__ import annotations

from diffcomb.projection.kernels.compiling import compiled


@compiled
def add_rows(M, diagonal, start, columns, values, weight):  # type: ignore[no-untyped-def]
    """Lower triangle of M <- diag(diagonal) + sum over rows r of weight[r] g_r g_r'; rows by CSR, sorted."""
    M[:] = 0.0
    for i in range(len(diagonal)):
        M[i, i] = diagonal[i]
    for r in range(len(weight)):
        for a in range(start[r], start[r + 1]):
            i, scaled = columns[a], weight[r] * values[a]
            for b in range(start[r], a + 1):
                M[i, columns[b]] += scaled * values[b]
