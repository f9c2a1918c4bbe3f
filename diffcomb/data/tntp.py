"""Road networks, trip tables and link flows in the TNTP format of Transportation Networks for Research."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffcomb.errors import InvalidInstanceError

_TAG = re.compile(r"<(.+?)>\s*(.*)")
_TRIP = re.compile(r"(\S+)\s*:\s*(\S+)$")
_COLUMNS = ("capacity", "length", "free_flow_time", "b", "power", "speed", "toll", "link_type")


@dataclass(frozen=True)
class TntpNetwork:
    """Links as the file lists them, nodes counted from 0; units are the file's own.

    Attributes:
        first_thru_node: nodes below it (counted from 0) are zones no route may pass through.
        tails, heads: (links,) int64. The other arrays: (links,) float64.
    """

    name: str
    num_zones: int
    num_nodes: int
    first_thru_node: int
    tails: np.ndarray
    heads: np.ndarray
    capacity: np.ndarray
    length: np.ndarray
    free_flow_time: np.ndarray
    b: np.ndarray
    power: np.ndarray
    speed: np.ndarray
    toll: np.ndarray
    link_type: np.ndarray


def read_tntp_network(path: str | Path) -> TntpNetwork:
    """Read a *_net.tntp file.

    Raises:
        InvalidInstanceError: missing or malformed; names the line and the reason.
    """
    path = Path(path)
    tags, rows = _parse(path)
    num_nodes, links = _integer(path, tags, "NUMBER OF NODES"), _integer(path, tags, "NUMBER OF LINKS")
    ends, values = [], []
    for number, line in rows:
        fields = line.rstrip("; \t").split()
        if len(fields) != 2 + len(_COLUMNS):
            raise _bad(path, number, f"a link has {2 + len(_COLUMNS)} fields, this line {len(fields)}")
        tail, head = (_node(path, number, field, num_nodes) for field in fields[:2])
        if tail == head:
            raise _bad(path, number, f"node {fields[0]} has a link to itself")
        ends.append((tail, head))
        values.append([_number(path, number, field) for field in fields[2:]])
        capacity, _, free_flow_time, b, power, *_ = values[-1]
        if capacity <= 0 or min(free_flow_time, b, power) < 0:
            raise _bad(path, number, "capacity must be positive; free flow time, b and power not negative")
    if len(ends) != links:
        raise InvalidInstanceError(f"{path.name} declares {links} links but lists {len(ends)}.")
    tails, heads = np.array(ends, dtype=np.int64).T.copy()
    columns = dict(zip(_COLUMNS, np.array(values, dtype=np.float64).T.copy(), strict=True))
    return TntpNetwork(
        path.name.removesuffix("_net.tntp"),
        _integer(path, tags, "NUMBER OF ZONES"),
        num_nodes,
        _integer(path, tags, "FIRST THRU NODE") - 1,
        tails,
        heads,
        **columns,
    )


def read_tntp_trips(path: str | Path) -> np.ndarray:
    """Read a *_trips.tntp file -> demand (zones, zones) float64, origin by row.

    Raises:
        InvalidInstanceError: missing or malformed; names the line and the reason.
    """
    path = Path(path)
    tags, rows = _parse(path)
    zones = _integer(path, tags, "NUMBER OF ZONES")
    demand = np.zeros((zones, zones))
    origin = -1
    for number, line in rows:
        if line.lower().startswith("origin"):
            origin = _node(path, number, line[len("origin") :].strip(), zones)
            continue
        if origin < 0:
            raise _bad(path, number, "trips before the first Origin line")
        for entry in filter(None, (part.strip() for part in line.split(";"))):
            match = _TRIP.match(entry)
            if match is None:
                raise _bad(path, number, f"expected `zone : trips`, found {entry!r}")
            trips = _number(path, number, match[2])
            if trips < 0:
                raise _bad(path, number, f"{trips} trips")
            demand[origin, _node(path, number, match[1], zones)] = trips
    total = re.match(r"[\d.eE+-]+", tags.get("TOTAL OD FLOW", ""))
    if total and abs(demand.sum() - float(total[0])) > 1e-4 * float(total[0]):
        raise InvalidInstanceError(f"{path.name} declares {total[0]} trips but lists {demand.sum():.1f}.")
    return demand


def read_tntp_flows(path: str | Path, network: TntpNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Read a *_flow.tntp file -> (volumes, costs), (links,) each in the order of the network's links.

    Raises:
        InvalidInstanceError: missing or malformed, or a link that one of the two files lacks.
    """
    path = Path(path)
    index = {(int(t), int(h)): k for k, (t, h) in enumerate(zip(network.tails, network.heads, strict=True))}
    table = np.full((2, len(network.tails)), np.nan)
    for number, line in _lines(path):
        fields = line.replace(";", " ").replace(":", " ").split()
        if not fields or not fields[0][0].isdigit():
            continue  # the header
        if len(fields) != 4:
            raise _bad(path, number, "expected from, to, volume and cost")
        ends = tuple(_node(path, number, field, network.num_nodes) for field in fields[:2])
        if ends not in index:
            raise _bad(path, number, f"the network has no link {fields[0]} -> {fields[1]}")
        table[:, index[ends]] = [_number(path, number, field) for field in fields[2:]]
    missing = np.flatnonzero(np.isnan(table[0]))
    if len(missing):
        k = missing[0]
        raise InvalidInstanceError(
            f"{path.name} has no flow on link {network.tails[k] + 1} -> {network.heads[k] + 1}."
        )
    return table[0], table[1]


