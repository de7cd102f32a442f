"""The declared versions decide what may be written; each file format says them its own way."""

from __future__ import annotations

import json

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from awaken.contract import UserError
from awaken.workspace.manifests.targets import NOTHING_DECLARED, Targets, read_targets
from awaken.workspace.manifests.versions import is_within, overlap, poetry_ranges, requested_range
from awaken.workspace.sources import FileProblem


def project(base, **files):
    """Write files; in their names ``__`` stands for a dot and ``___`` for a slash."""
    for name, text in files.items():
        path = base / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return base


def targets(base, **files):
    found = read_targets(project(base, **files))
    assert found.problems == ()
    return found


def said(found, name="sqlalchemy"):
    target = found.distribution(name)
    return target and (target.specifier, target.origin)


PYPROJECT = """
[project]
name = "x"
requires-python = ">=3.9"
dependencies = ["SQLAlchemy[asyncio] >=1.4.24,<2.1 ; python_version >= '3'", "fastapi"]
[project.optional-dependencies]
a = ["SqlModel >=0.0.8"]
[dependency-groups]
dev = ["alembic>=1.13", {include-group = "test"}]
test = ["pytest-asyncio<1"]
"""


def test_pyproject_metadata(tmp_path):
    found = targets(tmp_path, pyproject__toml=PYPROJECT)

    assert said(found) == (">=1.4.24,<2.1", "pyproject.toml")
    assert said(found, "SQLModel") == (">=0.0.8", "pyproject.toml")
    assert said(found, "alembic") == (">=1.13", "pyproject.toml")
    assert said(found, "pytest_asyncio") == ("<1", "pyproject.toml")
    assert said(found, "python") == (">=3.9", "pyproject.toml")
    assert found.lowest_python == (3, 9)
    assert found.admits("sqlalchemy", "<2")
    assert found.admits("sqlalchemy", ">=2.0")
    assert not found.admits("sqlalchemy", ">=2.1")
    assert not found.guarantees("sqlalchemy", ">=2.0")
    assert found.guarantees("SQLAlchemy", ">=1.4.24")
    assert found.guarantees("python", ">=3.9")
    assert not found.guarantees("python", ">=3.10")


def test_nothing_declared_means_current_versions(tmp_path):
    found = targets(tmp_path)

    assert found.distribution("sqlalchemy") is None
    assert not found.admits("sqlalchemy", "<2")
    assert found.guarantees("sqlalchemy", ">=2.0.44")
    assert found.guarantees("never-heard-of", ">=7")
    assert said(found, "python")[1] == NOTHING_DECLARED
    assert Targets().lowest_python == found.lowest_python == (3, 11)


def test_a_bare_name_means_current_versions(tmp_path):
    found = targets(tmp_path, requirements__txt="sqlalchemy\n")

    assert found.distribution("sqlalchemy").origin == (
        "requirements.txt names no version: current versions"
    )
    assert not found.admits("sqlalchemy", "<2")


def test_the_newest_version_of_what_is_unknown_is_shown_in_words(tmp_path):
    found = targets(tmp_path, requirements__txt="never-heard-of\n")

    assert found.distribution("never-heard-of").specifier == "newest"


POETRY = """
[tool.poetry.dependencies]
python = "^3.8"
sqlalchemy = {version = "~1.4", extras = ["asyncio"]}
fastapi = [{version = "^0.95", python = "<3.10"}, {version = "^0.110", python = ">=3.10"}]
old = {version = "1.0", markers = "python_version < '3.8'"}
[tool.poetry.group.dev.dependencies]
alembic = "*"
[tool.poetry.dev-dependencies]
pytest-asyncio = "^0.23.0"
"""


