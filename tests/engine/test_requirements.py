"""Requirements in manifests: added or extended, and everything else as it was."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting_helpers import change

from awaken.contract import Requirement, Span
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.workspace.sources import Snapshot, SourceFile


def run(files, *requirements, group=None, root="", beside=(), may_replace=False):
    snapshot = Snapshot({path: SourceFile(path, text.encode()) for path, text in files.items()})
    changes = [
        change(
            Requirement(
                root=root,
                requirement=one,
                group=group,
                beside=beside,
                may_replace=may_replace,
                site="s",
            ),
            id=f"needs {one}",
        )
        for one in requirements
    ]
    return apply_in_memory(snapshot, changes, {})


def required(path, text, *requirements, **options):
    """Return the manifest with the requirements; asserts that only its lists differ."""
    result = run({path: text}, *requirements, **options)
    assert result.problems == ()
    return result.snapshot[path].text.decode()


def left(files, *requirements, **options):
    """Return what is left to do by hand; asserts that no change is rolled back for it."""
    result = run(files, *requirements, **options)
    assert result.problems == ()
    (one,) = result.left_to_do
    assert list(one.changes) == [f"needs {one}" for one in requirements]
    return one


def project(dependencies):
    head = "# top\n[project]\nname = 'shop'\n"
    return f"{head}dependencies = {dependencies}\n\n[tool.x]\na = 1  # b\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("[]", '["httpx>=0.27"]'),
        ("['a']", "['a', 'httpx>=0.27']"),
        ('["a", "z"]', '["a", "httpx>=0.27", "z"]'),
        ('["z"]', '["httpx>=0.27", "z"]'),
        ('["z", "a"]', '["z", "a", "httpx>=0.27"]'),
        ('[\n    "a",\n]', '[\n    "a",\n    "httpx>=0.27",\n]'),
        ('[\n    "a"\n]', '[\n    "a",\n    "httpx>=0.27"\n]'),
        ('[\n    "a"]', '[\n    "a",\n    "httpx>=0.27"]'),
        ('[\n    "a",  # why\n]', '[\n    "a",  # why\n    "httpx>=0.27",\n]'),
        ('[\n    "a"  # why\n]', '[\n    "a",  # why\n    "httpx>=0.27"\n]'),
        ('[\n    "a",\n    "z",  # [1]\n]', '[\n    "a",\n    "httpx>=0.27",\n    "z",  # [1]\n]'),
        ('[\n    # first\n    "z",\n]', '[\n    # first\n    "httpx>=0.27",\n    "z",\n]'),
        ('["a[b]", "c; x == \'y\'"]', '["a[b]", "c; x == \'y\'", "httpx>=0.27"]'),
    ],
)
def test_a_dependency_of_a_project(before, expected, newline):
    before, expected = (project(text).replace("\n", newline) for text in (before, expected))
    assert required("pyproject.toml", before, "httpx>=0.27") == expected
    tomllib.loads(expected)


@pytest.mark.parametrize(
    "written", ["httpx>=0.27", "httpx ~= 0.28", "HTTPX [http2] >=0.27 ; python_version > '3'"]
)
def test_what_is_required_already_stays(written):
    text = project(f'["{written}"]')
    assert required("pyproject.toml", text, "httpx>=0.27") == text


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("sqlalchemy", "sqlalchemy[asyncio]"),
        (
            "SQLAlchemy >=2.0,<3 ; python_version > '3'",
            "SQLAlchemy[asyncio] >=2.0,<3 ; python_version > '3'",
        ),
        ("sqlalchemy[mypy]>=2", "sqlalchemy[mypy,asyncio]>=2"),
        ("sqlalchemy [ mypy, asyncio ]", "sqlalchemy [ mypy, asyncio ]"),
    ],
)
def test_a_missing_extra_joins_the_requirement(before, expected):
    toml = required("pyproject.toml", project(f'["{before}"]'), "sqlalchemy[asyncio]")
    assert toml == project(f'["{expected}"]')
    text = required("requirements.txt", f"a\n{before}  # c\n", "sqlalchemy[asyncio]")
    assert text == f"a\n{expected}  # c\n"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("a", "a>=2"),
        ("a ; python_version > '3'", "a>=2; python_version > '3'"),
        ("a>=1.4", "a>=2"),
        ("A[x] >= 1.4, <3", "A[x] >=2, <3"),
        ("a>1,!=2.3", "a>=2,!=2.3"),
        ("a<3", "a<3,>=2"),
        ("a!=1.0 ; os_name == 'x'", "a!=1.0,>=2 ; os_name == 'x'"),
        ("a @ https://x.org/a.whl", "a @ https://x.org/a.whl"),
    ],
)
def test_a_missing_bound_joins_the_requirement(before, expected):
    toml = required("pyproject.toml", project(f'["{before}"]'), "a>=2")
    assert toml == project(f'["{expected}"]')
    assert required("requirements.txt", f"{before}  # c\n", "a>=2") == f"{expected}  # c\n"


def test_an_upper_bound_stands_behind_the_lower_one():
    text = required("requirements.txt", "a>=1\n", "a>=2,<3")
    assert text == "a>=2,<3\n"


def test_requirements_of_several_changes_are_one():
    text = required("pyproject.toml", project("[]"), "httpx<1", "HTTPX>=0.27", "httpx[http2]")
    assert text == project('["httpx[http2]<1,>=0.27"]')


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", "httpx\n"),
        ("a==1", "a==1\nhttpx\n"),
        ("a==1\nz==1\n", "a==1\nhttpx\nz==1\n"),
        ("z==1\n", "httpx\nz==1\n"),
        ("z\na\n-r other.txt\n", "z\na\nhttpx\n-r other.txt\n"),
        ("# c\na  # d\n\n# e\n", "# c\na  # d\nhttpx\n\n# e\n"),
        ("a\r\nz\r\n", "a\r\nhttpx\r\nz\r\n"),
    ],
)
def test_a_requirements_file(before, expected):
    assert required("requirements.txt", before, "httpx") == expected


def test_setup_cfg():
    text = "[options]\npackages = a\ninstall_requires =\n    a>=1\n    z\n\n[tool:x]\nb = c\n"
    expected = text.replace("    z\n", "    httpx\n    z\n")
    assert required("setup.cfg", text, "httpx") == expected


def test_the_manifest_that_names_the_distribution_is_edited():
    files = {"pyproject.toml": project("[]"), "requirements.txt": "sqlalchemy==2.0\n"}
    result = run(files, "sqlalchemy[asyncio]", "httpx")
    texts = {path: result.snapshot[path].text.decode() for path in result.maps}
    assert texts == {
        "requirements.txt": "sqlalchemy[asyncio]==2.0\n",
        "pyproject.toml": project('["httpx"]'),
    }


def test_the_manifest_of_the_root_that_is_named():
    files = {"pyproject.toml": project("[]"), "api/pyproject.toml": project("[]")}
    result = run(files, "httpx", root="api")
    assert list(result.maps) == ["api/pyproject.toml"]


def test_groups():
    groups = "[dependency-groups]\ntest = ['x']\ndev = [{include-group = 'test'}]\n"
    text = required("pyproject.toml", project("[]") + groups, "httpx", group="dev")
    assert tomllib.loads(text)["dependency-groups"]["dev"] == ["httpx", {"include-group": "test"}]
    extra = project("[]") + "[project.optional-dependencies]\ndev = ['x']\n"
    assert required("pyproject.toml", extra, "y", group="dev") == extra.replace("'x'", "'x', 'y'")


def test_a_group_that_does_not_exist_is_made():
    text = required("pyproject.toml", project("[]"), "httpx", group="dev")
    assert text == project("[]") + '\n[dependency-groups]\ndev = ["httpx"]\n'
    again = required("pyproject.toml", text, "x", group="test")
    assert again == text + 'test = ["x"]\n'


def test_tables_may_be_written_in_any_way():
    assert required("pyproject.toml", "project.dependencies = []\n", "a") == (
        'project.dependencies = ["a"]\n'
    )
    assert required("pyproject.toml", "project = {dependencies = ['b']}\n", "a") == (
        "project = {dependencies = ['a', 'b']}\n"
    )


SETUP = "from setuptools import setup\nsetup(\n    install_requires=read(),\n)\n"


@pytest.mark.parametrize(
    ("files", "words", "place", "add"),
    [
        ({}, "lists requirements", ("requirements.txt", 0), "httpx>=1"),
        ({"pyproject.toml": "[tool.x]\n"}, "lists", ("pyproject.toml", 0), '"httpx>=1",'),
        (
            {"pyproject.toml": "[project]\nname = 'a'\ndynamic = ['dependencies']\n"},
            "lists requirements",
            ("pyproject.toml", 0),
            '"httpx>=1",',
        ),
        ({"setup.py": SETUP}, "lists requirements", ("setup.py", 3), '"httpx>=1",'),
        (
            {"pyproject.toml": "[build-system]\n", "setup.py": SETUP},
            "lists requirements",
            ("setup.py", 3),
            '"httpx>=1",',
        ),
        ({"setup.py": "def f():\n  pass\n"}, "lists", ("requirements.txt", 0), "httpx>=1"),
        (
            {"pyproject.toml": "[tool.poetry]\nname = 'a'\n"},
            "Poetry",
            ("pyproject.toml", 1),
            'httpx = ">=1"',
        ),
        (
            {"pyproject.toml": "[tool.poetry]\ndependencies = {httpx = '0.27'}\n"},
            "it requires httpx 0.27, which excludes it",
            ("pyproject.toml", 0),
            'httpx = ">=1"',
        ),
        ({"pyproject.toml": "\n[project\n"}, "valid TOML", ("pyproject.toml", 2), '"httpx>=1",'),
        (
            {"pyproject.toml": "[project]\ndependencies = 1\n"},
            "does not find the list",
            ("pyproject.toml", 0),
            '"httpx>=1",',
        ),
        (
            {"pyproject.toml": "[project]\ndependencies = []\n" + "#" * 100_000},
            "100,000 characters",
            ("pyproject.toml", 0),
            '"httpx>=1",',
        ),
        (
            {"setup.cfg": "[options]\na = 1\na = 1\n"},
            "not a valid INI file",
            ("setup.cfg", 3),
            "httpx>=1",
        ),
        (
            {"requirements.txt": "a==1 --hash=sha256:00\n"},
            "hashes",
            ("requirements.txt", 0),
            "httpx>=1",
        ),
        (
            {"setup.cfg": "[options]\ninstall_requires = a\n"},
            "on one line",
            ("setup.cfg", 0),
            "httpx>=1",
        ),
        ({"setup.cfg": "[metadata]\n"}, "lists requirements", ("setup.cfg", 0), "httpx>=1"),
        (
            {"requirements.txt": "HTTPX [http2] ==0.27.* # pinned\n"},
            "it requires HTTPX [http2] ==0.27.*, which excludes it",
            ("requirements.txt", 0),
            "httpx>=1",
        ),
    ],
)
def test_what_cannot_be_written_is_left_to_do(files, words, place, add):
    found = left(files, "httpx>=1")
    assert words in found.why
    assert ((found.path, found.line), found.add) == (place, add)


def test_a_line_for_poetry_is_one_that_poetry_reads():
    files = {"pyproject.toml": "[tool.poetry]\n"}
    found = left(files, "httpx[http2] >=1; python_version > '3'")
    assert found.table == "[tool.poetry.dependencies]"
    assert tomllib.loads(found.add)["httpx"] == {
        "version": ">=1",
        "extras": ["http2"],
        "markers": 'python_version > "3"',
    }
    assert left(files, "httpx").add == 'httpx = "*"'


def test_what_is_no_requirement_is_a_problem():
    (problem,) = run({"requirements.txt": ""}, "not a requirement").problems
    assert "cannot require" in problem.message


def test_what_can_be_written_is_although_something_cannot():
    result = run({"requirements.txt": "a==1\n"}, "a>=2", "httpx")

    assert result.snapshot["requirements.txt"].text == b"a==1\nhttpx\n"
    assert [one.changes for one in result.left_to_do] == [("needs a>=2",)]


def test_a_place_in_a_manifest_leads_back():
    text = project('["a"]')
    result = run({"pyproject.toml": text}, "httpx")
    new = result.snapshot["pyproject.toml"].text.decode()
    comment = Span(new.index("# b"), new.index("# b") + 3)
    at = result.maps["pyproject.toml"].to_before(comment)
    assert text[at.start : at.end] == "# b"


CFG = "[options]\npackages = a\ninstall_requires =\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", "    httpx\n"),
        ("\n[tool:x]\nb = c\n", "    httpx\n\n[tool:x]\nb = c\n"),
        ("  a  # why\n# c\n\n  z\n", "  a  # why\n  httpx\n# c\n\n  z\n"),
        ("\tz", "\thttpx\n\tz"),
        ("\ta", "\ta\n\thttpx\n"),
    ],
)
def test_the_list_of_a_setup_cfg(before, expected, newline):
    text, wanted = ((CFG + one).replace("\n", newline) for one in (before, expected))
    assert required("setup.cfg", text, "httpx") == wanted


def test_a_requirement_on_several_lines_stays_in_one_piece():
    text = "a \\\n    ; python_version > '3'\nz\n"
    assert required("requirements.txt", text, "httpx") == text.replace("z\n", "httpx\nz\n")


def test_lines_that_end_differently_stay_as_they_are():
    assert required("requirements.txt", "a\r\nz\n", "httpx") == "a\r\nhttpx\nz\n"
    before = project('[\n  "a",\r\n  "z",\n]')
    assert required("pyproject.toml", before, "httpx") == before.replace(
        '  "z"', '  "httpx",\r\n  "z"'
    )


POETRY = """\
[tool.poetry]
name = "shop"

