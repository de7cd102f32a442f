"""What a verification meets in the wild, and how it ends there: benchmarks/verify/bad_input.md."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from awaken import api
from awaken.cli import main
from awaken.cli.commands.verify import say_taken_back
from awaken.contract import UserError
from awaken.engine.writing.undoing import Undone
from awaken.settings import Settings
from awaken.verifying import suites
from awaken.verifying.copies import CopiedFiles, copy_of_project
from awaken.verifying.sufficient_runs import Sql
from awaken.verifying.verify_changes import unread_settings, verify
from tests.verifying.test_verify import (  # noqa: F401  a fixture
    CONFTEST,
    PYTEST,
    SELECTED,
    add_test,
    is_rewritten,
    shop,
)


def git(*words, directory=None):
    own = (
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
        "-c",
        "protocol.file.allow=always",
    )
    done = subprocess.run(
        ["git", *own, *words], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout


def committed(directory):
    git("init", "-q", "-b", "main", directory=directory)
    git("add", ".", directory=directory)
    git("commit", "-q", "-m", "Begin", directory=directory)
    return directory


def names(directory):
    return {
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    }


# -------------------------------------------------------------------------------------- the copy
def test_a_shallow_clone_and_a_detached_head_are_copied(shop, tmp_path):  # noqa: F811
    committed(shop)
    (shop / "others.py").write_text("x = 1\n", "utf-8")
    git("commit", "-q", "-a", "-m", "More")
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth=1", f"file://{shop}", str(clone))
    git("checkout", "-q", "--detach", directory=clone)
    assert git("rev-list", "--count", "HEAD", directory=clone).strip() == "1"

    with copy_of_project(clone) as copy:
        assert names(copy) == names(shop) - {name for name in names(shop) if name[:4] == ".git"}
        assert (copy / "others.py").read_text("utf-8") == "x = 1\n"


def test_the_files_of_a_submodule_are_copied(shop, tmp_path):  # noqa: F811
    inner = tmp_path / "inner"
    (inner / "package").mkdir(parents=True)
    (inner / "package/code.py").write_text("x = 1\n", "utf-8")
    (inner / ".gitignore").write_text("*.log\n", "utf-8")
    committed(inner)
    committed(shop)
    git("submodule", "add", "-q", str(inner), "vendor/inner", directory=shop)
    (shop / "vendor/inner/new.py").touch()
    (shop / "vendor/inner/a.log").touch()

    with copy_of_project(shop) as copy:
        assert names(copy / "vendor") == {
            "inner/package/code.py",
            "inner/.gitignore",
            "inner/new.py",
        }


def test_a_submodule_that_is_not_there_is_no_obstacle(shop, tmp_path):  # noqa: F811
    committed(tmp_path / "shop")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "code.py").touch()
    git("submodule", "add", "-q", str(committed(inner)), "inner", directory=shop)
    git("commit", "-q", "-m", "Submodule", directory=shop)
    git("clone", "-q", str(shop), str(tmp_path / "clone"))

    with copy_of_project(tmp_path / "clone") as copy:
        assert "queries.py" in names(copy)
        assert not (copy / "inner/code.py").exists()


def test_what_tests_write_into_the_copy_is_taken_back(shop):  # noqa: F811
    with copy_of_project(shop) as copy:
        files = CopiedFiles(copy, shop)
        files.write({"queries.py": b"changed\n", "others.py": None, "made.py": b""})
        before = {name: (copy / name).read_bytes() for name in names(copy)}
        (copy / "queries.py").write_bytes(b"by a test\n")
        (copy / "models.py").unlink()
        (copy / "others.py").touch()
        (copy / "conftest.py").write_bytes(b"by a test\n")
        (copy / "out").mkdir()
        (copy / "out/report.txt").touch()
        (copy / ".venv").mkdir()
        (copy / ".venv/kept").touch()

        files.restore()

        after = {name: (copy / name).read_bytes() for name in names(copy) if name[0] != "."}
        assert after == before
        assert not (copy / "out").exists()
        assert (copy / ".venv/kept").exists()


@pytest.mark.slow
def test_a_test_that_writes_into_the_tree_is_not_flaky(shop):  # noqa: F811
    add_test(
        shop,
        "    from pathlib import Path\n\n"
        "    named(db, 'b')\n"
        "    assert not Path('report.txt').exists()\n"
        "    Path('report.txt').touch()\n",
    )

    result = verify([Path()], SELECTED, PYTEST)

    assert not result.flaky
    assert not result.left_out
    assert not (shop / "report.txt").exists()


def test_without_a_place_for_temporary_files_it_ends_in_one_sentence(shop):  # noqa: F811
    committed(shop)
    # What root may write to is never read-only; a file is no directory for anybody.
    start = (
        "import sys, tempfile\n"
        f"tempfile.tempdir = {str(shop / 'models.py')!r}\n"
        "from awaken.cli import main\n"
        f"sys.exit(main(['verify', '--select', 'query-to-select', '--', *{PYTEST!r}]))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "internal" not in done.stderr
    assert "temporary" in done.stderr


# ------------------------------------------------------------------------------------ the suite
@pytest.mark.slow
def test_a_suite_of_which_no_test_passes_proves_nothing(shop, capfd):  # noqa: F811
    (shop / "conftest.py").write_text(
        CONFTEST.replace('"sqlite://"', '"sqlite:////nowhere/at/all.db"'), "utf-8"
    )

    assert main(["verify", "--select", "query-to-select", "--", *PYTEST]) == 2

    said = " ".join(capfd.readouterr().err.split())
    assert "no test passes before the changes, so the tests prove nothing" in said
    assert "most fail by OperationalError" in said


FIRST = """

