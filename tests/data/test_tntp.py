"""TNTP files become networks and demand, or a refusal that names the line."""

import os
from pathlib import Path

import numpy as np
import pytest

from diffcomb.data import read_tntp_coordinates, read_tntp_flows, read_tntp_network, read_tntp_trips
from diffcomb.errors import InvalidInstanceError

NET = """<NUMBER OF ZONES> 2
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


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_small_files_are_read_as_they_stand(tmp_path):
    """Nodes from 0, links in file order, demand by origin, flows matched to links in any order."""
    network = read_tntp_network(write(tmp_path, "town_net.tntp", NET))
    assert (network.name, network.num_zones, network.num_nodes, network.first_thru_node) == ("town", 2, 3, 2)
    assert network.tails.tolist() == [0, 2, 1]
    assert network.capacity.tolist() == [10, 10, 5]
    demand = read_tntp_trips(write(tmp_path, "town_trips.tntp", TRIPS))
    assert demand.tolist() == [[0, 10], [2, 0]]
    flows = "From To Volume Cost\n2 1 2 1.0\n1 3 10 2.3\n3 2 10 2.3\n"
    volumes, costs = read_tntp_flows(write(tmp_path, "town_flow.tntp", flows), network)
    assert volumes.tolist() == [10, 10, 2]
    assert costs.tolist() == [2.3, 2.3, 1.0]
    assert read_tntp_coordinates(tmp_path, 3) is None
    write(tmp_path, "town_node.tntp", "node X Y ;\n1 0 0 ;\n2 1 0 ;\n3 0.5 1 ;\n")
    assert read_tntp_coordinates(tmp_path, 3).tolist() == [[0, 0], [1, 0], [0.5, 1]]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" 3 2 10 1.5", " 3 2 ten 1.5", "line 9: 'ten' is not a number"),
        (" 3 2 10", " 3 4 10", "line 9: '4' is not a node"),
        (" 3 2 10", " 3 3 10", "line 9: node 3 has a link to itself"),
        (" 2 1 5 1 1 0.15", " 2 1 5 1 0.15", "line 10: a link has 10 fields, this line 9"),
        (" 2 1 5", " 2 1 0", "line 10: capacity must be positive"),
        ("LINKS> 3", "LINKS> 4", "declares 4 links but lists 3"),
        ("<NUMBER OF NODES> 3", "", "NUMBER OF NODES"),
        ("<END OF METADATA>", "", "END OF METADATA"),
        ("ZONES> 2", "ZONES> 4", "line 1: <NUMBER OF ZONES> must lie in 1..3"),
        ("ZONES> 2", "ZONES> 2.5", "line 1: '2.5' is not a whole number"),
        ("THRU NODE> 3", "THRU NODE> 0", "line 3: <FIRST THRU NODE> must lie in 1..4"),
        ("<FIRST THRU NODE> 3", "<NUMBER OF NODES> 3", "line 3: <NUMBER OF NODES> a second time"),
        ("0 0 1 ;\n 2", "0 0 1\n 2", "line 9: no ';' at the end as on the other lines"),
        ("length time", "time length", "line 7: the columns must be: init node"),
        (" 3 2 10 1.5", " 3 2 inf 1.5", "line 9: 'inf' is not a number"),
        (" 3 2 10 1.5", " 3 2 10 -1.5", "line 9: capacity must be positive; length"),
    ],
)
def test_bad_networks_are_refused(tmp_path, old, new, message):
    """One InvalidInstanceError with the line and the reason."""
    with pytest.raises(InvalidInstanceError, match=message):
        read_tntp_network(write(tmp_path, "town_net.tntp", NET.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1 : 2.0", "1 = 2.0", "line 8: expected"),
        ("1 : 2.0", "9 : 2.0", "line 8: '9' is not a node or zone"),
        ("1 : 2.0", "1 : -2.0", "line 8: -2.0 trips"),
        ("10.0", "11.0", "line 2: the file declares 12 trips but lists 13"),
        ("Origin 1\n", "", "before the first Origin"),
        ("2 : 10.0;", "2 : 4.0; 2 : 6.0;", "line 6: trips from 1 to 2 a second time"),
        ("Origin  2", "Origin 1", "line 7: origin 1 a second time, after line 5"),
        ("Origin  2", "Origin 3", "line 7: '3' is not a node or zone"),
        ("10.0;", "nan;", "line 6: 'nan' is not a number"),
        ("10.0;", "10.0", "line 6: no ';' at the end"),
        ("FLOW> 12", "FLOW> 12 trips", "line 2: '12 trips' is not a number"),
        ("TOTAL", "TOTL", "line 2: <TOTL OD FLOW> is no tag"),
        ("ZONES> 2", "ZONES> 99999999999", "line 1: <NUMBER OF ZONES> must lie in"),
    ],
)
def test_bad_trips_are_refused(tmp_path, old, new, message):
    """The same for demand."""
    with pytest.raises(InvalidInstanceError, match=message):
        read_tntp_trips(write(tmp_path, "town_trips.tntp", TRIPS.replace(old, new)))


def test_missing_files_and_flows_are_refused(tmp_path):
    """A file that is not there names the command that fetches it; a link without flow is named."""
    with pytest.raises(InvalidInstanceError, match=r"diffcomb.data roads"):
        read_tntp_network(tmp_path / "no_net.tntp")
    network = read_tntp_network(write(tmp_path, "town_net.tntp", NET))
    with pytest.raises(InvalidInstanceError, match="no flow on link 3 -> 2"):
        read_tntp_flows(write(tmp_path, "town_flow.tntp", "1 3 1 1\n2 1 1 1\n"), network)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("From To Volume Cost\n1 3 1 1\n1 3 2 1\n", "line 3: link 1 -> 3 a second time"),
        ("From To Cost Volume\n1 3 1 1\n", "line 1: the columns must be: from, to, volume, cost"),
        ("1 3 -1 1\n", "line 1: a flow of -1"),
        ("1 3 nan 1\n", "line 1: 'nan' is not a number"),
        ("1 2 1 1\n", "line 1: the network has no link 1 -> 2"),
        ("1 3 1\n", "line 1: expected from, to, volume and cost"),
        ("#1 3 1 1\n", "line 1: '#1' is not a whole number"),
    ],
)
def test_bad_flows_are_refused(tmp_path, text, message):
    """Links twice or unknown, titles in another order, and numbers that are none."""
    network = read_tntp_network(write(tmp_path, "town_net.tntp", NET))
    with pytest.raises(InvalidInstanceError, match=message):
        read_tntp_flows(write(tmp_path, "town_flow.tntp", text), network)


def test_flows_by_node_cannot_tell_parallel_links_apart(tmp_path):
    """Two links between the same nodes are read, but not matched with flows."""
    network = read_tntp_network(write(tmp_path, "town_net.tntp", NET.replace(" 3 2 10", " 1 3 20")))
    assert network.capacity.tolist() == [10, 20, 5]
    with pytest.raises(InvalidInstanceError, match="two links 1 -> 3"):
        read_tntp_flows(write(tmp_path, "town_flow.tntp", "1 3 1 1\n"), network)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t_node.tntp", "node X Y ;\n1 0 0 ;\n1 1 1 ;\n", "line 3: node 1 has two positions"),
        ("t_node.tntp", "node Y X ;\n1 0 0 ;\n", "line 1: the columns must be: node, x, y"),
        ("t_node.tntp", "1 0 0\n", "has no position of node 2"),
        ("t.geojson", "{", "line 1: not GeoJSON"),
        ("t.geojson", "[]", "not a GeoJSON collection"),
        ("t.geojson", '{"features": [{"geometry": {"type": "Pont"}}]}', "not a GeoJSON collection"),
        (
            "t.geojson",
            '{"features": [{"properties": {"id": 1}, "geometry":'
            ' {"type": "Point", "coordinates": [NaN, 1]}}]}',
            "the position of node 1 is not two finite numbers",
        ),
    ],
)
def test_bad_positions_are_refused(tmp_path, name, text, message):
    """In node files and in GeoJSON alike."""
    write(tmp_path, name, text)
    with pytest.raises(InvalidInstanceError, match=message):
        read_tntp_coordinates(tmp_path, 2)


@pytest.mark.parametrize(
    ("name", "zones", "nodes", "links", "trips"),
    [
        ("SiouxFalls", 24, 24, 76, 360600.0),
        ("Anaheim", 38, 416, 914, 104694.4),
        ("Eastern-Massachusetts", 74, 74, 258, 65576.4),
        ("Chicago-Sketch", 387, 933, 2950, 1260907.4),
    ],
)
def test_published_networks(name, zones, nodes, links, trips):
    """Sizes and total demand as published."""
    folder = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "roads" / name
    if not folder.is_dir():
        pytest.skip("needs roads in DIFFCOMB_DATA")
    network = read_tntp_network(next(folder.glob("*_net.tntp")))
    assert (network.num_zones, network.num_nodes, len(network.tails)) == (zones, nodes, links)
    demand = read_tntp_trips(next(folder.glob("*_trips.tntp")))
    assert np.isclose(demand.sum(), trips, rtol=1e-5)
