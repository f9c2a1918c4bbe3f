"""Files are lines of text in any encoding, and numbers are decimal numbers."""

import gzip

import pytest

from diffcomb.data.text import Place, read_lines
from diffcomb.errors import InvalidInstanceError
from tests.data.formats import FORMATS, same

TEXT = "first\n\nStraßen der Städte\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("latin-1"),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.rstrip("\n").encode(),
        (TEXT + "\x1a").encode(),
        gzip.compress(TEXT.encode(), mtime=0),
    ],
    ids=[
        "utf-8",
        "latin-1",
        "mark",
        "utf-16",
        "big-endian",
        "utf-32",
        "crlf",
        "cr",
        "no-end",
        "ctrl-z",
        "gzip",
    ],
)
def test_the_same_lines_come_from_every_encoding(tmp_path, data):
    """Marks, line ends, Ctrl-Z and compression leave no trace."""
    path = tmp_path / "file"
    path.write_bytes(data)
    assert read_lines(path) == ["first", "", "Straßen der Städte"]


def test_only_line_ends_end_lines(tmp_path):
    """Form feeds, Latin-1's next line and Unicode's separators stay where they are in a line."""
    path = tmp_path / "file"
    path.write_bytes(b"one \x0c \x85 \x1c line\n")
    assert len(read_lines(path)) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x00\x01\x02", "not a text file"),
        (b"\x1f\x8bbroken", "damaged gzip"),
        (gzip.compress(b"cut off", mtime=0)[:-6], "damaged gzip"),
        (b"\xff\xfea", "marked as utf-16"),
        (b"\xef\xbb\xbf\xff", "marked as utf-8"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path, data, message):
    """In one sentence that names the file."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(InvalidInstanceError, match=f"file.* {message}"):
        read_lines(path)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("kind", ["missing", "folder", "below a file", "impossible name"])
def test_what_is_no_file_is_refused_by_its_name(tmp_path, format_, kind):
    """Missing files, folders given as files and names no file can have."""
    name = FORMATS[format_].name
    path = tmp_path / name
    if kind == "folder":
        path.mkdir()
    elif kind == "below a file":
        path.write_text("")
        path = path / name
    elif kind == "impossible name":
        path = tmp_path / ("x" * 300 + name)
    if format_ in ("nodes", "geojson") and kind != "folder":
        pytest.skip("the folder is what the user names")
    with pytest.raises(InvalidInstanceError, match=name):
        FORMATS[format_].read(path)


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_file_is_refused(tmp_path, name):
    """Nothing at all, blank lines, or a lone mark."""
    for text in (b"", b"\n \n", b"\xef\xbb\xbf"):
        with pytest.raises(InvalidInstanceError, match=FORMATS[name].name):
            FORMATS[name].of(tmp_path, text)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "change", ["crlf", "cr", "mark", "utf-16", "blank lines", "spaces", "comment", "lines"]
)
def test_readers_do_not_see_how_a_file_is_written(tmp_path, name, change):
    """Line ends, encodings, blanks and comments that name keywords or end in foreign bytes."""
    form = FORMATS[name]
    text, comment = form.text, form.comment
    if change in ("comment", "lines") and comment is None:
        pytest.skip("no comments in this format")
    at = 0 if name not in ("network", "trips", "tsplib") else 1
    lines = text.splitlines(keepends=True)
    data = {
        "crlf": lambda: text.replace("\n", "\r\n").encode(),
        "cr": lambda: text.replace("\n", "\r").encode(),
        "mark": lambda: text.encode("utf-8-sig"),
        "utf-16": lambda: text.encode("utf-16"),
        "blank lines": lambda: text.replace("\n", "\n\n \n").encode(),
        "spaces": lambda: text.replace("\n", " \t\n").encode(),
        "comment": lambda: "".join(
            [*lines[:at], comment.format("Stra\xdfe, DIMENSION : 7, RHS, 3 vertices") + "\n", *lines[at:]]
        ).encode("latin-1"),
        # Latin-1's \x85 ends a line for str.splitlines
        "lines": lambda: "".join([*lines[:at], comment.format("a\x85EOF 1 2") + "\n", *lines[at:]]).encode(
            "latin-1"
        ),
    }[change]()
    assert same(form.of(tmp_path, data), form.of(tmp_path, text))


@pytest.mark.parametrize(
    "word", ["nan", "inf", "-Infinity", "1_000", "0x10", "1,5", "", "٣", "1e", "1e999", "²", "--1"]
)
def test_numbers_are_finite_decimals(tmp_path, word):
    """What Python's float takes besides is refused, and names file, line and word."""
    with pytest.raises(InvalidInstanceError, match=r"f\.txt, line 7: '.*' is (not a number|beyond)"):
        Place(tmp_path / "f.txt", 7).reals(["1.5", word])
    for other in ("1.0", "1e3", "9" * 5000):
        with pytest.raises(InvalidInstanceError, match=r"line 7: '.*' is not a whole number"):
            Place(tmp_path / "f.txt", 7).whole(other)
    assert Place(tmp_path / "f.txt", 7).reals(["1", "-.5", "+2.", "1E3"]) == [1, -0.5, 2, 1000]
