"""The disk cache of compiled functions across files."""

import importlib
import sys

from diffcomb.compiled import _cache_file


def test_an_edit_of_a_called_file_makes_the_cache_of_its_callers_stale(tmp_path, monkeypatch):
    """The stamp changes with a function or a constant of another file, also at second hand."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    head = "from diffcomb.compiled import compiled\n"
    bottom = head + "LEVEL = {level}\n@compiled\ndef inner(x):\n    return x + {addend}\n"
    files = {
        "cache_middle": head
        + "from cache_bottom import inner\n@compiled\ndef middle(x):\n    return inner(x)\n",
        "cache_top": head + "from cache_middle import middle\n@compiled\ndef top(x):\n    return middle(x)\n",
        "cache_reader": head
        + "from cache_bottom import LEVEL\n@compiled\ndef top(x):\n    return x + LEVEL\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)

    def stamps_and_values(level: int, addend: int) -> tuple[list[str], list[int]]:
        (tmp_path / "cache_bottom.py").write_text(bottom.format(level=level, addend=addend))
        for name in ("cache_bottom", *files):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        tops = [importlib.import_module(name).top for name in ("cache_top", "cache_reader")]
        return [_cache_file(top)._source_stamp for top in tops], [top(10) for top in tops]

    first, values = stamps_and_values(1, 1)
    assert values == [11, 11]
    again, _ = stamps_and_values(1, 1)
    assert again == first
    caller, values = stamps_and_values(1, 2)
    assert caller[0] != first[0]
    assert values == [12, 11]
    reader, values = stamps_and_values(3, 2)
    assert reader[1] != caller[1]
    assert values == [12, 13]
    for name in ("cache_bottom", *files):
        sys.modules.pop(name, None)
