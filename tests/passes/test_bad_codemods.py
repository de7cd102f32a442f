"""Codemods of LibCST that go wrong: each ends well, and costs nothing but its own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_this_process import InThisProcess

from awaken import api
from awaken.engine.machine import foreign_code
from awaken.passes.pass_settings import PassSettings
from awaken.settings import Settings

HERE = Path(__file__).parent


def reported(root, files, target="bad_codemods.BadCommand", *, jobs=None, **settings):
    """Return the report of a pass over a program with these files."""
    for path, text in {"pyproject.toml": '[project]\nname = "shop"\n', **files}.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    given = PassSettings(libcst=target, name="it", **settings)
    options = api.Options(
        settings=Settings(select=("it",), unsafe_fixes=True, passes=(given,)),
        isolated=True,
        jobs=jobs,
    )
    (one,) = api.run([root], options, []).roots
    return one


def outcomes(one):
    """Return what became of each file: its new text, the reason why none, or the error."""
    found = {file.path: file.after.raw().decode() for file in one.files}
    for finding in one.findings:
        if finding.reason is not None:
            found[finding.place.path] = finding.reason
    for error in one.diagnostics:
        found[error.path] = error.message
    return found


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(HERE)


def does(word):
    """Return the text of a file to which the command does that."""
    return f"# {word}\na = 1\n"


@pytest.mark.slow
def test_whatever_a_codemod_does_ends_well(tmp_path):
    words = "same equal no_python no_tree twice no_last_line only_no_last_line other_line_ends"
    words += " loops waits waits_for_a_thread threads prints recurses"
    files = {f"{word}.py": does(word) for word in words.split()}

    one = reported(tmp_path, files, seconds_per_file=0.4)

    found = outcomes(one)
    unchanged = {"same.py", "equal.py", "only_no_last_line.py", "prints.py"}
    assert found.keys() == files.keys() - unchanged
    assert found["no_python.py"] == "it/broken"
    assert found["no_tree.py"] == "it: BadCommand gives no module, but None"
    assert found["twice.py"] == "# twice\na = 1\na = 1\n"
    assert found["no_last_line.py"] == "# no_last_line\na = 1\nb = 2\n"
    assert "line ends of another kind" in found["other_line_ends.py"]
    # Which of the two limits comes first is the machine's business.
    for word in ("loops", "waits", "waits_for_a_thread"):
        assert found[f"{word}.py"].startswith("it: it took more than ")
    assert found["threads.py"] == '# threads\na = 1\nc = "t"\n'
    assert "its code is nested too deeply for the codemod" in found["recurses.py"]
    assert "bad_codemods.py:" in found["recurses.py"]
    printed = [each.message for each in one.findings if each.place.path == "prints.py"]
    assert len(printed) == 1
    assert printed[0].startswith("the codemod prints: ")


@pytest.mark.parametrize("jobs", [1, 3])
def test_any_number_of_processes_gives_the_same(tmp_path, jobs):
    files = {f"{number}.py": does("twice" if number % 3 else "no_tree") for number in range(14)}

    one = reported(tmp_path, files, jobs=jobs)

    assert [each.place.path for each in one.findings] == sorted(
        path for path, text in files.items() if "twice" in text
    )
    assert len(one.diagnostics) == 5


def test_a_file_of_which_nearly_all_lines_change_waits_for_permission(tmp_path):
    text = "if x:\n" + "".join(f"    a = {number}\n" for number in range(400))

    one = reported(tmp_path, {"a.py": text}, "codemods.ReformatsCommand")
    allowed = reported(tmp_path, {}, "codemods.ReformatsCommand", allow_reformat=True)

    assert "400 of 401 lines" in one.findings[0].message
    assert not one.files
    assert allowed.files[0].after.raw().decode() == text.replace("    a", "   a")


AT_IMPORT = """
import sys
from libcst.codemod import CodemodCommand

class A(CodemodCommand):
    DESCRIPTION = "does something when it is imported"

    def transform_module_impl(self, tree):
        return tree

