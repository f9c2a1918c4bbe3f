"""Mehrotra's predictor-corrector method for min g'x + q/2 ||x||^2 over {A x = b, G x <= h, 0 <= x <= 1}.

The box lives in the diagonal H = q + zl / x + zu / t with t = 1 - x, and each iteration factorises
the m x m matrix J H^-1 J' + diag(s / z) once for two solves (Mehrotra 1992; Nocedal & Wright,
Numerical Optimization, section 16.6). Only inequality rows have a slack s and y = z > 0 there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.reformulation.kernels.compiled import compiled
from diffcomb.reformulation.kernels.ldl import factorize, solve


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


@compiled
def rows_times(x, data, system, out):  # type: ignore[no-untyped-def]
    """out <- J x."""
    start, row_of = system.start, system.row_of
    out[:] = 0.0
    for i in range(len(x)):
        value = x[i]
        if value != 0.0:
            for c in range(start[i], start[i + 1]):
                out[row_of[c]] += data[c] * value


@compiled
def transposed_times(y, data, system, out):  # type: ignore[no-untyped-def]
    """out <- J' y."""
    start, row_of = system.start, system.row_of
    for i in range(len(out)):
        value = 0.0
        for c in range(start[i], start[i + 1]):
            value += data[c] * y[row_of[c]]
        out[i] = value


@compiled
def assemble(L, weight, products, system):  # type: ignore[no-untyped-def]
    """Lower triangle of J diag(weight) J' into the flat array L."""
    position, first, column_of = system.entry_position, system.entry_start, system.column_of
    L[:] = 0.0
    for e in range(len(position)):
        value = 0.0
        for c in range(first[e], first[e + 1]):
            value += products[c] * weight[column_of[c]]
        L[position[e]] = value


@compiled
def start_at_center(cost, q, data, rhs, system, point, work):  # type: ignore[no-untyped-def]
    """x = 1/2, slacks at least 0.1, and multipliers that make the start dual feasible."""
    x, t, lower, upper, y, s = point
    x[:] = 0.5
    t[:] = 0.5
    rows_times(x, data, system, work.rows[0])
    for r in range(len(rhs)):
        y[r] = 0.0
        s[r] = 0.0
        if system.is_inequality[r]:
            y[r] = 1.0
            s[r] = max(rhs[r] - work.rows[0, r], 0.1)
    transposed_times(y, data, system, work.columns[0])
    for i in range(len(x)):
        gradient = cost[i] + q * x[i] + work.columns[0, i]
        lower[i] = max(gradient, 0.0) + 0.5
        upper[i] = max(-gradient, 0.0) + 0.5


