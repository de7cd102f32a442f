"""Parameters that change their places are named in the message, with the reason."""

from __future__ import annotations

import pytest

from awaken import api
from awaken.settings import Settings

HEAD = """\
from fastapi import APIRouter, Depends, Path, Query

from shop import Session, get_db

router = APIRouter()


@router.get("/{key}")
"""
SHOP = "class Session: ...\n\n\ndef get_db():\n    yield Session()\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    def written(header):
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
            'dependencies = ["fastapi>=0.110"]\n'
        )
        (tmp_path / "shop.py").write_text(SHOP)
        (tmp_path / "app.py").write_text(f"{HEAD}{header}\n    return 1\n")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return written


def _options():
    return api.Options(settings=Settings(select=("annotated-dependency",)))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "def f(skip: int = 0, db: Session = Depends(get_db)):",
            "`db` of `f` becomes `Annotated`; `db` moves before `skip`, which has a default",
        ),
        (
            (
                "def f(a: str, skip: int = 0, n: int = 1, db: Session = Depends(get_db),"
                " key: int = Path(...)):"
            ),
            (
                "`db` and `key` of `f` become `Annotated`; `db` and `key` move before `skip`, "
                "which has a default"
            ),
        ),
        (
            "def f(skip: int = 0, words: str = Query(...)):",
            (
                "`words` of `f` becomes `Annotated`; `*` comes before `words`, "
                "which no longer has a default"
            ),
        ),
        ("def f(db: Session = Depends(get_db), skip: int = 0):", "`db` of `f` becomes `Annotated`"),
    ],
)
def test_a_safe_change_says_which_parameters_move_and_why(program, header, said):
    report = api.run([program(header)], _options())
    (finding,) = report.roots[0].findings

    assert finding.level.value == "safe"
    assert finding.message == said


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        ("def f(skip: int = 0, words: str = Query(...)):", "*,"),
        ("def f(db=Depends(get_db)):", "Any,"),
    ],
)
def test_explain_says_why_a_piece_is_there(program, header, piece):
    root = program(header)
    api.run([root], _options())
    found = api.explain(root / "app.py", 9, None, _options())

    assert [text for text, _ in found.sites[0].pieces] == [piece]