{}
"""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("sys.exit(3)", "it ends the process (sys.exit(3)) ({place}:11)"),
        ("open('made.py', 'w')", "a pass must not change files, and this one changes 'made.py'"),
    ],
)
def test_a_codemod_that_cannot_be_imported_says_where(tmp_path, monkeypatch, line, why):
    monkeypatch.chdir(tmp_path)
    files = {"mod.py": AT_IMPORT.format(line), "a.py": "x = 1\n"}

    one = reported(tmp_path, files, "mod.A")

    (error,) = one.diagnostics
    assert error.message.startswith("it: mod.A cannot be loaded: ")
    assert why.format(place=tmp_path / "mod.py") in error.message
    assert not (tmp_path / "made.py").exists()


SHADOWING = """
import libcst
from libcst.codemod import CodemodCommand


class Names(CodemodCommand):
    DESCRIPTION = "says which modules it found"

    def transform_module_impl(self, tree):
        import json

        first = libcst.parse_statement(f"found = {json.__doc__[:4]!r}")
        return tree.with_changes(body=[first, *tree.body])
"""


def test_a_module_of_the_program_does_not_hide_one_that_libcst_needs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {
        "libcst.py": "raise SystemExit(3)\n",
        "yaml.py": "raise SystemExit(3)\n",
        "json.py": "raise SystemExit(3)\n",
        "names.py": SHADOWING,
    }

    one = reported(tmp_path, files, "names.Names", paths=("yaml.py",))

    assert outcomes(one) == {"yaml.py": f"found = 'JSON'\n{files['yaml.py']}"}


REFUSED = "class A(metaclass=B, *c, **d):\n    old = 1\n"


def test_what_libcst_cannot_read_is_a_site_and_what_it_loses_is_put_back(tmp_path):
    files = {
        "refused.py": REFUSED,
        "returns.py": b"a = 1\rold = 2\r",
        "feed.py": "\x0cold = 1\n",
        "nothing.py": "\x0cx = 1\n",
        "works.py": "old = 1\n",
    }

    one = reported(tmp_path, files, "codemods.RenameCommand", arguments={"old": "old", "new": "n"})

    assert outcomes(one) == {
        "refused.py": "libcst/cannot-parse",
        "returns.py": "a = 1\rn = 2\r",
        "feed.py": "\x0cn = 1\n",
        "works.py": "n = 1\n",
    }


def test_libcst_settings_of_the_project_are_read(tmp_path):
    files = {
        ".libcst.codemod.yaml": (
            "modules: [codemods]\nblacklist_patterns: ['.*/old/.*']\n"
            "generated_code_marker: made by hand\nformatter: ['false']\n"
        ),
        "src/shop/cart.py": "def f(): pass\n",
        "old/a.py": "def f(): pass\n",
        "b.py": "# made by hand\ndef f(): pass\n",
    }

    one = reported(tmp_path, files, "NamesCommand")

    found = outcomes(one)
    assert found["old/a.py"] == found["b.py"] == "it/skipped"
    assert '"shop.cart.f cart.py"' in found["src/shop/cart.py"]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (b"modules: 5\n", 0, "modules is no list of words"),
        (b"blacklist_patterns: ['(']\n", 0, "missing ), unterminated subpattern"),
        (b"generated_code_marker: x\na: [\n", 2, "while parsing a flow node"),
        (b"- a\n", 0, "it holds no keys"),
        (b"a: !!python/object/apply:os.getcwd []\n", 1, "could not determine a constructor"),
        (b"a: \xff\n", 0, "it is not utf-8 text (invalid start byte"),
        (b"[" * 20_000, 0, "recursion"),
        (None, 0, "it is a symbolic link"),
    ],
)
def test_libcst_settings_that_cannot_be_used_are_named_and_not_the_command(
    tmp_path, monkeypatch, text, line, why
):
    monkeypatch.setattr(foreign_code, "ForeignCode", InThisProcess)
    monkeypatch.syspath_prepend(str(HERE))
    if text is None:
        (tmp_path / ".libcst.codemod.yaml").symlink_to("/etc/hostname")
    files = {} if text is None else {".libcst.codemod.yaml": text}

    one = reported(tmp_path, {**files, "a.py": "x = 1\n"}, "codemods.RenameCommand")

    (error,) = one.diagnostics
    assert (error.path, error.line) == (".libcst.codemod.yaml", line)
    assert error.message.startswith("it: LibCST's settings cannot be used: ")
    assert why in error.message
    assert "RenameCommand" not in error.message
