"""Whole verifications of a small program, by pytest in a process of its own."""

from __future__ import annotations

import html
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from awaken import api
from awaken.cli import main
from awaken.contract import Level, UserError
from awaken.engine.machine import programs
from awaken.engine.writing import applying
from awaken.settings import Settings
from awaken.verifying import suites
from awaken.verifying.copies import copy_of_project
from awaken.verifying.sufficient_runs import Sql
from awaken.verifying.verify_changes import verify
from tests.engine.faulty_filesystem import FaultyFileSystem, Killed

PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
MANIFEST = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2.0"]
"""
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
"""
QUERIES = """\
from sqlalchemy.orm import Session

from models import User


def everyone(db: Session):
    return db.query(User).order_by(User.id).all()


def nobody(db: Session):
    return db.query(User).filter(User.id < 0).all()
"""
OTHERS = """\
from sqlalchemy.orm import Session

from models import User


def named(db: Session, name: str):
    return db.query(User).filter_by(name=name).first()
"""
CONFTEST = """\
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from models import Base, User


@pytest.fixture
def db():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([User(name="a"), User(name="b")])
        session.commit()
        yield session
"""
TESTS = """\
from others import named
from queries import everyone


def test_everyone(db):
    assert [user.name for user in everyone(db)] == ["a", "b"]


def test_named(db):
    assert named(db, "b").id == 2
"""
SELECTED = api.Options(settings=Settings(select=("query-to-select",)), use_cache=False)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    root = tmp_path / "shop"
    files = {
        "pyproject.toml": MANIFEST,
        "models.py": MODELS,
        "queries.py": QUERIES,
        "others.py": OTHERS,
        "conftest.py": CONFTEST,
        "test_shop.py": TESTS,
    }
    root.mkdir()
    for name, text in files.items():
        (root / name).write_text(text, "utf-8")
    monkeypatch.chdir(root)
    return root


def contents(root):
    return {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}


def test_changes_that_hold_are_verified_in_a_copy(shop):
    before = contents(shop)

    result = verify([Path()], SELECTED, PYTEST)

    assert {one.sql for one in result.differences} == {Sql.COLUMNS}
    assert not result.left_out
    assert result.runs == 2
    assert sum(test.count for test in result.after.tests.values()) > 0
    assert [one.change.paths for one in result.not_exercised] == [("queries.py",)]
    assert contents(shop) == before
    assert not list((shop.parent / "state/verifying").iterdir())


@pytest.mark.slow
def test_lines_of_what_a_conftest_imports_are_reached(shop):
    (shop / "conftest.py").write_text(f"import others\nimport queries\n{CONFTEST}", "utf-8")

    result = verify([Path()], SELECTED, PYTEST)

    assert result.selected == {"test_shop.py::test_everyone", "test_shop.py::test_named"}
    (unreached,) = result.not_exercised
    assert unreached.change.paths == ("queries.py",)


@pytest.mark.slow
def test_a_guilty_change_is_named_and_left_out(shop):
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\ndef test_source():\n"
            "    import inspect\n\n    import others\n\n"
            '    assert "query(" in inspect.getsource(others)\n'
        )

    result = verify([Path()], SELECTED, PYTEST, every=True)

    (left,) = result.left_out
    assert left.change.paths == ("others.py",)
    assert [one.before.name for one in left.tests] == ["test_shop.py::test_source"]
    assert left.why == "failed (AssertionError)"
    assert not result.unexplained
    assert [file.path for root in result.report.roots for file in root.files] == ["queries.py"]


@pytest.mark.slow
def test_what_held_is_written_with_apply(shop, capsys):
    code = main(["verify", "--select", "query-to-select", "--apply", "--", *PYTEST])

    assert code == 0
    assert "reached no changed file" not in capsys.readouterr().out
    assert "select(User)" in (shop / "queries.py").read_text("utf-8")


@pytest.mark.parametrize("command", [[*PYTEST, "test_nowhere.py"], [sys.executable, "-c", "0"]])
@pytest.mark.usefixtures("shop")
def test_a_command_that_runs_no_test_proves_nothing(command):
    with pytest.raises(UserError, match="ran no test by pytest, so it proves nothing"):
        verify([Path()], SELECTED, command)


@pytest.mark.slow
def test_the_program_of_an_environment_is_named_by_its_relative_path(shop):
    place = shop / ".venv/bin"
    place.mkdir(parents=True)
    (place / "run").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', "utf-8")
    (place / "run").chmod(0o755)

    result = verify([Path()], SELECTED, [".venv/bin/run", *PYTEST[1:]])

    assert len(result.before.tests) == 2


