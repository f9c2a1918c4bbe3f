"""The tables of a report: tidy rows in, one frame of "mean ± std" a table out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from diffcomb.protocol.report.claims import claims_table


@dataclass(frozen=True)
class Table:
    """name: of its files. text: formatted cells. command: what computes it."""

    name: str
    title: str
    text: pd.DataFrame
    command: str


#: group, quantity, title, decimals, whether the median is shown as well
_COLUMNS: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "gap": (
        "Optimality gap of the decision",
        [
            ("gap", "gap", "{:.4f}"),
            ("feasible", "feasible", "{:.2f}"),
            ("proven", "proven", "{:.2f}"),
            ("seconds", "CPU s", "{:.4f}"),
            ("gap of fewest colours", "gap of fewest colours", "{:.3f}"),
        ],
    ),
    "gradient": (
        "Gradient accuracy: cosine with finite differences",
        [
            ("cosine_own", "own function", "{:.6f}"),
            ("cosine_smoothed", "smoothed z*", "{:.3f}"),
            ("cosine_of_halves", "noise: halves", "{:.3f}"),
            ("variance", "relative variance", "{:.3g}"),
            ("informative", "share nonzero", "{:.2f}"),
        ],
    ),
    "overhead": (
        "Overhead: forward and backward over one exact solve, CPU time",
        [
            ("overhead", "overhead", "{:.3g}"),
            ("gradient_ms", "gradient ms", "{:.3g}"),
            ("solve_ms", "solve ms", "{:.3g}"),
        ],
    ),
    "end_to_end": (
        "End to end: a small network after its last epoch",
        [
            ("regret", "regret", "{:.4f}"),
            ("cost_reduction", "cumulative cost reduction", "{:.4f}"),
            ("train_seconds", "training CPU s", "{:.3g}"),
        ],
    ),
    "rho_sweep": (
        "Sweep over rho",
        [
            ("exact", "share x = z*", "{:.2f}"),
            ("binary", "share 0-1", "{:.2f}"),
            ("relaxed_gap", "gap of theta'x", "{:.4g}"),
            ("gradient_norm", "gradient norm x rho_bar", "{:.3g}"),
            ("informative", "share informative", "{:.2f}"),
        ],
    ),
    "ablation": (
        "Ablations",
        [
            ("cosine", "cosine", "{:.6f}"),
            ("relative_norm", "relative norm", "{:.3f}"),
            ("error_of_x", "error of x", "{:.1e}"),
            ("gap", "gap of theta'x", "{:.4g}"),
            ("milliseconds", "CPU ms", "{:.3g}"),
        ],
    ),
}


def make_tables(rows: pd.DataFrame, command: str) -> list[Table]:
    """One table a problem and group; mean ± std over trials, medians of overheads beside them."""
    made = []
    claims = claims_table(rows)
    if len(claims):
        made.append(Table("claims", "Claims", claims, command))
    for problem in rows["problem"].unique():
        for group, (title, columns) in _COLUMNS.items():
            part = rows[(rows["problem"] == problem) & (rows["group"] == group)]
            if group == "end_to_end" and len(part):  # epochs go to the curve
                last = part["x"].max()
                part = part[part["x"].isna() | (part["x"] == last)]
            text = _text(part, columns, sweep=group == "rho_sweep")
            if len(text):
                made.append(Table(f"{problem}_{group}", f"{problem}: {title}", text, command))
    made += _remarks(rows, command)
    return made


def _text(part: pd.DataFrame, columns: list[tuple[str, str, str]], *, sweep: bool) -> pd.DataFrame:
    keys = ["size", "method", "x"] if sweep else ["size", "method"]
    wanted = part[part["quantity"].isin([quantity for quantity, _, _ in columns])]
    if sweep:
        wanted = wanted[wanted["x"].notna()]
    lines = []
    for key, group in wanted.groupby(keys, sort=False):
        line: dict[str, str] = dict(zip(keys, map(str, key), strict=True))
        if sweep:
            ratio = float(line.pop("x"))
            line |= {"rho/rho_bar": f"{ratio:g}", "rho'/rho_min": f"{1 / ratio:g}"}
        line["trials"] = str(group["trial"].nunique())
        for quantity, title, form in columns:
            values = group.loc[group["quantity"] == quantity, "value"].dropna()
            if not part["quantity"].eq(quantity).any():
                continue
            line[title] = _mean_std(values, form)
            if quantity == "overhead":
                line["median"] = form.format(values.median()) if len(values) else ""
        for name in ("gap", "cosine_own"):
            notes = group.loc[group["quantity"] == name, "note"]
            if not sweep and len(notes) and part["group"].iloc[0] in ("gap", "gradient"):
                line["compared with"] = ", ".join(dict.fromkeys(notes))
        lines.append(line)
    return pd.DataFrame(lines).fillna("")


def _mean_std(values: pd.Series, form: str) -> str:
    if values.empty:
        return ""
    mean = form.format(values.mean())
    return f"{mean} ± {form.format(values.std())}" if len(values) > 1 else mean


def _remarks(rows: pd.DataFrame, command: str) -> list[Table]:
    """What did not apply or failed, with the reason: nothing is left out silently."""
    made = []
    for quantity, title in (("not applicable", "Not applicable, and why"), ("failed", "Failed, and why")):
        part = rows[rows["quantity"] == quantity]
        if len(part):
            grouped = part.groupby(["problem", "note"], sort=False)
            text = grouped.agg(
                groups=("group", _distinct), methods=("method", _distinct), cells=("method", "size")
            )
            text = text.reset_index().astype(str)
            made.append(Table(quantity.replace(" ", "_"), title, text, command))
    return made


def _distinct(values: pd.Series) -> str:
    return ", ".join(dict.fromkeys(values))
