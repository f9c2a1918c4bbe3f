"""What a run says about each claim of the method: holds, holds in corrected form, does not hold.

The verdict is computed from the rows, with the number it rests on; docs/theory.md has the proofs.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

HOLDS, CORRECTED, FAILS = "holds", "holds in corrected form", "does not hold"
#: cosines count as exact from here: central differences in float64 do not see more
_EXACT = 1 - 1e-6

Finding = tuple[str, str] | None


def claims_table(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a problem and claim that the rows speak about."""
    lines = []
    for problem in rows["problem"].unique():
        part = rows[rows["problem"] == problem]
        for claim, judge in CLAIMS.items():
            found = judge(part)
            if found is not None:
                lines.append({"problem": problem, "claim": claim, "verdict": found[0], "number": found[1]})
    return pd.DataFrame(lines)


def _values(rows: pd.DataFrame, group: str, quantity: str, method: str | None = None) -> pd.DataFrame:
    chosen = rows[(rows["group"] == group) & (rows["quantity"] == quantity) & rows["value"].notna()]
    return chosen if method is None else chosen[chosen["method"] == method]


def _sweep(rows: pd.DataFrame, quantity: str, method: str = "vertices") -> tuple[pd.Series, pd.Series]:
    """Values below and above the threshold."""
    found = _values(rows, "rho_sweep", quantity, method)
    found = found[found["x"].notna()]
    return found.loc[found["x"] < 1, "value"], found.loc[found["x"] > 1, "value"]


def _large_penalty(rows: pd.DataFrame) -> Finding:
    below, above = _sweep(rows, "exact")
    if below.empty or above.empty:
        return None
    number = (
        f"x = z* in {below.mean():.1%} of {len(below)} solves below rho_bar,"
        f" {above.mean():.1%} of {len(above)} above"
    )
    return (CORRECTED if below.min() == 1 and above.max() == 0 else FAILS), number


def _exact_and_informative(rows: pd.DataFrame) -> Finding:
    below, above = _sweep(rows, "informative")
    if below.empty or above.empty:
        return None
    number = f"gradient nonzero in {below.mean():.1%} below rho_bar, where x = z*, {above.mean():.1%} above"
    return (FAILS if below.max() == 0 else HOLDS), number


def _stationarity_alone(rows: pd.DataFrame) -> Finding:
    full = _values(rows, "ablation", "cosine", "full")["value"]
    dropped = _values(rows, "ablation", "cosine", "no constraints")["value"]
    if dropped.empty:
        return None
    number = f"cosine {dropped.mean():.3f} ± {dropped.std():.3f} without active rows, {full.mean():.6f} with"
    return (HOLDS if dropped.min() >= _EXACT else FAILS), number


def _cosine(method: str, verdict: str) -> Callable[[pd.DataFrame], Finding]:
    def judge(rows: pd.DataFrame) -> Finding:
        cosine = _values(rows, "gradient", "cosine_own", method)
        if cosine.empty:
            return None
        value = cosine["value"]
        number = f"smallest cosine {value.min():.8f} of {len(value)}, {cosine['note'].iloc[0]}"
        return (verdict if value.min() >= _EXACT else FAILS), number

    return judge


def _gap_zero(rows: pd.DataFrame) -> Finding:
    gap = _values(rows, "gap", "gap", "kkt")
    gap = gap[gap["note"].isin(["proven optimum", "best known value"])]
    if gap.empty:
        return None
    number = f"largest gap {gap['value'].max():.1e} on {len(gap)} instances with a reference"
    return (HOLDS if gap["value"].max() <= 1e-9 else FAILS), number


def _concave(rows: pd.DataFrame) -> Finding:
    exact = _values(rows, "rho_sweep", "exact", "concave")
    if exact.empty:
        return None
    last = exact["x"].max()
    share = exact.loc[exact["x"] == last, "value"]
    number = f"z* in {share.mean():.1%} of {len(share)} at rho = {last:g} rho_bar; gradient zero always"
    return (HOLDS if share.min() == 1 else FAILS), number


def _cheap(rows: pd.DataFrame) -> Finding:
    overhead = _values(rows, "overhead", "overhead", "kkt")
    if overhead.empty:
        return None
    # sizes are text: padded, so that 12 comes after 8
    by_size = overhead.groupby("size")["value"].median().sort_index(key=lambda sizes: sizes.str.zfill(9))
    number = "median overhead " + ", ".join(f"{value:.3g} (size {size})" for size, value in by_size.items())
    return (HOLDS if by_size.max() < 1 else FAILS), number


def _better_than_two_stage(rows: pd.DataFrame) -> Finding:
    regret = _values(rows, "end_to_end", "regret")
    regret = regret[regret["x"] == regret["x"].max()]
    mean = regret.groupby("method")["value"].mean()
    ours = [name for name in ("kkt_spo_plus", "kkt", "planned_start") if name in mean]
    if not ours or "two_stage" not in mean:
        return None
    best = min(ours, key=lambda name: mean[name])
    number = (
        f"regret {mean[best]:.4f} ({best}), two-stage {mean['two_stage']:.4f}, best method {mean.idxmin()}"
    )
    return (HOLDS if mean[best] < mean["two_stage"] else FAILS), number


CLAIMS: dict[str, Callable[[pd.DataFrame], Finding]] = {
    "a large strongly convex penalty makes the relaxation exact": _large_penalty,
    "exact decision, exact gradient and informative gradient at once": _exact_and_informative,
    "stationarity without the active constraints gives the gradient": _stationarity_alone,
    "the KKT gradient is exact (of the relaxed decision; of start times)": _cosine("kkt", CORRECTED),
    "the value has the exact gradient z*": _cosine("optimal_value", HOLDS),
    "the Fenchel-Young loss has the exact gradient": _cosine("kkt_fenchel_young", HOLDS),
    "the deployed decision has gap zero": _gap_zero,
    "the concave penalty of large weight finds z*": _concave,
    "a gradient costs less than one exact solve": _cheap,
    "training through the decision beats two-stage": _better_than_two_stage,
}
