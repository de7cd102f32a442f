"""Which projects and files a run is about; every odd file costs one sentence, not the run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from awaken.workspace import ignores
from awaken.workspace.discovery import (
    DEPTH_LIMIT,
    DiscoverySettings,
    ExcludedPath,
    Root,
    discover,
    find_files,
    find_roots,
)
from awaken.workspace.ignores import DEFAULT_EXCLUDE, PathPatterns
from awaken.workspace.sources import FileProblem

PROJECT = "[project]\nname = 'x'\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep the walk upward inside the test's own directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(base, *names, text="x = 1\n"):
    for name in names:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return base


def project(base, *names):
    write(base, "pyproject.toml", text=PROJECT)
    return write(base, *names)


def roots(*paths):
    found, problems = find_roots(paths)
    assert problems == []
    return [(root.path, root.selected) for root in found]


def files(base, exclude=DEFAULT_EXCLUDE, **settings):
    settings = DiscoverySettings(exclude=(PathPatterns(exclude),), **settings)
    found = find_files(Root(base), settings)
    assert found.problems == ()
    return list(found.files)


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ("pyproject.toml", PROJECT),
        ("pyproject.toml", "[tool.poetry]\nname = 'x'\n"),
        ("setup.py", "import os, setuptools\n\nsetuptools.setup()\n"),
        ("setup.py", "try:\n    from setuptools import setup\nexcept ImportError:\n    pass\n"),
        ("setup.cfg", "[metadata]\nname = x\n"),
        ("Pipfile", ""),
        ("requirements.txt", ""),
        (".git/HEAD", ""),
        (".git", "gitdir: elsewhere\n"),
    ],
)
def test_root_is_the_directory_with_the_marker(tmp_path, marker, text):
    app = tmp_path / "app"
    write(app, "src/deep/a.py")
    write(app, marker, text=text)

    assert roots(app / "src" / "deep") == [(app, ("src/deep",))]
    assert roots(app / "src" / "deep" / "a.py", app) == [(app, (".", "src/deep/a.py"))]


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ("pyproject.toml", "[tool.ruff]\n"),
        ("setup.cfg", "[flake8]\n"),
        ("tests/requirements.txt", ""),
        ("tests/__init__.py", ""),
    ],
)
def test_settings_of_tools_make_no_root_inside_a_project(tmp_path, marker, text):
    app = project(tmp_path / "app", "tests/a.py")
    write(app / "tests" if "/" not in marker else app, marker, text=text)

    assert roots(app / "tests") == [(app, ("tests",))]
    assert "tests/a.py" in files(app)


@pytest.mark.parametrize(
    "text",
    ["", "def setup():\n    pass\n", "from app.setuptools_helper import setup\n\nsetup()\n"],
)
def test_setup_py_that_builds_nothing_makes_no_root(tmp_path, text):
    app = project(tmp_path / "app", "lib/commands/other.py")
    write(app, "lib/commands/setup.py", text=text)

    assert roots(app / "lib/commands") == [(app, ("lib/commands",))]
    assert files(app) == ["lib/commands/other.py", "lib/commands/setup.py"]


def test_setup_py_inside_a_package_makes_no_root(tmp_path):
    app = project(tmp_path / "app", "lib/__init__.py", "lib/setup.py")

    assert roots(app / "lib") == [(app, ("lib",))]
    assert files(app) == ["lib/__init__.py", "lib/setup.py"]


@pytest.mark.parametrize(
    ("main", "other", "is_root"),
    [
        ("from src.models import User\n", "", True),
        ("import src.models\n", "", True),
        # Imported by its own name: from the directory above.
        ("from src.models import User\n", "from backend.src.main import app\n", False),
        ("from .models import User\n", "", False),
        ("import source\n", "", False),
    ],
)
def test_package_with_metadata_is_a_root_if_imports_begin_there(tmp_path, main, other, is_root):
    backend = tmp_path / "repo/backend"
    write(tmp_path / "repo", ".git/HEAD", "tools/a.py")
    write(backend, "__init__.py", "src/__init__.py", "src/models.py")
    write(backend, "pyproject.toml", text=PROJECT)
    write(backend, "src/main.py", text=main)
    write(backend, "tests/__init__.py", text=other)

    found = (backend, ("src",)) if is_root else (tmp_path / "repo", ("backend/src",))
    assert roots(backend / "src") == [found]


@pytest.mark.parametrize(
    ("main", "is_root"),
    [
        ("from models import User\n", True),
        ("import models\n", True),
        ("from backend.models import User\n", False),
        ("from .models import User\n", False),
        # A module of the standard library says nothing about where imports begin.
        ("import calendar\n", False),
    ],
)
@pytest.mark.parametrize("declares", ["pyproject.toml", "requirements.txt"])
def test_package_of_modules_is_a_root_if_its_files_import_them(tmp_path, main, is_root, declares):
    backend = tmp_path / "repo/backend"
    write(tmp_path / "repo", ".git/HEAD", "tools/a.py")
    write(backend, "__init__.py", "models.py", "calendar.py")
    write(backend, declares, text=PROJECT)
    write(backend, "main.py", text=main)

    expected = (backend, ("main.py",)) if is_root else (tmp_path / "repo", ("backend/main.py",))
    assert roots(backend / "main.py") == [expected]


@pytest.mark.parametrize(
    ("main", "is_root"),
    [("from app.models import User\n", True), ("from backend.src.app import models\n", False)],
)
def test_package_with_a_folder_of_sources_is_a_root_if_its_files_import_them(
    tmp_path, main, is_root
):
    backend = tmp_path / "repo/backend"
    write(tmp_path / "repo", ".git/HEAD", "tools/a.py")
    write(backend, "__init__.py", "src/app/__init__.py")
    write(backend, "pyproject.toml", text=PROJECT)
    write(backend, "main.py", text=main)

    expected = (backend, ("main.py",)) if is_root else (tmp_path / "repo", ("backend/main.py",))
    assert roots(backend / "main.py") == [expected]


def test_requirements_make_a_root_where_the_repository_has_no_metadata(tmp_path):
    write(tmp_path / "repo", ".git/HEAD", "backend/requirements.txt", "backend/docs/a.py")
    write(tmp_path / "repo", "backend/docs/requirements.txt", "tools/b.py")

    assert roots(tmp_path / "repo/backend/docs") == [(tmp_path / "repo/backend", ("docs",))]
    projects, _ = discover([tmp_path / "repo"], lambda _: DiscoverySettings())
    assert [(found.root.path.name, found.files) for found in projects] == [
        ("repo", ("tools/b.py",)),
        ("backend", ("docs/a.py",)),
    ]


def test_nothing_above_the_repository_counts(tmp_path):
    project(tmp_path / "outer")
    write(tmp_path / "outer/inner", ".git/HEAD", "a.py")

    assert roots(tmp_path / "outer/inner/a.py") == [(tmp_path / "outer/inner", ("a.py",))]


def test_path_without_marker_is_its_own_root_even_below_a_marked_home(tmp_path):
    project(tmp_path, "scripts/one.py", "scripts/sub/two.py", "plain.py")
    scripts = tmp_path / "scripts"

    assert roots(scripts / "one.py") == [(scripts, ("one.py",))]
    assert roots(scripts / "sub", scripts) == [(scripts, (".", "sub"))]
    assert roots(tmp_path) == [(tmp_path, (".",))]


def test_file_in_an_unmarked_home_brings_no_other_file(tmp_path):
    write(tmp_path, "one.py", "other/big.py")

    projects, problems = discover([tmp_path / "one.py"], lambda _: DiscoverySettings())

    assert [found.files for found in projects] == [("one.py",)]
    assert problems == []


def test_unmarked_package_belongs_to_the_directory_that_can_import_it(tmp_path):
    write(tmp_path / "code", "app/__init__.py", "app/db/__init__.py", "main.py")

    assert roots(tmp_path / "code/app/db") == [(tmp_path / "code", ("app/db",))]


def test_inner_projects_keep_their_files_and_belong_to_the_run(tmp_path):
    project(tmp_path / "mono", "a.py", "tests/t.py")
    project(tmp_path / "mono/services/one", "b.py")
    project(tmp_path / "mono/services/one/plugin", "c.py")
    project(tmp_path / "mono/other", "d.py")

    def found(*paths):
        projects, _ = discover([tmp_path / path for path in paths], lambda _: DiscoverySettings())
        return {one.root.path.name: (one.root.selected, one.files) for one in projects}

    assert found("mono") == {
        "mono": ((".",), ("a.py", "tests/t.py")),
        "other": ((".",), ("d.py",)),
        "one": ((".",), ("b.py",)),
        "plugin": ((".",), ("c.py",)),
    }
    assert found("mono/services", "mono/services/one/b.py", "mono/other/d.py") == {
        "mono": (("services",), ("a.py", "tests/t.py")),
        "other": (("d.py",), ("d.py",)),
        "one": ((".", "b.py"), ("b.py",)),
        "plugin": ((".",), ("c.py",)),
    }


def test_unusable_paths_are_named_and_the_rest_goes_on(tmp_path):
    app = project(tmp_path / "app", "a.py", "README.md", "tool", "passwd")
    write(app, "tool", text="#!/usr/bin/env python3\n")

    found, problems = find_roots(
        [app / "README.md", tmp_path / "nowhere", app / "tool", app / "passwd"]
    )

    assert [root.selected for root in found] == [("tool",)]
    assert [problem.message for problem in problems] == [
        "is not a Python file; awaken reads .py files",
        "no such file or directory",
        "is not a Python file; awaken reads .py files",
    ]
    assert problems[1].path == str(tmp_path / "nowhere")


def test_selection_is_by_whole_names():
    root = Root(Path("/p"), ("app/db", "one.py"))

    selected = [path for path in ("app/db/a.py", "app/dbx.py", "one.py") if root.selects(path)]

    assert selected == ["app/db/a.py", "one.py"]
    assert Root(Path("/p")).selects("anything.py")


def test_only_py_files_outside_the_default_excludes_are_found(tmp_path):
    app = project(tmp_path, "a.py", "b.pyi", "c.ipynb", "d.txt", "e.py.orig", "sub/f.py")
    write(app, *(f"{name}/x.py" for name in (".git", ".venv", "venv", "node_modules", "build")))
    write(app, "sub/__pycache__/x.py", "lib/site-packages/x.py", ".tox/x.py", "dist/x.py")

    assert files(app) == ["a.py", "sub/f.py"]


def test_templates_of_projects_are_left_out_with_their_manifests(tmp_path):
    app = project(tmp_path, "a.py", "{x}/b.py", "plain{/c.py")
    write(app, "t/{{ name }}/d.py", "t/{% if x %}e{% endif %}.py", "t/{{name}}.py")
    broken = app / "t/{{ name }}/pyproject.toml"
    broken.write_text("{% if x %}")

    assert files(app) == ["a.py", "plain{/c.py", "{x}/b.py"]
    projects, problems = discover([app], lambda _: DiscoverySettings())
    assert ([found.root.path for found in projects], problems) == ([app], [])


def test_exclude_replaces_the_defaults(tmp_path):
    app = project(tmp_path, "a.py", "build/b.py", "gen/x_pb2.py", "docs/conf.py", "sub/docs/c.py")

    assert files(app, exclude=("/docs",)) == ["a.py", "build/b.py", "gen/x_pb2.py", "sub/docs/c.py"]
    assert files(app, exclude=(*DEFAULT_EXCLUDE, "*_pb2.py", "docs/conf.py")) == [
        "a.py",
        "sub/docs/c.py",
    ]


def test_the_strongest_of_several_excludes_decides_and_each_is_relative_to_its_own_directory(
    tmp_path,
):
    app = project(
        tmp_path / "repo/app", "gen/a.py", "gen/b.py", "sub/gen/c.py", "build/d.py", "gen/d/d.py"
    )
    outer = PathPatterns(("/app/gen/a.py", "gen/b.py"), tmp_path / "repo")
    inner = PathPatterns(("gen/c.py", "!build"), app)
    below = PathPatterns(("gen/c.py", "b.py", "d/d.py"), app / "sub")
    settings = DiscoverySettings(exclude=(PathPatterns(DEFAULT_EXCLUDE), outer, inner))

    assert find_files(Root(app), settings).files == (
        "build/d.py",
        "gen/b.py",
        "gen/d/d.py",
        "sub/gen/c.py",
    )
    settings = DiscoverySettings(exclude=(below,))
    assert find_files(Root(app), settings).files == ("build/d.py", "gen/a.py", "gen/d/d.py")


def test_a_named_file_is_taken_although_it_is_excluded_unless_exclusion_is_forced(tmp_path):
    app = project(tmp_path, "a.py", "build/b.py", "old/migrations/c.py", "old/d.py")
    named = Root(app, ("a.py", "build/b.py", "old/migrations", "old/d.py"))
    excludes = (PathPatterns((*DEFAULT_EXCLUDE, "migrations/")),)

    found = find_files(named, DiscoverySettings(exclude=excludes))
    assert found.files == ("a.py", "build/b.py", "old/d.py", "old/migrations/c.py")
    found = find_files(named, DiscoverySettings(exclude=excludes, force_exclude=True))
    assert found.files == ("a.py", "old/d.py")
    assert {one.path for one in found.excluded} >= {"build/b.py", "old/migrations/"}


def test_a_whole_project_and_a_lone_file_are_left_out_when_exclusion_is_forced(tmp_path):
    app = project(tmp_path / "repo/old/app", "a.py")
    forced = DiscoverySettings(
        exclude=(PathPatterns(("old",), tmp_path / "repo"),), force_exclude=True
    )

    assert find_files(Root(app), forced).files == ()
    assert find_files(Root(app, ("a.py",)), forced).files == ()
    assert find_files(Root(app, ("a.py",), lone=True), forced).files == ()
    other = DiscoverySettings(
        exclude=(PathPatterns(("repo",), tmp_path / "repo"),), force_exclude=True
    )
    assert find_files(Root(app), other).files == ("a.py",)


GITIGNORE = {
    ".gitignore": "*.gen.py\n/top.py\nlogs/\n!keep.gen.py\nsub/only_here/\n# comment\n\\#x.py\n",
    "sub/.gitignore": "!top.gen.py\nlocal.py\n",
    "sub/deep/.gitignore": "*\n!*.py\n",
}
GITIGNORED = (
    "a.gen.py",
    "keep.gen.py",
    "top.py",
    "sub/top.py",
    "sub/top.gen.py",
    "sub/local.py",
    "sub/deep/local.py",
    "sub/deep/er/z.py",
    "local.py",
    "logs/x.py",
    "sub/logs/x.py",
    "sub/only_here/x.py",
    "only_here/x.py",
    "#x.py",
)


def assert_like_git(app):
    git = ["git", "-c", f"core.excludesFile={os.devnull}", "-C", str(app)]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-standard"], check=True, capture_output=True
    )
    expected = sorted(name for name in listed.stdout.decode().split("\0") if name.endswith(".py"))

    assert files(app) == expected
    return expected


def test_gitignore_files_say_what_git_says(tmp_path):
    app = project(tmp_path / "app", *GITIGNORED)
    for name, text in GITIGNORE.items():
        write(app, name, text=text)

    assert_like_git(app)
    assert files(app, respect_gitignore=False) == sorted(GITIGNORED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n\n\n/a.py\n!a.py\n", ["a.py", "b.py"]),
        ("\r\n\r\n/a.py\r\n!a.py\r\nb.py\r\n", ["a.py"]),
        ("\\\nb.py\nfoo\\\n", ["a.py"]),
        ("!\n[\n[z-a]x\n/[z-a]\n[[:x\nb.py\n!", ["a.py"]),
        ("\ufeffb.py\n", ["a.py"]),
        ("\u2028b.py\nx\x0bb.py\n\x0cb.py\n", ["a.py", "b.py"]),
    ],
    ids=["blank", "crlf", "backslash", "not-a-pattern", "bom", "only-look-like-newlines"],
)
def test_lines_of_a_gitignore_that_say_nothing(tmp_path, text, expected):
    app = project(tmp_path / "app", "a.py", "b.py")
    (app / ".gitignore").write_bytes(text.encode())

    assert assert_like_git(app) == expected


def test_gitignore_of_the_repository_holds_in_inner_projects(tmp_path):
    write(tmp_path / "repo", ".git/info/exclude", text="private.py\n")
    write(tmp_path / "repo", ".gitignore", text="gen.py\n/services/one/anchored.py\n/ignored/\n")
    write(tmp_path / "repo/services", ".gitignore", text="two.py\n")
    one = project(tmp_path / "repo/services/one", "a.py", "gen.py", "two.py", "private.py")
    write(one, "anchored.py")
    ignored = project(tmp_path / "repo/ignored/app", "gen.py")

    assert files(one) == ["a.py"]
    assert files(ignored) == ["gen.py"]


def in_git(base, *names):
    git = ["git", "-c", f"core.excludesFile={os.devnull}", "-C", str(base)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "--force", "--", *names], check=True)


def test_files_that_git_tracks_count_although_they_are_ignored(tmp_path):
    app = project(tmp_path / "app", *GITIGNORED, "logs/deep/y.py", "logs/deep/z.py", "logs/w.py")
    for name, text in GITIGNORE.items():
        write(app, name, text=text)
    tracked = ("logs/x.py", "logs/deep/y.py", "a.gen.py", "sub/local.py", "sub/only_here/x.py")
    in_git(app, *tracked)
    listed = subprocess.run(
        ["git", "-C", str(app), "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )

    assert files(app) == sorted(name for name in listed.stdout.split() if name.endswith(".py"))
    assert set(tracked) <= set(files(app))
    assert not {"logs/w.py", "logs/deep/z.py"} & set(files(app))


def test_an_ignored_directory_with_tracked_files_reads_no_gitignore_of_its_own(tmp_path):
    app = project(tmp_path / "app", "gen/a.py", "gen/b.py")
    write(app, ".gitignore", text="gen/\n")
    write(app, "gen/.gitignore", text="!b.py\n")
    in_git(app, "gen/a.py")

    found = find_files(Root(app))

    assert found.files == ("gen/a.py",)
    assert ExcludedPath("gen/b.py", ".gitignore") in found.excluded


def test_what_git_tracks_is_left_out_by_options_and_by_default(tmp_path):
    app = project(tmp_path / "app", "build/a.py", "old/b.py", "c.py")
    write(app, ".gitignore", text="build/\nold/\n")
    in_git(app, "build/a.py", "old/b.py", "c.py")

    assert files(app) == ["c.py", "old/b.py"]
    assert files(app, exclude=("old",)) == ["build/a.py", "c.py"]


def test_a_directory_that_the_user_named_is_read_with_what_git_does_not_track(tmp_path):
    app = project(tmp_path / "app", "gen/a.py", "gen/b.py", "gen/sub/c.py", "gen/sub/d.py")
    write(app, ".gitignore", text="gen/\n")
    in_git(app, "gen/a.py", "gen/sub/c.py")

    assert find_files(Root(app, ("gen",))).files == (
        *("gen/a.py", "gen/b.py", "gen/sub/c.py", "gen/sub/d.py"),
    )
    assert find_files(Root(app, ("gen/sub", "gen/b.py"))).files == (
        *("gen/a.py", "gen/b.py", "gen/sub/c.py", "gen/sub/d.py"),
    )


def test_texts_and_inner_projects_count_if_git_tracks_them(tmp_path):
    app = project(tmp_path / "app", "a.py")
    project(app / "gen/inner", "b.py")
    write(app, "gen/pytest.ini", "gen/tox.ini", text="")
    write(app, ".gitignore", text="gen/\npytest.ini\n")
    in_git(app, "gen/inner/b.py", "gen/pytest.ini")

    found = find_files(Root(app), DiscoverySettings(reads=("pytest.ini", "tox.ini")))

    assert found.nested == (Root(app / "gen/inner"),)
    assert found.texts == ("gen/pytest.ini",)
    assert found.unread_texts == (FileProblem("gen/tox.ini", 0, "is left out by .gitignore"),)


def test_the_index_of_git_is_read_only_if_something_is_ignored(tmp_path, monkeypatch):
    app = project(tmp_path / "app", "a.py", ".venv/b.py")
    write(app, ".gitignore", text=".venv/\nlogs/\n")
    in_git(app, "a.py")
    read = []
    monkeypatch.setattr(ignores, "_paths_of", lambda raw: read.append(raw) or ())

    assert files(app) == ["a.py"]
    assert read == []
    write(app, "logs/c.py", "logs/d.py", "e/logs/c.py")
    assert files(app) == ["a.py"]
    assert len(read) == 1


def test_what_the_user_names_is_read_although_it_is_left_out(tmp_path):
    write(tmp_path, ".gitignore", text="gen/\nsecret.py\n")
    app = project(tmp_path, "a.py", "build/b.py", "build/sub/c.py", "gen/d.py", "secret.py")

    found = find_files(Root(app, ("build/sub", "gen", "secret.py")))

    assert found.files == ("a.py", "build/sub/c.py", "gen/d.py", "secret.py")


def test_the_same_real_file_is_found_once(tmp_path):
    app = project(tmp_path / "app", "z/real.py", "out/o.py", "out/pkg/p.py", "out/pkg/q.py")
    outside = (app / "out").rename(app / ".venv")
    (app / "a_link.py").symlink_to("z/real.py")
    (app / "b_link.py").symlink_to(outside / "o.py")
    (app / "c_link.py").symlink_to(outside / "o.py")
    (app / "a_q.py").symlink_to(outside / "pkg/q.py")
    (app / "linked").symlink_to(outside / "pkg", target_is_directory=True)
    (app / "again").symlink_to(outside / "pkg", target_is_directory=True)
    (app / "inside").symlink_to(app / "z", target_is_directory=True)

    assert files(app) == ["again/p.py", "again/q.py", "b_link.py", "z/real.py"]


def test_directory_loops_end(tmp_path):
    app = project(tmp_path / "app", "sub/a.py")
    outside = write(app / ".venv", "o.py")
    (app / "sub/up").symlink_to(app, target_is_directory=True)
    (app / "sub/self").symlink_to(app / "sub", target_is_directory=True)
    (app / "above").symlink_to(tmp_path, target_is_directory=True)
    (app / "out").symlink_to(outside, target_is_directory=True)
    (outside / "back").symlink_to(app, target_is_directory=True)
    (outside / "round").symlink_to(outside, target_is_directory=True)

    assert files(app) == ["out/o.py", "sub/a.py"]


def test_link_to_another_project_is_not_followed(tmp_path):
    app = project(tmp_path / "repo/app", "a.py")
    other = project(tmp_path / "repo/other", "b.py")
    (app / "other").symlink_to(other, target_is_directory=True)
    (tmp_path / "repo/.git").mkdir()

    found = find_files(Root(app))

    assert (found.files, found.nested, found.problems) == (("a.py",), (), ())


def test_what_a_link_leads_to_outside_is_one_problem_and_not_read(tmp_path):
    outside = write(tmp_path / "outside", "o.py", "pkg/p.py", "data/x.csv")
    app = project(tmp_path / "app", "a.py", "build/b.py")
    (app / "o.py").symlink_to(outside / "o.py")
    (app / "pkg").symlink_to(outside / "pkg", target_is_directory=True)
    (app / "again").symlink_to("pkg", target_is_directory=True)
    (app / "x.csv").symlink_to(outside / "data/x.csv")
    (app / "build/pkg").symlink_to(outside / "pkg", target_is_directory=True)

    found = find_files(Root(app))

    assert found.files == ("a.py",)
    assert [problem.path for problem in found.problems] == ["again", "o.py", "pkg"]
    assert all("leads out of the project" in problem.message for problem in found.problems)


def test_a_directory_that_is_too_deep_is_one_problem(tmp_path):
    app = project(tmp_path, "a.py")
    deepest = "/".join("d" * (DEPTH_LIMIT + 1))
    write(app, f"{deepest}/b.py", f"{deepest[2:]}/c.py")

    found = find_files(Root(app))

    assert found.files == ("a.py", f"{deepest[2:]}/c.py")
    assert [problem.path for problem in found.problems] == [deepest]


def test_odd_files_are_one_problem_each_and_the_rest_is_found(tmp_path):
    app = project(tmp_path, "a.py", "dir.py/b.py")
    (app / "broken.py").symlink_to("nowhere.py")
    (app / "loop.py").symlink_to("loop.py")
    os.mkfifo(app / "pipe.py")
    write(app, "new\nline.py")
    Path(os.fsdecode(bytes(app) + b"/latin\xe9.py")).write_text("")

    found = find_files(Root(app))

    assert found.files == ("a.py", "dir.py/b.py")
    assert found.problems == (
        FileProblem("latin\\udce9.py", 0, "has a name that is not printable UTF-8; rename it"),
        FileProblem("new\\nline.py", 0, "has a name that is not printable UTF-8; rename it"),
        FileProblem("pipe.py", 0, "is not a regular file"),
    )
    assert found.broken_links == ("broken.py", "loop.py")


def test_directory_that_cannot_be_listed_is_one_problem(tmp_path, monkeypatch):
    app = project(tmp_path, "a.py", "secret/b.py")
    scandir = os.scandir

    def refuse(path):
        if "secret" in path:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_files(Root(app))

    assert found.files == ("a.py",)
    assert found.problems == (FileProblem("secret", 0, "cannot be listed: Permission denied"),)


def members(*patterns, directory=None):
    return DiscoverySettings(members=(PathPatterns(patterns, directory),))


def discovered(*paths, settings):
    found, problems = discover(paths, lambda _: settings)
    assert problems == []
    return {one.root.path: (one.root.selected, one.files) for one in found}


@pytest.fixture
def shop(tmp_path):
    shop = project(tmp_path / "shop", "shop/__init__.py")
    project(shop / "plugins" / "mail", "mail/__init__.py", "tests/test_mail.py")
    project(shop / "tools" / "load", "load.py")
    return shop


def test_members_are_read_with_the_project_that_names_them(shop):
    found = discovered(shop, settings=members("/plugins/*", directory=shop))

    inside = ("plugins/mail/mail/__init__.py", "plugins/mail/tests/test_mail.py")
    assert found == {
        shop: ((".",), (*inside, "shop/__init__.py")),
        shop / "tools/load": ((".",), ("load.py",)),
    }


def test_a_member_that_is_named_alone_is_a_part_of_its_project(shop):
    named = shop / "plugins" / "mail" / "tests"

    found = discovered(named, settings=members("/plugins/*", directory=shop))

    assert list(found) == [shop]
    selected, files = found[shop]
    assert selected == ("plugins/mail/tests",)
    assert "shop/__init__.py" in files


def test_a_member_that_is_named_beside_its_project_is_read_once(shop):
    found = discovered(shop / "plugins/mail", shop, settings=members("/plugins", directory=shop))

    assert sorted(found) == [shop, shop / "tools/load"]
    assert found[shop][0] == (".", "plugins/mail")


def test_a_project_that_is_no_member_stays_one(shop):
    settings = members("/plugins/*", directory=shop)

    assert list(discovered(shop / "tools/load", settings=settings)) == [shop / "tools/load"]
    assert list(discovered(shop, settings=DiscoverySettings())) == [
        shop, shop / "plugins/mail", shop / "tools/load",
    ]  # fmt: skip


def test_a_repository_is_no_member(shop):
    (shop / "plugins/mail/.git").mkdir()

    found = discovered(shop, settings=members("/plugins/*", directory=shop))

    assert shop / "plugins/mail" in found
    assert found[shop][1] == ("shop/__init__.py",)
