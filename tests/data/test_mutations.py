"""Damaged files are read right or refused in words: over every format, with seeded damage."""

import random
import re

import numpy as np
import pytest

from diffcomb.data import TsplibInstance
from diffcomb.errors import DiffcombError
from tests.data.formats import FORMATS, same

#: words that readers must not take for others
_WORDS = [
    "nan", "inf", "1e999", "-1", "0", "1_0", "٣", "²", "0x1", "1.5", "9" * 20, "+1", ":", ";", "~", "#",
    "EOF", "\x85", "\x1c", "1,5", "1e", ".5", "'MARKER'", "End",
]  # fmt: skip
_CHARACTERS = "0123456789.-+ eE:;\t\n\rxX_\0\x1a<>#*'\"\\[]/^="


def _outcome(form, folder, text):
    """What the reader makes of a text, None for a refusal in one sentence; other errors fail the test."""
    try:
        return form.of(folder, text)
    except DiffcombError as refusal:
        message = str(refusal)
    assert re.fullmatch(r".+[.?]", message)
    return None


def _damaged(rng: random.Random, text: str) -> str:
    """One to three random changes of characters, words or lines."""
    for _ in range(rng.randint(1, 3)):
        kind, at = rng.randrange(7), rng.randrange(len(text) + 1)
        lines = text.split("\n")
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        words = lines[i].split(" ")
        if kind == 0:
            text = text[:at] + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + rng.choice(_CHARACTERS) + text[at:]
        elif kind == 2:
            text = text[:at]
        elif kind in (3, 4):
            lines[i], lines[j] = lines[j], lines[i] if kind == 3 else lines[j]
            text = "\n".join(lines)
        else:
            k = rng.randrange(len(words))
            words[k : k + (kind == 5)] = [rng.choice(_WORDS)]
            text = "\n".join([*lines[:i], " ".join(words), *lines[i + 1 :]])
    return text


@pytest.mark.parametrize("name", FORMATS)
def test_damage_never_ends_in_another_error(tmp_path, name):
    """120 damaged copies of a file: each is refused in one sentence or read; distances stay symmetric."""
    form, rng = FORMATS[name], random.Random(name)
    refused = 0
    for _ in range(120):
        read = _outcome(form, tmp_path, _damaged(rng, form.text))
        refused += read is None
        if isinstance(read, TsplibInstance):
            assert np.array_equal(read.distances, read.distances.T)
            assert np.isfinite(read.distances).all()
            assert all(0 <= u != v >= 0 for u, v in read.fixed_edges)
    assert refused > 60


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.counted])
def test_a_line_less_is_noticed(tmp_path, name):
    """Without any one of its lines a file is refused, unless the line said nothing."""
    form = FORMATS[name]
    whole, lines = form.of(tmp_path, form.text), form.text.splitlines(keepends=True)
    for k in range(len(lines)):
        # without the whole FIXED_EDGES section, or the sum of all trips, nothing is left that contradicts
        if "TOTAL" not in lines[k]:
            read = _outcome(form, tmp_path, "".join(lines[:k] + lines[k + 1 :]))
            assert read is None or same(read, whole), lines[k]


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.counted])
def test_a_file_cut_off_is_noticed(tmp_path, name):
    """Cut off behind any line but the last ones, which say nothing, a file is refused."""
    form = FORMATS[name]
    whole, lines = form.of(tmp_path, form.text), form.text.splitlines(keepends=True)
    for k in range(len(lines)):
        read = _outcome(form, tmp_path, "".join(lines[:k]))
        assert read is None or same(read, whole), lines[k]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "lp"])
def test_a_line_twice_is_noticed(tmp_path, name):
    """Any line given twice, at once or at the end of its section, is refused, unless it says nothing.

    (In an LP file a row may be there twice, and the last of two bounds holds, by the rules of the format.)
    """
    form = FORMATS[name]
    whole, lines = form.of(tmp_path, form.text), form.text.splitlines(keepends=True)
    for k in range(len(lines)):
        for at in (k + 1, min(k + 2, len(lines))):
            read = _outcome(form, tmp_path, "".join([*lines[:at], lines[k], *lines[at:]]))
            assert read is None or same(read, whole), lines[k]


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name not in ("lp", "geojson", "flows", "nodes")]
)
def test_text_behind_the_end_is_noticed(tmp_path, name):
    """A second file behind the first, or rubbish, is refused."""
    form = FORMATS[name]
    for more in (form.text, "0 0\n", "rubbish\n"):
        assert _outcome(form, tmp_path, form.text + more) is None
