"""The interior point of `interior_point.py` for several instances at once, one per vector lane.

All instances share rows and elimination, so every step of the sparse algebra is the same for all: arrays
are (entries, lanes) and each innermost loop runs over lanes, which the compiler vectorises. It pays on small
systems, whose own loops are too short. The mathematics is that of the other file, without lazy rows; lanes
that are done stand still.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.projection.kernels.compiling import compiled_inner


class Lanes(NamedTuple):
    """Work space: columns (17, n, lanes), rows (9, m, lanes), flat L (size, lanes), per lane (12, lanes)."""

    columns: np.ndarray
    rows: np.ndarray
    L: np.ndarray
    own: np.ndarray
    iterations: np.ndarray

    @staticmethod
    def of(n: int, m: int, size: int, count: int) -> Lanes:
        return Lanes(
            np.empty((17, n, count)),
            np.empty((9, m, count)),
            np.empty((size if count else 0, count)),
            np.empty((12, count)),
            np.empty(count, dtype=np.int64),
        )


@compiled_inner
def _rows_times(x, rows, out):  # type: ignore[no-untyped-def]
    start, row_of, data = rows.system.start, rows.system.row_of, rows.data
    out[:] = 0.0
    for i in range(x.shape[0]):
        value = x[i]
        for c in range(start[i], start[i + 1]):
            target, coefficient = out[row_of[c]], data[c]
            for lane in range(len(value)):
                target[lane] += coefficient * value[lane]


@compiled_inner
def _transposed_times(y, rows, out):  # type: ignore[no-untyped-def]
    start, row_of, data = rows.system.start, rows.system.row_of, rows.data
    out[:] = 0.0
    for i in range(out.shape[0]):
        target = out[i]
        for c in range(start[i], start[i + 1]):
            value, coefficient = y[row_of[c]], data[c]
            for lane in range(len(target)):
                target[lane] += coefficient * value[lane]


@compiled_inner
def _subtract(target, value, factor):  # type: ignore[no-untyped-def]
    for lane in range(len(target)):
        target[lane] -= value[lane] * factor[lane]


@compiled_inner
def _assemble(L, weight, rows):  # type: ignore[no-untyped-def]
    system, products = rows.system, rows.products
    position, first, column_of = system.entry_position, system.entry_start, system.column_of
    L[:] = 0.0
    for e in range(len(position)):
        target = L[position[e]]
        for c in range(first[e], first[e + 1]):
            value, coefficient = weight[column_of[c]], products[c]
            for lane in range(len(target)):
                target[lane] += coefficient * value[lane]


@compiled_inner
def _invert(pivot, least, inverse):  # type: ignore[no-untyped-def]
    for lane in range(len(pivot)):
        inverse[lane] = 1.0 / pivot[lane] if pivot[lane] > least[lane] else 0.0


@compiled_inner
def _factorize(L, inverse, scale, least, tolerance, elimination):  # type: ignore[no-untyped-def]
    """L D L' as `ldl.factorize` has it, without counting the rank; scale: (m, lanes), least: (lanes,)."""
    column, target, target_start = elimination.column, elimination.target, elimination.target_start
    contiguous, tail = elimination.contiguous, elimination.tail
    sparse_part = len(column) - 1
    base = column[sparse_part]
    for k in range(sparse_part):
        for lane in range(L.shape[1]):
            inverse[k, lane] = max(L[column[k], lane] * tolerance, 1e-300)
    for k in range(tail):
        for lane in range(L.shape[1]):
            inverse[sparse_part + k, lane] = max(L[base + k * tail + k, lane] * tolerance, 1e-300)
    for k in range(sparse_part):
        first, last = column[k] + 1, column[k + 1]
        least[:] = inverse[k]
        _invert(L[column[k]], least, inverse[k])
        q = target_start[k]
        for a in range(first, last):
            factor = scale[0]
            for lane in range(len(factor)):
                factor[lane] = L[a, lane] * inverse[k, lane]
            if contiguous[k]:
                shift = np.int64(target[q + a - first]) - first
                for b in range(first, a + 1):
                    _subtract(L[shift + b], L[b], factor)
            else:
                for b in range(first, a + 1):
                    _subtract(L[target[q]], L[b], factor)
                    q += 1
        for a in range(first, last):
            for lane in range(L.shape[1]):
                L[a, lane] *= inverse[k, lane]
    for k in range(tail):
        pivot_row = sparse_part + k
        least[:] = inverse[pivot_row]
        _invert(L[base + k * tail + k], least, inverse[pivot_row])
        for i in range(k + 1, tail):
            entry = base + i * tail + k
            scale[i] = L[entry]
            for lane in range(L.shape[1]):
                L[entry, lane] *= inverse[pivot_row, lane]
            for j in range(k + 1, i + 1):
                _subtract(L[base + i * tail + j], scale[j], L[entry])


