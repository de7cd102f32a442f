"""Whatever is wrong in settings is one sentence with file, line and the nearest name."""

from __future__ import annotations

import os
import re

import pytest
from optional_rules import PROJECT, resolved, run, write

from awaken.cli import main
from awaken.contract import UserError


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, {"app/pyproject.toml": PROJECT, "app/a.py": "old\n"}) / "app"


BACKSLASH = "\\"
LIST = "is no pattern as in .gitignore; write for instance *.py"
BAD_KEYS = [
    (
        "extend-selct = []",
        1,
        "there is no setting named 'extend-selct'; did you mean 'extend-select'?",
    ),
    ("\n\nextend_exclude = []", 3, "did you mean 'extend-exclude'?"),
    ("zzz = 1", 1, "there is no setting named 'zzz'; there are baseline, cache-dir, exclude"),
    ("# x\n'uns\\u0061fe-fixs' = true", 2, "did you mean 'unsafe-fixes'?"),
    (
        "[[overrides]]\npaths = ['a']\n\n[[overrides]]\npaths = ['b']\nignor = ['naming']",
        6,
        "there is no setting of an override named 'ignor'; did you mean 'ignore'?",
    ),
    ("[[overrides]]\npaths = ['a']\nselect = ['naming']", 3, "there is no setting of an override"),
    (
        "[rules.rename-old]\n# shorter\nnew_nam = 'x'",
        3,
        "there is no option of rename-old named 'new_nam'; did you mean 'new-name'?",
    ),
    (
        "[rules.renam-old]\nx = 1",
        1,
        "there is no rule named 'renam-old'; did you mean 'rename-old'?",
    ),
    ("[rules]\nnaming = {}", 2, "there is no rule named 'naming'"),
    ("ignore = []\nrules.rename-risky.x = 1", 2, "rename-risky has no options"),
]
BAD_TYPES = [
    ("select = 'naming'", 1, "'select' must be a list, not a string; write [\"naming\"]"),
    (
        "ignore = [\n  'naming',\n  7,\n]",
        3,
        "entry 2 of 'ignore' must be a string, not a whole number",
    ),
    ("\nunsafe-fixes = 'yes'", 2, "'unsafe-fixes' must be true or false, not a string"),
    (
        "target-version = 3.11",
        1,
        "'target-version' must be a string, not a decimal number; write \"3.11\"",
    ),
    ("baseline = true", 1, "'baseline' must be a string, not a boolean"),
    ("exclude = {a = 1}", 1, "'exclude' must be a list, not a table"),
    ("target = 'sqlalchemy'", 1, "'target' must be a table, not a string"),
    (
        "[target]\nfastapi = '0.1'\nsqlalchemy = 2.0",
        3,
        "'sqlalchemy' must be a string, not a decimal number",
    ),
    ("overrides = [1]", 1, "entry 1 of 'overrides' must be a table, not a whole number"),
    ("[overrides]\npaths = []", 1, "'overrides' must be a list, not a table"),
    ("[[overrides]]\nignore = []", 1, "'paths' is missing here"),
    ("[[overrides]]\npaths = ['a',\n# b\n1]", 4, "entry 2 of 'paths' must be a string"),
    ("rules = 1", 1, "'rules' must be a table, not a whole number"),
    ("[rules]\nrename-old = 1", 2, "'rename-old' must be a table with the options of that rule"),
    ("rules.rename-old.longest = 'x'", 1, "'longest' must be a whole number, not a string"),
    (
        "rules.rename-old.keep = ['a', 1979-05-27]",
        1,
        "entry 2 of 'keep' must be a string, not a date",
    ),
]
BAD_VALUES = [
    (
        "select = [\n  'naming',\n\n  'rename-odl',\n]",
        4,
        "no rule or family named 'rename-odl'; did you mean 'rename-old'?",
    ),
    ("extend-select = ['namin']", 1, "did you mean 'naming'?"),
    ("\nignore = ['qqq']", 2, "no rule or family named 'qqq'; `awaken rules` lists them all."),
    ("overrides = [\n{paths = ['a'], ignore = ['all']},\n]", 2, "did you mean 'ALL'?"),
    ("exclude = ['a', '\\']", 1, f"{BACKSLASH!r} {LIST}"),
    ("extend-exclude = ['a',\n' ']", 2, f"' ' {LIST}"),
    ("[[overrides]]\npaths = [\n'a/\\'\n]", 3, LIST),
    ("[[overrides]]\n\npaths = []", 3, "'paths' must name at least one pattern"),
    (
        "target-version = 'py3'",
        1,
        "'py3' is no Python version; write for example 'py311', or 'auto'",
    ),
    ("target-version = 'Auto'", 1, "'Auto' is no Python version"),
    (
        "[target]\n\nsqlalchemy = 'two'",
        3,
        "'two' is no version of sqlalchemy; write a release line",
    ),
    ("baseline = ' '", 1, "'baseline' must be a path, not ' '"),
    ('cache-dir = "a\\u0000b"', 1, "'cache-dir' must be a path"),
    (
        "[rules.rename-old]\nstyle = 'shout'",
        2,
        "'style' must be one of 'plain', 'shouted', not 'shout'; did you mean 'shouted'?",
    ),
    ("[rules.rename-old]\nlongest = 0", 2, "'longest' cannot be 0: expected 'int' >= 1"),
]
BAD_TEXT = [
    ("select = [", 1, "is not valid TOML: "),
    ("a = 1\nb = \nc = 3", 2, "is not valid TOML: Invalid value"),
    ("a = 1\na = 2\n", 2, "is not valid TOML: Cannot overwrite a value"),
    ("x = " + "[" * 5000, 0, "is not valid TOML: "),
    ("x = " + "1" * 5000, 1, "is not valid TOML: "),
    ("a = 1\nb = '\0'", 2, "is not valid TOML: "),
    (
        b"# caf\xc3\xa9\n# caf\xe9\n",
        2,
        "is not UTF-8 text (invalid continuation byte); save it as UTF-8",
    ),
    ("select = ['naming']".encode("utf-16"), 1, "is not UTF-8 text (invalid start byte)"),
]
EVERY = [*BAD_KEYS, *BAD_TYPES, *BAD_VALUES]


