"""What goes wrong in scripts of Bowler, in the process that runs them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from awaken.engine.machine import foreign_code
from awaken.engine.machine.foreign_code import ForeignCode
from awaken.passes.protocol import (
    Failed,
    Item,
    Ready,
    Rewritten,
    Setup,
    Unusable,
    import_directories,
)

RENAMES = """
    from bowler import Query

    def main():
        Query().select_function("old").rename("new").write()
"""


def started(root, script, name="script.py", words=(), seconds=60, **beside):
    """Return the process that runs a script, beside which stand other modules."""
    (root / "scripts").mkdir(exist_ok=True)
    for other, text in beside.items():
        (root / "scripts" / f"{other}.py").write_text(dedent(text))
    path = root / "scripts" / name
    path.write_text(dedent(script))
    setup = Setup(
        kind="bowler",
        target=str(path),
        words=tuple(words),
        import_from=import_directories(root, f"scripts/{name}"),
        root=str(root),
        seconds=seconds,
    )
    return ForeignCode(setup, 1)


def answers(root, script, *texts, **how):
    """Return what a script makes of texts, and what it prints meanwhile."""
    code = started(root, script, **how)
    try:
        assert isinstance(code.loaded, Ready), code.loaded
        items = [Item(f"{n}.py", text.encode()) for n, text in enumerate(texts)]
        return code.answers(items)
    finally:
        code.end()


def unusable(root, script, **how):
    """Return why a script cannot be used."""
    code = started(root, script, **how)
    code.end()
    assert isinstance(code.loaded, Unusable), code.loaded
    return code.loaded


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("x = 1\n", "it makes no query"),
        ("def main(:\n", "SyntaxError: invalid syntax (script.py, line 1)"),
        ("import sys\nsys.exit(3)\n", "it ends the process (sys.exit(3)) ({script}:2)"),
        ("def main():\n    input('go on? ')\n", "EOFError: EOF when reading a line ({script}:2)"),
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere' ({script}:1)"),
        ("import os\nos._exit(0)\n", "ends its process"),
        ("def main(path):\n    pass\n", "missing 1 required positional argument: 'path'"),
        (
            "from bowler import Query\n\ndef main():\n    Query().select('power<').write()\n",
            "({script}:4)",
        ),
        (
            "from bowler.tool import BowlerTool\n\ndef main():\n    BowlerTool([]).run(['.'])\n",
            "a BowlerTool reads and writes files itself",
        ),
        (
            "import subprocess, sys\n\nsubprocess.run([sys.executable, '-c', ''])\n",
            "a pass must not start programs",
        ),
        ("open('here.py', 'w')\n", "a pass must not change files, and this one changes 'here.py'"),
        (
            "import os, tempfile\nos.rename(tempfile.mkstemp()[1], 'here.py')\n",
            "a pass must not change files, and this one changes 'here.py'",
        ),
    ],
    ids=lambda one: one.splitlines()[-1].strip()[:40],
)
def test_a_script_that_cannot_be_used_says_where(tmp_path, monkeypatch, script, why):
    monkeypatch.chdir(tmp_path)

    said = unusable(tmp_path, script).why

    assert why.format(script=tmp_path / "scripts" / "script.py") in said
    assert not (tmp_path / "here.py").exists()


@pytest.mark.slow
def test_a_script_that_never_ends_when_it_is_imported_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign_code, "SECONDS_TO_LOAD", 1)

    said = unusable(tmp_path, "while True:\n    pass\n").why

    assert said.endswith("does not come to an end, or ends its process, when it is loaded")


def test_what_a_callback_must_not_do_loses_one_file(tmp_path, monkeypatch):
    # Its names are relative to where it runs; elsewhere below the temporary directory it may write.
    monkeypatch.chdir(tmp_path)
    script = """
        import os, subprocess, sys, threading
        from bowler import Query

        def main():
            Query().select_function("old").modify(does).rename("new").write()

        def does(node, capture, filename):
            {
                "./0.py": lambda: open(filename, "w"),
                "./1.py": lambda: subprocess.run([sys.executable, "-c", ""]),
                "./2.py": lambda: sys.exit(4),
                "./3.py": lambda: os._exit(5),
                "./4.py": lambda: input("go on? "),
                "./5.py": lambda: threading.Thread(target=lambda: open("x.py", "w")).start(),
            }[filename]()
    """

    *lost, last = answers(tmp_path, script, *(["old()\n"] * 6))

    whys = [
        "a pass must not change files, and this one changes './0.py'",
        "a pass must not start programs",
        "it ends the process (sys.exit(4))",
        "it ended its process (exit code 5)",
        "EOFError: EOF when reading a line",
    ]
    assert [isinstance(one, Failed) for one in lost] == [True] * len(whys)
    assert not [why for why, one in zip(whys, lost, strict=True) if why not in one.why]
    assert last.content == b"new()\n"
    assert not list(tmp_path.glob("*.py"))


def test_a_script_that_is_not_there(tmp_path):
    setup = Setup(kind="bowler", target=str(tmp_path / "none.py"), root=str(tmp_path))
    code = ForeignCode(setup, 1)
    code.end()

    assert "there is no script" in code.loaded.why


def test_its_own_argparse_reads_its_words_and_no_other(tmp_path):
    script = """
        import argparse
        from bowler import Query

        def main():
            parser = argparse.ArgumentParser()
            parser.add_argument("--old", required=True)
            words = parser.parse_args()
            Query().select_function(words.old).rename("new").write()
    """

    (answer,) = answers(tmp_path, script, "old()\n", words=["--old", "old"])
    wrong = unusable(tmp_path, script, words=["--odl", "x"])

    assert answer.content == b"new()\n"
    assert "it ends the process (sys.exit(2))" in wrong.why
    assert "the following arguments are required: --old" in wrong.said


def test_the_second_file_does_not_see_the_first(tmp_path):
    script = """
        from bowler import Query

        seen = []

        def once(node, capture, filename):
            seen.append(filename)
            if len(seen) == 1:
                node.children[0].value = "new"
                node.changed()

        def main():
            Query().select_function("old").modify(once).write()
    """

    found = answers(tmp_path, script, "old()\nold()\n", "old()\n")

    assert [one.content for one in found] == [b"new()\nold()\n", b"new()\n"]


@pytest.mark.parametrize("name", ["json.py", "bowler.py", "typing.py", "script.py"])
def test_names_of_modules_hide_none(tmp_path, name):
    own = 'raise SystemExit("this one hides a module")\n'
    beside = dict.fromkeys(["fissix", "argparse", "string", "colorsys"], own)

    script = "import colorsys, string, helper\n" + dedent(RENAMES)
    (answer,) = answers(
        tmp_path, script, "old()\n", name=name, **beside, helper="import json, typing\n"
    )

    assert answer == Rewritten(b"new()\n")


def test_what_a_callback_raises_has_a_place_and_loses_one_file(tmp_path):
    script = """\
        from bowler import Query

        def main():
            print("not about any file")
            Query().select_function("old").modify(fails).rename("new").write()

        def fails(node, capture, filename):
            print("in", filename)
            if filename == "./0.py":
                raise LookupError("no such thing")
    """

    first, second = answers(tmp_path, script, "old()\n", "old()\n")

    place = tmp_path / "scripts" / "script.py"
    assert first == Failed(f"LookupError: no such thing ({place}:10)", said="in ./0.py\n")
    assert second == Rewritten(b"new()\n", said="in ./1.py\n")


def test_what_is_not_installed_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "hidden").mkdir()
    hides = "import sys\nsys.modules['bowler'] = None\n"
    (tmp_path / "hidden" / "sitecustomize.py").write_text(hides)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))

    said = unusable(tmp_path, RENAMES)

    how = "`uv tool install --force '.[bowler]'` in the clone of awaken"
    assert said.why.endswith(f"needs bowler, which is not here: {how}")


@pytest.mark.slow
def test_a_script_that_never_ends_loses_one_file(tmp_path):
    script = """
        import threading, time
        from bowler import Query

        threading.Thread(target=time.sleep, args=(3600,)).start()

        def main():
            Query().select_function("old").modify(wait).rename("new").write()

        def wait(node, capture, filename):
            while "0.py" in filename:
                pass
    """

    first, second = answers(tmp_path, script, "old()\n", "old()\n", seconds=1)

    assert isinstance(first, Failed)
    assert "1 seconds" in first.why
    assert second == Rewritten(b"new()\n")
