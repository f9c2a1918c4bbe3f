"""`python -m diffcomb.data tsplib`: fetch public instances into $DIFFCOMB_DATA."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from diffcomb.data.download import DATASETS, download
from diffcomb.errors import DiffcombError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m diffcomb.data", description=__doc__)
    parser.add_argument("dataset", choices=sorted(DATASETS))
    parser.add_argument("names", nargs="*", help="instances to fetch, e.g. berlin52; default: all")
    parser.add_argument(
        "--to",
        type=Path,
        default=Path(os.environ.get("DIFFCOMB_DATA", "data")),
        help="data folder (default: $DIFFCOMB_DATA, else ./data)",
    )
    arguments = parser.parse_args()
    try:
        folder = download(arguments.dataset, arguments.to, arguments.names)
    except DiffcombError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    print(f"{arguments.dataset} is complete in {folder}")


if __name__ == "__main__":
    main()