@pytest.mark.usefixtures("shop")
def test_a_program_that_is_not_there_is_an_error():
    for program, advice in (("pytset", "name one that is"), ("pytest -q", "write its words apart")):
        with pytest.raises(UserError, match=f"there is no program '{program}'; {advice}"):
            verify([Path()], SELECTED, [program])


@pytest.mark.usefixtures("shop")
def test_what_could_not_be_read_is_said(capfd):
    assert main(["verify", "nowhere.py", "--", *PYTEST]) == 2

    said = "error: nowhere.py: no such file or directory\nNothing was verified.\n"
    assert capfd.readouterr().err == said


def test_uncommitted_work_stops_it_before_the_tests_run(shop, capfd):
    for words in (["init", "-q"], ["add", "others.py"]):
        subprocess.run(["git", *words], cwd=shop, check=True)

    assert main(["verify", "--select", "query-to-select", "--apply", "--", *PYTEST]) == 2

    said = capfd.readouterr().err
    assert "has uncommitted changes" in said
    assert "running the tests" not in said


@pytest.mark.slow
def test_a_test_that_does_not_end_before_the_changes_is_named(shop, monkeypatch):
    monkeypatch.setattr(suites, "_FIRST_SECONDS", 2.0)
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef test_waits():\n    import time\n\n    time.sleep(60)\n")

    said = r"test_shop.py::test_waits did not end within \d+ s before .*--deselect test_shop.py::"
    with pytest.raises(UserError, match=said):
        verify([Path()], SELECTED, PYTEST)


@pytest.mark.usefixtures("shop")
def test_pytest_without_the_import_path_of_awaken_says_so():
    with pytest.raises(UserError, match="by PYTHONPATH, which pytest did not get"):
        verify([Path()], SELECTED, [sys.executable, "-I", *PYTEST[1:]])


@pytest.mark.slow
def test_a_suite_that_is_red_before_is_compared(shop):
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef test_red():\n    raise ValueError\n")

    result = verify([Path()], SELECTED, PYTEST, every=True)

    assert result.before.tests["test_shop.py::test_red"].result == "failed (ValueError)"
    assert not [one for one in result.differences if one.is_failure]
    assert not result.left_out


@pytest.mark.slow
def test_a_flaky_test_is_named_and_not_compared(shop):
    counter = shop.parent / "counter"
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\ndef test_flaky():\n"
            "    from pathlib import Path\n\n"
            f"    place = Path({str(counter)!r})\n"
            "    number = int(place.read_text()) if place.exists() else 0\n"
            "    place.write_text(str(number + 1))\n"
            "    assert number != 1\n"
        )

    result = verify([Path()], SELECTED, PYTEST, every=True)

    assert result.flaky == ("test_shop.py::test_flaky",)
    assert not result.left_out


@pytest.mark.slow
def test_more_statements_of_a_safe_change_are_a_failure(shop):
    with (shop / "conftest.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\n@pytest.fixture(autouse=True)\ndef more(db):\n"
            "    import inspect\n\n    import others\n    from sqlalchemy import text\n\n"
            '    if "select(" in inspect.getsource(others):\n'
            '        db.execute(text("SELECT 1"))\n'
        )

    result = verify([Path()], SELECTED, PYTEST)

    assert {one.change.paths for one in result.left_out} == {("others.py",)}
    assert {one.sql for left in result.left_out for one in left.tests} == {Sql.MORE}


