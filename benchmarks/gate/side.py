"""One side of the gate: a process that times cases of the checkout on its path, asked over a pipe.

Reads one JSON object a line, {"case": name, "seconds": budget}, and answers {"seconds": fastest call} or
{"error": text}; the first line it writes is {"package": where diffcomb was found, "cases": names}.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

#: calls shorter than this are timed several at a time: the clock itself takes a microsecond
_SHORTEST = 2e-3


def fastest(call: Callable[[], object], budget: float) -> float:
    """CPU seconds of one call of this process, the least of those that fit in the budget, at least one."""
    start = time.process_time()
    call()
    first = time.process_time() - start
    repeats = max(1, int(_SHORTEST / max(first, 1e-6)))
    best = spent = first
    gc.collect()
    gc.disable()
    try:
        while spent < budget:
            start = time.process_time()
            for _ in range(repeats):
                call()
            took = time.process_time() - start
            best, spent = min(best, took / repeats), spent + took
    finally:
        gc.enable()
    return best


def serve(answers: TextIO) -> None:
    import torch
    from cases import CASES  # this file's own folder comes first on a script's path

    import diffcomb

    torch.set_num_threads(1)
    print(json.dumps({"package": diffcomb.__file__, "cases": list(CASES)}), file=answers, flush=True)
    calls: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["case"]
        try:
            if name not in calls:
                calls[name] = CASES[name]()
                # compiles, fills caches, finds lazy rows
                for _ in range(3):
                    calls[name]()
            answer = {"seconds": fastest(calls[name], request["seconds"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        # both sides on one core, in turn: one worker each, and no wandering
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # what solvers print goes to the other stream
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(channel)