@compiled
def interior_point(  # type: ignore[no-untyped-def]
    cost, q, data, products, rhs, system, point, work, L, inverse, mu_target, floor, max_iterations
):
    """Improve `point` until complementarity and residuals fall below mu_target.

    Args:
        cost: (n,) linear term. q: curvature, 0 < q <= 1.
        floor: complementarity is not pushed below it; a large floor returns a central point.

    Returns:
        (iterations, mu, primal residual) at the end.
    """
    x, t, lower, upper, y, s = point
    n, m = len(x), len(rhs)
    is_inequality, diagonal = system.is_inequality, system.diagonal
    weight, gradient, dx = work.columns[0], work.columns[1], work.columns[2]
    pulled, dx_affine, rt = work.columns[3], work.columns[4], work.columns[5]
    primal, right, dy, ds = work.rows[0], work.rows[1], work.rows[2], work.rows[3]
    dy_affine, ds_affine, extra, scratch = work.rows[4], work.rows[5], work.rows[6], work.rows[7]
    pairs = 2 * n
    for r in range(m):
        if is_inequality[r]:
            pairs += 1
    pairs = max(pairs, 1)
    mu, primal_residual, iteration = 1.0, 1.0, 0
    best = np.inf
    stalled = 0
    while True:
        rows_times(x, data, system, primal)
        primal_residual = 0.0
        mu = 0.0
        for r in range(m):
            primal[r] -= rhs[r]
            if is_inequality[r]:
                primal[r] += s[r]
                mu += s[r] * y[r]
            primal_residual = max(primal_residual, abs(primal[r]))
        transposed_times(y, data, system, gradient)
        dual_residual = 0.0
        for i in range(n):
            gradient[i] += q * x[i] + cost[i]
            dual_residual = max(dual_residual, abs(gradient[i] - lower[i] + upper[i]))
            mu += x[i] * lower[i] + t[i] * upper[i]
        mu /= pairs
        merit = max(mu, primal_residual, dual_residual)
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
        for i in range(n):
            weight[i] = 1.0 / (q + lower[i] / x[i] + upper[i] / t[i])
        assemble(L, weight, products, system)
        for r in range(m):
            if is_inequality[r]:
                L[diagonal[r]] += s[r] / y[r]
        factorize(L, inverse, scratch, 1e-15, system.elimination)
        sigma = 0.0
        center = 0.0
        step_primal, step_dual = 1.0, 1.0
        for phase in range(2):
            for i in range(n):
                value = gradient[i]
                if phase == 1:
                    # Mehrotra's second-order terms: dx dz of the predictor
                    upper_affine = -upper[i] + upper[i] / t[i] * dx_affine[i]
                    lower_affine = -lower[i] - lower[i] / x[i] * dx_affine[i]
                    value -= (center - dx_affine[i] * lower_affine) / x[i]
                    value += (center + dx_affine[i] * upper_affine) / t[i]
                rt[i] = value
                dx[i] = weight[i] * value
            rows_times(dx, data, system, right)
            for r in range(m):
                extra[r] = 0.0
                if is_inequality[r]:
                    extra[r] = -s[r]
                    if phase == 1:
                        extra[r] += (center - ds_affine[r] * dy_affine[r]) / y[r]
                dy[r] = primal[r] - right[r] + extra[r]
            solve(L, inverse, dy, system.elimination)
            transposed_times(dy, data, system, pulled)
            step_primal, step_dual = 1.0, 1.0
            for i in range(n):
                d = -weight[i] * (rt[i] + pulled[i])
                dx[i] = d
                if phase == 0:
                    d_lower = -lower[i] - lower[i] / x[i] * d
                    d_upper = -upper[i] + upper[i] / t[i] * d
                else:
                    affine = dx_affine[i]
                    lower_affine = -lower[i] - lower[i] / x[i] * affine
                    upper_affine = -upper[i] + upper[i] / t[i] * affine
                    d_lower = -lower[i] + (center - affine * lower_affine - lower[i] * d) / x[i]
                    d_upper = -upper[i] + (center + affine * upper_affine + upper[i] * d) / t[i]
                if d < 0.0:
                    step_primal = min(step_primal, -x[i] / d)
                elif d > 0.0:
                    step_primal = min(step_primal, t[i] / d)
                if d_lower < 0.0:
                    step_dual = min(step_dual, -lower[i] / d_lower)
                if d_upper < 0.0:
                    step_dual = min(step_dual, -upper[i] / d_upper)
            for r in range(m):
                if is_inequality[r]:
                    ds[r] = extra[r] - s[r] / y[r] * dy[r]
                    if ds[r] < 0.0:
                        step_primal = min(step_primal, -s[r] / ds[r])
                    if dy[r] < 0.0:
                        step_dual = min(step_dual, -y[r] / dy[r])
            if phase == 0:
                after = 0.0
                for i in range(n):
                    d = dx[i]
                    dx_affine[i] = d
                    d_lower = -lower[i] - lower[i] / x[i] * d
                    d_upper = -upper[i] + upper[i] / t[i] * d
                    after += (x[i] + step_primal * d) * (lower[i] + step_dual * d_lower)
                    after += (t[i] - step_primal * d) * (upper[i] + step_dual * d_upper)
                for r in range(m):
                    if is_inequality[r]:
                        ds_affine[r] = ds[r]
                        dy_affine[r] = dy[r]
                        after += (s[r] + step_primal * ds[r]) * (y[r] + step_dual * dy[r])
                sigma = (after / pairs / mu) ** 3
                center = max(sigma * mu, floor)
        damping = max(0.99, 1.0 - mu)
        step_primal = min(1.0, damping * step_primal)
        step_dual = min(1.0, damping * step_dual)
        for i in range(n):
            affine, d = dx_affine[i], dx[i]
            lower_affine = -lower[i] - lower[i] / x[i] * affine
            upper_affine = -upper[i] + upper[i] / t[i] * affine
            d_lower = -lower[i] + (center - affine * lower_affine - lower[i] * d) / x[i]
            d_upper = -upper[i] + (center + affine * upper_affine + upper[i] * d) / t[i]
            x[i] = max(x[i] + step_primal * d, 1e-300)
            t[i] = max(t[i] - step_primal * d, 1e-300)
            lower[i] = max(lower[i] + step_dual * d_lower, 1e-300)
            upper[i] = max(upper[i] + step_dual * d_upper, 1e-300)
        for r in range(m):
            y[r] += step_dual * dy[r]
            if is_inequality[r]:
                s[r] = max(s[r] + step_primal * ds[r], 1e-300)
                y[r] = max(y[r], 1e-300)
    return iteration, mu, primal_residual