def test_poetry_constraints(tmp_path):
    found = targets(tmp_path, pyproject__toml=POETRY)

    assert said(found) == (">=1.4,<1.5", "pyproject.toml")
    assert said(found, "python") == (">=3.8,<4", "pyproject.toml")
    assert said(found, "fastapi")[0] == ">=0.95,<0.96 or >=0.110,<0.111"
    assert found.distribution("old") is None
    assert said(found, "pytest-asyncio")[0] == ">=0.23.0,<0.24"
    assert found.lowest_python == (3, 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^1.2.3", "<2,>=1.2.3"),
        ("^0.2.3", "<0.3,>=0.2.3"),
        ("^0.0.3", "<0.0.4,>=0.0.3"),
        ("^0", "<1,>=0"),
        ("~1.2.3", "<1.3,>=1.2.3"),
        ("~1", "<2,>=1"),
        ("~=1.4.24", "~=1.4.24"),
        ("1.4.*", "==1.4.*"),
        ("1.4.54", "==1.4.54"),
        ("=1.4", "==1.4"),
        (">= 1.4 <2.0", "<2.0,>=1.4"),
        (">=1.4, !=1.4.3", "!=1.4.3,>=1.4"),
        ("*", ""),
    ],
)
def test_poetry_ranges(text, expected):
    assert [str(one) for one in poetry_ranges(text)] == [expected]


def test_poetry_alternatives():
    assert [str(one) for one in poetry_ranges("^1.4 || ^2.0")] == ["<2,>=1.4", "<3,>=2.0"]


def test_setup_cfg(tmp_path):
    text = (
        "[options]\npython_requires = >=3.7\ninstall_requires =\n    # the database\n"
        "    SQLAlchemy>=1.3\n    old; python_version < '3'\n"
        "[options.extras_require]\nx = sqlmodel>=0.0.8\n"
    )

    found = targets(tmp_path, setup__cfg=text)

    assert said(found) == (">=1.3", "setup.cfg")
    assert said(found, "sqlmodel") == (">=0.0.8", "setup.cfg")
    assert found.distribution("old") is None
    assert found.lowest_python == (3, 7)


def test_setup_cfg_options_stand_in_for_others_as_for_setuptools(tmp_path):
    text = (
        "[tool:pytest]\nlog_format = %(message)s\n[options.extras_require]\n"
        "web =\n    fastapi>=0.100\nall =\n    %(web)s\n    sqlmodel\n"
    )

    found = read_targets(project(tmp_path, setup__cfg=text))

    assert said(found, "fastapi") == (">=0.100", "setup.cfg")
    assert not found.problems


def test_setup_py_literals_are_read_and_never_run(tmp_path):
    text = (
        "import sys, setuptools\nraise SystemExit\nREQUIRED = ('sqlalchemy~=1.4.24', 'x>1')\n"
        "setuptools.setup(python_requires='>=3.6', install_requires=REQUIRED,\n"
        "    extras_require={'a': ['fastapi>=0.100']}, version=compute())\n"
    )

    found = targets(tmp_path, setup__py=text)

    assert said(found) == ("~=1.4.24", "setup.py")
    assert said(found, "fastapi") == (">=0.100", "setup.py")
    assert found.lowest_python == (3, 6)


def test_setup_py_that_computes_says_nothing(tmp_path):
    found = targets(tmp_path, setup__py="setup(install_requires=open('r').read(), x=1)\n")

    assert found.distribution("sqlalchemy") is None


def test_pipfile(tmp_path):
    text = (
        '[packages]\nsqlalchemy = "~=1.4"\nfastapi = {version = "*"}\n'
        '[dev-packages]\nalembic = ">=1"\n[requires]\npython_version = "3.9"\n'
    )

    found = targets(tmp_path, Pipfile=text)

    assert said(found) == ("~=1.4", "Pipfile")
    assert said(found, "alembic") == (">=1", "Pipfile")
    assert found.lowest_python == (3, 9)


REQUIREMENTS = """\
-r requirements/base.txt
--index-url https://example.org/simple
-e .
./local/thing.whl
https://example.org/x.zip
git+https://example.org/x.git#egg=x
fastapi==0.95.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
pydantic[email]>=1.10 # why
old<1; python_version < "3"
thing @ https://example.org/thing.whl
"""


def test_requirements_with_includes_and_constraints(tmp_path):
    found = targets(
        tmp_path,
        requirements__txt=REQUIREMENTS,
        requirements___base__txt="SQLAlchemy>=1.4\n-c ../constraints.txt\n-r base.txt\n",
        constraints__txt="sqlalchemy<2\n",
    )

    assert found.distribution("sqlalchemy").specifier == ">=1.4,<2"
    assert said(found, "fastapi") == ("==0.95.0", "requirements.txt")
    assert said(found, "pydantic") == (">=1.10", "requirements.txt")
    assert found.distribution("old") is None


