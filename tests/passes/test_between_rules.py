"""Two passes among rules: each begins with what the one before left, and all of it is one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example_models import USER
from in_this_process import InThisProcess

from awaken import api
from awaken.cli import main
from awaken.contract import Level
from awaken.engine.machine import foreign_code
from awaken.settings import Settings

HERE = Path(__file__).parent
PASSES = """
[[tool.awaken.pass]]
libcst = "codemods.RenameCommand"
arguments = { old = "User", new = "Person" }
name = "person"
phase = "queries"
paths = ["shop.py"]

[[tool.awaken.pass]]
libcst = "codemods.RenameCommand"
arguments = { old = "Conf", new = "Config" }
name = "inner"
phase = "sessions"
"""
MANIFEST = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2", "pydantic-settings>=2"]
"""
MODELS = f"{USER}\n\nPerson = User\n"
BEFORE = """\
from models import User
from pydantic_settings import BaseSettings
from sqlalchemy.orm import Session


class Options(BaseSettings):
    class Conf:
        env_file = ".env"


def every(session: Session) -> list[User]:
    return session.query(User).all()
"""
AFTER = """\
from models import Person
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session


class Options(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")


def every(session: Session) -> list[Person]:
    return list(session.scalars(select(Person)).all())
"""
NAMES = ["query-to-select", "person", "inner", "settings-config"]
"""In the order in which they run."""
TRUSTED = ("--trust-passes", "--unsafe-fixes", "--select", ",".join(NAMES))


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Return the one file of a program that the rules and passes rewrite."""
    monkeypatch.setattr(foreign_code, "ForeignCode", InThisProcess)
    monkeypatch.syspath_prepend(str(HERE))
    (tmp_path / "pyproject.toml").write_text(MANIFEST + PASSES)
    (tmp_path / "models.py").write_text(MODELS)
    path = tmp_path / "shop.py"
    path.write_text(BEFORE)
    monkeypatch.chdir(tmp_path)
    return path


def document(capsys, command, *more):
    """Return what a command prints as JSON, without what differs from run to run."""
    main([command, *TRUSTED, *more, "--output-format", "json"])
    found = json.loads(capsys.readouterr().out)
    for root in found["roots"]:
        del root["seconds"]
    return {**found, "command": ""}


def test_each_begins_with_what_the_one_before_left(shop, capsys):
    assert main(["apply", *TRUSTED]) == 0

    assert shop.read_text() == AFTER
    capsys.readouterr()
    assert main(["check", *TRUSTED]) == 0
    assert "No site found" in capsys.readouterr().err
    assert main(["undo"]) == 0
    assert shop.read_text() == BEFORE


@pytest.mark.usefixtures("shop")
def test_check_equals_diff_for_any_number_of_processes(capsys):
    check = document(capsys, "check", "-j1")

    assert document(capsys, "diff", "-j2") == check
    levels = {(one["rule"], one["line"]): one["level"] for one in check["findings"]}
    assert levels == {
        ("person", 1): "unsafe",
        ("settings-config", 7): "safe",
        ("inner", 7): "unsafe",
        ("person", 11): "unsafe",
        ("person", 12): "unsafe",
        ("query-to-select", 12): "safe",
    }
    assert [one["rule"] for one in check["summary"]["rules"]] == NAMES


@pytest.fixture
def report(shop):
    """Return the report of one run, and what shows each change by itself."""
    settings = Settings(select=tuple(NAMES), unsafe_fixes=True, trust_passes=True)
    return api.run_staged([shop.parent], api.Options(settings=settings, use_cache=False))


def test_one_change_is_left_out_by_a_comment_or_an_override(shop, capsys):
    shop.write_text(BEFORE.replace("list[User]:", "list[User]:  # awaken: ignore[person]"))

    main(["apply", *TRUSTED])

    # What belongs together stays together; the rules beside it go on.
    assert "import User\n" in shop.read_text()
    assert "select(User)" in shop.read_text()
    assert "model_config" in shop.read_text()
    assert "1 held by a comment" in capsys.readouterr().err


def test_a_comment_counts_in_the_middle_of_what_changes(shop, capsys):
    shop.write_text("def f(User):\n    a(User)\n    b(User)  # awaken: ignore[person]\n    c(1)\n")

    code = main(["check", *TRUSTED, "--output-format", "concise"])

    out, err = capsys.readouterr()
    assert code == 1
    assert "`b(User)` is left alone" in out
    assert "1 held by a comment" in err


def test_a_baseline_holds_what_it_lists(shop, capsys):
    main(["check", *TRUSTED, "--write-baseline"])

    assert main(["check", *TRUSTED]) == 0
    assert "5 held by the baseline" in capsys.readouterr().err
    shop.write_text(BEFORE + "\n\nother = User\n")
    main(["check", *TRUSTED, "--output-format", "concise"])
    assert "shop.py:15:1: manual person" in capsys.readouterr().out


def test_explain_shows_the_change_of_a_line_alone(shop, capsys):
    del shop

    assert main(["explain", "shop.py:12", *TRUSTED]) == 0

    out = capsys.readouterr().out
    assert "person unsafe: codemods.RenameCommand changes 3 places of this file" in out
    # On the result of the rule that ran before it.
    assert "- def every(session: Session) -> list[User]:" in out
    assert "+     return list(session.scalars(select(Person)).all())" in out


# ------------------------------------------------------------------------ what the commands say
@pytest.mark.usefixtures("shop")
def test_who_is_not_trusted_is_named_with_what_to_say(capsys):
    for command in ("check", "diff"):
        main([command, "--unsafe-fixes"])
        said = capsys.readouterr()
        assert "note: person, inner do not run: code that pyproject.toml names; read it" in said.err
        assert "--trust-passes" in said.err
    main(["check", "--select", "query-to-select"])
    assert "person" not in capsys.readouterr().err


@pytest.mark.usefixtures("shop")
def test_the_catalogue_has_the_passes_of_the_project(capsys):
    main(["rules"])
    assert "  person " in capsys.readouterr().out

    main(["rules", "person"])
    page = capsys.readouterr().out
    assert page.startswith("# person\n\nRuns `codemods.RenameCommand`, a codemod of LibCST that ")
    assert "with --trust-passes, or after `awaken trust`, only" in page
    assert "- arguments: `old = User`, `new = Person`" in page
    assert "Every change is *unsafe*" in page

    main(["rules", "person", "--output-format", "json"])
    (one,) = json.loads(capsys.readouterr().out)["rules"]
    assert (one["status"], one["levels"]) == ("foreign", ["unsafe", "manual", "advice"])


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("trusted", [True, False])
def test_doctor_says_who_named_a_pass_and_whether_it_runs(capsys, trusted):
    main(["doctor", *(["--trust-passes"] if trusted else [])])

    said = " ".join(capsys.readouterr().out.split())
    assert "person libcst codemods.RenameCommand (pyproject.toml" in said
    assert "its changes are unsafe: nothing of them is proved" in said
    assert ("Read it, then pass --trust-passes to run it" in said) is not trusted
    main(["doctor", "--output-format", "json"])
    (root,) = json.loads(capsys.readouterr().out)["roots"]
    assert root["passes"][0] == {
        "name": "person",
        "kind": "libcst",
        "target": "codemods.RenameCommand",
        "origin": "pyproject.toml",
        "trusted": False,
    }


@pytest.mark.usefixtures("shop")
def test_an_unknown_name_has_a_hint(capsys):
    assert main(["check", "--select", "persn"]) == 2
    assert "did you mean 'person'?" in capsys.readouterr().err
    assert main(["rules", "persn"]) == 2
    assert "did you mean 'person'?" in capsys.readouterr().err


@pytest.mark.usefixtures("shop")
def test_explain_says_that_a_pass_might_have_something_to_say(capsys):
    main(["explain", "shop.py:6"])

    assert "person does not run, so its findings here are unknown" in capsys.readouterr().out


@pytest.mark.usefixtures("shop")
def test_settings_are_shown_as_a_file_would_have_them(capsys):
    main(["check", "--show-settings"])

    out = capsys.readouterr().out
    assert '[[pass]]  # pyproject.toml\nlibcst = "codemods.RenameCommand"\nname = "person"\n' in out
    assert 'arguments = { old = "User", new = "Person" }\npaths = ["shop.py"]\n' in out


@pytest.mark.usefixtures("shop")
def test_what_the_user_names_stands_for_what_the_project_does():
    named = ["--libcst", "codemods.RenameCommand", "--libcst-arg", "old=User"]
    Path("pyproject.toml").write_text(MANIFEST + PASSES.replace('"person"', '"rename"'))

    code = main(["apply", "--unsafe-fixes", *named, "--libcst-arg", "new=Human"])

    assert code == 0
    assert "import Human\n" in Path("shop.py").read_text()


def test_a_pass_has_its_level_whatever_the_settings_say(report):
    (root,) = report.report.roots

    assert {one.level for one in root.changes if one.rule == "person"} == {Level.UNSAFE}
