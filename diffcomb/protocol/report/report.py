"""report.md and report.html of a run folder, with its tables as CSV and LaTeX and its figures."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from diffcomb.protocol.report.figures import save_figures
from diffcomb.protocol.report.machine import describe_machine
from diffcomb.protocol.report.tables import Table, make_tables
from diffcomb.protocol.setup.store import Store


@dataclass(frozen=True)
class Report:
    """What was written, for whoever passes it on (a dashboard, say)."""

    folder: Path
    rows: pd.DataFrame
    tables: list[Table]
    figures: list[Path]


def write_report(store: Store, command: str) -> Report:
    """Merge the store and write everything below its folder; safe to repeat.

    Args:
        command: what was typed, for every table.
    """
    folder = store.folder
    rows = store.merge().to_pandas()
    tables = make_tables(rows, command)
    figures = save_figures(rows, folder / "figures")
    (folder / "tables").mkdir(exist_ok=True)
    for table in tables:
        table.text.to_csv(folder / "tables" / f"{table.name}.csv", index=False)
        (folder / "tables" / f"{table.name}.tex").write_text(_latex(table))
    seconds = rows.loc[rows["quantity"] == "cell_seconds", "value"].sum()
    expected = store.expected()
    finished = len(store.finished() & set(expected))
    facts = {
        "cells": f"{finished} of {len(expected)} finished",
        "CPU seconds in cells": f"{seconds:.0f}",
        **describe_machine(),
    }
    (folder / "report.md").write_text(_markdown(facts, tables, figures))
    (folder / "report.html").write_text(_html(facts, tables, figures))
    return Report(folder, rows, tables, figures)


def _markdown(facts: dict[str, str], tables: list[Table], figures: list[Path]) -> str:
    lines = ["# Experimental protocol", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts.items()]
    lines += ["", "Mean ± standard deviation over trials."]
    for table in tables:
        lines += ["", f"## {table.title}", "", "```bash", table.command, "```", ""]
        header = list(table.text.columns)
        lines += ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
        for row in table.text.itertuples(index=False):
            lines.append("| " + " | ".join(str(v).replace("|", "\\|").replace("\n", " ") for v in row) + " |")
    lines += ["", "## Figures", ""]
    lines += [f"![{path.stem}](figures/{path.name})\n" for path in figures]
    return "\n".join(lines)


_STYLE = (
    "body{font-family:sans-serif;margin:2em auto;max-width:75em}table{border-collapse:collapse;font-size:85%}"
    "td,th{border-bottom:1px solid #ccc;padding:.2em .7em;text-align:left}img{max-width:100%}"
    "pre{background:#f4f4f4;padding:.5em;overflow-x:auto}"
)


def _html(facts: dict[str, str], tables: list[Table], figures: list[Path]) -> str:
    machine = pd.DataFrame(facts.items()).to_html(index=False, header=False, border=0)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Experimental protocol</title>',
        f"<style>{_STYLE}</style></head><body>",
        "<h1>Experimental protocol</h1>",
        machine,
        "<p>Mean ± standard deviation over trials.</p>",
    ]
    for table in tables:
        parts.append(f"<h2>{html.escape(table.title)}</h2><pre>{html.escape(table.command)}</pre>")
        parts.append(table.text.to_html(index=False, border=0))
    parts.append("<h2>Figures</h2>")
    parts += [f'<p><img src="figures/{path.name}" alt="{path.stem}"></p>' for path in figures]
    return "\n".join([*parts, "</body></html>"])


#: characters that mean something else to LaTeX
_ESCAPES = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "±": r"$\pm$", "^": r"\^{}"}


def _latex(table: Table) -> str:
    def escape(value: object) -> str:
        return "".join(_ESCAPES.get(c, c) for c in str(value))

    columns = list(table.text.columns)
    lines = [f"% {line}" for line in [table.command, "needs \\usepackage{booktabs}"]]
    lines += [r"\begin{tabular}{" + "l" * len(columns) + "}", r"\toprule"]
    lines += [" & ".join(map(escape, columns)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(escape, row)) + r" \\" for row in table.text.itertuples(index=False)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])