@compiled_inner
def _solve(L, inverse, v, elimination):  # type: ignore[no-untyped-def]
    column, row_of, tail = elimination.column, elimination.row_of, elimination.tail
    sparse_part = len(column) - 1
    base = column[sparse_part]
    for k in range(sparse_part):
        for a in range(column[k] + 1, column[k + 1]):
            _subtract(v[row_of[a]], L[a], v[k])
    for i in range(tail):
        for j in range(i):
            _subtract(v[sparse_part + i], L[base + i * tail + j], v[sparse_part + j])
    for k in range(sparse_part + tail):
        for lane in range(v.shape[1]):
            v[k, lane] *= inverse[k, lane]
    for i in range(tail - 1, -1, -1):
        for j in range(i):
            _subtract(v[sparse_part + j], L[base + i * tail + j], v[sparse_part + i])
    for k in range(sparse_part - 1, -1, -1):
        for a in range(column[k] + 1, column[k + 1]):
            _subtract(v[k], L[a], v[row_of[a]])


@compiled_inner
def _raise_to_ratio(block, value, direction):  # type: ignore[no-untyped-def]
    """block <- max(block, -direction / value), per lane."""
    for i in range(value.shape[0]):
        for lane in range(len(block)):
            block[lane] = max(block[lane], -direction[i, lane] / value[i, lane])


