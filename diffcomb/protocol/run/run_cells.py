"""Run the cells of a plan that are not finished yet, over processes, and write each as it is done."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch
from tqdm import tqdm

from diffcomb.errors import DiffcombError, MissingBackendError, UnknownNameError, UnsupportedError
from diffcomb.protocol.commands.end_with_parent import end_with_parent
from diffcomb.protocol.measure.ablations import measure_ablation
from diffcomb.protocol.measure.end_to_end import measure_end_to_end
from diffcomb.protocol.measure.gap import measure_gap
from diffcomb.protocol.measure.gradient_accuracy import measure_gradient
from diffcomb.protocol.measure.overhead import measure_overhead
from diffcomb.protocol.measure.rho_sweep import measure_rho_sweep
from diffcomb.protocol.run.plan import plan, tasks
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.store import Row, Store

MEASURE: dict[str, Callable[[Cell, ProtocolConfig], list[Row]]] = {
    "gap": measure_gap,
    "gradient": measure_gradient,
    "overhead": measure_overhead,
    "end_to_end": measure_end_to_end,
    "rho_sweep": measure_rho_sweep,
    "ablation": measure_ablation,
}


def run_cells(settings: ProtocolConfig, store: Store, name: str) -> int:
    """Run what is missing; returns how many cells were run.

    Args:
        name: of this plan in the store.

    Raises:
        DiffcombError: the plan itself is not possible. A method that cannot take a problem is a row
            "not applicable", one that fails a row "failed", with the reason; neither stops the run.
    """
    cells = plan(settings)
    store.expect(name, [cell.key(settings) for cell in cells])
    finished = store.finished()
    groups = tasks(cells, settings)
    total = sum(map(len, groups))
    missing = [[c for c in task if c.key(settings) not in finished] for task in groups]
    missing = [task for task in missing if task]
    count = sum(map(len, missing))
    with tqdm(total=total, initial=total - count, unit="cell", desc=settings.problem, file=sys.stderr) as bar:
        if settings.workers == 1:
            for task in missing:
                run_task(task, settings, store, bar.update)
        else:
            # spawn: a forked child would inherit the locks of torch's and numba's threads
            context = multiprocessing.get_context("spawn")
            workers = ProcessPoolExecutor(
                settings.workers, context, initializer=end_with_parent, initargs=(os.getpid(),)
            )
            with workers as pool:
                futures = {pool.submit(run_task, task, settings, store): len(task) for task in missing}
                for future in as_completed(futures):
                    future.result()
                    bar.update(futures[future])
    return count


def run_task(
    task: list[Cell],
    settings: ProtocolConfig,
    store: Store,
    done: Callable[[], object] = lambda: None,
) -> None:
    """The cells of one instance, each written when it is finished."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for cell in task:
            store.write(cell.key(settings), run_cell(cell, settings))
            done()
    finally:
        torch.set_num_threads(threads)


def run_cell(cell: Cell, settings: ProtocolConfig) -> list[Row]:
    """Its rows, with what they are rows of, and the CPU seconds the cell took."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # repeated thousands of times they say nothing new
        try:
            rows = MEASURE[cell.group](cell, settings)
        except (UnsupportedError, MissingBackendError, UnknownNameError) as error:
            rows = [{"quantity": "not applicable", "note": str(error)}]
        except DiffcombError as error:
            rows = [{"quantity": "failed", "note": f"{type(error).__name__}: {error}"}]
    rows.append({"quantity": "cell_seconds", "value": time.process_time() - start})
    named = {
        "problem": cell.problem,
        "size": cell.size,
        "trial": cell.trial,
        "method": cell.method,
        "group": cell.group,
    }
    return [{**named, "x": None, "value": None, "note": "", **row} for row in rows]
