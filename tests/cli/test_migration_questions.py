"""The questions of a migration, and where their answers are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from migrated_programs import PACKAGE, answering
from real_program import awaken

from awaken import api
from awaken.engine.asking.kept_answers import joined_answers, questions_of, with_answers
from awaken.settings.model import Said
from awaken.settings.resolve import resolve


def test_without_a_terminal_a_question_is_an_error_with_what_to_put_where(package):
    before = (package / "shop/store.py").read_text("utf-8")

    code, out = awaken("migrate", "async-sessions")

    text = out.decode()
    assert code == 2
    assert "shop/store.py:20: code outside the project may import `find`" in text
    assert "[tool.awaken]\n  published = false" in text
    assert "--to 1" in text
    assert (package / "shop/store.py").read_text("utf-8") == before


def test_a_file_that_no_python_reads_holds_up_no_migration(package, capfd):
    stray = "from shop.store import find\n\ndef found(a=1, b):\n    return find(a)\n"
    (package / "stray.py").write_text(stray, "utf-8")

    code, _ = awaken("migrate", "async-sessions", "--no-published")

    assert code == 0
    assert "stray.py:3: " in capfd.readouterr().err
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")
    assert (package / "stray.py").read_text("utf-8") == stray


def test_where_a_part_of_a_project_is_blocked_the_whole_can_be_planned(package, monkeypatch):
    whole = awaken("migrate", "async-sessions", "--dry-run")[1].decode()
    part = awaken("migrate", "async-sessions", "--dry-run", "shop")[1].decode()
    monkeypatch.chdir(package.parent)
    outside = awaken("migrate", "async-sessions", "--dry-run", f"{package.name}/shop")[1].decode()

    to_plan = "To plan it for the whole project: awaken migrate async-sessions --dry-run"
    assert "is blocked" in whole
    assert "To plan it" not in whole
    assert f"{to_plan}\n" in part
    assert f"{to_plan} {package.name}\n" in outside


def test_the_answer_to_a_question_as_it_is_printed_takes_it_back(package):
    _, out = awaken("migrate", "async-sessions")
    rows = [line.strip() for line in out.decode().splitlines() if line.startswith("  ")]
    answer = "\n".join(rows[rows.index("[tool.awaken]") :])
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{answer}\n")

    assert awaken("migrate", "async-sessions")[0] == 0
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")


def test_a_question_names_the_settings_that_are_read_from_a_folder_below_them(package, monkeypatch):
    monkeypatch.chdir(package / "shop")

    _, out = awaken("migrate", "async-sessions")

    assert "add it to ../pyproject.toml and run" in " ".join(out.decode().split())


def test_on_a_terminal_a_question_is_asked(package, monkeypatch):
    answering(monkeypatch, "x", "1", "")

    code, out = awaken("migrate", "async-sessions")

    assert code == 0
    assert "Keep your answers in pyproject.toml" in out.decode()
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("url", "answers"),
    [
        (
            'f"postgresql://{HOST}/shop"',
            [
                'rules.session-to-async.drivers.postgresql = "psycopg"',
                'rules.session-to-async.drivers.postgresql = "asyncpg"',
            ],
        ),
        ("os.environ['DATABASE_URL']", ['rules.session-to-async.drivers.postgresql = "psycopg"']),
    ],
)
def test_the_driver_of_a_database_is_a_question(package, url, answers):
    text = PACKAGE["shop/store.py"].replace('"sqlite:///shop.db"', url)
    text = text.replace('__all__ = ["find"]', "HOST = os.environ['HOST']")
    (package / "shop/store.py").write_text(f"import os\n\n{text}", "utf-8")

    (question,) = questions_of([*api.run_recipe("async-sessions", [Path()])])
    _, out = awaken("migrate", "async-sessions")

    assert list(question.answers)[: len(answers)] == answers
    assert '[tool.awaken.rules.session-to-async.drivers]\n  postgresql = "psycopg"' in out.decode()
    for answer in answers:
        options = api.Options(config=(answer,))
        assert not any(
            run.is_blocked for run in api.run_recipe("async-sessions", [Path()], options)
        )


MOCKED = """\
from unittest.mock import MagicMock

from shop import store


def test_find(monkeypatch):
    db = MagicMock()
    db.__enter__.return_value = db
    db.query.return_value.filter_by.return_value.all.return_value = []
    monkeypatch.setattr(store, "Local", lambda: db)
    assert store.find("ann") == []
    db.query.assert_called_once_with(store.User)