def test_requirements_narrow_the_metadata_and_are_alternatives_among_themselves(tmp_path):
    found = targets(
        tmp_path,
        pyproject__toml="[project]\ndependencies = ['sqlalchemy>=1.4', 'fastapi<0.100']",
        requirements__txt="sqlalchemy==2.0.30\nfastapi==0.110.0\n",
        requirements_legacy__txt="sqlalchemy==1.4.54\n",
        requirements_dev__in="sqlalchemy\n",
    )

    assert said(found) == (
        "==2.0.30,>=1.4 or ==1.4.54,>=1.4",
        "pyproject.toml, requirements.txt, requirements_legacy.txt",
    )
    assert found.admits("sqlalchemy", "<2")
    assert not found.admits("sqlalchemy", "<1.4.54")
    assert said(found, "fastapi") == ("<0.100", "pyproject.toml")


@pytest.mark.parametrize(
    ("beside", "package", "expected"),
    [
        ({}, True, (">=2.0.30", "shop/requirements.txt")),
        ({}, False, None),
        ({"requirements__txt": "fastapi\n"}, True, None),
        ({"setup__cfg": "[metadata]\nname = shop\n"}, True, None),
    ],
)
def test_requirements_in_a_package_count_where_none_are_beside_it(
    tmp_path, beside, package, expected
):
    project(tmp_path, shop___requirements__txt="sqlalchemy>=2.0.30\n", **beside)
    if package:
        (tmp_path / "shop" / "__init__.py").touch()

    assert said(targets(tmp_path)) == expected


def test_compiled_requirements_win_over_their_source(tmp_path):
    found = targets(
        tmp_path,
        requirements___base__in="sqlalchemy>=1.3\n",
        requirements___base__txt="sqlalchemy==1.4.54\n",
    )

    assert said(found) == ("==1.4.54", "requirements/base.txt")


UV_LOCK = """version = 1
[[package]]
name = "sqlalchemy"
version = "1.4.54"
source = { registry = "https://example.org/simple" }
[[package]]
name = "flask-sqlalchemy"
version = "2.5.1"
"""


@pytest.mark.parametrize("lock", ["uv__lock", "poetry__lock", "pdm__lock"])
def test_lock_file_narrows_to_the_exact_version(tmp_path, lock):
    declared = "[project]\ndependencies = ['sqlalchemy>=1.4']\n"

    found = targets(tmp_path, pyproject__toml=declared, **{lock: UV_LOCK})

    origin = "pyproject.toml, " + lock.replace("__", ".")
    assert said(found) == ("==1.4.54", origin)
    assert found.distribution("flask-sqlalchemy").specifier == "==2.5.1"
    assert not found.admits("sqlalchemy", ">=2")


def test_pipfile_lock(tmp_path):
    lock = {"default": {"sqlalchemy": {"version": "==1.4.50"}, "x": {"git": "y"}}, "_meta": {}}

    found = targets(
        tmp_path, Pipfile='[packages]\nsqlalchemy = "*"\n', Pipfile__lock=json.dumps(lock)
    )

    assert said(found) == ("==1.4.50", "Pipfile, Pipfile.lock")


def test_workspace_members_are_locked_at_its_top_and_other_projects_are_not(tmp_path):
    member = "[project]\ndependencies = ['sqlalchemy>=1.4']\n"
    project(
        tmp_path,
        uv__lock=UV_LOCK,
        pyproject__toml="[tool.uv.workspace]\nmembers = ['packages/*']\n",
        packages___app___pyproject__toml=member,
        examples___app___pyproject__toml=member,
    )

    inside, outside = (read_targets(tmp_path / name / "app") for name in ("packages", "examples"))

    assert said(inside) == ("==1.4.54", "pyproject.toml, uv.lock")
    assert said(outside) == (">=1.4", "pyproject.toml")


def test_lock_of_a_directory_above_is_another_projects(tmp_path):
    member = "[project]\ndependencies = ['sqlalchemy>=1.4']\n"
    project(tmp_path, uv__lock=UV_LOCK, pyproject__toml=member, app___pyproject__toml=member)

    assert said(read_targets(tmp_path / "app")) == (">=1.4", "pyproject.toml")


