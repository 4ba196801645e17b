"""The type stubs that are checked in are those of the registry."""

from __future__ import annotations

import os
from pathlib import Path

import lyncean
from conftest import ROOT
from lyncean import _stubs

SOURCE = ROOT / "python" / "python" / "lyncean"


def test_stubs_are_fresh() -> None:
    if os.environ.get("BLESS") == "1":
        _stubs.main(str(SOURCE))
    for name, text in _stubs.stubs().items():
        stored = (SOURCE / name).read_text(encoding="utf-8")
        assert stored == text, (
            f"`{name}` is not what the registry says: BLESS=1 pytest python/tests/test_stubs.py"
        )


def test_types_are_told_to_checkers() -> None:
    assert Path(str(lyncean.__file__)).with_name("py.typed").exists()
