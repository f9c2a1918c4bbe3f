"""What a fresh process pays before its first gradient: `python -m benchmarks.startup [--runs N]`.

Starts Python again and again; each process imports torch and diffcomb, builds one layer and runs one
forward and backward pass of a 5x5 grid. The first process may compile the kernels into numba's cache on
disk; the others load them. Prints CPU seconds of each part: wall-clock time on an idle core.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

_CHILD = """
from time import process_time as clock
t0 = clock()
import torch
torch.set_num_threads(1)
t1 = clock()
from diffcomb import DecisionLayer
from diffcomb.problems import ShortestPath
t2 = clock()
problem = ShortestPath.grid(5, 5)
theta = problem.random_costs(1, generator=torch.Generator().manual_seed(0)).requires_grad_()
layer = DecisionLayer(problem)
layer(theta).sum().backward()
t3 = clock()
layer(theta).sum().backward()
print(t1 - t0, t2 - t1, t3 - t2, clock() - t3)
"""

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    print(f"{'process':<9}{'torch':>9}{'diffcomb':>10}{'first pass':>12}{'second pass':>13}   (seconds)")
    for run in range(1, runs + 1):
        child = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
        parts = [float(part) for part in child.stdout.split()]
        print(f"{run:<9}{parts[0]:9.2f}{parts[1]:10.2f}{parts[2]:12.2f}{parts[3]:13.4f}")
