"""The gate's end of the pipe to the process of one checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

_SCRIPT = Path(__file__).with_name("side.py")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class Side:
    """A process that times cases in `checkout`; `cases` are the names it knows."""

    def __init__(self, checkout: Path) -> None:
        if not (checkout / "diffcomb").is_dir():
            raise SystemExit(f"{checkout} is no checkout: it has no folder diffcomb.")
        # closed in __exit__
        self._words = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPT)],
            cwd=checkout,
            env=os.environ | _ONE_THREAD | {"PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
        )
        hello = self._answer()
        self.cases: list[str] = hello["cases"]
        if not Path(hello["package"]).is_relative_to(checkout):
            raise SystemExit(f"{checkout} has no diffcomb of its own; {hello['package']} was imported.")

    def time(self, case: str, seconds: float) -> tuple[float, str | None]:
        """CPU seconds of the fastest call, or inf and what went wrong."""
        assert self._process.stdin is not None
        print(json.dumps({"case": case, "seconds": seconds}), file=self._process.stdin, flush=True)
        answer = self._answer()
        return answer.get("seconds", float("inf")), answer.get("error")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._words.seek(0)
            raise SystemExit(f"The process of a checkout ended:\n{self._words.read()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._words.close()