"""


def test_what_an_earlier_step_leaves_for_a_mock_is_a_question(package, capfd):
    text = PACKAGE["shop/store.py"].replace(
        "db.scalars(select(User).filter", "db.query(User).filter"
    )
    text = text.replace(".filter_by(name=name)).all()", ".filter_by(name=name).all()")
    (package / "shop/store.py").write_text(text, "utf-8")
    (package / "tests").mkdir()
    (package / "tests/test_store.py").write_text(MOCKED, "utf-8")

    code, out = awaken("migrate", "async-sessions", "--no-published")
    assert code == 2
    assert "[tool.awaken.rules.query-to-select]\n  mocks_by_hand = true" in out.decode()
    assert (package / "shop/store.py").read_text("utf-8") == text

    answer = "\n[tool.awaken.rules.query-to-select]\nmocks_by_hand = true\n"
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(answer)
    awaken("migrate", "async-sessions", "--no-published", "--to", "1")
    assert "tests/test_store.py:9: mock the statement" in capfd.readouterr().err
    assert "select(User)" in (package / "shop/store.py").read_text("utf-8")


COUNTED = """

def count(db, model):
    return db.query(model).filter(getattr(model, "id") > 0).first()


def count_users():
    with Local() as db:
        return count(db, User)
"""


@pytest.mark.parametrize(("passed", "is_asked"), [("User", True), ("User.id", False), ("x", False)])
def test_what_a_public_function_is_passed_is_a_question(package, passed, is_asked):
    text = PACKAGE["shop/store.py"].replace('__all__ = ["find"]', "__all__ = []")
    counted = COUNTED.replace("(db, User)", f"(db, {passed})")
    (package / "shop/store.py").write_text(f"{text}{counted}", "utf-8")

    code, out = awaken("migrate", "async-sessions")

    assert ("[tool.awaken]\n  published = false" in out.decode()) is is_asked
    assert not is_asked or code == 2
    if is_asked:
        awaken("migrate", "async-sessions", "--no-published", "--to", "1")
        assert "select(model)" in (package / "shop/store.py").read_text("utf-8")


DRIVERS = 'rules.session-to-async.drivers.postgresql = "asyncpg"'
BRIDGED = 'rules.session-to-async.bridged = ["a.b"]'


@pytest.mark.parametrize(
    ("above", "text", "answers", "after"),
    [
        ("tool.awaken", "", [DRIVERS], '[TABLE.drivers]\npostgresql = "asyncpg"\n'),
        (
            "tool.awaken",
            '[TABLE]\ndrivers = { mysql = "asyncmy" } # ours\n\n[o]\n',
            [DRIVERS],
            '[TABLE]\ndrivers = { mysql = "asyncmy", postgresql = "asyncpg" } # ours\n\n[o]\n',
        ),
        (
            "tool.awaken",
            '[TABLE]\ndrivers = {mysql = "asyncmy"} # ours\n',
            [DRIVERS],
            '[TABLE]\ndrivers = {mysql = "asyncmy", postgresql = "asyncpg"} # ours\n',
        ),
        (
            "tool.awaken",
            "[TABLE]\ndrivers = {}\nbridged = []\n",
            [DRIVERS],
            '[TABLE]\ndrivers = {postgresql = "asyncpg"}\nbridged = []\n',
        ),
        (
            "tool.awaken",
            '[TABLE.drivers]\nmysql = "asyncmy"\n\n# other\n[tool.other]\n',
            [DRIVERS],
            '[TABLE.drivers]\nmysql = "asyncmy"\npostgresql = "asyncpg"\n\n# other\n[tool.other]\n',
        ),
        (
            "tool.awaken",
            '[TABLE]\nbridged = ["c.d"]\n',
            [BRIDGED],
            '[TABLE]\nbridged = ["c.d", "a.b"]\n',
        ),
        ("", "", ["published = false"], "published = false\n"),
        ("", "# ours\npublished = true\n", ["published = false"], "# ours\npublished = false\n"),
        (
            "",
            "[TABLE]\nlevels = 2\n",
            ["published = false"],
            "published = false\n\n[TABLE]\nlevels = 2\n",
        ),
    ],
)
def test_answers_are_written_into_the_settings_and_all_else_is_kept(above, text, answers, after):
    table = f"{above}.rules.session-to-async".lstrip(".")
    above = above.split(".") if above else []
    assert with_answers(text.replace("TABLE", table), above, answers) == after.replace(
        "TABLE", table
    )


def test_on_a_terminal_the_answers_are_written_if_the_user_agrees(package, monkeypatch):
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# ours\r\n")
    answering(monkeypatch, "1", "y")

    code, out = awaken("migrate", "async-sessions")

    after = (package / "pyproject.toml").read_bytes()
    assert code == 0
    assert after.endswith(b"# ours\r\n\n[tool.awaken]\npublished = false\n")
    assert "Keep your answers" not in out.decode()
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")


def test_a_file_that_takes_no_answers_is_left_and_the_migration_goes_on(
    package, monkeypatch, capfd
):
    (package / "awaken.toml").write_text("select = ['ALL']\n", "utf-8")
    (package / "awaken.toml").chmod(0o444)
    answering(monkeypatch, "1", "y")

    code, out = awaken("migrate", "async-sessions")

    assert code == 0
    assert "awaken.toml" in capfd.readouterr().err
    assert "Keep your answers" in out.decode()
    assert (package / "awaken.toml").read_text("utf-8") == "select = ['ALL']\n"


def test_an_answer_for_one_database_keeps_those_of_the_file():
    known = {"rules": {"session-to-async": {"bridged": ["c.d"]}}}
    assert joined_answers([BRIDGED], [known]) == ['rules.session-to-async.bridged = ["c.d", "a.b"]']


def test_a_printed_answer_has_what_the_file_says_already(package):
    text = PACKAGE["shop/store.py"]
    jobs = "".join(
        f"""

