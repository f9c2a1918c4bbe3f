"""Positions of the nodes of a road network, from TNTP node files or GeoJSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from diffcomb.data.text import Place, read_lines
from diffcomb.data.tntp_file import node_of, numbered_lines
from diffcomb.errors import InvalidInstanceError


def read_tntp_coordinates(folder: str | Path, num_nodes: int) -> np.ndarray | None:
    """(nodes, 2) positions from *_node.tntp, else from a GeoJSON file of points; None without either.

    Raises:
        InvalidInstanceError: a malformed file, a node without a position or with two.
    """
    folder = Path(folder)
    positions = np.full((num_nodes, 2), np.nan)
    tables = sorted(folder.glob("*_node.tntp"))
    if len(tables) > 1:
        raise InvalidInstanceError(f"{folder} has {len(tables)} *_node.tntp files; leave one.")
    if tables:
        _from_lines(tables[0], positions)
        return _all_placed(tables[0], positions)
    for path in sorted(folder.glob("*.geojson")):
        points = _points(path)
        if points is not None:
            for node, place in points:
                _put(positions, Place(path, 1), str(node), place)
            return _all_placed(path, positions)
    return None


def _from_lines(path: Path, positions: np.ndarray) -> None:
    titled = False
    for place, line in numbered_lines(path):
        fields = line.rstrip("; \t").split()
        if not fields or line.startswith("~"):
            continue
        if not titled and not any(character.isdigit() for character in line):
            titled = True
            if [field.lower() for field in fields[1:]] == ["y", "x"]:
                raise place.refusal("the columns must be: node, x, y")
            continue
        titled = True
        if len(fields) != 3:
            raise place.refusal("expected node, x and y")
        _put(positions, place, fields[0], place.reals(fields[1:]))


def _points(path: Path) -> list[tuple[Any, Any]] | None:
    """(node, coordinates) of a collection of points; None for one of roads."""
    try:
        collection = json.loads("\n".join(read_lines(path)))
    except json.JSONDecodeError as error:
        raise Place(path, error.lineno).refusal(f"not GeoJSON, {error.msg}") from None
    except (RecursionError, ValueError):  # nested without end, a number of thousands of digits
        raise InvalidInstanceError(f"{path.name} is not GeoJSON.") from None
    try:
        features = collection["features"]
        kinds = {feature["geometry"]["type"] for feature in features}
        if kinds <= {"LineString", "MultiLineString", "Polygon", "MultiPolygon"}:
            return None
        if kinds != {"Point"}:
            raise TypeError
        return [(f["properties"]["id"], list(f["geometry"]["coordinates"])[:2]) for f in features]
    except (KeyError, TypeError, IndexError):
        raise InvalidInstanceError(
            f"{path.name} is not a GeoJSON collection of points with a number `id` each."
        ) from None


def _put(positions: np.ndarray, place: Place, node: str, position: Any) -> None:
    index = node_of(place, node, len(positions))
    if not np.isnan(positions[index, 0]):
        raise place.refusal(f"node {node} has two positions")
    if not (len(position) == 2 and all(isinstance(x, int | float) and abs(x) < 1e300 for x in position)):
        raise place.refusal(f"the position of node {node} is not two finite numbers")
    positions[index] = position


def _all_placed(path: Path, positions: np.ndarray) -> np.ndarray:
    missing = np.flatnonzero(np.isnan(positions[:, 0]))
    if len(missing):
        raise InvalidInstanceError(f"{path.name} has no position of node {missing[0] + 1}.")
    return positions