@pytest.mark.parametrize(("text", "line", "message"), [*EVERY, *BAD_TEXT])
def test_what_is_wrong_in_a_file_is_told_with_its_line(root, text, line, message):
    write(root, {"awaken.toml": text})

    with pytest.raises(UserError) as caught:
        resolved(root)

    place, _, said = str(caught.value).partition(": ")
    assert place == (f"app/awaken.toml:{line}" if line else "app/awaken.toml")
    assert message in said
    assert "\n" not in said


@pytest.mark.parametrize(("text", "line", "message"), EVERY)
def test_the_same_holds_below_tool_awaken_with_any_line_ends(root, text, line, message):
    before = f"{PROJECT}\n[tool.other]\nselect = 1\n\n[tool.awaken]\n"
    tables = before + re.sub(r"(?m)^(\[\[?)(?=[a-z])", r"\1tool.awaken.", text)
    write(root, {"pyproject.toml": b"\xef\xbb\xbf" + tables.replace("\n", "\r\n").encode()})

    with pytest.raises(UserError) as caught:
        resolved(root)

    assert str(caught.value).startswith(f"app/pyproject.toml:{before.count(chr(10)) + line}: ")
    assert message in str(caught.value)


def test_a_table_of_pyproject_in_awaken_toml_is_told_apart(root):
    write(root, {"awaken.toml": "\n[tool.awaken]\nselect = []"})

    with pytest.raises(UserError, match=r"toml:2: .* named 'tool'; leave out 'tool\.awaken' here"):
        resolved(root)


@pytest.mark.parametrize(("text", "_line", "message"), EVERY)
def test_an_assignment_on_the_command_line_is_named_itself(root, text, _line, message):
    value = text if "=" in text.splitlines()[0] else f"x = 1\n{text}"

    with pytest.raises(UserError) as caught:
        resolved(root, value)

    assert str(caught.value).startswith(f"--config {value}: ")
    assert message in str(caught.value) or value != text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "ruf.toml",
            "--config ruf.toml: there is no such file; name a settings file, or KEY=VALUE",
        ),
        ("", "--config : there is no such file"),
        ("target-version=py311", "is neither a file nor TOML: Invalid value; text needs quotes"),
        ("a/b=.toml", "is neither a file nor TOML"),
        ("x" * 5000, "there is no such file"),
        ("app", "--config app: there is no such file"),
    ],
)
def test_a_config_that_is_neither_file_nor_assignment(root, value, message):
    with pytest.raises(UserError) as caught:
        resolved(root, value)

    assert message in str(caught.value)


