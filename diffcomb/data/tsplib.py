"""Symmetric TSPLIB files -> distance matrix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffcomb.data.tsplib_distances import DIMENSIONS, distances_of
from diffcomb.data.tsplib_file import TsplibFile, parse_tsplib
from diffcomb.data.tsplib_matrix import read_matrix

#: the distance matrix takes 3.2 GB at this size
MAX_CITIES = 20_000
#: what would be lost of an instance of another kind
_FOREIGN = (
    "CAPACITY",
    "DEMAND_SECTION",
    "DEPOT_SECTION",
    "EDGE_DATA_FORMAT",
    "EDGE_DATA_SECTION",
    "TOUR_SECTION",
)


@dataclass(frozen=True)
class TsplibInstance:
    """distances (N, N) float64, symmetric, city k of the file (counted from 1) in row k - 1.

    coordinates: (N, 2) or None, for pictures. fixed_edges: pairs of cities, counted from 0, that must be
    neighbours on the tour.
    """

    name: str
    distances: np.ndarray
    coordinates: np.ndarray | None
    fixed_edges: tuple[tuple[int, int], ...] = ()


def read_tsplib(path: str | Path) -> TsplibInstance:
    """Read a symmetric TSP in any edge-weight type but SPECIAL and in any format.

    Raises:
        InvalidInstanceError: missing file, or one whose keywords and data do not fit together; names the
            line and the reason.
    """
    path = Path(path)
    read = parse_tsplib(
        path, "`python -m diffcomb.data tsplib` downloads TSPLIB into $DIFFCOMB_DATA"
    )  # fmt: skip
    place, kind = read.required("TYPE")
    if kind.split()[0].upper() != "TSP":  # si175 carries its author behind the type
        raise place.refusal(f"TYPE {kind[:40]}; only symmetric TSP is supported")
    for word in _FOREIGN:
        if word in read.values or word in read.sections:
            at = read.place(word) if word in read.values else read.end
            raise at.refusal(f"{word} has no meaning in a TSP, so the file says more than would be read")
    place, value = read.required("DIMENSION")
    size = place.whole(value)
    if not 1 <= size <= MAX_CITIES:
        raise place.refusal(f"DIMENSION must be from 1 to {MAX_CITIES}, got {size}")
    place, value = read.required("EDGE_WEIGHT_TYPE")
    weight_type = value.upper()
    if weight_type != "EXPLICIT" and weight_type not in DIMENSIONS:
        known = ", ".join(["EXPLICIT", *DIMENSIONS])
        raise place.refusal(f"EDGE_WEIGHT_TYPE {value[:40]!r} is none of {known}")
    cities = _coordinates(read, "NODE_COORD_SECTION", size, _declared_width(read, weight_type))
    shown = _coordinates(read, "DISPLAY_DATA_SECTION", size, 2)
    if weight_type == "EXPLICIT":
        distances = read_matrix(read, size)
    else:
        distances = _from_coordinates(read, cities, weight_type)
    pictured = cities or shown
    first, positions = pictured if pictured else (1, None)
    return TsplibInstance(
        read.value("NAME") or path.stem,
        distances,
        None if positions is None else positions[:, :2].copy(),
        _fixed_edges(read, first, size),
    )


def _declared_width(read: TsplibFile, weight_type: str) -> int | None:
    """Coordinates of a city by the weight type, else by NODE_COORD_TYPE; None where neither says."""
    width = DIMENSIONS.get(weight_type)
    place, value = read.values.get("NODE_COORD_TYPE", (read.end, ""))
    if not value:
        return width
    declared = {"TWOD_COORDS": 2, "THREED_COORDS": 3, "NO_COORDS": 0}.get(value.upper())
    if declared is None:
        raise place.refusal(
            f"NODE_COORD_TYPE {value[:40]!r} is none of TWOD_COORDS, THREED_COORDS, NO_COORDS"
        )
    if (width or declared) != declared or (not declared and "NODE_COORD_SECTION" in read.sections):
        raise place.refusal(
            f"NODE_COORD_TYPE {value} does not fit the weights ({weight_type}) or the sections"
        )
    return declared


def _from_coordinates(
    read: TsplibFile, cities: tuple[int, np.ndarray] | None, weight_type: str
) -> np.ndarray:
    place = read.place("EDGE_WEIGHT_TYPE")
    if "EDGE_WEIGHT_SECTION" in read.sections:
        raise place.refusal(f"{weight_type} and an EDGE_WEIGHT_SECTION contradict each other")
    layout = read.value("EDGE_WEIGHT_FORMAT") or "FUNCTION"
    if layout.upper() != "FUNCTION":
        at = read.place("EDGE_WEIGHT_FORMAT")
        raise at.refusal(f"EDGE_WEIGHT_FORMAT {layout[:40]} and weights {weight_type} contradict each other")
    if cities is None:
        raise place.refusal(f"{weight_type} needs a NODE_COORD_SECTION")
    points = cities[1]
    if weight_type == "GEO" and ((np.abs(points) > [90, 360]).any()):
        city = int(np.argmax((np.abs(points) > [90, 360]).any(1)))
        raise read.sections["NODE_COORD_SECTION"][city][0].refusal(
            "GEO needs a latitude of at most 90 degrees and a longitude of at most 360"
        )
    distances = distances_of(points, weight_type)
    if not (distances < 2.0**53).all():
        raise place.refusal("distances beyond 2^53, which are not whole in double precision")
    return distances


def _coordinates(
    read: TsplibFile, section: str, size: int, width: int | None
) -> tuple[int, np.ndarray] | None:
    """(number of the first city, positions by number): from 1 in any order, or from 0 in ascending order."""
    if section not in read.sections:
        return None
    lines = read.sections[section]
    if len(lines) != size:
        last = lines[-1][0] if lines else read.end
        raise last.refusal(f"DIMENSION is {size}, but {section} lists {len(lines)} cities")
    found: dict[int, list[float]] = {}
    for place, words in lines:
        width = width or len(words) - 1
        if len(words) != width + 1 or width not in (2, 3):
            raise place.refusal(f"a city is a number and {width} coordinates, found {len(words)} words")
        city = place.whole(words[0])
        if city in found:
            raise place.refusal(f"city {city} comes twice")
        found[city] = place.reals(words[1:])
    first = 0 if list(found) == list(range(size)) else 1
    wrong = next((k for k, city in enumerate(found) if not first <= city < first + size), None)
    if wrong is not None:
        raise lines[wrong][0].refusal(f"{section} must number its cities from 1 to {size}")
    return first, np.array([found[city] for city in range(first, first + size)])


def _fixed_edges(read: TsplibFile, first: int, size: int) -> tuple[tuple[int, int], ...]:
    """Pairs up to a -1; cities count as in the coordinates, from 1 in files that have none."""
    if "FIXED_EDGES_SECTION" not in read.sections:
        return ()
    words = read.words("FIXED_EDGES_SECTION")
    if len(words) < 3 or words[-1][1] != "-1" or len(words) % 2 == 0:
        last = words[-1][0] if words else read.end
        raise last.refusal("FIXED_EDGES_SECTION lists pairs of cities and ends with -1")
    ends = []
    for place, word in words[:-1]:
        city = place.whole(word)
        if not first <= city < first + size:
            raise place.refusal(f"a fixed edge names city {city}, cities are {first} to {first + size - 1}")
        ends.append(city - first)
    pairs = list(zip(ends[::2], ends[1::2], strict=True))
    seen: set[frozenset[int]] = set()
    for k, (u, v) in enumerate(pairs):
        if u == v or frozenset((u, v)) in seen:
            again = "joins a city to itself" if u == v else "comes a second time"
            raise words[2 * k][0].refusal(f"the fixed edge of {u + first} and {v + first} {again}")
        seen.add(frozenset((u, v)))
    return tuple(pairs)
