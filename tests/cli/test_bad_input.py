"""What bad input gets: one line each, exit code 2, and everything else goes on."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from example_models import NAMED_USER
from real_program import GOOD, GOOD_AFTER, NEW_IMPORT, QUERY, Program, commit, git

from awaken.cli import worktree
from awaken.codemods.sqlalchemy.query_to_select.plan import QueryToSelect

BAD = GOOD.replace("find", "bad")
"""Holds a query, so that awaken wants to read it; what is bad stands in line 8."""

FILES = {
    "does-not-parse": (BAD + "def (:\n", ":8: invalid syntax"),
    "python-2": (BAD + "print 'a'\n", ":8: .*Python 2, which awaken does not read"),
    "mixed-indentation": (
        BAD + "\tif 1:\n        x\n",
        ":8: inconsistent use of tabs and spaces in indentation$",
    ),
    "bracket-never-closed": (BAD + "x = (\n", r":8: '\(' was never closed"),
    "string-never-closed": (BAD + "x = '''\n\n", ":8: unterminated"),
    "not-utf-8": (BAD.encode() + b"x = '\xff'\n", ":8: is not utf-8 text .*byte 121"),
    "not-utf-8-crlf": (BAD.replace("\n", "\r\n").encode() + b"'\xe9'\n", ":8: is not utf-8 text"),
    "not-ascii": (f"# coding: ascii\n{BAD}'é'\n", ":9: is not ascii text"),
    "utf-16": (BAD.encode("utf-16"), ":1: is not utf-8 text"),
    "unknown-cookie": (
        f"\n# coding: klingon\n{BAD}",
        ":2: declares the encoding 'klingon', in which awaken reads no source; save it as UTF-8$",
    ),
    "cookie-against-bom": (
        b"\xef\xbb\xbf# coding: latin-1\n" + BAD.encode(),
        ":1: starts with a UTF-8 byte order mark but declares iso8859-1",
    ),
    "codec-for-no-text": (f"# coding: rot13\n{BAD}", ":1: declares the encoding 'rot13'"),
    "ambiguous-codec": (f"# coding: unicode_escape\n{BAD}", ":1: declares the enc"),
    "null": (BAD.encode() + b"x = 1 # \0\n", ":8: holds a NUL byte"),
    "twenty-megabytes": (BAD + "#" * 20_000_000, ": is 20.0 MB large; .* up to 5 MB"),
    "for-a-newer-python": (
        BAD + "[*x for x in y]\n",
        r":8: .*run awaken .*`uv tool install --force --python 3\.\d+ \.` in the clone of awaken$",
    ),
    "parentheses-5000": (BAD + "(" * 5000 + ")" * 5000, ":8: too many nested parentheses$"),
    "unknown-character": (BAD + "'\\N{no such}'\n", r":8: \(unicode error\) [^;]*$"),
    "nested-500-deep": (BAD + "x = " + "-" * 500 + "1\n", ":8: is nested more than 400 levels"),
    "nested-100000-deep": (BAD + "x = " + "-" * 100_000 + "1\n", ": is nested too deeply"),
    "huge-number": (BAD + "x = " + "9" * 5000 + "\n", r":8: Exceeds the limit .* 5000 digits$"),
}
BROKEN_LINKS = {
    "link-to-nothing": "nowhere.py",
    "link-to-itself": "bad.py",
    "link-through-a-file": "good.py/x.py",
}


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a project with one good file; the test stands in its root."""
    made = Program(tmp_path / "shop", {"good.py": GOOD})
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def goes_on(program, awaken):
    """Return a function: every command prints these errors, and does all that can be done."""

    def errors(text):
        assert "Traceback" not in text
        return re.sub(r"^error: ", "", text, flags=re.MULTILINE).splitlines()

    def run(*expected):
        before = program.contents()
        check, diff, apply = (awaken(command, "-q") for command in ("check", "diff", "apply"))
        after = program.contents()
        assert awaken("undo", "-q") == (0, "", "")

        assert [code for code, _, _ in (check, diff, apply)] == [2, 2, 2]
        for _, _, printed in (check, diff, apply):
            lines = errors(printed)
            assert len(lines) == len(expected), printed
            assert all(re.match(*pair) for pair in zip(expected, lines, strict=True)), printed
        assert re.findall(r"^ --> (.*)$", check[1], re.MULTILINE) == ["good.py:7:12"]
        assert re.findall(r"^\+\+\+ (.*)$", diff[1], re.MULTILINE) == ["b/good.py"]
        assert after == {**before, "good.py": GOOD_AFTER.encode()}
        assert program.contents() == before

    return run


