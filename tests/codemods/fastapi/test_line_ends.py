"""Handlers move with their lines whatever ends these, also a carriage return alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken import api
from awaken.settings import Settings

FIXTURES = Path(__file__).parents[3] / "fixtures/fastapi/on-event-to-lifespan"
CASES = ("decorators/async-for", "decorators/annotated-before-3-9", "installers/wraps")


@pytest.mark.parametrize("newline", [b"\r", b"\r\n"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_is_written(tmp_path, case, newline):
    before = (FIXTURES / case / "before.py").read_bytes()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    options = api.Options(settings=Settings(unsafe_fixes=True), jobs=1, use_cache=False)

    def after(text):
        (tmp_path / "a.py").write_bytes(text)
        (root,) = api.run([tmp_path], options).roots
        assert root.diagnostics == ()
        return root.files[0].after.text

    assert after(before.replace(b"\n", newline)) == after(before).replace(b"\n", newline)
