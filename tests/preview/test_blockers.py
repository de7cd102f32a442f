"""What `check --blockers` says stands in the way, and of how many sites."""

from __future__ import annotations

import json

import pytest
from example_models import USER

from awaken import api
from awaken.cli import main
from awaken.preview.documents.blockers import blockers
from awaken.settings import Settings

PROJECT = """\
[project]
name = "p"
version = "1"
requires-python = "{python}"
dependencies = ["sqlalchemy>=2.0", "fastapi>=0.110"]
"""
APP = """\
from models import User


def one(db):
    first = db.query(User).filter(User.id == 1).first()
    others = db.query(User).all()
    return first, others, db.query(User).count()


class Users:
    def __init__(self, db):
        self.db = db

    def first(self, kind):
        return self.db.query(kind).first()

    def all(self, kind):
        return self.db.query(kind).all()


def kept(session, kind):
    rows = session.query(kind)
    return print(rows)
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(python=">=3.11"))
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "models.py").write_text(USER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(program):
    return blockers(api.run([program], api.Options(settings=Settings())))


@pytest.mark.usefixtures("program")
def test_sites_with_one_blocker_are_one_row_and_most_come_first(program):
    rows = found(program)

    assert [row.sites for row in rows] == sorted((row.sites for row in rows), reverse=True)
    assert rows[0].sites == 2
    assert "`self.db`" in rows[0].message
    assert "annotate it in the class body" in rows[0].help


def test_a_version_is_one_blocker_for_all_its_sites(program):
    (program / "pyproject.toml").write_text(PROJECT.format(python=">=3.8"))
    (program / "tasks.py").write_text(
        "import asyncio\n\n\nasync def f(a, b):\n    x = await asyncio.gather(a(), b())\n"
        "    y = await asyncio.gather(a(), b())\n    return x, y\n"
    )

    report = api.run([program], api.Options(settings=Settings(select=("gather-to-taskgroup",))))
    (row,) = blockers(report)

    assert row.reason == "engine/needs-other-versions"
    assert (row.rule, row.sites, row.files, row.place) == ("gather-to-taskgroup", 2, 1, None)


@pytest.mark.usefixtures("program")
def test_every_manual_site_has_a_blocker(program):
    report = api.run([program], api.Options(settings=Settings()))
    manual = [one for root in report.roots for one in root.findings if one.level == "manual"]

    assert sum(row.sites for row in blockers(report)) == len(manual) > 0


@pytest.mark.usefixtures("program")
def test_the_list_says_what_to_edit_and_what_that_frees(capsys):
    code = main(["check", "--blockers"])
    out = capsys.readouterr().out

    assert code == 1
    assert out.startswith("2 sites in 1 file: nothing proves that `self.db` is a session\n")
    assert "  = what to do: If it is one, annotate it in the class body: `db: Session`.\n" in out
    assert "edit would free 2 of 3 manual sites." in out


@pytest.mark.usefixtures("program")
def test_the_list_is_one_document_in_json(capsys):
    main(["check", "--blockers", "--output-format", "json"])
    document = json.loads(capsys.readouterr().out)

    assert document["blockers"][0]["sites"] == 2
    assert document["blockers"][0]["path"] == "app.py"


@pytest.mark.usefixtures("program")
def test_other_forms_do_not_show_it(capsys):
    assert main(["check", "--blockers", "--output-format", "sarif"]) == 2
    assert "--blockers is printed as full or json" in capsys.readouterr().err
