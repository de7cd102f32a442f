"""What is kept of texts changes no report: with a store on disk it is the one of --no-cache."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import time

import pytest

from awaken import api
from awaken.engine import run as engine_run
from awaken.engine.remembering import summary_store as store_module
from awaken.engine.remembering.summary_store import summary_store
from awaken.project.names import file_facts
from awaken.settings import Settings
from awaken.workspace import file_reading
from awaken.workspace.file_reading import FileReader

FILES = {
    "pyproject.toml": '[project]\nname = "p"\nrequires-python = ">=3.11"\n'
    'dependencies = ["sqlalchemy>=2"]\n',
    "app/__init__.py": "",
    "app/base.py": "class Base:\n    async def load(self, key):\n        return key\n",
    "app/users.py": "from app.base import Base\n\n\nclass Users(Base):\n"
    "    async def load(self, key):\n        return -key\n",
    "app/pages.py": "import asyncio\n\nfrom app.users import Users\n\n\n"
    "async def show(users: Users):\n"
    "    return await asyncio.gather(users.load(1), users.load(2))\n",
}
PLAIN = FILES["app/users.py"].replace("async def", "def")
"""Of the same size once a comment is added: the coroutines of ``pages`` are none any more."""


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "project"
    write(root)
    return root


@pytest.fixture
def made(monkeypatch):
    """Note of which files facts are worked out."""
    paths, real = [], file_facts.facts_of

    def noting(module, kind):
        if module.path not in paths:
            paths.append(module.path)
        return real(module, kind)

    monkeypatch.setattr(file_facts, "facts_of", noting)
    return paths


def write(root, files=FILES):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def report(root, cache=None):
    if cache is not None:
        shutil.rmtree(cache / "results", ignore_errors=True)
    return recalled_report(root, cache)


def recalled_report(root, cache=None):
    """Return the report, also one that an earlier run came to."""
    settings = Settings(
        select=("gather-to-taskgroup",),
        cache_dir=str(cache) if cache else None,
        unsafe_fixes=True,
    )
    options = api.Options(settings=settings, jobs=1, use_cache=cache is not None)
    found = api.run([root], options).roots[0]
    return found.findings, found.changes, found.files, found.diagnostics


def check(root, cache):
    """Return the report with the store, which is that without."""
    found = report(root, cache)
    assert found == report(root)
    return found


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_facts_are_worked_out_once(root, cache, made):
    first = report(root, cache)
    assert set(made) >= {"app/users.py", "app/base.py"}
    made.clear()
    assert report(root, cache) == first
    assert made == []
    (root / "app/users.py").write_text(PLAIN)
    check_made = report(root, cache)
    assert made == ["app/users.py"]
    assert check_made != first
    made.clear()
    assert check_made == report(root)


def same_second(file):
    before = file.stat()
    file.write_text(PLAIN + "#" * (before.st_size - len(PLAIN)))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def renamed_over(file):
    other = file.with_name("other")
    other.write_text(PLAIN)
    other.replace(file)


def time_set_back(file):
    file.write_text(PLAIN)
    os.utime(file, (1, 1))


def renamed(file):
    file.rename(file.with_name("people.py"))


def does_not_parse(file):
    file.write_text(PLAIN + ")")


def half_a_surrogate_pair(file):
    file.write_text(PLAIN + "\nNAME = '\\ud800'\n__all__ = ['\\ud800']\n")


@pytest.mark.parametrize(
    "edit",
    [same_second, renamed_over, time_set_back, renamed, does_not_parse, half_a_surrogate_pair],
)
def test_an_edit_is_seen(root, cache, edit):
    before = check(root, cache)
    edit(root / "app/users.py")
    assert check(root, cache) != before
    assert check(root, cache) == report(root)


def test_two_projects_with_the_same_files_share_them(root, cache, made, tmp_path):
    check(root, cache)
    made.clear()
    # What a file says depends on others: here `Users.load` is no coroutine.
    write(tmp_path / "other", FILES | {"app/users.py": PLAIN})
    assert report(tmp_path / "other", cache)[2] == ()
    assert made == ["app/users.py"]
    check(root, cache)


def test_another_awaken_or_python_takes_nothing(root, cache, made, monkeypatch):
    check(root, cache)
    made.clear()
    monkeypatch.setattr(store_module, "made_by", lambda *_: "cpython-3.99.0-0")
    check(root, cache)
    assert "app/users.py" in made


def another_key(cache):
    os.environ["AWAKEN_STATE_DIR"] = str(cache / "another")


def not_a_database(cache):
    (cache / "summaries/summaries-1.sqlite").write_bytes(b"no database" * 1_000)


def cut(cache):
    file = cache / "summaries/summaries-1.sqlite"
    os.truncate(file, file.stat().st_size // 2 + 7)


def open_to_all(cache):
    (cache / "summaries/summaries-1.sqlite").chmod(0o666)


def link(cache):
    file = cache / "summaries/summaries-1.sqlite"
    file.rename(cache / "elsewhere")
    file.symlink_to(cache / "elsewhere")


def another_journal(cache):
    (cache / "summaries/summaries-1.sqlite-journal").write_bytes(os.urandom(4_096))


def folder_gone(cache):
    shutil.rmtree(cache / "summaries")


def folder_is_a_file(cache):
    shutil.rmtree(cache / "summaries")
    (cache / "summaries").write_text("")


@pytest.mark.parametrize(
    "damage",
    [
        another_key,
        not_a_database,
        cut,
        open_to_all,
        link,
        another_journal,
        folder_gone,
        folder_is_a_file,
    ],
)
def test_a_damaged_store_gives_no_answer(root, cache, damage, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(cache / "state"))
    before = check(root, cache)
    damage(cache)
    for _ in range(2):
        assert check(root, cache) == before


def test_a_file_of_somebody_else_is_not_opened(root, cache, monkeypatch):
    check(root, cache)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert summary_store(cache, use=True)._table is None


@pytest.mark.slow
def test_ten_runs_at_once_give_one_report(root, cache):
    expected = report(root)

    def run():
        os._exit(report(root, cache) != expected)

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=run) for _ in range(10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 10
    assert check(root, cache) == expected


def overwritten(file):
    file.write_text(PLAIN)


def vanished(file):
    file.unlink()


def folder_in_its_place(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("edit", [overwritten, vanished, folder_in_its_place, does_not_parse])
@pytest.mark.parametrize("moment", ["looked_at", "read", "planned"])
@pytest.mark.sampled(4)
def test_a_file_that_changes_while_it_is_read(root, cache, edit, moment, monkeypatch):
    """The run may see either; what it keeps is about what it saw."""
    check(root, cache)
    # No answer is recalled by then, and that a file changed is known of its state.
    (root / "app/pages.py").write_text(FILES["app/pages.py"] + "EDITED = 1\n")
    monkeypatch.setattr(file_reading, "TICK", 0)
    before = report(root)
    owner, name = {
        "looked_at": (FileReader, "digests"),
        "read": (FileReader, "sources"),
        "planned": (engine_run, "evidence_for"),
    }[moment]
    real = getattr(owner, name)

    def changing(*given):
        monkeypatch.setattr(owner, name, real)
        edit(root / "app/users.py")
        return real(*given)

    monkeypatch.setattr(owner, name, changing)
    seen = recalled_report(root, cache)
    after = report(root)
    assert seen == before or moment != "planned"
    for _ in range(2):
        assert recalled_report(root, cache) == after


def test_without_room_a_run_says_the_same(root, cache):
    expected = report(root)

    def run(room):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        os._exit(any(recalled_report(root, cache) != expected for _ in range(2)))

    for room in (0, 10, 1_000, 5_000, 20_000):
        process = multiprocessing.get_context("fork").Process(target=run, args=(room,))
        process.start()
        process.join()
        assert process.exitcode == 0, room
    assert check(root, cache) == expected


@pytest.mark.parametrize("jump", [-40, 40, -400 * 365, 200 * 365], ids="{} days".format)
@pytest.mark.sampled(4)
def test_a_clock_that_jumps_costs_time_only(root, cache, jump, monkeypatch):
    check(root, cache)
    now, now_ns, days = time.time, time.time_ns, 86_400 * jump
    for edit in (lambda _: None, same_second, time_set_back):
        monkeypatch.setattr(time, "time", lambda: max(0.0, now() + days))
        monkeypatch.setattr(time, "time_ns", lambda: max(0, now_ns() + days * 10**9))
        edit(root / "app/users.py")
        assert recalled_report(root, cache) == report(root)
        assert check(root, cache) == recalled_report(root, cache)
        monkeypatch.setattr(time, "time", now)
        monkeypatch.setattr(time, "time_ns", now_ns)
        (root / "app/users.py").write_text(FILES["app/users.py"])
        assert recalled_report(root, cache) == report(root)


def test_nothing_is_kept_without_a_cache(root, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    report(root)
    assert not (tmp_path / "xdg").exists()
    assert summary_store(None, use=False)._table is None
