"""One small instance in every file format, with what its reader makes of it: the readers' test registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.data import (
    TntpNetwork,
    read_dimacs,
    read_jobshop,
    read_model,
    read_tntp_coordinates,
    read_tntp_flows,
    read_tntp_network,
    read_tntp_trips,
    read_tsplib,
)

TSPLIB = """NAME : town
COMMENT : EDGE_WEIGHT_TYPE : none, best: 14
TYPE : TSP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
FIXED_EDGES_SECTION
1 3
-1
NODE_COORD_SECTION
1 0 0
2 3 0
3 3 4
4 0 4
EOF
"""
TSPLIB_MATRIX = """NAME : town
TYPE : TSP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : UPPER_ROW
FIXED_EDGES_SECTION
1 4
-1
EDGE_WEIGHT_SECTION
1 2 3
4 5
6
EOF
"""
DIMACS = """c a triangle and a tail
p edge 5 5
e 1 2
e 2 3
e 1 3
e 3 4
e 4 5
"""
JOBSHOP = """# a comment
2 3
0 4 1 5 2 6
2 1 0 2 1 3
"""
TAILLARD = """2 3 840612802 398197754 9 9
Times
4 5 6
1 2 3
Machines
1 2 3
3 1 2
"""
NETWORK = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 3
<FIRST THRU NODE> 3
<NUMBER OF LINKS> 3
<END OF METADATA>

~ init term capacity length time b power speed toll type ;
 1 3 10 1.5 2 0.15 4 0 0 1 ;
 3 2 10 1.5 2 0.15 4 0 0 1 ;
 2 1 5 1 1 0.15 4 0 0 1 ;
"""
TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 12
<END OF METADATA>

Origin 1
  1 : 0.0; 2 : 10.0;
Origin  2
  1 : 2.0;
"""
FLOWS = """From To Volume Cost
2 1 2 1.0
1 3 10 2.3
3 2 10 2.3
"""
NODES = """node X Y ;
1 0 0 ;
2 1 0 ;
3 0.5 1 ;
"""
GEOJSON = """{"type": "FeatureCollection",
"features": [
{"properties": {"id": 1}, "geometry": {"type": "Point", "coordinates": [-1.5, 3]}},
{"properties": {"id": 2}, "geometry": {"type": "Point", "coordinates": [-1.5, 2]}},
{"properties": {"id": 3}, "geometry": {"type": "Point", "coordinates": [0, 2]}}
]}
"""
MPS = """NAME          T
OBJSENSE
    MAX
ROWS
 N  COST
 L  R1
 G  R2
 E  R3
COLUMNS
    M1        'MARKER'                 'INTORG'
    X         COST      1.0   R1        1.0
    X         R2        2.0
    Y         COST      2.0   R1        1.0
    M2        'MARKER'                 'INTEND'
    Z         COST      -3.0  R3        1.0
RHS
    RHS       R1        2.0   R2        1.0
    RHS       R3        2.0   COST      5.0
RANGES
    RNG       R1        1.0
BOUNDS
 UP BND       X         4.0
 LO BND       Z         -1.0
 UP BND       Z         3.0
QUADOBJ
    X         X         2.0
    Y         X         1.0
ENDATA
"""
LP = """\\ a comment
Maximize
 obj: x[1] + 2 y - 3 z - 5 + [ 2 x[1] ^ 2 + 2 x[1] * y ] / 2
Subject To
 R1: x[1] + y <= 2
 R2: 2 x[1] >= 1
 R3: z = 2
Bounds
 x[1] <= 4
 -1 <= z <= 3
General
 x[1]
Binary
 y
End
"""


@dataclass(frozen=True)
class Format:
    """A text, the reader of a path, and what to know of the format.

    Attributes:
        name: of the file.
        comment: a line that says nothing, or None where the format has none.
        counted: the file says how much it lists, so that a line less is noticed.
    """

    text: str
    read: Callable[[Path], Any]
    name: str
    comment: str | None = None
    counted: bool = True

    def of(self, folder: Path, text: str | bytes) -> Any:
        """What the reader makes of this text."""
        path = folder / self.name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.read(path)


def _flows(path: Path) -> Any:
    """Of the links of NETWORK."""
    ends = np.array([[0, 2, 1], [2, 1, 0]])
    return read_tntp_flows(path, TntpNetwork("town", 2, 3, 2, *ends, *np.ones((8, 3))))


def _coordinates(path: Path) -> Any:
    return read_tntp_coordinates(path.parent, 3)


FORMATS = {
    "tsplib": Format(TSPLIB, read_tsplib, "town.tsp", "COMMENT : {}"),
    "tsplib_matrix": Format(TSPLIB_MATRIX, read_tsplib, "town.tsp", "COMMENT : {}"),
    "dimacs": Format(DIMACS, read_dimacs, "graph.col", "c {}"),
    "jobshop": Format(JOBSHOP, read_jobshop, "shop.txt", "# {}"),
    "taillard": Format(TAILLARD, read_jobshop, "shop.txt", "# {}"),
    "network": Format(NETWORK, read_tntp_network, "town_net.tntp", "~ {}"),
    "trips": Format(TRIPS, read_tntp_trips, "town_trips.tntp", "~ {}"),
    "flows": Format(FLOWS, _flows, "town_flow.tntp", "~ {}"),
    "nodes": Format(NODES, _coordinates, "town_node.tntp", "~ {}"),
    "geojson": Format(GEOJSON, _coordinates, "town.geojson"),
    "mps": Format(MPS, read_model, "model.mps", "* {}", counted=False),
    "lp": Format(LP, read_model, "model.lp", "\\ {}", counted=False),
}


def same(one: Any, two: Any) -> bool:
    """Equal field by field, arrays entry by entry."""
    if is_dataclass(one) and not isinstance(one, type):
        return type(one) is type(two) and all(
            same(getattr(one, f.name), getattr(two, f.name)) for f in fields(one)
        )
    if sparse.issparse(one):
        return bool(sparse.issparse(two)) and same(one.toarray(), two.toarray())
    if isinstance(one, np.ndarray):
        return isinstance(two, np.ndarray) and np.array_equal(one, two)
    if isinstance(one, tuple):
        return isinstance(two, tuple) and len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)