@pytest.mark.parametrize("name", FILES)
@pytest.mark.sampled(4)
def test_a_file_that_cannot_be_read_as_python(program, goes_on, name):
    content, message = FILES[name]
    program.write("bad.py", content)

    goes_on(f"bad.py{message}")


@pytest.mark.parametrize("name", BROKEN_LINKS)
def test_a_link_that_leads_nowhere_is_a_note(program, awaken, name):
    (program.root / "bad.py").symlink_to(BROKEN_LINKS[name])

    for _ in ("planned", "remembered"):
        code, _, err = awaken("check")
        note = "note: bad.py is a symbolic link that leads nowhere, so it is not read\n"
        assert (code, err.count(note), "error" in err) == (1, 1, False)


def test_a_link_to_a_device(program, goes_on):
    (program.root / "bad.py").symlink_to(os.devnull)

    goes_on("bad.py: is a symbolic link that leads out of the project")


def test_links_in_a_circle(program, awaken):
    (program.root / "one.py").symlink_to("two.py")
    (program.root / "two.py").symlink_to("one.py")

    code, _, err = awaken("check")

    assert code == 1
    assert "note: 2 symbolic links lead nowhere, so they are not read: one.py, two.py\n" in err


def test_directories_that_are_links_to_themselves_or_above_are_no_problem(program, awaken):
    (program.root / "sub").mkdir()
    (program.root / "sub/up").symlink_to("..")
    (program.root / "again").symlink_to("again")
    (program.root / "gone").symlink_to("nowhere")

    code, out, err = awaken("check", "-q", "--output-format", "concise")

    assert (code, out.count("good.py"), err) == (1, 1, "")


def test_a_pipe(program, goes_on):
    os.mkfifo(program.root / "bad.py")

    goes_on("bad.py: is not a regular file")


