"""WHO decides: what an oracle is, how batches are solved, and the mixed-integer backends."""

from diffcomb.oracles.limits import Limits
from diffcomb.oracles.mip.cplex import CPLEX
from diffcomb.oracles.mip.cpsat import CPSAT
from diffcomb.oracles.mip.gurobi import GUROBI
from diffcomb.oracles.mip.highs import HIGHS
from diffcomb.oracles.mip.loop import MipOracle
from diffcomb.oracles.mip.scip import SCIP
from diffcomb.oracles.oracle import (
    Oracle,
    OracleAnswer,
    backend_names,
    find_oracle,
    oracle_names,
    register_oracle,
)
from diffcomb.oracles.outer_approximation import OuterApproximation
from diffcomb.oracles.result import OracleResult, Status

for _backend in (HIGHS, CPSAT, SCIP, GUROBI, CPLEX):
    register_oracle(_backend)

__all__ = [
    "CPLEX",
    "CPSAT",
    "GUROBI",
    "HIGHS",
    "SCIP",
    "Limits",
    "MipOracle",
    "Oracle",
    "OracleAnswer",
    "OracleResult",
    "OuterApproximation",
    "Status",
    "backend_names",
    "find_oracle",
    "oracle_names",
    "register_oracle",
]
