"""Labelled data on disk: the name that says what is in a file, and files that are whole or absent."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch


def cache_key(identity: dict[str, Any]) -> str:
    """Sixteen characters that change with anything in `identity`."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def save_whole(content: dict[str, Any], path: Path) -> None:
    """torch.save; the file appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        torch.save(content, file)
    os.replace(file.name, path)
