"""Settings in whole runs: several roots, each with its own; options, levels and paths."""

from __future__ import annotations

import json

import pytest
from optional_rules import PROJECT, RULES, RenameOld, after, run, write

from awaken.cli import main
from awaken.engine.report import SuppressedBy

CODE = "old\nrisky\nraw\n"


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    base = tmp_path / "mono"
    (base / ".git").mkdir(parents=True)
    for name in ("one", "two", "three"):
        write(base, {f"{name}/pyproject.toml": PROJECT, f"{name}/a.py": CODE})
    monkeypatch.chdir(base)
    return base


def test_each_root_has_its_own_settings_in_one_run(repository):
    write(
        repository,
        {
            "awaken.toml": "extend-select = ['fresh']\n",
            "one/awaken.toml": "unsafe-fixes = true\nignore = ['rename-old']\n",
            "two/pyproject.toml": f"{PROJECT}[tool.awaken]\nselect = ['rename-raw', 'rename-old']\n"
            "unsafe-fixes = true\nrules.rename-old.new-name = 'two'\n",
        },
    )

    report = run(repository / "one", repository / "two", repository / "three")

    assert after(report) == {
        "one/a.py": "old\ndared\nraw\n",
        "two/a.py": "two\nrisky\ndared\n",
        "three/a.py": "renamed\nrisky\nraw\n",
    }
    assert report.rules == ("rename-old", "rename-raw", "rename-risky")


def test_the_command_line_holds_for_every_root(repository):
    write(
        repository, {"one/awaken.toml": "select = []\n", "two/awaken.toml": "unsafe-fixes = true"}
    )

    report = run(repository, select=("rename-risky",), unsafe_fixes=False)

    assert after(report) == {}
    assert [len(root.pending) for root in report.roots] == [0, 1, 1, 1]


def test_patterns_are_relative_to_the_file_that_says_them(repository):
    write(repository, {"awaken.toml": "extend-exclude = ['one/gen', '/a.py', 'two/*.py']\n"})
    write(repository, {"one/gen/b.py": "old\n", "three/gen/b.py": "old\n"})

    assert after(run(repository)).keys() == {"one/a.py", "three/a.py", "three/gen/b.py"}


def test_what_the_command_line_leaves_out_is_relative_to_the_current_directory(
    repository, monkeypatch
):
    write(repository, {"one/sub/a.py": "old\n"})
    monkeypatch.chdir(repository / "one")

    assert after(run(repository / "one", extend_exclude=("sub/a.py",))).keys() == {"one/a.py"}
    monkeypatch.chdir(repository / "one/sub")
    found = after(run(repository / "one", extend_exclude=("/a.py",)))
    assert found.keys() == {"one/a.py"}
    assert after(run(repository / "one", extend_exclude=("../a.py",))).keys() == {"one/sub/a.py"}


def test_options_reach_their_rule_and_no_other(repository):
    write(repository, {"one/awaken.toml": "[rules.rename-old]\nstyle = 'shouted'\n"})

    report = run(
        repository / "one", config=["rules.rename-old.new-name = 'new'"], unsafe_fixes=True
    )

    assert after(report) == {"one/a.py": "NEW\ndared\nraw\n"}


def test_options_reach_a_rule_that_is_planned_in_several_processes(repository, monkeypatch):
    monkeypatch.setattr("awaken.engine.planning.rule_planning._SECONDS_PER_BYTE", 1.0)
    write(repository, {f"one/b{n}.py": "old\n" for n in range(6)})

    report = run(repository / "one", jobs=2, config=["rules.rename-old.new-name = 'new'"])

    assert {text.splitlines()[0] for text in after(report).values()} == {"new"}
    assert len(report.roots[0].files) == 7


def test_unsafe_changes_are_admitted_where_an_override_says_so(repository):
    write(repository, {"one/tests/a.py": CODE, "one/tests/keep/a.py": CODE})
    write(
        repository,
        {
            "awaken.toml": "overrides = [{paths = ['one/tests'], unsafe-fixes = true},\n"
            "{paths = ['**/keep/'], unsafe-fixes = false}]\n"
        },
    )

    report = run(repository / "one", ignore=("rename-old",))

    assert after(report) == {"one/tests/a.py": "old\ndared\nraw\n"}
    pending = [change.paths for change in report.roots[0].pending]
    assert sorted(pending) == [("a.py",), ("tests/keep/a.py",)]


