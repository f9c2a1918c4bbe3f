"""Which processes run, from /proc."""

from __future__ import annotations

from pathlib import Path


def _state_and_parent(path: Path) -> tuple[str, int] | None:
    """None where the process is gone; a zombie, which nobody waited for, is as good as gone."""
    try:
        state, parent = path.read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state in "ZX" else (state, int(parent))


def runs(pid: int) -> bool:
    return _state_and_parent(Path(f"/proc/{pid}/stat")) is not None


def children(pid: int) -> list[int]:
    """Processes that run and were started by `pid`."""
    known = {path: _state_and_parent(path) for path in Path("/proc").glob("[0-9]*/stat")}
    return [int(path.parent.name) for path, found in known.items() if found is not None and found[1] == pid]