def test_a_named_file_is_told_as_it_was_named(root):
    write(root.parent, {"ci/a.toml": "\nselec = []\n"})

    with pytest.raises(UserError, match=r"^ci/a\.toml:2: .* did you mean 'select'\?"):
        resolved(root, "ci/a.toml")


def test_tool_awaken_must_be_a_table(root):
    write(root, {"pyproject.toml": f"{PROJECT}[tool]\nawaken = ['naming']\n"})

    with pytest.raises(UserError, match=r"^app/pyproject\.toml:5: 'tool\.awaken' must be a table"):
        resolved(root)


def test_a_wrong_value_of_the_command_line_names_the_option(root):
    with pytest.raises(UserError, match=r"--extend-select: there is no .* mean 'naming'\?"):
        resolved(root, extend_select=("namings",))


def test_options_that_do_not_hold_together_are_told(root):
    from msgspec import Struct  # noqa: PLC0415
    from optional_rules import RenameOld  # noqa: PLC0415

    class Needy(Struct, frozen=True):
        wanted: str

    class NeedsOption(RenameOld):
        name = "needs-option"
        options = Needy

    rules = (RenameOld(), NeedsOption())
    write(root, {"awaken.toml": "[rules.needs-option]\n"})
    with pytest.raises(
        UserError, match=r"awaken\.toml: the options of needs-option are wrong: .*'wanted'"
    ):
        resolved(root, rules=rules)
    assert "needs-option" not in resolved(root, ignore=("needs-option",), rules=rules).options
    assert resolved(root, "rules.needs-option.wanted = 'x'", rules=rules).options[
        "needs-option"
    ] == Needy("x")


def test_an_unreadable_file_is_one_sentence(root, monkeypatch):
    write(root, {"awaken.toml": "ignore = []"})

    real = os.open

    def refuse(path, *flags):
        if str(path).endswith("awaken.toml"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *flags)

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(UserError, match=r"app/awaken\.toml: cannot be read: Permission denied"):
        resolved(root)


