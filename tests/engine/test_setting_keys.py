"""Keys of settings files: set, and everything else as it was."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting_helpers import change

from awaken.contract import CreateFile, Requirement, SetKey, Span, TextEdit
from awaken.engine.planning.in_memory import Processing, apply_in_memory
from awaken.preview.counts import todo
from awaken.workspace.formats.ini import parse_ini
from awaken.workspace.sources import Snapshot, SourceFile

PYTEST = ("tool", "pytest", "ini_options")


def key(value="auto", path="pyproject.toml", table=PYTEST, name="asyncio_mode", **values):
    return SetKey(path=path, table=table, key=name, value=value, site="s", **values)


def run(files, *edits, **options):
    snapshot = Snapshot({path: SourceFile(path, text.encode()) for path, text in files.items()})
    changes = [change(edit, id=f"c{number}") for number, edit in enumerate(edits)]
    return apply_in_memory(snapshot, changes, {}, processing=Processing(**options))


def written(text, edit):
    """Return the file after ``edit``; asserts that nothing is left to do."""
    result = run({edit.path: text}, edit)
    assert (result.problems, result.left_to_do) == ((), ())
    return result.snapshot[edit.path].text.decode()


def left(text, edit, **options):
    """Return what is left to do; asserts that the file stays and no change is rolled back."""
    result = run({edit.path: text}, edit, **options)
    assert (result.problems, list(result.maps)) == ((), [])
    (one,) = result.left_to_do
    assert one.changes == ("c0",)
    return one


HEAD = "[tool.pytest.ini_options]\n"
MODE = 'asyncio_mode = "auto"\n'


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", f"{HEAD}{MODE}"),
        ("# c\n", f"# c\n\n{HEAD}{MODE}"),
        ("[x]\na = 1", f"[x]\na = 1\n\n{HEAD}{MODE}"),
        (f"{HEAD}", f"{HEAD}{MODE}"),
        (
            f"{HEAD}addopts = '-q'  # c\n\n# about x\n[tool.x]\n",
            f"{HEAD}addopts = '-q'  # c\n{MODE}\n# about x\n[tool.x]\n",
        ),
        (f"{HEAD}asyncio_mode = 'strict'  # c\nb = 1", f'{HEAD}asyncio_mode = "auto"  # c\nb = 1'),
        (f"{HEAD}'asyncio_mode'='strict'\n", f"{HEAD}'asyncio_mode'=\"auto\"\n"),
        (f"{HEAD}asyncio_mode = 'auto'\n", f"{HEAD}asyncio_mode = 'auto'\n"),
        (
            "[tool]\npytest.ini_options.a = 1\n[z]\n",
            f"[tool]\npytest.ini_options.a = 1\npytest.ini_options.{MODE}[z]\n",
        ),
        ("[tool.pytest]\n[z]\nb = 1\n", f"[tool.pytest]\n[z]\nb = 1\n\n{HEAD}{MODE}"),
        (
            f"[tool.a]\nb=1\n[x]\n{HEAD}b=2\n[y]\n",
            f"[tool.a]\nb=1\n[x]\n{HEAD}b=2\n{MODE}[y]\n",
        ),
    ],
)
def test_a_key_of_a_toml_file(before, expected, newline):
    before, expected = (text.replace("\n", newline) for text in (before, expected))
    # One line ended by a line feed is all that tells how new ones end.
    if newline in before:
        assert written(before, key()) == expected
    assert tomllib.loads(expected)["tool"]["pytest"]["ini_options"]["asyncio_mode"] == "auto"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\"b'", '"a\\"b\'"'),
        (True, "true"),
        (3, "3"),
        (("error", "ignore::X"), '["error", "ignore::X"]'),
    ],
)
def test_values_are_written_as_toml_has_them(value, shown):
    assert written("[x]\n", key(value, table=("x",), name="k")) == f"[x]\nk = {shown}\n"


INI_MODE = "asyncio_mode = auto\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("[pytest]\n", f"[pytest]\n{INI_MODE}"),
        (
            "[pytest]\naddopts =\n    -q\n    -x\n\n# c\n[x]\na=1\n",
            f"[pytest]\naddopts =\n    -q\n    -x\n{INI_MODE}\n# c\n[x]\na=1\n",
        ),
        ("[pytest]\nasyncio_mode=strict\nb: 1\n", "[pytest]\nasyncio_mode=auto\nb: 1\n"),
        ("[pytest]\nAsyncio_Mode : strict\n", "[pytest]\nAsyncio_Mode : auto\n"),
        ("[pytest]\nasyncio_mode = auto\n", "[pytest]\nasyncio_mode = auto\n"),
        ("[tox]\na = 1\n", f"[tox]\na = 1\n\n[pytest]\n{INI_MODE}"),
        ("[pytest]\na = 1\n\n[x]\nb = 1", f"[pytest]\na = 1\n{INI_MODE}\n[x]\nb = 1"),
        ("[pytest]\na = 1\n\n\n", f"[pytest]\na = 1\n{INI_MODE}\n\n"),
        ("[DEFAULT]\nd = 1\n[x]\n", f"[DEFAULT]\nd = 1\n[x]\n\n[pytest]\n{INI_MODE}"),
    ],
)
def test_a_key_of_an_ini_file(before, expected, newline):
    before, expected = (text.replace("\n", newline) for text in (before, expected))
    for path in ("tox.ini", "setup.cfg"):
        assert written(before, key(path=path, table=("pytest",))) == expected
    assert parse_ini(expected)["pytest"]["asyncio_mode"] == "auto"


def test_lists_stand_on_lines_of_their_own_in_an_ini_file():
    edit = key(("error", "ignore::X"), "pytest.ini", ("pytest",), "filterwarnings")
    expected = "[pytest]\na = 1\nfilterwarnings = \n    error\n    ignore::X\nb = 2\n"
    before = "[pytest]\na = 1\nfilterwarnings =\n  default\nb = 2\n"

    text = written(before, edit)

    assert [line.rstrip() for line in text.split("\n")] == [
        line.rstrip() for line in expected.split("\n")
    ]
    assert written(text, edit) == text


def test_changes_that_agree_set_a_key_once():
    result = run({"pyproject.toml": HEAD}, key(), key())

    assert result.problems == ()
    assert result.snapshot["pyproject.toml"].text.decode() == f"{HEAD}{MODE}"


def test_changes_that_disagree_are_named():
    result = run({"pyproject.toml": HEAD}, key(), key("strict"), key())

    (problem,) = result.problems
    assert problem.changes == ("c1",)
    assert problem.message == "another change sets asyncio_mode in pyproject.toml to 'auto'"


def test_any_change_can_be_left_out():
    edits = [key(), key("x", name="testpaths"), key(1, table=("tool", "y"), name="n")]
    requirement = Requirement(root="", requirement="httpx", site="s")
    text = "[project]\ndependencies = []\n[tool.z]\n"
    everything = run({"pyproject.toml": text}, *edits, requirement)
    tables = tomllib.loads(everything.snapshot["pyproject.toml"].text.decode())
    assert tables["project"]["dependencies"] == ["httpx"]
    assert tables["tool"] == {
        "z": {},
        "y": {"n": 1},
        "pytest": {"ini_options": {"asyncio_mode": "auto", "testpaths": "x"}},
    }
    for number in range(4):
        some = [edit for at, edit in enumerate([*edits, requirement]) if at != number]
        result = run({"pyproject.toml": text}, *some)
        assert (result.problems, result.left_to_do) == ((), ())
        tomllib.loads(result.snapshot["pyproject.toml"].text.decode())


def test_keys_and_text_edits_of_one_file():
    text = f"{HEAD}a = 1\n[x]\nb = 2\n"
    at = text.index("2")
    edit = TextEdit(path="pyproject.toml", anchor=Span(at, at + 1), text="3", site="s")

    result = run({"pyproject.toml": text}, key(), edit)

    assert result.problems == ()
    assert result.snapshot["pyproject.toml"].text.decode() == f"{HEAD}a = 1\n{MODE}[x]\nb = 3\n"
    new = result.snapshot["pyproject.toml"].text.decode().index("3")
    assert result.maps["pyproject.toml"].to_before(Span(new, new + 1)) == Span(at, at + 1)


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("[tool\n", "is not valid TOML", 1),
        ("tool = 1\n", "tool is not a table", 0),
        ("[tool.pytest]\nini_options = 'x'\n", "tool.pytest.ini_options is not a table", 0),
        ("tool = { a = 1 }\n", "valid TOML", 3),
        ("[[tool.pytest]]\n", "is not a table", 0),
        ("#" * 100_001, "100,000 characters", 0),
    ],
)
def test_a_toml_file_that_cannot_be_written_is_left_to_do(text, words, line):
    found = left(text, key())

    assert words in found.why
    assert "\n" not in found.why
    assert (found.path, found.add) == ("pyproject.toml", MODE.strip())
    assert found.table == "[tool.pytest.ini_options]"
    assert found.line == line


@pytest.mark.parametrize(
    ("text", "table", "words"),
    [
        ("a = 1\n", ("pytest",), "is not a valid INI file"),
        ("[pytest]\na = 1\na = 2\n", ("pytest",), "is not a valid INI file"),
        ("[pytest]\n", ("tool", "pytest"), "no tables inside of others"),
        ("[pytest]\n", (), "no tables inside of others"),
    ],
)
def test_an_ini_file_that_cannot_be_written_is_left_to_do(text, table, words):
    found = left(text, key(path="pytest.ini", table=table))

    assert words in found.why
    assert found.add == "asyncio_mode = auto"


def test_other_files_are_left_to_do():
    assert left("a: 1\n", key(path="x.yml")).why == "awaken sets no keys in .yml files"
    (missing,) = run({}, key()).left_to_do
    assert missing.why == "awaken reads no such file"
    (above,) = run({}, key(path="../pytest.ini", table=("pytest",), may_create=True)).left_to_do
    assert (above.path, above.why) == ("../pytest.ini", "it is outside of the project")


@pytest.mark.parametrize(
    ("path", "table", "text"),
    [
        ("pytest.ini", ("pytest",), "[pytest]\nasyncio_mode = auto\nb = 1\n"),
        ("pyproject.toml", PYTEST, f'{HEAD}{MODE}b = "1"\n'),
    ],
)
def test_a_file_that_does_not_exist_is_created(path, table, text):
    place = {"path": path, "table": table, "may_create": True}
    result = run({}, key(**place), key("1", name="b", **place))

    assert (result.problems, result.left_to_do) == ((), ())
    assert (result.created, dict(result.maps)) == ({path}, {})
    assert result.snapshot[path].text.decode() == text


def test_a_file_that_another_change_creates_gets_the_key():
    made = CreateFile(path="pytest.ini", text="[x]\n", site="s")
    result = run({}, made, key(path="pytest.ini", table=("pytest",)))
    assert result.snapshot["pytest.ini"].text == b"[x]\n\n[pytest]\nasyncio_mode = auto\n"


def test_keys_of_one_table_are_one_step():
    place = {"path": "../pytest.ini", "table": ("pytest",)}
    other = key(path="../pytest.ini", table=("x",))
    steps = run({}, key(**place), key("1", name="b", **place), other).left_to_do

    assert [(step.add, step.table, step.changes) for step in steps] == [
        ("asyncio_mode = auto\nb = 1", "[pytest]", ("c0", "c1")),
        ("asyncio_mode = auto", "[x]", ("c2",)),
    ]
    add = "add `asyncio_mode = auto` and `b = 1` to [pytest]"
    assert todo(steps[0]) == f"{add}: it is outside of the project"


PIECES = st.sampled_from(
    ["\n", "\r\n", "  ", "[", "]", "'", '"', ",", "=", "#", "\\", "a", ".", "[a]\n", "%", "{", ":"]
)
FILES = {
    "pyproject.toml": f"[project]\nname = 'a'  # b\n\n{HEAD}a = [\n  1, # c\n]\n\n[x]\nb = 1\n",
    "setup.cfg": "[x]\nname = a\n[tool:pytest]\naddopts =\n  -q\n# c\n\n  -x\n\n[y]\nb = c\n",
}
TABLES = {"pyproject.toml": PYTEST, "setup.cfg": ("tool:pytest",)}


@pytest.mark.parametrize("path", FILES)
@settings(deadline=None)
@given(data=st.data())
def test_any_file_is_extended_by_one_key_or_left_to_do_in_a_sentence(path, data):
    text = FILES[path]
    for at, piece in data.draw(st.lists(st.tuples(st.integers(0, len(text)), PIECES), max_size=4)):
        text = text[:at] + piece + text[at:]

    result = run({path: text}, key(path=path, table=TABLES[path]))

    assert result.problems == ()
    if result.left_to_do:
        assert "\n" not in result.left_to_do[0].why
        assert result.snapshot[path].text.decode() == text
    else:
        after = result.snapshot[path].text.decode()
        assert "asyncio_mode" in after
        # Without what was added, it is the text before.
        (region,) = result.maps[path].new_regions()
        assert (after.encode()[: region.start] + after.encode()[region.end :]).decode() == text