def test_names_that_are_no_text(program, goes_on):
    for name in (b"a\n.py", b"b\xff.py", b"c\x1b[31m.py"):
        with open(os.path.join(os.fsencode(program.root), name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(BAD.encode())

    shown = (r"a\\n", r"b\\udcff", r"c\\x1b\[31m")
    goes_on(*(rf"{name}\.py: has a name that is not printable" for name in shown))


def replaced_open(monkeypatch, action):
    """Do ``action(path)`` before ``bad.py`` is opened."""
    really_open = os.open

    def open_after_action(path, *arguments, **more):
        if os.fspath(path).endswith("bad.py"):
            action(path)
        return really_open(path, *arguments, **more)

    monkeypatch.setattr(os, "open", open_after_action)


def test_a_file_that_may_not_be_read(program, goes_on, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    program.write("bad.py", BAD)
    replaced_open(monkeypatch, refuse)

    goes_on("bad.py: cannot be read: Permission denied")


def test_a_directory_that_may_not_be_listed(program, goes_on, monkeypatch):
    really_scan = os.scandir

    def scan(path):
        if os.fspath(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return really_scan(path)

    program.write("locked/bad.py", BAD)
    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(
        program, "contents", lambda: {"good.py": (program.root / "good.py").read_bytes()}
    )

    goes_on("locked: cannot be listed: Permission denied")


@pytest.mark.parametrize(
    ("becomes", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (os.mkdir, "is not a regular file"),
        (os.mkfifo, "is not a regular file"),
    ],
    ids=["nothing", "directory", "pipe"],
)
def test_a_file_that_vanishes_between_listing_and_reading(
    program, awaken, monkeypatch, becomes, message
):
    def vanish(path):
        os.unlink(path)  # noqa: PTH108
        if becomes is not None:
            becomes(path)

    program.write("bad.py", BAD)
    replaced_open(monkeypatch, vanish)

    code, _, err = awaken("apply", "-q")

    assert (code, err) == (2, f"error: bad.py: {message}\n")
    assert program.contents()["good.py"] == GOOD_AFTER.encode()


def test_a_file_that_others_need_is_one_line_and_their_queries_are_manual(program, awaken):
    program.write("models.py", NAMED_USER + "def (:\n")

    code, out, err = awaken("check", "-q", "--output-format", "concise")

    assert code == 2
    assert re.fullmatch(r"error: models\.py:12: invalid syntax[^\n]*\n", err)
    assert re.fullmatch(r"good\.py:7:12: manual .* \[query-to-select/unknown-entity\]\n", out)


def test_a_file_without_a_query_is_not_even_parsed(program, awaken):
    program.write("other.py", "def (:\n")

    assert awaken("apply", "-q") == (0, "", "")


# ------------------------------------------------------------------- between reading and writing
def replace_by_directory(path):
    path.unlink()
    path.mkdir()


def replace_by_link(path):
    path.rename(path.with_suffix(".bak"))
    path.symlink_to(path.with_suffix(".bak"))
    path.write_bytes(b"other = 1\n")


def replace_parent_by_file(path):
    path.unlink()
    path.parent.rmdir()
    path.parent.write_bytes(b"")


SABOTAGE = {
    "edited": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "emptied": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "directory": replace_by_directory,
    "link": replace_by_link,
    "no-parent": replace_parent_by_file,
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_a_file_that_changes_before_it_is_written_stops_the_whole_apply(
    program, awaken, monkeypatch, name
):
    program.write("sub/other.py", GOOD)
    changed = {}

    def sabotage(report, *_):
        assert len(report.roots[0].files) == 2
        SABOTAGE[name](program.root / "sub/other.py")
        changed.update(program.contents())

    monkeypatch.setattr(worktree, "require_clean", sabotage)

    code, out, err = awaken("apply", "-q")

    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: [^\n]*sub/other\.py[^\n]*\n", err), err
    assert program.contents() == changed
    assert awaken("undo", "-q")[0] == 2


def test_what_was_remembered_of_a_file_is_not_used_once_it_is_another(program, awaken):
    first = awaken("diff", "-q")
    program.write("good.py", GOOD.replace("find", "search"))
    second = awaken("diff", "-q")
    (program.root / "models.py").unlink()
    third = awaken("check", "-q", "--output-format", "concise")

    assert "search" not in first[1]
    assert "search" in second[1]
    assert "unsafe" in third[1]


# ------------------------------------------------------------------------------- workers that die
DYING = """
import os, signal, sys
from awaken.cli import main
from awaken.codemods.sqlalchemy.query_to_select.plan import QueryToSelect
from awaken.engine.planning import rule_planning as planning

planning._SECONDS_PER_BYTE = 1.0  # so that workers are started for small files
first, plan = os.getpid(), QueryToSelect.plan

def dying(self, project, constraints):
    if "bad.py" in project.site_files(self.triggers):
        assert os.getpid() != first
        os.kill(os.getpid(), signal.SIGKILL)
    return plan(self, project, constraints)

QueryToSelect.plan = dying
sys.exit(main(sys.argv[1:]))
"""


def test_a_worker_that_dies_costs_its_file(program):
    program.write("bad.py", BAD)
    program.write("sub/other.py", GOOD)

    done = subprocess.run(
        [sys.executable, "-c", DYING, "apply", "-q", "-j2"],
        capture_output=True,
        text=True,
        check=False,
    )

    after = program.contents()
    assert done.returncode == 2
    assert re.fullmatch(r"error: bad\.py: [^\n]*ended its worker process[^\n]*\n", done.stderr)
    assert after["good.py"] == after["sub/other.py"] == GOOD_AFTER.encode()
    assert after["bad.py"] == BAD.encode()


# ------------------------------------------------------------------------------------------ paths
@pytest.mark.parametrize("files", [{}, {"notes.txt": QUERY, "sub/x.pyc": QUERY}])
def test_a_directory_without_python_is_said_to_have_none(tmp_path, monkeypatch, awaken, files):
    directory = Program(tmp_path / "one", files)
    for name in ("pyproject.toml", "models.py"):
        (directory.root / name).unlink()
    monkeypatch.chdir(directory.root)

    for command in ("check", "diff", "apply"):
        code, out, err = awaken(command)
        assert (code, out) == (0, "")
        said = "awaken found no Python file"
        assert re.fullmatch(rf"{said}; 0 files read in \d\.\d s\.\n", err)


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
@pytest.mark.parametrize("path", ["nowhere", "good.py/x.py", "sub/\n", "x" * 5000])
def test_a_path_that_does_not_exist_is_named_and_the_others_are_used(
    program, awaken, command, path
):
    code, out, err = awaken(command, "-q", path, "good.py")
    written = program.contents()["good.py"] == GOOD_AFTER.encode()

    assert code == 2
    assert err == f"error: {path!r}: no such file or directory\n".replace("'", "")
    assert bool(out) == (command != "apply")
    assert written == (command == "apply")


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_where_no_path_exists_nothing_is_said_to_be_free_of_sites(awaken, command):
    assert awaken(command, "nowhere") == (2, "", "error: nowhere: no such file or directory\n")


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("option", ["--select", "--extend-select", "--ignore", "--exclude"])
@pytest.mark.parametrize("value", ["", " , "])
def test_an_option_that_names_nothing_is_not_taken_for_all(awaken, option, value):
    code, out, err = awaken("check", option, value)

    assert (code, out) == (2, "")
    assert err == f"error: Invalid value for {option}: is empty; leave it out, or give it a value\n"


@pytest.mark.usefixtures("program")
def test_a_path_that_is_no_python_file(awaken):
    message = "error: pyproject.toml: is not a Python file; awaken reads .py files\n"

    assert awaken("check", "-q", "pyproject.toml") == (2, "", message)


def test_one_file_of_a_project_is_written_with_the_facts_of_all(program, awaken):
    program.write("sub/other.py", GOOD)

    assert awaken("apply", "-q", "sub/other.py") == (0, "", "")

    after = program.contents()
    assert after["sub/other.py"] == GOOD_AFTER.encode()
    assert after["good.py"] == GOOD.encode()


@pytest.mark.parametrize("where", [".", "sub", "sub/deep"])
def test_from_a_directory_below_the_root(program, awaken, monkeypatch, where):
    program.write("sub/deep/other.py", GOOD)
    monkeypatch.chdir(program.root / where)
    path = os.path.relpath(program.root / "sub/deep/other.py")

    code, out, err = awaken("check", "-q", "--output-format", "concise")
    assert (code, err) == (1, "")
    assert f"{path}:7:12: safe" in out
    assert ("good.py" in out) == (where == ".")
    assert awaken("apply", "-q", path) == (0, "", "")
    assert program.contents()["sub/deep/other.py"] == GOOD_AFTER.encode()
    assert awaken("undo", "-q") == (0, "", "")
    assert program.contents()["sub/deep/other.py"] == GOOD.encode()


def test_several_projects_are_one_transaction(program, tmp_path, awaken):
    inner = Program(program.root / "inner", {"good.py": GOOD})
    beside = Program(tmp_path / "beside", {"good.py": GOOD})
    before, other = program.contents(), beside.contents()

    code, out, _ = awaken("check", "-q", "--output-format", "concise", ".", "../beside", "inner")
    assert code == 1
    paths = sorted(line.split(":")[0] for line in out.splitlines())
    assert paths == ["../beside/good.py", "good.py", "inner/good.py"]
    code, out, err = awaken("diff", ".", "../beside")
    assert (code, out.count("+" + NEW_IMPORT)) == (0, 3)
    assert err.startswith("3 sites (3 safe) in 3 files;")
    code, _, err = awaken("apply", ".", "../beside")
    assert (code, err.count("3 sites rewritten in 3 files")) == (0, 1)
    for one in (program, inner, beside):
        assert one.contents()["good.py"] == GOOD_AFTER.encode()
    assert awaken("undo", "-q") == (0, "", "")
    assert (program.contents(), beside.contents()) == (before, other)


def test_a_project_inside_another_has_its_own_models(program, awaken):
    Program(program.root / "inner", {"good.py": GOOD})
    (program.root / "models.py").write_text("User = 1\n")

    _, out, _ = awaken("check", "-q", "--output-format", "concise")

    levels = dict(re.findall(r"^(\S+):7:12: (\w+)", out, re.MULTILINE))
    assert levels == {"good.py": "manual", "inner/good.py": "safe"}


@pytest.mark.parametrize("line", ["\\", "!", "[z-a]", "[[:", "\0", "a" * 5000])
def test_a_gitignore_that_is_no_pattern(program, awaken, line):
    program.write(".gitignore", f"{line}\nbad.py\n")
    program.write("bad.py", "def (:\n" + BAD)

    assert awaken("apply", "-q") == (0, "", "")
    assert program.contents()["good.py"] == GOOD_AFTER.encode()


@pytest.mark.usefixtures("program")
def test_an_exclude_that_is_no_pattern(awaken):
    code, out, err = awaken("check", "--exclude", "tests,a\\")

    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: [^\n]*--exclude[^\n]* is no pattern[^\n]*\n", err)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("columns", ["0", "-1", "1", "many", ""])
def test_a_width_that_is_none_hides_nothing(awaken, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)

    code, out, err = awaken("check")

    assert code == 1
    assert " --> good.py:7:12\n" in out
    assert "awaken diff\n" in err


ODD_NAMES = [
    "a b.py",
    "größe.py",
    "日本.py",
    "[red]x.py",
    "-x.py",
    "--help.py",
    '"q".py',
    "it's.py",
    "back\\slash.py",
    "$(x);y.py",
    "*.py",
    " lead .py",
    "..a..py",
    f"{'é' * 100}.py",
]


def test_names_of_files_are_only_names(tmp_path, monkeypatch, awaken):
    files = dict.fromkeys(ODD_NAMES, GOOD)
    one, other = (Program(tmp_path / name, files) for name in ("o d[b]é", "other"))
    commit(other.root)
    monkeypatch.chdir(one.root)

    code, patch, err = awaken("diff", "-q")
    git(other.root, "apply", given=patch.encode())

    assert (code, err) == (0, "")
    assert [other.contents()[name] for name in ODD_NAMES] == [GOOD_AFTER.encode()] * len(ODD_NAMES)
    assert awaken("apply", "-q", "--", *ODD_NAMES) == (0, "", "")
    assert one.contents() == other.contents()


# ------------------------------------------------------------------------------- rules that fail
def test_a_rule_without_its_rewriters_is_one_line(program, awaken, monkeypatch):
    def fail(_):
        raise ImportError("no\nlibrary")

    program.write("sub/other.py", GOOD)
    monkeypatch.setattr(QueryToSelect, "rewriters", fail)
    before = program.contents()

    code, out, err = awaken("apply", "-q", "--no-cache")

    assert (code, out) == (2, "")
    assert re.fullmatch(
        r"error: good\.py:1: [^\n]*internal error in query-to-select: ImportError: no library\n",
        err,
    )
    assert program.contents() == before


def test_a_rule_that_fails_in_one_file_goes_on_in_the_others(program, awaken, monkeypatch):
    plan = QueryToSelect.plan

    def fail(self, project, constraints):
        if "bad.py" in project.site_files(self.triggers):
            raise RecursionError("too\ndeep")
        return plan(self, project, constraints)

    program.write("bad.py", BAD)
    monkeypatch.setattr(QueryToSelect, "plan", fail)

    code, _, err = awaken("apply", "-q", "--no-cache")

    assert code == 2
    assert re.fullmatch(
        r"error: bad\.py: internal error [^\n]* RecursionError: too deep; [^\n]*\n", err
    )
    assert program.contents()["good.py"] == GOOD_AFTER.encode()


LINES = {
    "classes": lambda n: "".join(f"class C{i + 1}(C{i}): ...\n" for i in range(n)),
    "assignments": lambda n: "".join(f"C{i + 1} = C{i}\n" for i in range(n)),
    "targets": lambda n: " = ".join(f"C{i + 1}" for i in range(n)) + " = C0\n",
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_a_thousand_names_is_no_recursion(program, awaken, line):
    text = f"{BAD}    db.query(C900).all()\nclass C0: ...\n{LINES[line](1000)}"
    program.write("bad.py", text)

    code, _, err = awaken("check", "--select", "query-to-select", "--no-cache")

    assert code == 1
    assert "error" not in err
