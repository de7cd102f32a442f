"""How exceptions leave the task group, and the file that several sites share."""

from __future__ import annotations

import pytest

from awaken import api
from awaken.settings import Settings

_JOBS = """\
import asyncio


async def run(name):
    await asyncio.sleep(0)
    return int(name)


async def _both():
    a, b = await asyncio.gather(run("1"), run("2"))
    return a + b
"""
_CALLED = _JOBS + "\n\nasync def start():\n    return await _both()\n"
_CAUGHT = _CALLED.replace(
    "    return await _both()",
    "    try:\n        return await _both()\n    except ValueError:\n        return 0",
)
_OTHER = """\
import asyncio

from app.jobs import run


async def every(names):
    return await asyncio.gather(*[run(name) for name in names])
"""
_HELPER = "app/task_groups.py"


@pytest.fixture
def made(tmp_path):
    """Return what becomes of some files, and the messages, with settings of the rule."""

    def run(files, exceptions="auto", paths=()):
        manifest = "[project]\nname = 'x'\nversion = '0'\nrequires-python = '>=3.11'\n"
        manifest += f"[tool.awaken.rules.gather-to-taskgroup]\nexceptions = '{exceptions}'\n"
        (tmp_path / "pyproject.toml").write_text(manifest)
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text)
        settings = Settings(select=("gather-to-taskgroup",), unsafe_fixes=True)
        options = api.Options(settings=settings, jobs=1, use_cache=False)
        (root,) = api.run([tmp_path / path for path in paths] or [tmp_path], options).roots
        assert root.diagnostics == ()
        after = {change.path: change.after.text.decode() for change in root.files}
        return after, [finding.message for finding in root.findings]

    return run


@pytest.mark.parametrize(
    ("text", "exceptions", "unwraps"),
    [
        (_CALLED, "auto", False),
        (_CALLED, "unwrap", True),
        (_CAUGHT, "auto", True),
        (_CAUGHT, "plain", False),
        # What nobody calls may be called by a framework.
        (_JOBS, "auto", True),
    ],
)
def test_exceptions_are_grouped_where_nobody_can_tell_or_it_is_asked_for(
    made, text, exceptions, unwraps
):
    after, (message,) = made({"jobs.py": text}, exceptions)
    assert ("except BaseExceptionGroup" in after["jobs.py"]) is unwraps
    assert ("`ExceptionGroup`" in message) is not unwraps


def test_two_sites_share_a_class_and_a_third_finds_it(made):
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS, "app/other.py": _OTHER}
    after, _ = made(files)
    assert after.keys() == {"app/jobs.py", "app/other.py", _HELPER}
    third, _ = made({**files, **after, "app/third.py": _OTHER.replace("every", "third")})
    assert third.keys() == {"app/third.py"}
    assert "from app.task_groups import FirstErrorTaskGroup" in third["app/third.py"]


def test_the_file_is_called_otherwise_where_its_name_is_taken(made):
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS, "app/other.py": _OTHER}
    after, _ = made({**files, _HELPER: "# tasks by group\n"})
    assert "app/first_error_task_group.py" in after
    assert "from app.first_error_task_group import" in after["app/jobs.py"]


def test_no_file_is_made_outside_of_the_selected_paths(made):
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS, "app/other.py": _OTHER}
    after, _ = made(files, paths=("app/jobs.py", "app/other.py"))
    assert after.keys() == {"app/jobs.py", "app/other.py"}
    assert all("except BaseExceptionGroup" in text for text in after.values())


def test_packages_beside_each_other_share_nothing(made):
    other = _OTHER.replace("app.jobs", "tools.jobs")
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS}
    files |= {"tools/__init__.py": "", "tools/jobs.py": _JOBS.replace("_both", "_two")}
    after, _ = made({**files, "tools/other.py": other})
    assert after.keys() == {
        "app/jobs.py",
        "tools/jobs.py",
        "tools/other.py",
        "tools/task_groups.py",
    }
    assert "except BaseExceptionGroup" in after["app/jobs.py"]


def test_many_arguments_are_taken(made):
    calls = ", ".join(f'run("{number}")' for number in range(200))
    text = _JOBS.replace('run("1"), run("2")', calls).replace("a, b =", "found =")
    after, _ = made({"jobs.py": text.replace("a + b", "found")})
    assert after["jobs.py"].count("tg.create_task(") == 200