def test_outdated_lock_does_not_contradict_the_metadata(tmp_path):
    declared = "[project]\ndependencies = ['sqlalchemy>=2']\n"

    found = targets(tmp_path, pyproject__toml=declared, uv__lock=UV_LOCK)

    assert said(found) == (">=2", "pyproject.toml")


def test_installed_distributions_are_the_last_resort(tmp_path):
    site = ".venv/lib/python3.10/site-packages"
    for name in ("SQLAlchemy-1.4.49", "sqlmodel-0.0.8", "fastapi-0.90.0", "odd"):
        (tmp_path / site / f"{name}.dist-info").mkdir(parents=True)
    project(tmp_path, requirements__txt="sqlalchemy\nfastapi>=0.95\n")
    (tmp_path / ".venv/pyvenv.cfg").write_text("home = /usr\nversion_info = 3.10.13.final.0\n")

    found = read_targets(tmp_path)

    assert said(found) == ("==1.4.49", "installed in .venv")
    assert said(found, "sqlmodel") == ("==0.0.8", "installed in .venv")
    assert said(found, "fastapi") == (">=0.95", "requirements.txt")
    assert said(found, "python") == ("==3.10.*", ".venv/pyvenv.cfg")


def test_python_version_file_is_a_hint(tmp_path):
    (tmp_path / ".python-version").write_text("3.12.1\n")

    assert said(read_targets(tmp_path), "python") == ("==3.12.*", ".python-version")


def test_markers_that_split_the_targets_are_alternatives(tmp_path):
    declared = (
        "[project]\nrequires-python = '>=3.9'\ndependencies = [\n"
        "'sqlalchemy<2; python_version < \"3.10\"', 'sqlalchemy>=2; python_version >= \"3.10\"',\n"
        "'fastapi>=0.9; sys_platform == \"win32\"', 'pydantic>2; extra == \"never\"']\n"
    )

    found = targets(tmp_path, pyproject__toml=declared)

    assert said(found)[0] == "<2 or >=2"
    assert found.admits("sqlalchemy", "<1.4")
    assert found.admits("sqlalchemy", ">=2.0")
    assert not found.guarantees("sqlalchemy", ">=2")
    assert said(found, "fastapi")[0] == ">=0.9"
    assert found.distribution("pydantic") is None


def test_overrides_win(tmp_path):
    project(tmp_path, pyproject__toml=PYPROJECT)

    found = read_targets(
        tmp_path, "py310", {"SQLAlchemy": "2.0", "fastapi": "0.110.1", "sqlmodel": ">=0.0.14"}
    )

    assert said(found) == ("==2.0.*", "--target SQLAlchemy=2.0")
    assert said(found, "fastapi")[0] == "==0.110.1"
    assert said(found, "sqlmodel")[0] == ">=0.0.14"
    assert said(found, "python") == (">=3.10", "--target-version py310")
    assert [target.name for target in found.origins()] == ["python", "sqlalchemy", "fastapi"]


@pytest.mark.parametrize(
    ("version", "overrides", "message"),
    [
        ("py3", {}, "--target-version py3: write the lowest Python, such as py311"),
        (None, {"sqlalchemy": "two"}, "--target sqlalchemy=two: 'two' is not a version"),
        (None, {"sqlalchemy": ""}, "--target sqlalchemy=: '' is not a version"),
    ],
)
def test_overrides_that_are_no_version_say_what_to_write(tmp_path, version, overrides, message):
    with pytest.raises(UserError) as caught:
        read_targets(tmp_path, version, overrides)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("pyproject__toml", "[project]\nname = \n", 2, "is not valid TOML: Invalid value"),
        ("setup__cfg", "[metadata]\nname = x\nname = y\n", 3, "is not a valid INI file"),
        ("setup__cfg", "name = x\n", 1, "is not a valid INI file"),
        ("setup__cfg", "[options]\nx\n", 2, "is not a valid INI file"),
        ("setup__cfg", "[options]\ninstall_requires = %(x)s\n", 0, "is not a valid INI file"),
        ("setup__py", "import x\nsetup(\n", 2, "'(' was never closed"),
        ("Pipfile", "[packages\n", 1, "is not valid TOML"),
        ("requirements__txt", "x>=1\n\nsqlalchemy=1.4\n", 3, "is not a valid requirement"),
        (
            "requirements__txt",
            "x\n-r gone.txt\n",
            2,
            "names gone.txt, which cannot be read: No such",
        ),
        ("Pipfile__lock", "{", 0, "cannot be read as a lock file"),
        ("pyproject__toml", "[project]\nrequires-python = 'new'\n", 0, "is not valid: Invalid"),
        ("pyproject__toml", "[project]\ndependencies = ['a b c']\n", 0, "is not valid: Expected"),
    ],
)
def test_a_file_that_does_not_parse_is_one_line(tmp_path, name, text, line, message):
    found = read_targets(project(tmp_path, **{name: text}))

    (problem,) = found.problems
    assert problem.line == line
    assert message in problem.message
    assert "\n" not in problem.message


