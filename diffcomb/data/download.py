"""Download public instances from their first source, each file checked against a known checksum."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tqdm import tqdm

from diffcomb.errors import InvalidInstanceError


@dataclass(frozen=True)
class Dataset:
    """Where a data set comes from: `url` with {stem} and {file}; terms of use to show."""

    url: str
    terms: str


DATASETS = {
    "tsplib": Dataset(
        "http://comopt.ifi.uni-heidelberg.de/software/TSPLIB95/tsp/{file}.gz",
        "TSPLIB95, G. Reinelt, Universität Heidelberg: free for research",
    ),
    "coloring": Dataset(
        "https://mat.tepper.cmu.edu/COLOR/instances/{file}",
        "DIMACS second challenge and COLOR02 graphs: free for research",
    ),
    "roads": Dataset(
        "https://raw.githubusercontent.com/bstabler/TransportationNetworks/master/{file}",
        "Transportation Networks for Research: academic research only, name the source",
    ),
    "jobshop": Dataset(
        "https://raw.githubusercontent.com/tamy0612/JSPLIB/master/instances/{stem}",
        "JSPLIB, the usual job-shop families",
    ),
}


def content_checksum(text: bytes) -> str:
    """SHA-256 of the tokens outside # comments: line ends, blanks and headers do not matter."""
    lines = [line for line in text.splitlines() if not line.startswith(b"#")]
    return hashlib.sha256(b" ".join(b" ".join(lines).split())).hexdigest()


def known_checksums(dataset: str) -> dict[str, str]:
    """file name -> checksum, from the table shipped with the package."""
    table = resources.files("diffcomb.data").joinpath("checksums.txt").read_text()
    entries = (line.split() for line in table.splitlines() if line and not line.startswith("#"))
    return {path.split("/", 1)[1]: checksum for checksum, path in entries if path.startswith(f"{dataset}/")}


def download(dataset: str, data_folder: Path, names: Sequence[str] = ()) -> Path:
    """Fetch `names` (default: all) of `dataset` into data_folder/dataset; files already there are kept.

    Raises:
        InvalidInstanceError: unknown instance, no connection, or a file whose contents differ from
            the known ones; nothing is left half-written.
    """
    source, checksums = DATASETS[dataset], known_checksums(dataset)
    wanted = [file for file in checksums if not names or _called(file) & set(names)]
    unknown = [name for name in names if not any(name in _called(file) for file in wanted)]
    if unknown:
        raise InvalidInstanceError(f"{dataset} has no instance {unknown[0]!r} that this package knows.")
    folder = Path(data_folder) / dataset
    missing = [file for file in wanted if not (folder / file).exists()]
    if missing:
        print(source.terms)
    for file in tqdm(missing, desc=f"downloading {dataset}", unit="file", disable=not missing):
        text = _fetch(source.url.format(file=file, stem=Path(file).stem))
        if content_checksum(text) != checksums[file]:
            raise InvalidInstanceError(
                f"{file} differs from the known file (checksum); it was not kept. Try again later."
            )
        _write_whole(folder / file, text)
    return folder


def _called(file: str) -> set[str]:
    """What the user may call a file: its name with or without extension, or the folder it is in."""
    return {file, Path(file).stem, Path(file).parent.name} - {""}


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            content: bytes = response.read()
    except OSError as error:
        raise InvalidInstanceError(
            f"Cannot reach {url} ({getattr(error, 'reason', error)}); connect to the internet, or copy"
            " the files into $DIFFCOMB_DATA by hand."
        ) from None
    return gzip.decompress(content) if url.endswith(".gz") else content


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)