UNSAFE = """\
import asyncio


async def number():
    return 1


async def numbers():
    await asyncio.gather(number(), number())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("reaches", "counts"), [("1", True), ("asyncio.run(numbers())", False)])
def test_statements_count_in_the_tests_that_reach_no_unsafe_change(shop, reaches, counts):
    (shop / "unsafe.py").write_text(UNSAFE, "utf-8")
    add_test(
        shop,
        f"    import asyncio\n    import inspect\n\n    import others\n    {reaches}\n"
        "    from sqlalchemy import text\n\n    named(db, 'a')\n"
        '    if "select(" in inspect.getsource(others):\n'
        '        db.execute(text("SELECT 1"))\n',
        imports="from others import named\nfrom unsafe import numbers\n",
    )
    rules = ("query-to-select", "gather-to-taskgroup")
    settings = Settings(select=rules, unsafe=rules)

    result = verify([Path()], api.Options(settings=settings, use_cache=False), PYTEST)

    levels = {change.level for root in result.report.roots for change in root.changes}
    assert levels == {Level.SAFE, Level.UNSAFE}
    assert [one.change.paths for one in result.left_out] == [("others.py",)] * counts
    own = [one.sql for one in result.differences if one.before.name.endswith("test_added")]
    assert own == [Sql.MORE] * (not counts)


def test_a_run_without_changes_needs_no_tests(shop):
    for name in ("queries.py", "others.py"):
        (shop / name).unlink()

    assert verify([Path()], SELECTED, PYTEST) is None


def test_the_copy_of_a_killed_process_is_removed(shop):
    place = shop.parent / "state/verifying"
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    (place / str(done.pid) / "shop").mkdir(parents=True)
    (place.parent).chmod(0o700)

    with copy_of_project(shop) as copy:
        assert (copy / "queries.py").exists()
        assert [one.name for one in place.iterdir()] == [str(os.getpid())]


def test_ignored_files_are_copied_only_where_they_are_named(shop):
    subprocess.run(["git", "init", "-q"], cwd=shop, check=True)
    (shop / ".gitignore").write_text(".env\n", "utf-8")
    (shop / ".env").write_text("A=1\n", "utf-8")

    with copy_of_project(shop) as copy:
        assert not (copy / ".env").exists()
    with copy_of_project(shop, [".env"]) as copy:
        assert (copy / ".env").read_text("utf-8") == "A=1\n"
    with pytest.raises(UserError, match="there is no such file"), copy_of_project(shop, ["../x"]):
        pass


def add_test(shop, body, *, imports="from others import named\n"):
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\n{imports}\n\ndef test_added(db):\n{body}")


def is_rewritten(name):
    return f"__import__('pathlib').Path(__import__('{name}').__file__).read_text().count('select(')"


@pytest.mark.slow
def test_a_test_that_reaches_no_changed_file_runs_once(shop):
    add_test(shop, "    assert 1\n")

    result = verify([Path()], SELECTED, PYTEST)

    assert result.selected == {"test_shop.py::test_everyone", "test_shop.py::test_named"}
    assert set(result.after.tests) == result.selected


def test_a_file_that_a_conftest_imports_is_watched(shop):
    tests = shop / "tests"
    tests.mkdir()
    for name in ("conftest.py", "test_shop.py"):
        (shop / name).rename(tests / name)
    with (tests / "conftest.py").open("a", encoding="utf-8") as file:
        file.write("\n\nimport others, queries\n")
    manifest = shop / "pyproject.toml"
    manifest.write_text(f'{manifest.read_text()}\n[tool.pytest.ini_options]\npythonpath = ["."]\n')

    result = verify([Path()], SELECTED, [*PYTEST, "tests"])

    assert [one.change.paths for one in result.not_exercised] == [("queries.py",)]


def test_the_page_says_which_tests_reach_a_change_and_what_it_sends(shop):
    page = shop.parent / "page.html"
    words = ["verify", "--select", "query-to-select", "--output-format", "html", "-o", str(page)]

    assert main([*words, "--", *PYTEST]) == 0

    text = html.unescape(page.read_text("utf-8"))
    assert "Reached by 1 test" in text
    assert "test_shop.py::test_named: passed before and after" in text
    assert re.search("SQL before:</p><pre>SELECT users.id AS users_id[^<]*WHERE", text)
    assert text.count("No test reaches it.") == 1
    assert "before: 2 passed" in text
    assert f"awaken verify --select query-to-select -- {shlex.join(PYTEST)}" in text


def test_the_page_of_a_run_without_changes_says_so(shop, capfd):
    (shop / "queries.py").unlink()
    (shop / "others.py").unlink()

    assert main(["verify", "--output-format", "html", "--", *PYTEST]) == 0

    out, error = capfd.readouterr()
    assert '<p class="verdict">No site found to rewrite' in out
    assert error == "No site found to rewrite, so there is nothing to verify.\n"


@pytest.mark.slow
def test_what_a_shared_fixture_reaches_all_its_tests_reach(shop):
    add_test(
        shop,
        "    assert shared\n\n\ndef test_second(shared):\n    assert shared\n",
        imports=(
            "import pytest\n\nfrom sqlalchemy import create_engine\n"
            "from sqlalchemy.orm import Session\n\nfrom models import Base\n"
            "from queries import nobody\n\n\n"
            '@pytest.fixture(scope="module")\ndef shared():\n'
            '    engine = create_engine("sqlite://")\n'
            "    Base.metadata.create_all(engine)\n"
            "    with Session(engine) as session:\n        nobody(session)\n"
            "    return True\n"
        ),
    )
    text = (shop / "test_shop.py").read_text("utf-8")
    (shop / "test_shop.py").write_text(text.replace("test_added(db)", "test_added(shared)"))

    result = verify([Path()], SELECTED, PYTEST)

    assert "test_shop.py::test_second" in result.selected
    assert not result.not_exercised


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("    while named(db, 'b') and {changed}:\n        pass\n", "failed (it did not end)"),
        (
            "    import os\n\n    if named(db, 'b') and {changed}:\n        os._exit(3)\n",
            "failed (the process ended)",
        ),
        (
            "    import os\n\n    named(db, 'b')\n    if {changed}:\n        os.abort()\n",
            "failed (the process ended)",
        ),
        (
            "    import time\n\n    named(db, 'b')\n    while {changed}:\n        time.sleep(1)\n",
            "failed (it did not end)",
        ),
        (
            "    import os\n\n    named(db, 'b')\n    {changed} and os.system('yes > /dev/null')\n",
            "failed (it did not end)",
        ),
    ],
)
def test_a_change_by_which_the_tests_do_not_end_is_named(shop, monkeypatch, body, why):
    monkeypatch.setattr(suites, "_LEAST_WORK", 2.0)
    monkeypatch.setattr(suites, "_LEAST_WAIT", 2.0)
    add_test(shop, body.format(changed=is_rewritten("others")))

    result = verify([Path()], SELECTED, PYTEST)

    (left,) = result.left_out
    assert (left.change.paths, left.why) == (("others.py",), why)
    assert [file.path for root in result.report.roots for file in root.files] == ["queries.py"]


@pytest.mark.slow
def test_what_tests_leave_running_ends_with_them(shop):
    place = shop.parent / "child"
    add_test(
        shop,
        "    import subprocess\n    import sys\n    from pathlib import Path\n\n"
        "    named(db, 'b')\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True)\n"
        f"    Path({str(place)!r}).write_text(str(child.pid))\n",
    )

    verify([Path()], SELECTED, PYTEST)

    assert not is_running(int(place.read_text()))


def is_running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_another_command_is_compared_by_its_exit_code(shop):
    (shop / "check.py").write_text(
        "import others\nfrom pathlib import Path\n\n"
        "print('checking')\n"
        "raise SystemExit(Path(others.__file__).read_text().count('select('))\n",
        "utf-8",
    )

    result = verify([Path()], SELECTED, [sys.executable, "check.py"])

    assert not result.before.observed
    (left,) = result.left_out
    assert (left.change.paths, left.why) == (("others.py",), "failed (exit code 1)")


@pytest.mark.slow
def test_a_path_with_spaces_is_one_path(tmp_path, shop, monkeypatch):
    place = tmp_path / "my shop"
    shop.rename(place)
    monkeypatch.chdir(place)

    assert not verify([Path()], SELECTED, PYTEST).left_out


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_tests_in_processes_of_xdist_are_compared():
    result = verify([Path()], SELECTED, [*PYTEST, "-n2"])

    assert len(result.before.tests) == 2
    assert {one.sql for one in result.differences} == {Sql.COLUMNS}


@pytest.mark.slow
def test_what_the_tests_print_is_kept_up_to_a_limit(shop, monkeypatch):
    monkeypatch.setattr(programs, "_MOST_PRINTED", 1 << 16)
    add_test(shop, "    print('x' * (1 << 22))\n    named(db, 'b')\n")

    result = verify([Path()], SELECTED, [*PYTEST, "-s"])

    assert len(result.after.output) <= 4000
    assert not result.left_out


def kill_while_writing(monkeypatch, operation):
    """Have the next apply end as by a kill at this operation."""
    faulty = FaultyFileSystem(operation, Killed(), lasting=True)
    written = applying.apply
    monkeypatch.setattr(
        applying, "apply", lambda *words, **named: written(*words, **named, filesystem=faulty)
    )


@pytest.mark.slow
def test_what_a_killed_verification_wrote_is_taken_back_by_the_next(shop, monkeypatch, capfd):
    before = contents(shop)
    words = ["verify", "--select", "query-to-select", "--apply", "--", *PYTEST]
    with monkeypatch.context() as patch:
        kill_while_writing(patch, 20)
        with pytest.raises(Killed):
            main(words)
    shutil.rmtree(shop.parent / "state/verifying")
    assert main(["check"]) == 2
    assert "awaken undo" in capfd.readouterr().err

    assert main(words) == 0

    assert "restored" in capfd.readouterr().err
    changed = {name for name, text in contents(shop).items() if text != before.get(name)}
    assert changed == {"others.py", "queries.py"}