def test_problem_names_the_included_file(tmp_path):
    (tmp_path / "base.txt").write_text("a=1\n")
    (tmp_path / "requirements.txt").write_text("-r base.txt\n")

    (problem,) = read_targets(tmp_path).problems

    assert isinstance(problem, FileProblem)
    assert (problem.path, problem.line) == ("base.txt", 1)


def test_problem_names_the_file_that_includes_what_is_not_there(tmp_path):
    (tmp_path / "base.txt").write_text("x\n-r gone/lib.txt\n")
    (tmp_path / "requirements.txt").write_text("-r base.txt\n")

    (problem,) = read_targets(tmp_path).problems

    assert (problem.path, problem.line) == ("base.txt", 2)
    assert problem.message.startswith("names gone/lib.txt, which cannot be read")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("<2", ">=2", False),
        ("<=2", ">=2", True),
        (">1.4,<1.5", ">=1.4.10", True),
        ("<2", "<1.4", True),
        ("==1.4.*", ">=1.4.24", True),
        ("==1.4.23", ">=1.4.24", False),
        ("~=1.4.20", "<1.4", False),
        (">=1.4,<2.1", ">=2.1", False),
        ("!=1.4", "==1.4", False),
        (">2", "<2.1", True),
        ("==2.0.0b4", "<2.1", True),
        ("===odd", ">=1", False),
        ("", "", True),
    ],
)
def test_overlap(one, other, expected):
    assert overlap(SpecifierSet(one), SpecifierSet(other)) is expected
    assert overlap(SpecifierSet(other), SpecifierSet(one)) is expected


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("==1.4.54", ">=1.4.24", True),
        ("==1.4.*", ">=1.4.24", False),
        (">=2", ">=1.4", True),
        (">=1.4", ">=2", False),
        ("==2.0.*", "<2.1", True),
        ("==2.0.*", "<2.0.40", False),
        ("<2.1,>=1.4", "!=2.0", False),
        ("", ">=1", False),
    ],
)
def test_within(inner, outer, expected):
    assert is_within(SpecifierSet(inner), SpecifierSet(outer)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2.0", "==2.0.*"), ("2", "==2.*"), ("1.4.54", "==1.4.54"), ("1.4.*", "==1.4.*")],
)
def test_requested(text, expected):
    assert str(requested_range(text)) == expected


def test_requested_refuses_words():
    with pytest.raises(InvalidSpecifier):
        requested_range("new")


def test_members_declare_what_the_project_does_not(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["fastapi>=0.110"]\n')
    for member, version in (("web", "1.4.54"), ("jobs", "2.0.44")):
        (tmp_path / member).mkdir()
        (tmp_path / member / "requirements.txt").write_text(f"sqlalchemy=={version}\nfastapi<1\n")

    targets = read_targets(tmp_path, members=("jobs", "web"))

    assert targets.admits("sqlalchemy", "<2")
    assert targets.admits("sqlalchemy", ">=2")
    assert targets.distribution("sqlalchemy").origin == (
        "jobs: requirements.txt; web: requirements.txt"
    )
    assert targets.distribution("fastapi").origin == "pyproject.toml"


def test_lines_that_name_no_distribution_are_skipped(tmp_path):
    commands = "git add app/main.py\ngit commit -m 'more'\nfaker</content>\nsqlalchemy==1.4.54\n"

    found = targets(tmp_path, requirements__txt=commands)

    assert found.problems == ()
    assert [line.line for line in found.skipped] == [1, 2]
    assert said(found) == ("==1.4.54", "requirements.txt")