def read_tntp_coordinates(folder: str | Path, num_nodes: int) -> np.ndarray | None:
    """(nodes, 2) positions from *_node.tntp, else from a GeoJSON file of points; None without either.

    Raises:
        InvalidInstanceError: a malformed file, or a node without a position.
    """
    folder = Path(folder)
    positions = np.full((num_nodes, 2), np.nan)
    for path in sorted(folder.glob("*_node.tntp")):
        for number, line in _lines(path):
            fields = line.rstrip("; \t").split()
            if not fields or not fields[0].isdigit():
                continue
            if len(fields) != 3:
                raise _bad(path, number, "expected node, x and y")
            node = _node(path, number, fields[0], num_nodes)
            positions[node] = [_number(path, number, field) for field in fields[1:]]
        return _all_placed(path, positions)
    for path in sorted(folder.glob("*.geojson")):
        features = json.loads(path.read_text())["features"]
        if {feature["geometry"]["type"] for feature in features} != {"Point"}:
            continue
        for feature in features:
            node = _node(path, 1, str(feature["properties"]["id"]), num_nodes)
            positions[node] = feature["geometry"]["coordinates"][:2]
        return _all_placed(path, positions)
    return None


def _all_placed(path: Path, positions: np.ndarray) -> np.ndarray:
    missing = np.flatnonzero(np.isnan(positions[:, 0]))
    if len(missing):
        raise InvalidInstanceError(f"{path.name} has no position of node {missing[0] + 1}.")
    return positions


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if not path.is_file():
        raise InvalidInstanceError(
            f"No file {path}; `python -m diffcomb.data roads` downloads the networks into $DIFFCOMB_DATA."
        )
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        yield number, line.strip()


def _parse(path: Path) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Metadata tags, and the numbered lines below them without blank ones and ~ comments."""
    tags: dict[str, str] = {}
    rows, below = [], False
    for number, line in _lines(path):
        match = _TAG.match(line)
        if not below and match:
            tags[match[1].strip()] = match[2].strip()
            below = match[1].strip() == "END OF METADATA"
        elif below and line and not line.startswith("~"):
            rows.append((number, line))
    if not below:
        raise InvalidInstanceError(f"{path.name} has no <END OF METADATA> line; is it a TNTP file?")
    return tags, rows


def _integer(path: Path, tags: dict[str, str], name: str) -> int:
    try:
        return int(tags[name].split()[0])
    except (KeyError, IndexError, ValueError):
        raise InvalidInstanceError(f"{path.name} needs a line `<{name}> integer`.") from None


def _number(path: Path, number: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _bad(path, number, f"{text!r} is not a number") from None
    if not np.isfinite(value):
        raise _bad(path, number, f"{text!r} is not finite")
    return value


def _node(path: Path, number: int, text: str, count: int) -> int:
    if not text.isdigit() or not 1 <= int(text) <= count:
        raise _bad(path, number, f"{text!r} is not a node or zone in 1..{count}")
    return int(text) - 1


def _bad(path: Path, number: int, reason: str) -> InvalidInstanceError:
    return InvalidInstanceError(f"{path.name}, line {number}: {reason}.")
