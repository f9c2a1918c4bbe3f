"""Mehrotra's predictor-corrector method for min g'x + q/2 ||x||^2 over {A x = b, G x <= h, 0 <= x <= 1}.

The box lives in the diagonal H = q + zl / x + zu / t with t = 1 - x, and each iteration factorises
the m x m matrix J H^-1 J' + diag(s / z) once for two solves (Mehrotra 1992; Nocedal & Wright,
Numerical Optimization, section 16.6). Only inequality rows have a slack s and y = z > 0 there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.projection.kernels.compiling import compiled, compiled_without_nan
from diffcomb.projection.kernels.ldl import factorize, solve
from diffcomb.projection.kernels.rows import assemble, rows_times, transposed_times


class Iterate(NamedTuple):
    """Primal x, t = 1 - x and slack s; multipliers lower, upper of the box and y of the rows."""

    x: np.ndarray
    t: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    y: np.ndarray
    s: np.ndarray


class Workspace(NamedTuple):
    """Scratch arrays, one set per thread: (count, n), (count, m)."""

    columns: np.ndarray
    rows: np.ndarray


@compiled_without_nan
def extremes(values):  # type: ignore[no-untyped-def]
    """(smallest, largest) of the values and 0."""
    least, most = 0.0, 0.0
    for i in range(len(values)):
        least = min(least, values[i])
        most = max(most, values[i])
    return least, most


@compiled
def start_at_center(cost, q, rows, point, work):  # type: ignore[no-untyped-def]
    """x = 1/2, slacks at least 0.1, and multipliers that make the start dual feasible."""
    x, t, lower, upper, y, s = point
    rhs, is_inequality = rows.rhs, rows.system.is_inequality
    x[:] = 0.5
    t[:] = 0.5
    rows_times(x, rows, work.rows[0])
    for r in range(len(rhs)):
        y[r] = 0.0
        s[r] = 0.0
        if is_inequality[r]:
            y[r] = 1.0
            s[r] = max(rhs[r] - work.rows[0, r], 0.1)
    transposed_times(y, rows, work.columns[0])
    for i in range(len(x)):
        gradient = cost[i] + q * x[i] + work.columns[0, i]
        lower[i] = max(gradient, 0.0) + 0.5
        upper[i] = max(-gradient, 0.0) + 0.5


@compiled
def interior_point(  # type: ignore[no-untyped-def]
    cost, q, rows, point, work, face, goal, max_iterations
):
    """Improve `point` until complementarity and residuals fall below `goal`.

    Args:
        cost: (n,) linear term. q: curvature, 0 < q <= 1. rows: InstanceRows.
        face: its factor L, inverse is work space here.
        goal: negative returns a central point: residuals fall below 1e-9, complementarity stays above -goal.

    Returns:
        (iterations, mu, primal residual) at the end.
    """
    x, t, lower, upper, y, s = point
    L, inverse = face.L, face.inverse
    mu_target, floor = max(goal, 1e-9 if goal < 0.0 else 0.0), max(-goal, 0.0)
    rhs, system = rows.rhs, rows.system
    n, m = len(x), len(rhs)
    is_inequality, diagonal = system.is_inequality, system.diagonal
    weight, gradient, pulled, pulled_y = work.columns[0], work.columns[1], work.columns[2], work.columns[3]
    dx, add_lower, add_upper = work.columns[4], work.columns[5], work.columns[6]
    over_x, over_t, ratio_x, ratio_t = work.columns[7], work.columns[8], work.columns[9], work.columns[10]
    primal, right, extra, scratch = work.rows[0], work.rows[1], work.rows[2], work.rows[3]
    dy, ds = work.rows[4], work.rows[5]
    pairs = 2 * n
    for r in range(m):
        if is_inequality[r]:
            pairs += 1
    pairs = max(pairs, 1)
    mu, primal_residual, iteration = 1.0, 1.0, 0
    best = np.inf
    stalled = 0
    transposed_times(y, rows, pulled_y)
    while True:
        rows_times(x, rows, primal)
        # norms are sums of squares, which the compiler vectorises; a NaN stays visible
        primal_squares, dual_squares, gap_rows, gap_box = 0.0, 0.0, 0.0, 0.0
        for r in range(m):
            primal[r] -= rhs[r]
            if is_inequality[r]:
                primal[r] += s[r]
                gap_rows += s[r] * y[r]
            primal_squares += primal[r] * primal[r]
        for i in range(n):
            gradient[i] = q * x[i] + cost[i] + pulled_y[i]
            off = gradient[i] - lower[i] + upper[i]
            dual_squares += off * off
            gap_box += x[i] * lower[i] + t[i] * upper[i]
        primal_residual = np.sqrt(primal_squares)
        gap = gap_rows + gap_box
        mu = gap / pairs
        merit = max(mu, primal_residual, np.sqrt(dual_squares))
        if merit <= mu_target or iteration >= max_iterations or not merit < 1e15:
            break
        # rounding has the last word near the end: stop when nothing improves any more
        if merit < 0.9 * best:
            best = merit
            stalled = 0
        else:
            stalled += 1
            if stalled >= 8:
                break
        iteration += 1
        # one division for 1 / x and 1 / t, one for 1 / H
        for i in range(n):
            both = x[i] * t[i]
            inverse_both = 1.0 / both
            over_x[i] = t[i] * inverse_both
            over_t[i] = x[i] * inverse_both
            weight[i] = both / (q * both + lower[i] * t[i] + upper[i] * x[i])
            dx[i] = weight[i] * gradient[i]
        for r in range(m):
            extra[r] = -s[r] if is_inequality[r] else 0.0
        assemble(L, weight, rows, pulled)
        for r in range(m):
            if is_inequality[r]:
                L[diagonal[r]] += s[r] / y[r]
        factorize(L, inverse, scratch, 1e-15, system.elimination, m)

        # predictor: with a = dx / x and b = dx / t, lower moves by -lower (1 + a), upper by -upper (1 - b)
        rows_times(dx, rows, right)
        for r in range(m):
            dy[r] = primal[r] - right[r] + extra[r]
        solve(L, inverse, dy, system.elimination, m)
        transposed_times(dy, rows, pulled)
        first_moment, second_moment = 0.0, 0.0
        for i in range(n):
            d = -weight[i] * (gradient[i] + pulled[i])
            a, b = over_x[i] * d, over_t[i] * d
            ratio_x[i], ratio_t[i] = a, b
            from_lower, from_upper = x[i] * lower[i] * a, t[i] * upper[i] * b
            first_moment += from_lower - from_upper
            second_moment += from_lower * a + from_upper * b
        # blocking ratios -d / value: the step is one over the largest
        least_x, most_x = extremes(ratio_x)
        least_t, most_t = extremes(ratio_t)
        block_primal = max(1.0, -least_x, most_t)
        block_dual = max(1.0, 1.0 + most_x, 1.0 - least_t)
        for r in range(m):
            if is_inequality[r]:
                ds[r] = extra[r] - s[r] / y[r] * dy[r]
                block_primal = max(block_primal, -ds[r] / s[r])
                block_dual = max(block_dual, -dy[r] / y[r])
        step_primal, step_dual = 1.0 / block_primal, 1.0 / block_dual
        # the complementarity after the step, expanded in a and b
        keep = 1.0 - step_dual
        after = keep * gap_box + (step_primal * keep - step_dual) * first_moment
        after = max(after - step_primal * step_dual * second_moment, 0.0)
        for r in range(m):
            if is_inequality[r]:
                after += (s[r] + step_primal * ds[r]) * (y[r] + step_dual * dy[r])
        center = max((after / gap) ** 3 * mu, floor)

        # corrector: Mehrotra's second-order terms, the products dx dz of the predictor
        for i in range(n):
            a, b = ratio_x[i], ratio_t[i]
            add_lower[i] = center * over_x[i] + lower[i] * a * (1.0 + a)
            add_upper[i] = center * over_t[i] - upper[i] * b * (1.0 - b)
            gradient[i] += add_upper[i] - add_lower[i]
            dx[i] = weight[i] * gradient[i]
        for r in range(m):
            if is_inequality[r]:
                extra[r] += (center - ds[r] * dy[r]) / y[r]
        rows_times(dx, rows, right)
        for r in range(m):
            dy[r] = primal[r] - right[r] + extra[r]
        solve(L, inverse, dy, system.elimination, m)
        transposed_times(dy, rows, pulled)
        for i in range(n):
            d = -weight[i] * (gradient[i] + pulled[i])
            dx[i] = d
            a, b = over_x[i] * d, over_t[i] * d
            add_lower[i] -= lower[i] * (1.0 + a)
            add_upper[i] -= upper[i] * (1.0 - b)
            ratio_x[i], ratio_t[i] = a, b
        least_x, _ = extremes(ratio_x)
        _, most_t = extremes(ratio_t)
        block_primal = max(1.0, -least_x, most_t)
        for i in range(n):
            ratio_x[i] = add_lower[i] / lower[i]
            ratio_t[i] = add_upper[i] / upper[i]
        least_x, _ = extremes(ratio_x)
        least_t, _ = extremes(ratio_t)
        block_dual = max(1.0, -least_x, -least_t)
        for r in range(m):
            if is_inequality[r]:
                ds[r] = extra[r] - s[r] / y[r] * dy[r]
                block_primal = max(block_primal, -ds[r] / s[r])
                block_dual = max(block_dual, -dy[r] / y[r])
        damping = max(0.99, 1.0 - mu)
        step_primal = min(1.0, damping / block_primal)
        step_dual = min(1.0, damping / block_dual)
        for i in range(n):
            x[i] = max(x[i] + step_primal * dx[i], 1e-300)
            t[i] = max(t[i] - step_primal * dx[i], 1e-300)
            lower[i] = max(lower[i] + step_dual * add_lower[i], 1e-300)
            upper[i] = max(upper[i] + step_dual * add_upper[i], 1e-300)
            pulled_y[i] += step_dual * pulled[i]
        for r in range(m):
            moved = y[r] + step_dual * dy[r]
            if is_inequality[r]:
                s[r] = max(s[r] + step_primal * ds[r], 1e-300)
                # J'y is carried along: a multiplier this close to zero does not move it
                moved = max(moved, 1e-300)
            y[r] = moved
    return iteration, mu, primal_residual