from pathlib import Path

_PLACE = Path("{place}")
_RAN = _PLACE.exists()
_PLACE.touch()

"""
"""The end of a conftest that knows whether its tests ran before."""
MORE = """

import pytest


@pytest.mark.parametrize("n", range(4))
def test_it(n, db):
    assert everyone(db)
"""
EMPTY = """
def pytest_collection_modifyitems(items):
    if _RAN:
        items.clear()
"""
GONE = """
def pytest_runtest_setup(item):
    if _RAN:
        raise ConnectionError
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "otherwise", "said"),
    [
        (MORE, EMPTY, "no test ran a second time, so nothing is compared"),
        (MORE, GONE, r"6 tests that passed fail now without the changes too \(ConnectionError"),
        ("", GONE, "nothing is compared, for .*::test_everyone, .* did not do the same twice"),
    ],
)
def test_tests_that_pass_only_in_the_first_run_prove_nothing(shop, more, otherwise, said):  # noqa: F811
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write(more)
    with (shop / "conftest.py").open("a", encoding="utf-8") as file:
        file.write(FIRST.format(place=shop.parent / "ran") + otherwise)

    with pytest.raises(UserError, match=said):
        verify([Path()], SELECTED, PYTEST)


@pytest.mark.slow
def test_a_process_that_does_not_end_after_its_tests_is_ended(shop, monkeypatch):  # noqa: F811
    monkeypatch.setattr(suites, "_LEAST_WAIT", 2.0)
    add_test(
        shop,
        "    import threading\n    import time\n\n"
        f"    if named(db, 'b') and {is_rewritten('others')}:\n"
        "        threading.Thread(target=time.sleep, args=(3600,)).start()\n",
    )

    result = verify([Path()], SELECTED, PYTEST)

    assert (result.before.exit_code, result.after.exit_code) == (0, None)
    assert not result.left_out


def test_settings_that_pytest_did_not_read_are_named():
    before, after = b"[pytest]\ntestpaths = tests\n", b"[pytest]\nasyncio_mode = auto\n"
    files = {"app.py": (b"", b"asyncio_mode = 1\n"), "backend/pytest.ini": (before, after)}

    assert unread_settings(files, {"pyproject.toml"}) == "backend/pytest.ini"
    assert unread_settings(files, {"backend/pytest.ini"}) is None
    assert unread_settings({"pytest.ini": (after, after)}, ()) is None
    assert unread_settings({"pytest.ini": (None, after)}, ()) == "pytest.ini"


@pytest.mark.slow
def test_a_change_that_forgets_a_coroutine_is_named(shop):  # noqa: F811
    add_test(
        shop,
        "    async def told():\n        return named(db, 'b')\n\n    named(db, 'b')\n"
        f"    if {is_rewritten('others')}:\n        told()\n",
    )

    result = verify([Path()], SELECTED, PYTEST)

    (left,) = result.left_out
    assert left.change.paths == ("others.py",)
    assert "was never awaited" in left.why


def test_nothing_is_said_of_a_killed_verification_that_wrote_nothing(capfd):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    undone = Undone("j", now, "awaken verify", restored=(), removed=(), kept=())

    say_taken_back(undone, quiet=False)
    assert not capfd.readouterr().err
    say_taken_back(structs.replace(undone, removed=(Path("a.py"),)), quiet=False)
    assert "restored 1 file of" in capfd.readouterr().err


@pytest.mark.slow
def test_a_test_that_needs_another_before_it_names_the_change(shop):  # noqa: F811
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\nSEEN = []\n\n\ndef test_prepares(db):\n    SEEN.append(everyone(db))\n"
            "\n\ndef test_rests_on_it(db):\n    assert SEEN\n"
            f"    assert not (named(db, 'b') and {is_rewritten('others')})\n"
        )

    result = verify([Path()], SELECTED, PYTEST)

    assert [one.change.paths for one in result.left_out] == [("others.py",)]
    assert not result.flaky