def test_all_that_is_wrong_in_a_file_is_told_at_once(root):
    write(
        root,
        {
            "awaken.toml": """selct = ['ALL']
unsafe-fixes = 'yes'
ignore = ['namings', 'x']
[[overrides]]
ignor = []
paths = []
[rules.rename-old]
new_nam = 'x'
[target]
sqlalchemy = 'two'
"""
        },
    )

    with pytest.raises(UserError) as caught:
        resolved(root)

    said = str(caught.value)
    assert said.startswith("app/awaken.toml:1: there is no setting named 'selct'; did you mean")
    for part in (
        "; line 2: 'unsafe-fixes' must be true or false, not a string",
        "; line 3: there is no rule",
        "; line 5: there is no setting of an override named 'ignor'",
        "; line 6: 'paths' must name at least one pattern",
        "; line 8: there is no option of rename-old named 'new_nam'",
        "; line 10: 'two' is no version of sqlalchemy",
    ):
        assert part in said, part
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("src = ['nowhere']", "'src' names 'nowhere', which is no directory"),
        (
            "src = ['bakend']",
            "'src' names 'bakend', which is no directory; did you mean 'backend'?",
        ),
        ("src = ['backend/a.py']", "'src' names 'backend/a.py', which is no directory"),
        ("members = ['/plugin/basket']", "'members' names 'plugin/basket', which is no directory"),
        ("members = ['plugins', 'baskt']", "'members' names 'baskt', which is no directory"),
        ("members = ['/plugin/*']", "'members' names 'plugin/*', which is no directory"),
        (
            "overrides = [{ paths = ['backend/b.py'], ignore = ['ALL'] }]",
            "'paths' names 'backend/b.py', which is no file or directory; did you mean 'backend",
        ),
        (
            "members = ['/plugin/*']\nsrc = ['bakend']\nbaseline = '../x'\ncache-dir = 'x'",
            (
                "; line 2: 'src' names 'bakend', which is no directory; did you mean 'backend'?; "
                "line 3: 'baseline' must be in the project, not at '../x'; "
                "--baseline accepts any path; "
                "line 4: 'cache-dir' is not allowed in a project's own settings"
            ),
        ),
        (
            "members = ['/plugins/baskt']",
            "which is no directory; did you mean 'plugins/basket'?",
        ),
    ],
)
def test_a_directory_that_is_named_is_there(root, text, message):
    write(root, {"awaken.toml": text, "backend/a.py": "", "plugins/basket/a.py": ""})

    with pytest.raises(UserError, match=re.escape(message)) as caught:
        resolved(root)
    assert str(caught.value).startswith("app/awaken.toml:1: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "drivers = { postgres = 'asyncpg' }",
            "no database with an asynchronous driver; did you mean 'postgresql'?",
        ),
        ("drivers = { postgresql = 'asyncpgg' }", "did you mean 'asyncpg'?"),
        (
            "drivers = { sqlite = 'psycopg2' }",
            "'drivers' names 'psycopg2', no asynchronous driver of sqlite; choose from aiosqlite",
        ),
        (
            "component = 'app/users.py'",
            "'component' names 'app/users.py', which does not have the form",
        ),
        ("bridged = ['app.f()']", "'bridged' names 'app.f()', which does not have the form"),
        (
            "foreign_models = ['a..b']",
            "'foreign_models' names 'a..b', which does not have the form",
        ),
        ("levels = -1", "'levels' is a number of relationships, not -1"),
        (
            "levels = -1\nbridged = ['a', '1', '2']",
            (
                "; line 4: 'bridged' names '1', which does not have the form package.module.name; "
                "line 4: 'bridged' names '2', which does not have the form package.module.name"
            ),
        ),
    ],
)
def test_values_of_options_are_checked(root, text, message):
    from awaken.codemods.sqlalchemy.session_to_async import SessionToAsync  # noqa: PLC0415

    write(root, {"awaken.toml": f"select = ['session-to-async']\n[rules.session-to-async]\n{text}"})

    with pytest.raises(UserError) as caught:
        resolved(root, rules=(SessionToAsync(),))
    assert message in str(caught.value)
    assert str(caught.value).startswith("app/awaken.toml:3: ")


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_the_command_prints_one_sentence_and_ends_with_2(root, command, capfd):
    write(root, {"awaken.toml": "\nselct = ['ALL']\n"})

    assert main([command, str(root)]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "error: app/awaken.toml:2: there is no setting named 'selct'; did you mean 'select'?\n"
    )
    assert main(["check", str(root), "--isolated"]) == 0


def test_wrong_settings_of_one_root_cost_no_other_and_none_inside_it(root):
    write(root, {"a.py": "old\n"})
    inner = {"other/in/pyproject.toml": PROJECT, "other/in/b.py": "old\n"}
    inner["other/in/awaken.toml"] = "ignore = []"  # it has settings of its own
    write(root.parent, {"other/pyproject.toml": PROJECT, "other/awaken.toml": "x = 1", **inner})

    report = run(root, root.parent / "other")

    assert [one.root for one in report.roots] == [root, root.parent / "other/in"]
    assert [len(one.files) for one in report.roots] == [1, 1]
    (problem,) = report.diagnostics
    assert (problem.path, problem.line) == ("other/awaken.toml", 1)


@pytest.mark.parametrize("place", ["../out.json", "/elsewhere/out.json", "link/out.json", "~/x"])
def test_a_baseline_that_a_file_names_lies_in_the_project(root, tmp_path, place):
    write(root, {"awaken.toml": f"\nbaseline = '{place}'\n"})
    (tmp_path / "beside").mkdir()
    (root / "link").symlink_to(tmp_path / "beside", target_is_directory=True)

    with pytest.raises(UserError, match=r"awaken\.toml:2: 'baseline' must be in the project"):
        resolved(root)
    assert resolved(root, isolated=True, baseline=place).baseline is not None


def test_a_baseline_of_the_repository_serves_a_project_in_it(root, monkeypatch):
    monkeypatch.setenv("HOME", "/nowhere")
    write(root, {"awaken.toml": "baseline = '../known.json'"})
    (root.parent / ".git").mkdir()

    assert resolved(root).baseline == root.parent / "known.json"