def {name}() -> int:
    with Local() as db:
        return db.scalar(select(func.count(User.id)))
"""
        for name in ("count", "recount")
    )
    text = text.replace("from sqlalchemy import ", "import gauges\nfrom sqlalchemy import func, ")
    written = f"{text}{jobs}\n\ngauges.register(count)\ngauges.register(recount)\n"
    (package / "shop/store.py").write_text(written, "utf-8")
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("[tool.awaken]\npublished = false\n[tool.awaken.rules.session-to-async]\n")
        file.write('bridged = ["shop.store.count"]\n')

    _, out = awaken("migrate", "async-sessions")

    assert 'bridged = ["shop.store.count", "shop.store.recount"]' in out.decode()


def test_a_driver_of_the_command_line_adds_to_those_of_the_file(package):
    text = PACKAGE["shop/store.py"].replace("sqlite:///shop.db", "postgresql://localhost/shop")
    (package / "shop/store.py").write_text(text, "utf-8")
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(
            "[tool.awaken]\npublished = false\n"
            '[tool.awaken.rules.session-to-async.drivers]\nmysql = "asyncmy"\n'
        )
    settings = resolve(package, Said(config=(DRIVERS,)), rules=api.rules())
    assert settings.options["session-to-async"].drivers == {
        "mysql": "asyncmy",
        "postgresql": "asyncpg",
    }


def test_answers_to_one_setting_add_up():
    answers = [
        'rules.session-to-async.bridged = ["a.b"]',
        'rules.session-to-async.bridged = ["a.c"]',
        'rules.session-to-async.drivers.sqlite = "aiosqlite"',
    ]

    assert joined_answers(answers) == [
        'rules.session-to-async.bridged = ["a.b", "a.c"]',
        'rules.session-to-async.drivers.sqlite = "aiosqlite"',
    ]


def test_a_step_that_needs_other_versions_is_not_done(package):
    manifest = package / "pyproject.toml"
    text = manifest.read_text("utf-8").replace("[tool.awaken]", "[tool.awaken]\npublished = false")
    manifest.write_text(re.sub(r"sqlalchemy[^\"]*\"", 'sqlalchemy==1.4.46"', text), "utf-8")

    code, out = awaken("migrate", "async-sessions", "--dry-run")
    recipes = awaken("recipes")[1].decode()

    assert code == 1
    row = next(line for line in out.decode().splitlines() if line.startswith("  2  "))
    assert re.match(r"  2  \d+ sites? needs? sqlalchemy>=2\.0  ", row)
    assert re.search(r"^async-sessions +.*needs? sqlalchemy>=2\.0  ", recipes, re.MULTILINE)
    assert not re.search(r"^audit .*need", recipes, re.MULTILINE)


@pytest.mark.parametrize("lines", [[], ["1"]], ids=["at the question", "before the last one"])
def test_a_terminal_that_goes_away_writes_nothing(package, monkeypatch, capfd, lines):
    answering(monkeypatch, *lines)
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}

    code, _ = awaken("migrate", "async-sessions")

    assert code == 2
    assert "the terminal closed before the answer" in capfd.readouterr().err
    assert {path: path.read_bytes() for path in package.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("package")
def test_a_closed_terminal_is_no_internal_error(monkeypatch, capfd):
    def closed(_):
        raise OSError(5, "Input/output error")

    answering(monkeypatch)
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"readline": closed})())

    assert awaken("migrate", "async-sessions")[0] == 2
    assert "the terminal closed" in capfd.readouterr().err


def test_an_option_of_a_rule_that_no_step_runs_is_a_slip(package, capfd):
    assert awaken("check", "--recipe", "fastapi", "--component", "a.b", str(package))[0] == 2
    assert "--component is an option of session-to-async" in capfd.readouterr().err