@pytest.mark.usefixtures("shop")
def test_another_command_that_fails_before_proves_nothing():
    with pytest.raises(UserError, match=r"fails before the changes \(exit code 3\)"):
        verify([Path()], SELECTED, [sys.executable, "-c", "print(1); raise SystemExit(3)"])


@pytest.mark.slow
def test_the_order_of_the_tests_may_be_another_each_time(shop):  # noqa: F811
    add_test(shop, "    assert named(db, 'a')\n")
    command = [word for word in PYTEST if word != "no:randomly"]
    command[-1:] = ["-p", "no:anyio"]

    result = verify([Path()], SELECTED, [*command, "-p", "randomly"])

    assert {one.sql for one in result.differences} == {Sql.COLUMNS}
    assert not result.flaky


@pytest.mark.slow
def test_a_worker_of_xdist_that_dies_names_the_change(shop):  # noqa: F811
    add_test(
        shop,
        f"    import os\n\n    if named(db, 'b') and {is_rewritten('others')}:\n"
        "        os._exit(3)\n",
    )

    result = verify([Path()], SELECTED, [*PYTEST, "-n2"])

    assert [one.change.paths for one in result.left_out] == [("others.py",)]


@pytest.mark.slow
def test_a_segmentation_fault_names_the_change(shop):  # noqa: F811
    add_test(
        shop,
        f"    import ctypes\n\n    if named(db, 'b') and {is_rewritten('others')}:\n"
        "        ctypes.string_at(0)\n",
    )

    result = verify([Path()], SELECTED, PYTEST)

    (left,) = result.left_out
    assert (left.change.paths, left.why) == (("others.py",), "failed (the process ended)")


@pytest.mark.slow
def test_a_rewrite_that_sends_statements_without_end_is_ended(shop, monkeypatch):  # noqa: F811
    monkeypatch.setattr(suites, "_LEAST_WORK", 2.0)
    add_test(shop, f"    while named(db, 'b') and {is_rewritten('others')}:\n        pass\n")

    result = verify([Path()], SELECTED, PYTEST)

    (left,) = result.left_out
    (test,) = (one.after for one in left.tests if one.after is not None)
    assert left.change.paths == ("others.py",)
    assert test.count > len(test.statements) == 2000


def test_a_record_without_end_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(suites, "_MOST_BYTES", 10)
    (tmp_path / "record.1").write_text('{"begins": "a"}\n' * 3, "utf-8")
    (tmp_path / "output").touch()

    with pytest.raises(UserError, match="made a record of more than"):
        suites._read(tmp_path, 0, 1.0)


# --------------------------------------------------------------------------------- the databases
@pytest.mark.slow
def test_statements_of_several_engines_are_seen(shop):  # noqa: F811
    add_test(
        shop,
        "    import asyncio\n\n"
        "    from sqlalchemy.ext.asyncio import create_async_engine\n\n"
        "    second = create_engine('sqlite://')\n"
        "    with second.connect() as connection:\n"
        "        connection.execute(text('SELECT 2'))\n\n"
        "    async def third():\n"
        "        engine = create_async_engine('sqlite+aiosqlite://')\n"
        "        async with engine.connect() as connection:\n"
        "            await connection.execute(text('SELECT 3'))\n"
        "        await engine.dispose()\n\n"
        "    asyncio.run(third())\n"
        "    named(db, 'b')\n",
        imports="from sqlalchemy import create_engine, text\n",
    )

    result = verify([Path()], SELECTED, PYTEST)

    texts = [one.text for one in result.after.tests["test_shop.py::test_added"].statements]
    assert "SELECT 2" in texts
    assert "SELECT 3" in texts
    assert texts[-1].startswith("SELECT users.id")


@pytest.mark.slow
def test_a_program_without_sqlalchemy_is_compared_by_results(shop, capfd):  # noqa: F811
    for path in (*shop.glob("*.py"),):
        path.unlink()
    (shop / "work.py").write_text(
        "import asyncio\n\n\nasync def later():\n    return 1\n\n\n"
        "async def main():\n    return await asyncio.ensure_future(later())\n",
        "utf-8",
    )
    (shop / "test_work.py").write_text(
        "import asyncio\n\nfrom work import main\n\n\n"
        "def test_main():\n    assert asyncio.run(main()) == 1\n",
        "utf-8",
    )
    options = api.Options(settings=Settings(select=("ensure-future",)), use_cache=False)

    result = verify([Path()], options, PYTEST)

    assert [file.path for root in result.report.roots for file in root.files] == ["work.py"]
    assert not result.differences
    assert not result.not_exercised
    assert main(["verify", "--select", "ensure-future", "--", *PYTEST]) == 0
    assert "no statement was sent by SQLAlchemy" in capfd.readouterr().out
