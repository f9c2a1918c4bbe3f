"""A run that is killed goes on where it stopped."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from diffcomb.protocol.run.plan import plan, tasks
from diffcomb.protocol.run.run_cells import run_cells
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.store import Store
from tests.commands.composing import ROOT
from tests.protocol.processes import children, runs
from tests.protocol.tiny import tiny_protocol

IDENTITY = ["problem", "size", "trial", "method", "group", "quantity", "x"]

RUN = """
import sys
from diffcomb.protocol.run.run_cells import run_cells
from diffcomb.protocol.setup.store import Store
from tests.protocol.processes import children, runs
from tests.protocol.tiny import tiny_protocol
run_cells(tiny_protocol(workers=int(sys.argv[2])), Store(sys.argv[1]), "tiny")
"""


def _complete(store: Store) -> pd.DataFrame:
    """The merged rows, after checking that each cell is there once."""
    rows = store.merge().to_pandas()
    assert store.finished() == set(store.expected())
    assert not rows.duplicated(IDENTITY).any()
    cells = {
        Cell(*row) for row in rows[["problem", "size", "trial", "method", "group"]].itertuples(index=False)
    }
    assert cells == set(plan(tiny_protocol()))
    return rows


def test_a_killed_run_loses_nothing_doubles_nothing_and_repeats_nothing(tmp_path):
    """SIGKILL while cells are written; the second run keeps every finished part untouched."""
    store = Store(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), "1"], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and len(store.finished()) < 5:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {key: (store.cells / f"{key}.parquet").stat().st_mtime_ns for key in store.finished()}
    total = len(plan(tiny_protocol()))
    assert 5 <= len(before) < total

    # what a kill in the middle of a write leaves behind
    (store.cells / ".half-a-cell.1.unfinished").write_bytes(b"PAR1")
    assert run_cells(tiny_protocol(), store, "tiny") == total - len(before)
    _complete(store)
    after = {key: (store.cells / f"{key}.parquet").stat().st_mtime_ns for key in before}
    assert after == before
    assert run_cells(tiny_protocol(), store, "tiny") == 0


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent_and_no_row_is_lost(ending, tmp_path):
    """Two workers of a run that is killed are gone; every part they had finished is whole."""
    store = Store(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), "2"], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not store.finished():
        time.sleep(0.005)
    workers = children(process.pid)
    os.kill(process.pid, ending)
    process.wait()
    assert len(workers) >= 2
    while any(map(runs, workers)):  # one that goes on hangs this test
        time.sleep(0.005)
    kept = store.finished()
    rows = store.merge().to_pandas()
    assert len(rows[rows["quantity"] == "cell_seconds"]) == len(kept) > 0


def test_shards_and_processes_give_the_rows_of_one_run(tmp_path):
    """Two shards in one folder, one of them over two processes: the same numbers, times aside."""
    one, two = Store(tmp_path / "one"), Store(tmp_path / "two")
    run_cells(tiny_protocol(), one, "tiny")
    for shard in (0, 1):
        run_cells(tiny_protocol(shard=shard, shards=2, workers=1 + shard), two, "tiny")
    numbers = []
    for store in (one, two):
        rows = _complete(store)
        timed = rows["quantity"].str.contains("seconds|_ms|milliseconds|overhead")
        numbers.append(rows[~timed].reset_index(drop=True))
    pd.testing.assert_frame_equal(*numbers)


def test_shards_cover_the_plan_once():
    """Every cell belongs to exactly one shard."""
    settings = [tiny_protocol(shard=k, shards=3) for k in range(3)]
    cells = plan(settings[0])
    shared = [cell for s in settings for task in tasks(cells, s) for cell in task]
    assert sorted(shared, key=str) == sorted(cells, key=str)


def test_a_changed_setting_is_another_cell():
    """Finished cells are reused only for the settings they were made with."""
    first, second = tiny_protocol(), tiny_protocol()
    second.gradient.samples += 1
    cells = plan(first)
    changed = {cell.group for cell in cells if cell.key(first) != cell.key(second)}
    assert changed == {"gradient"}
