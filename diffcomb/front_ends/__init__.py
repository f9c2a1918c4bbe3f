"""Models as users hold them: cvxpy, Gurobi, Pyomo, PuLP and OR-Tools models, and names in files."""

from diffcomb.front_ends.cvxpy import read_cvxpy
from diffcomb.front_ends.file import read_file
from diffcomb.front_ends.gurobi import read_gurobi
from diffcomb.front_ends.mathopt import read_mathopt
from diffcomb.front_ends.pulp import read_pulp
from diffcomb.front_ends.pyomo import read_pyomo

__all__ = ["read_cvxpy", "read_file", "read_gurobi", "read_mathopt", "read_pulp", "read_pyomo"]