@compiled_inner
def lanes_interior_point(rows, lanes, target, limit):  # type: ignore[no-untyped-def]
    """Take all lanes from the centre until complementarity and residuals fall below `target`.

    Args:
        lanes: columns[0] holds the linear terms and columns[16] the curvatures q, alike in a lane.
        limit: iterations.

    Returns with x, t, lower, upper in lanes.columns[1:5], y, s in lanes.rows[:2], and lanes.iterations.
    """
    columns, work = lanes.columns, lanes.rows
    cost, curvature = columns[0], columns[16]
    x, t, lower, upper = columns[1], columns[2], columns[3], columns[4]
    y, s, primal, right, extra, dy, ds = work[0], work[1], work[2], work[3], work[4], work[5], work[6]
    inverse, factors, L = work[7], work[8], lanes.L
    weight, gradient, pulled, pulled_y = columns[5], columns[6], columns[7], columns[8]
    dx, add_lower, add_upper, a_of, b_of = columns[9], columns[10], columns[11], columns[12], columns[13]
    over_x, over_t = columns[14], columns[15]
    own = lanes.own
    primal_squares, dual_squares, gap = own[0], own[1], own[2]
    block_primal, block_dual, center, first, second = own[3], own[4], own[5], own[6], own[7]
    step_primal, step_dual, going, least = own[8], own[9], own[10], own[11]
    system, rhs, is_inequality = rows.system, rows.rhs, rows.system.is_inequality
    n, count = x.shape
    m = len(rhs)
    pairs = 2.0 * n
    x[:] = 0.5
    t[:] = 0.5
    _rows_times(x, rows, primal)
    for r in range(m):
        y[r] = 0.0
        s[r] = 0.0
        if is_inequality[r]:
            pairs += 1.0
            y[r] = 1.0
            for lane in range(count):
                s[r, lane] = max(rhs[r] - primal[r, lane], 0.1)
    _transposed_times(y, rows, pulled_y)
    for i in range(n):
        for lane in range(count):
            slope = cost[i, lane] + 0.5 * curvature[i, lane] + pulled_y[i, lane]
            lower[i, lane] = max(slope, 0.0) + 0.5
            upper[i, lane] = max(-slope, 0.0) + 0.5
    lanes.iterations[:] = 0
    # flat views: one long loop where nothing is shared by the lanes
    fx, ft, fl, fu = x.reshape(-1), t.reshape(-1), lower.reshape(-1), upper.reshape(-1)
    fw, fg, fq, fc = weight.reshape(-1), gradient.reshape(-1), curvature.reshape(-1), cost.reshape(-1)
    fox, fot, fdx, fpy = over_x.reshape(-1), over_t.reshape(-1), dx.reshape(-1), pulled_y.reshape(-1)
    fal, fau, fa, fb = add_lower.reshape(-1), add_upper.reshape(-1), a_of.reshape(-1), b_of.reshape(-1)
    fp = pulled.reshape(-1)
    for _ in range(limit):
        _rows_times(x, rows, primal)
        primal_squares[:] = 0.0
        dual_squares[:] = 0.0
        gap[:] = 0.0
        for r in range(m):
            for lane in range(count):
                primal[r, lane] += s[r, lane] - rhs[r]
                gap[lane] += s[r, lane] * y[r, lane]
                primal_squares[lane] += primal[r, lane] * primal[r, lane]
        for e in range(len(fx)):
            fg[e] = fq[e] * fx[e] + fc[e] + fpy[e]
        for i in range(n):
            for lane in range(count):
                off = gradient[i, lane] - lower[i, lane] + upper[i, lane]
                dual_squares[lane] += off * off
                gap[lane] += x[i, lane] * lower[i, lane] + t[i, lane] * upper[i, lane]
        any_going = False
        for lane in range(count):
            merit = max(gap[lane] / pairs, primal_squares[lane] ** 0.5, dual_squares[lane] ** 0.5)
            going[lane] = 1.0 if merit > target and merit < 1e15 else 0.0
            if going[lane] > 0.0:
                lanes.iterations[lane] += 1
                any_going = True
        if not any_going:
            return
        for e in range(len(fx)):
            both = fx[e] * ft[e]
            inverse_both = 1.0 / both
            fox[e] = ft[e] * inverse_both
            fot[e] = fx[e] * inverse_both
            fw[e] = both / (fq[e] * both + fl[e] * ft[e] + fu[e] * fx[e])
            fdx[e] = fw[e] * fg[e]
        _assemble(L, weight, rows)
        for r in range(m):
            if is_inequality[r]:
                diagonal = L[system.diagonal[r]]
                for lane in range(count):
                    extra[r, lane] = -s[r, lane]
                    diagonal[lane] += s[r, lane] / y[r, lane]
            else:
                extra[r] = 0.0
        _factorize(L, inverse, factors, least, 1e-15, system.elimination)
        block_primal[:] = 1.0
        block_dual[:] = 1.0
        # predictor, as in `interior_point`
        _rows_times(dx, rows, right)
        for r in range(m):
            for lane in range(count):
                dy[r, lane] = primal[r, lane] - right[r, lane] + extra[r, lane]
        _solve(L, inverse, dy, system.elimination)
        _transposed_times(dy, rows, pulled)
        for e in range(len(fx)):
            d = -fw[e] * (fg[e] + fp[e])
            fa[e] = fox[e] * d
            fb[e] = fot[e] * d
        first[:] = 0.0
        second[:] = 0.0
        for i in range(n):
            for lane in range(count):
                a, b = a_of[i, lane], b_of[i, lane]
                block_primal[lane] = max(block_primal[lane], -a, b)
                block_dual[lane] = max(block_dual[lane], 1.0 + a, 1.0 - b)
                from_lower = x[i, lane] * lower[i, lane] * a
                from_upper = t[i, lane] * upper[i, lane] * b
                first[lane] += from_lower - from_upper
                second[lane] += from_lower * a + from_upper * b
        for r in range(m):
            if is_inequality[r]:
                for lane in range(count):
                    ds[r, lane] = extra[r, lane] - s[r, lane] / y[r, lane] * dy[r, lane]
                    block_primal[lane] = max(block_primal[lane], -ds[r, lane] / s[r, lane])
                    block_dual[lane] = max(block_dual[lane], -dy[r, lane] / y[r, lane])
        for lane in range(count):
            step_primal[lane] = 1.0 / block_primal[lane]
            step_dual[lane] = 1.0 / block_dual[lane]
            center[lane] = gap[lane]
        for r in range(m):
            if is_inequality[r]:
                for lane in range(count):
                    center[lane] -= s[r, lane] * y[r, lane]
        for lane in range(count):
            keep = 1.0 - step_dual[lane]
            after = keep * center[lane] + (step_primal[lane] * keep - step_dual[lane]) * first[lane]
            center[lane] = max(after - step_primal[lane] * step_dual[lane] * second[lane], 0.0)
        for r in range(m):
            if is_inequality[r]:
                for lane in range(count):
                    moved_s = s[r, lane] + step_primal[lane] * ds[r, lane]
                    center[lane] += moved_s * (y[r, lane] + step_dual[lane] * dy[r, lane])
        for lane in range(count):
            # of a lane that is done the gap may be 0
            share = center[lane] / max(gap[lane], 1e-300)
            center[lane] = share * share * share * gap[lane] / pairs
        # corrector
        for i in range(n):
            for lane in range(count):
                a, b = a_of[i, lane], b_of[i, lane]
                add_lower[i, lane] = center[lane] * over_x[i, lane] + lower[i, lane] * a * (1.0 + a)
                add_upper[i, lane] = center[lane] * over_t[i, lane] - upper[i, lane] * b * (1.0 - b)
        for e in range(len(fx)):
            fg[e] += fau[e] - fal[e]
            fdx[e] = fw[e] * fg[e]
        for r in range(m):
            if is_inequality[r]:
                for lane in range(count):
                    extra[r, lane] += (center[lane] - ds[r, lane] * dy[r, lane]) / y[r, lane]
        _rows_times(dx, rows, right)
        for r in range(m):
            for lane in range(count):
                dy[r, lane] = primal[r, lane] - right[r, lane] + extra[r, lane]
        _solve(L, inverse, dy, system.elimination)
        _transposed_times(dy, rows, pulled)
        for e in range(len(fx)):
            d = -fw[e] * (fg[e] + fp[e])
            fdx[e] = d
            fa[e] = fox[e] * d
            fb[e] = fot[e] * d
            fal[e] -= fl[e] * (1.0 + fa[e])
            fau[e] -= fu[e] * (1.0 - fb[e])
        block_primal[:] = 1.0
        block_dual[:] = 1.0
        for i in range(n):
            for lane in range(count):
                block_primal[lane] = max(block_primal[lane], -a_of[i, lane], b_of[i, lane])
        _raise_to_ratio(block_dual, lower, add_lower)
        _raise_to_ratio(block_dual, upper, add_upper)
        for r in range(m):
            if is_inequality[r]:
                for lane in range(count):
                    ds[r, lane] = extra[r, lane] - s[r, lane] / y[r, lane] * dy[r, lane]
                    block_primal[lane] = max(block_primal[lane], -ds[r, lane] / s[r, lane])
                    block_dual[lane] = max(block_dual[lane], -dy[r, lane] / y[r, lane])
        for lane in range(count):
            damping = max(0.99, 1.0 - gap[lane] / pairs)
            step_primal[lane] = going[lane] * min(1.0, damping / block_primal[lane])
            step_dual[lane] = going[lane] * min(1.0, damping / block_dual[lane])
        for i in range(n):
            for lane in range(count):
                move = step_primal[lane] * dx[i, lane]
                x[i, lane] = max(x[i, lane] + move, 1e-300)
                t[i, lane] = max(t[i, lane] - move, 1e-300)
            for lane in range(count):
                lower[i, lane] = max(lower[i, lane] + step_dual[lane] * add_lower[i, lane], 1e-300)
                upper[i, lane] = max(upper[i, lane] + step_dual[lane] * add_upper[i, lane], 1e-300)
                pulled_y[i, lane] += step_dual[lane] * pulled[i, lane]
        for r in range(m):
            for lane in range(count):
                y[r, lane] += step_dual[lane] * dy[r, lane]
            if is_inequality[r]:
                for lane in range(count):
                    y[r, lane] = max(y[r, lane], 1e-300)
                    s[r, lane] = max(s[r, lane] + step_primal[lane] * ds[r, lane], 1e-300)
