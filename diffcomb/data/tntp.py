"""Road networks, trip tables and link flows in the TNTP format of Transportation Networks for Research."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffcomb.data.text import Place
from diffcomb.data.tntp_file import TntpFile, node_of, numbered_lines, parse_tntp
from diffcomb.errors import InvalidInstanceError

#: a demand matrix takes 3.2 GB at this size
MAX_ZONES = 20_000
MAX_NODES = 10_000_000
_TRIP = re.compile(r"(\S+)\s*:\s*(\S+)")
_COLUMNS = ("capacity", "length", "free_flow_time", "b", "power", "speed", "toll", "link_type")
#: words that titles of the ten columns have, in the order in which the columns are read
_TITLES = (
    ("init", "tail", "from"), ("term", "head"), ("capacity",), ("length",), ("free", "fft"), (),
    ("power",), ("speed",), ("toll",), ("type",),
)  # fmt: skip


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
    read = parse_tntp(path)
    num_nodes = read.whole("NUMBER OF NODES", 1, MAX_NODES)
    num_zones = read.whole("NUMBER OF ZONES", 1, min(num_nodes, MAX_ZONES))
    first_thru_node = read.whole("FIRST THRU NODE", 1, num_nodes + 1)
    links = read.whole("NUMBER OF LINKS", 1, 10**9)
    _check_titles(read)
    _check_ends(read.rows)
    ends, values = [], []
    for place, line in read.rows:
        fields = line.rstrip("; \t").split()
        if len(fields) != 2 + len(_COLUMNS):
            raise place.refusal(f"a link has {2 + len(_COLUMNS)} fields, this line {len(fields)}")
        tail, head = (node_of(place, field, num_nodes) for field in fields[:2])
        if tail == head:
            raise place.refusal(f"node {fields[0]} has a link to itself")
        ends.append((tail, head))
        values.append(place.reals(fields[2:]))
        capacity, length, free_flow_time, b, power, *_ = values[-1]
        if capacity <= 0 or min(length, free_flow_time, b, power) < 0:
            raise place.refusal("capacity must be positive; length, free flow time, b and power not negative")
    if len(ends) != links:
        raise InvalidInstanceError(f"{path.name} declares {links} links but lists {len(ends)}.")
    tails, heads = np.array(ends, dtype=np.int64).T.copy()
    columns = dict(zip(_COLUMNS, np.array(values, dtype=np.float64).T.copy(), strict=True))
    name = path.name.removesuffix("_net.tntp")
    return TntpNetwork(name, num_zones, num_nodes, first_thru_node - 1, tails, heads, **columns)


def _check_titles(read: TntpFile) -> None:
    """The comment that titles the columns, if there is one, must name them in the order they are read."""
    for place, comment in read.comments:
        text = comment.strip("~; \t").lower()
        titles = [part.strip() for part in text.split("\t") if part.strip()]
        if len(titles) != len(_TITLES):
            titles = text.split()
        if len(titles) != len(_TITLES):
            continue  # prose
        for k, words in enumerate(_TITLES):
            named = [i for i, title in enumerate(titles) if any(word in title for word in words)]
            if named and k not in named:
                raise place.refusal(f"the columns must be: init node, term node, {', '.join(_COLUMNS)}")


def _check_ends(rows: list[tuple[Place, str]]) -> None:
    """Where lines end with a semicolon, one that does not was cut off."""
    closed = [line.endswith(";") for _, line in rows]
    if any(closed) and not all(closed):
        raise rows[closed.index(False)][0].refusal("no ';' at the end as on the other lines; cut off?")


def read_tntp_trips(path: str | Path) -> np.ndarray:
    """Read a *_trips.tntp file -> demand (zones, zones) float64, origin by row.

    Raises:
        InvalidInstanceError: missing or malformed, an origin or a pair given twice, a sum that is not the
            declared one; names the line and the reason.
    """
    path = Path(path)
    read = parse_tntp(path)
    zones = read.whole("NUMBER OF ZONES", 1, MAX_ZONES)
    demand = np.full((zones, zones), np.nan)
    origins: dict[int, int] = {}
    origin = -1
    _check_ends([(at, line) for at, line in read.rows if not line.lower().startswith("origin")])
    for place, line in read.rows:
        if line.lower().startswith("origin"):
            origin = node_of(place, line[len("origin") :].strip(), zones)
            if origin in origins:
                raise place.refusal(f"origin {origin + 1} a second time, after line {origins[origin]}")
            origins[origin] = place.line
            continue
        if origin < 0:
            raise place.refusal("trips before the first Origin line")
        for entry in filter(None, (part.strip() for part in line.split(";"))):
            _add_trips(demand, origin, entry, place)
    demand = np.where(np.isnan(demand), 0.0, demand)
    _check_total(read, float(demand.sum()))
    return demand


def _add_trips(demand: np.ndarray, origin: int, entry: str, place: Place) -> None:
    match = _TRIP.fullmatch(entry)
    if match is None:
        raise place.refusal(f"expected `zone : trips`, found {entry[:40]!r}")
    destination, trips = node_of(place, match[1], len(demand)), place.real(match[2])
    if trips < 0:
        raise place.refusal(f"{trips} trips")
    if not np.isnan(demand[origin, destination]):
        raise place.refusal(f"trips from {origin + 1} to {destination + 1} a second time")
    demand[origin, destination] = trips


def _check_total(read: TntpFile, listed: float) -> None:
    """Published sums agree with the entries to 1e-12; 1e-6 allows for one that was rounded."""
    if "TOTAL OD FLOW" not in read.tags:
        return
    place, text = read.tags["TOTAL OD FLOW"]
    declared = place.real(text)
    if abs(listed - declared) > 1e-6 * max(declared, listed):
        raise place.refusal(f"the file declares {text} trips but lists {listed:.10g}")


def read_tntp_flows(path: str | Path, network: TntpNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Read a *_flow.tntp file -> (volumes, costs), (links,) each in the order of the network's links.

    Raises:
        InvalidInstanceError: missing or malformed, a link given twice, or one that either file lacks.
    """
    path = Path(path)
    index: dict[tuple[int, int], int] = {}
    for k, (tail, head) in enumerate(zip(network.tails.tolist(), network.heads.tolist(), strict=True)):
        if (tail, head) in index:
            raise InvalidInstanceError(
                f"The network has two links {tail + 1} -> {head + 1}, which flows by node cannot tell apart."
            )
        index[tail, head] = k
    table = np.full((2, len(network.tails)), np.nan)
    titled = False
    for place, line in numbered_lines(path):
        fields = line.replace(";", " ").replace(":", " ").split()
        if not fields or line.startswith(("~", "<")):
            continue
        if not titled and not any(character.isdigit() for character in line):
            titled = True
            words = [field.lower() for field in fields]
            if "volume" in words[:2] + words[3:] or "cost" in words[:3]:
                raise place.refusal("the columns must be: from, to, volume, cost")
            continue
        titled = True
        if len(fields) != 4:
            raise place.refusal("expected from, to, volume and cost")
        tail, head = (node_of(place, field, network.num_nodes) for field in fields[:2])
        if (tail, head) not in index:
            raise place.refusal(f"the network has no link {fields[0]} -> {fields[1]}")
        k = index[tail, head]
        if not np.isnan(table[0, k]):
            raise place.refusal(f"link {fields[0]} -> {fields[1]} a second time")
        table[:, k] = place.reals(fields[2:])
        if table[0, k] < 0:
            raise place.refusal(f"a flow of {table[0, k]:g}")
    missing = np.flatnonzero(np.isnan(table[0]))
    if len(missing):
        k = missing[0]
        raise InvalidInstanceError(
            f"{path.name} has no flow on link {network.tails[k] + 1} -> {network.heads[k] + 1}."
        )
    return table[0], table[1]