[tool.poetry.dependencies]
python = "^3.11"
fastapi = "^0.115"  # the web
SQLAlchemy = "^2.0"
# one of these
mysqlclient = { version = "*", optional = true }
psycopg2-binary = { version = "^2.9", optional = true }

[tool.poetry.extras]
pgsql = ["psycopg2-binary"]
all = ["mysqlclient", "psycopg2-binary"]

[tool.poetry.group.dev.dependencies]
pytest = "^8.0"

[build-system]
requires = ["poetry-core"]
"""


@pytest.mark.parametrize(
    ("requirement", "options", "edits"),
    [
        (
            "sqlalchemy[asyncio]>=2.0",
            {},
            {'SQLAlchemy = "^2.0"': 'SQLAlchemy = {version = "^2.0", extras = ["asyncio"]}'},
        ),
        (
            "aiosqlite<0.22",
            {"beside": ("sqlmodel", "sqlalchemy")},
            {"optional = true }\n\n": 'optional = true }\naiosqlite = "<0.22"\n\n'},
        ),
        # What is optional stays so, and belongs to the same extras.
        (
            "psycopg[binary]",
            {"beside": ("psycopg2-binary",)},
            {
                'version = "^2.9", optional = true }\n': 'version = "^2.9", optional = true }\n'
                'psycopg = {version = "*", extras = ["binary"], optional = true}\n',
                '["psycopg2-binary"]': '["psycopg2-binary", "psycopg"]',
                'client", "psycopg2-binary"]': 'client", "psycopg2-binary", "psycopg"]',
            },
        ),
        (
            "pytest-asyncio",
            {"beside": ("pytest",), "group": "dev"},
            {'pytest = "^8.0"': 'pytest = "^8.0"\npytest-asyncio = "*"'},
        ),
        (
            "anyio",
            {"group": "test"},
            {'-core"]\n': '-core"]\n\n[tool.poetry.group.test.dependencies]\nanyio = "*"\n'},
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_tables_of_poetry(requirement, options, edits, newline):
    expected = POETRY
    for old, new in edits.items():
        expected = expected.replace(old, new, 1)
    before, expected = (one.replace("\n", newline) for one in (POETRY, expected))
    assert required("pyproject.toml", before, requirement, **options) == expected
    tomllib.loads(expected)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ('"*"', '">=2"'),
        ('"^2.1"', '"^2.1"'),
        ('">=1.4,<3"', '">=2,<3"'),
        ("{ version = '>=1.4', markers = 'x' } # c", "{ version = \">=2\", markers = 'x' } # c"),
        ('{ git = "https://x.org/a" }', '{ git = "https://x.org/a" }'),
    ],
)
def test_bounds_in_tables(before, expected):
    head = "[tool.poetry.dependencies]\na = "
    assert required("pyproject.toml", f"{head}{before}\n", "a>=2") == f"{head}{expected}\n"
    assert (
        required("Pipfile", f"[packages]\na = {before}\n", "a>=2")
        == f"[packages]\na = {expected}\n"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"1.4.54"', "it requires a 1.4.54, which excludes it"),
        ('"^1.4"', "it requires a ^1.4, which excludes it"),
        ('"^1.4 || ^2.0"', "it requires ^1.4 || ^2.0, but the change needs >=2"),
        ("[{version = '*', python = '<3'}, {version = '*'}]", "a is required in several ways"),
    ],
)
def test_what_a_table_excludes_is_left_to_do(value, words):
    found = left({"pyproject.toml": f"[tool.poetry.dependencies]\na = {value}\n"}, "a>=2")
    assert (found.why, found.add) == (words, 'a = ">=2"')
    assert found.table == "[tool.poetry.dependencies]"


@pytest.mark.parametrize(
    ("path", "before", "expected"),
    [
        ("requirements.txt", "a[x]==1.4.54  # c\n", "a[x]==2.0  # c\n"),
        ("requirements.txt", "a==1.4; python_version<'4'\n", "a==2.0; python_version<'4'\n"),
        ("requirements.txt", "a>=1.4\n", "a>=1.4,==2.0\n"),
        ("Pipfile", "[packages]\na = '==1.4'\n", '[packages]\na = "==2.0"\n'),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\na = "^1.4"\n',
            '[tool.poetry.dependencies]\na = "==2.0"\n',
        ),
    ],
)
def test_versions_that_exclude_the_new_ones_may_be_replaced(path, before, expected):
    assert required(path, before, "a==2.0", may_replace=True) == expected


def test_a_pipfile():
    text = "[packages]\nsqlalchemy = '*'\n\n[dev-packages]\npytest = '*'\n"
    assert required("Pipfile", text, "aiosqlite", beside=("sqlalchemy",)) == text.replace(
        "sqlalchemy", 'aiosqlite = "*"\nsqlalchemy'
    )
    dev = required("Pipfile", text, "pytest-asyncio", beside=("pytest",), group="dev")
    assert dev == f'{text}pytest-asyncio = "*"\n'
    bare = required("Pipfile", "[packages]\na = '*'\n", "pytest-asyncio", group="dev")
    assert bare == "[packages]\na = '*'\n\n[dev-packages]\npytest-asyncio = \"*\"\n"


@pytest.mark.parametrize(
    "table",
    [
        "[dependency-groups]\ntest = ['pytest>=8']\n",
        "[project.optional-dependencies]\nqa = ['pytest>=8']\n",
        "[tool.uv]\ndev-dependencies = ['pytest>=8']\n",
        "[tool.pdm.dev-dependencies]\nt = ['pytest>=8']\n",
        "[tool.hatch.envs.t]\ndependencies = ['pytest>=8']\n",
    ],
)
def test_what_is_needed_beside_another_goes_into_its_list(table):
    text = project("['a']") + table
    new = required("pyproject.toml", text, "pytest-asyncio", group="dev", beside=("pytest",))
    assert new == text.replace("'pytest>=8'", "'pytest>=8', 'pytest-asyncio'")


def test_every_list_that_names_what_it_stands_beside():
    files = {
        "pyproject.toml": project("['fastapi']")
        + "[project.optional-dependencies]\nserver = ['sqlalchemy']\n",
        "requirements/base.txt": "sqlalchemy==2.0.30\n",
        "requirements/dev.txt": "-r base.txt\npytest==8\n",
    }
    result = run(files, "aiosqlite", beside=("sqlmodel", "sqlalchemy"))
    assert set(result.maps) == {"pyproject.toml", "requirements/base.txt"}
    assert b"server = ['aiosqlite', 'sqlalchemy']" in result.snapshot["pyproject.toml"].text
    result = run(files, "pytest-asyncio", group="dev", beside=("pytest",))
    assert set(result.maps) == {"requirements/dev.txt"}


def test_extras_of_a_setup_cfg():
    text = CFG + "    a\n\n[options.extras_require]\ntest =\n    pytest\n"
    new = required("setup.cfg", text, "pytest-asyncio", group="dev", beside=("pytest",))
    assert new == f"{text}    pytest-asyncio\n"


def test_what_is_compiled_is_told_to_be_made_again():
    compiled = "# This file is autogenerated by pip-compile with Python 3.11\n# by the command:\n"
    compiled += "#\n#    pip-compile --generate-hashes requirements.in\n#\na==1 --hash=sha256:00\n"
    files = {"requirements.in": "a\n", "requirements.txt": compiled}
    result = run(files, "httpx", beside=("a",))
    assert list(result.maps) == ["requirements.in"]
    (one,) = result.left_to_do
    assert (one.path, one.add) == ("requirements.txt", "")
    assert one.why == "it does not contain the new requirements of requirements.in"
    assert one.command == "pip-compile --generate-hashes requirements.in"
    assert "compiled" in left({"requirements.txt": compiled}, "httpx").why


def test_what_is_compiled_in_a_folder_is_made_again_there():
    compiled = "# This file is autogenerated by pip-compile with Python 3.11\n# by the command:\n"
    compiled += "#\n#    pip-compile requirements.in\n#\na==1\n"
    files = {"back/requirements.in": "a\n", "back/requirements.txt": compiled}
    (one,) = run(files, "httpx", beside=("a",)).left_to_do
    assert one.command == "cd back && pip-compile requirements.in"


def test_requirements_without_a_header_change_next_to_those_of_a_tool():
    files = {"requirements.in": "a\n", "requirements.txt": "a==1\nb==2\n"}
    result = run(files, "httpx", beside=("a",))
    assert set(result.maps) == {"requirements.in", "requirements.txt"}
    assert result.left_to_do == ()


def test_a_setup_py_that_lists_the_same_is_left_to_do():
    setup = "setup(\n    install_requires=[\n        'SQLAlchemy>=2',\n    ],\n)\n"
    files = {"setup.py": setup, "requirements.txt": "sqlalchemy==2.0.30\n"}
    result = run(files, "aiosqlite", beside=("sqlalchemy",))
    assert list(result.maps) == ["requirements.txt"]
    (one,) = result.left_to_do
    assert (one.path, one.line, one.add) == ("setup.py", 3, '"aiosqlite",')


PIECES = st.sampled_from(
    ["\n", "\r\n", "  ", "[", "]", "'", '"', ",", "=", "#", "\\", "a", ".", "[a]\n"]
)
MANIFESTS = {
    "pyproject.toml": project("[\n  \"a\", # b\n  'c[d]>=1',\n]")
    + "[dependency-groups]\ndev = [{include-group='x'}, 'z']\n",
    "setup.cfg": f"{CFG}  a  # why\n# c\n\n  z\n\n[tool:x]\nb = c\n",
    "requirements.txt": "a \\\n ; python_version > '3'\n# c\nz==1\n-r x.txt\n",
    "Pipfile": "[packages]\na = '*'  # b\n[dev-packages]\nz = {version = '*'}\n",
}


@pytest.mark.parametrize("path", MANIFESTS)
@settings(deadline=None)
@given(data=st.data())
def test_any_manifest_is_extended_or_refused_in_a_sentence(path, data):
    text = MANIFESTS[path]
    for at, piece in data.draw(st.lists(st.tuples(st.integers(0, len(text)), PIECES), max_size=4)):
        text = text[:at] + piece + text[at:]

    result = run({path: text}, "httpx", group=data.draw(st.sampled_from([None, "dev", "new"])))

    assert result.problems == ()
    if result.left_to_do:
        assert "\n" not in result.left_to_do[0].why
    else:
        assert b"httpx" in result.snapshot[path].text