def test_ignored_sites_of_a_path_are_held_and_told(repository):
    write(
        repository,
        {"awaken.toml": "overrides = [{paths = ['one/a.py'], ignore = ['rename-old']}]\n"},
    )

    (root,) = run(repository / "one", unsafe_fixes=True).roots

    assert [file.after.text for file in root.files] == [b"old\ndared\nraw\n"]
    assert [(one.finding.rule, one.by, one.note) for one in root.suppressed] == [
        ("rename-old", SuppressedBy.SETTINGS, "../awaken.toml")
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("rules.rename-old.new-name = 'x'", "rules.rename-old.new-name = 'y'"),
        (
            "rules.rename-old.keep = ['a', 'b']",
            "rules.rename-old = {keep = ['b', 'a'], style='shouted'}",
        ),
        ("unsafe-fixes = false", "unsafe-fixes = true"),
        ("select = ['rename-old']", "select = ['rename-raw']\nunsafe-fixes = true"),
        ("", "overrides = [{paths = ['a.py'], unsafe-fixes = true}]"),
        ("", "overrides = [{paths = ['a.py'], ignore = ['rename-old']}]"),
        (
            "overrides = [{paths = ['a.py'], unsafe-fixes = true}]",
            "overrides = [{paths = ['b.py'], unsafe-fixes = true}]",
        ),
        ("extend-exclude = ['a.py']", ""),
    ],
)
def test_what_is_remembered_holds_for_the_same_settings_only(repository, monkeypatch, before, now):
    for rule in RULES:
        monkeypatch.setattr(type(rule), "__module__", "awaken.pretended")  # others are not cached
    planned = []
    plan = RenameOld.plan
    monkeypatch.setattr(RenameOld, "plan", lambda *asked: planned.append(1) or plan(*asked))

    def result(text):
        write(repository, {"one/awaken.toml": text})
        del planned[:]
        report = run(repository / "one", use_cache=True)
        assert not report.roots[0].diagnostics
        return after(report), bool(planned)

    first, _ = result(before)
    assert result(before) == (first, False)
    second, anew = result(now)
    assert anew
    assert second != first
    assert result(before)[0] == first


MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def users(session: Session):
    return session.query(User).all()
"""


def test_projects_of_one_repository_have_different_versions_of_a_library(repository, capfd):
    table = "[tool.awaken.target]\nsqlalchemy = "
    write(
        repository,
        {
            "one/pyproject.toml": f"{PROJECT}{table}'1.3'\n",
            "two/pyproject.toml": f"{PROJECT}{table}'2.0'\n",
            "awaken.toml": "target-version = 'py312'\n",
            **{f"{name}/a.py": MODELS for name in ("one", "two", "three")},
        },
    )

    assert main(["diff", "--output-format", "json", "one", "two"]) == 0
    document = json.loads(capfd.readouterr().out)
    targets = {
        root["path"].rpartition("/")[2]: {one["name"]: one["origin"] for one in root["targets"]}
        for root in document["roots"]
    }
    assert targets["one"]["sqlalchemy"] == "awaken's settings, pyproject.toml"
    assert main(["diff", "one", "two", "three", "--no-cache"]) == 0
    printed = capfd.readouterr()
    assert "two/a.py" in printed.out
    assert "three/a.py" in printed.out
    assert "one/a.py" not in printed.out
    assert main(["diff", "--target", "sqlalchemy=2.0", "one"]) == 0
    assert "session.scalars(select(User)).all()" in capfd.readouterr().out


def test_the_command_line_reads_settings_for_check_diff_and_apply(repository, capfd):
    write(
        repository,
        {
            "one/a.py": MODELS,
            "one/old/a.py": MODELS.replace("a.py", "b.py"),
            "one/awaken.toml": "extend-exclude = ['old']\nforce-exclude = true\n",
        },
    )

    assert main(["check", "one", "--output-format", "concise"]) == 1
    assert "old/a.py" not in capfd.readouterr().out
    assert main(["check", "one/old/a.py", "-q"]) == 0
    assert main(["check", "one/old/a.py", "-q", "--no-force-exclude"]) == 1
    assert main(["check", "one/old/a.py", "-q", "--isolated"]) == 1
    assert main(["check", "one", "-q", "--config", "select=[]"]) == 0
    assert main(["apply", "one", "-q", "--allow-dirty"]) == 0
    assert "select(User)" in (repository / "one/a.py").read_text()
    assert (repository / "one/old/a.py").read_text() == MODELS
