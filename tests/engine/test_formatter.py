"""The project's own formatter: found, asked about edited statements, and believed only there."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from rewriting_helpers import PATH, after, change, need, node_edit, run, span

from awaken.engine.formatting import formatter as formatters
from awaken.engine.formatting.formatter import Formatter, detect, formatting

CALL = "g(aaaaaaaaaa, bbbbbbbbbb)"
LONG = "def f():\n    x = g(aaaaaaaaaa, bbbbbbbbbb)\n    return x\n"


class Fake(Formatter, frozen=True):
    """Formats by replacing texts; ``results`` are pairs of what it finds and what it writes."""

    results: tuple[tuple[str, str], ...] = ()

    def format(self, texts):
        return {path: self._one(text.decode()).encode() for path, text in texts.items()}

    def _one(self, text):
        for old, new in self.results:
            text = text.replace(old, new)
        return text


@pytest.fixture
def root(tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    project = tmp_path / "project"
    project.mkdir()
    return project


def install(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


def program(found):
    return Path(found.command[0]).name if found.command else None


@pytest.mark.parametrize(
    ("files", "expected", "length"),
    [
        ({}, None, 88),
        ({"pyproject.toml": "[tool.ruff]\nline-length = 100\n"}, "ruff", 100),
        ({"pyproject.toml": "[tool.ruff.format]\nquote-style = 'single'\n"}, "ruff", 88),
        ({"ruff.toml": "line-length = 99\n", "pyproject.toml": "[tool.ruff]\n"}, "ruff", 99),
        ({".ruff.toml": ""}, "ruff", 88),
        ({"pyproject.toml": "[tool.black]\nline-length = 79\n"}, "black", 79),
        ({"pyproject.toml": "[tool.black]\n[tool.ruff]\nline-length = 120\n"}, "black", 120),
        ({".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: black\n"}, "black", 88),
        ({".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: ruff-format\n"}, "ruff", 88),
        ({".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: ruff\n"}, None, 88),
        ({"setup.cfg": "[flake8]\nmax-line-length = 120\n"}, None, 120),
        (
            {
                ".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: black\n",
                ".flake8": "[flake8]\nmax-line-length = 160\n",
            },
            "black",
            88,
        ),
        ({"tox.ini": "[pycodestyle]\nmax_line_length = 99\n"}, None, 99),
        ({".flake8": "[flake8]\nignore = E1\n"}, None, 79),
        ({".flake8": "[flake8\n", "pyproject.toml": "[tool\n"}, None, 88),
    ],
)
def test_only_a_declared_formatter_counts(root, files, expected, length):
    install(root.parent / "tools", "ruff", "black")
    for name, text in files.items():
        (root / name).write_text(text)
    found = detect(root)
    assert program(found) == expected
    assert found.line_length == length
    is_declared = expected is not None or length != 88
    assert found.is_length_assumed is not is_declared


def test_what_the_project_brings_along_is_never_run(root):
    (root / "ruff.toml").write_text("")
    install(root / ".venv" / "bin", "ruff")
    assert detect(root).command == ()
    install(root.parent / "tools", "ruff")
    assert detect(root).command[0] == str(root.parent / "tools" / "ruff")


@pytest.mark.parametrize("entry", ["{}/.venv/bin", ".venv/bin", "{}/../elsewhere", "", "."])
def test_an_active_environment_of_the_project_is_the_projects(root, monkeypatch, entry):
    (root / "ruff.toml").write_text("")
    install(root / ".venv" / "bin", "ruff")
    install(root, "ruff")
    (root.parent / "elsewhere").symlink_to(root / ".venv" / "bin")
    monkeypatch.chdir(root)
    tools = root.parent / "tools"
    monkeypatch.setenv("PATH", f"{entry.format(root)}:{tools}")

    assert formatting(root).declared[0].executable == ""
    install(tools, "ruff")
    assert detect(root).command[0] == str(tools / "ruff")


def test_an_environment_of_the_repository_around_is_the_projects(root, monkeypatch):
    (root / ".git").mkdir()
    (root / "service").mkdir()
    (root / "service" / "ruff.toml").write_text("")
    install(root / ".venv" / "bin", "ruff")
    monkeypatch.setenv("PATH", str(root / ".venv" / "bin"))

    assert detect(root / "service").command == ()


def test_the_environment_that_awaken_itself_runs_in_counts(root, monkeypatch):
    (root / "ruff.toml").write_text("")
    install(root / ".venv" / "bin", "ruff")
    monkeypatch.setenv("PATH", str(root / ".venv" / "bin"))
    monkeypatch.setattr(sys, "executable", str(root / ".venv" / "bin" / "python"))

    assert detect(root).command[0] == str(root / ".venv" / "bin" / "ruff")


def test_programs_in_a_home_directory_that_is_kept_in_git_count(root, monkeypatch):
    home = root.parent
    (home / ".git").mkdir()
    (root / "ruff.toml").write_text("")
    install(home / "tools", "ruff")
    monkeypatch.setenv("HOME", str(home))

    assert detect(root).command[0] == str(home / "tools" / "ruff")


def test_a_formatter_imports_nothing_of_the_files_it_formats(tmp_path, monkeypatch):
    tool = tmp_path / "tool"
    tool.write_text(f"#!{sys.executable}\nimport black_plugin\n")
    tool.chmod(0o755)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setenv("PYTHONPATH", f".:{project}")
    planted = b"open(__file__ + '.ran', 'w').close()\n"
    (project / "black_plugin.py").write_bytes(planted)

    found = Formatter(88, (str(tool),), project).format({"black_plugin.py": planted})

    assert found == {}
    assert [path.name for path in project.iterdir()] == ["black_plugin.py"]


def test_a_name_that_starts_with_a_dash_is_no_option(tmp_path):
    tool = tmp_path / "tool"
    tool.write_text('#!/bin/sh\ncase $1 in -*) exit 1;; esac\necho formatted > "$1"\n')
    tool.chmod(0o755)

    found = Formatter(88, (str(tool),), tmp_path).format({"--config=x.py": b"a\n"})

    assert found == {"--config=x.py": b"formatted\n"}


def test_all_that_a_slow_formatter_started_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(formatters, "_SECONDS", 0.3)
    tool, held = tmp_path / "tool", tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    # The child holds the pipes open, and would be waited for.
    tool.write_text(f"#!/bin/sh\nsleep 600 > {held} &\necho > {held}\nwait\n")
    tool.chmod(0o755)

    assert Formatter(88, (str(tool),), tmp_path).format({"a.py": b"x\n"}) == {}

    os.set_blocking(reader, True)
    assert os.read(reader, 9) == b"\n"
    assert os.read(reader, 9) == b""  # which comes when nobody holds the other end any more
    os.close(reader)


def test_rewriters_know_the_longest_line():
    seen = []
    helpers = after.__globals__["REWRITERS"]["rule"]
    helpers["look"] = lambda node, _data, around: seen.append(around.line_length) or node
    try:
        for formatter in (Formatter(60), Formatter(8, is_length_assumed=True)):
            text = LONG + "y = 123456\n" * 5
            after(text, change(node_edit(text, CALL, "look")), formatter=formatter)
    finally:
        del helpers["look"]
    assert seen == [60, len("y = 123456")]


def test_the_edited_statement_is_formatted():
    tool = Fake(results=(("wrapped(g(aaaaaaaaaa, ", "wrapped(\n        g(aaaaaaaaaa, "),))
    text = after(LONG, change(node_edit(LONG, CALL, "wrap")), formatter=tool)
    assert text == LONG.replace("g(", "wrapped(\n        g(").replace("b)\n", "b))\n")


def test_edited_statements_below_each_other_are_formatted_in_one_go():
    text = "def f():\n    x = g(1)\n    y = g(2)\n    return x, y\n"
    edits = change(node_edit(text, "g(1)", "wrap"), node_edit(text, "g(2)", "wrap"))
    tool = Fake(results=(("wrapped(g", "wrapped( g"),))
    assert after(text, edits, formatter=tool) == text.replace("g(1)", "wrapped( g(1))").replace(
        "g(2)", "wrapped( g(2))"
    )


def test_places_lead_back_through_the_formatting():
    tool = Fake(results=(("wrapped(g(aaaaaaaaaa, ", "wrapped(\n        g(aaaaaaaaaa, "),))
    result = run(LONG, change(node_edit(LONG, CALL, "wrap")), formatter=tool)
    new = result.snapshot[PATH].text.decode()
    assert result.maps[PATH].to_before(span(new, "return x")) == span(LONG, "return x")
    before = result.maps[PATH].to_before(span(new, "x = wrapped"))
    assert before.contains(span(LONG, CALL))


@pytest.mark.parametrize(
    "results",
    [
        (("b))\n    return x", "b))\n    return  x"),),
        (("wrapped(g", "wrapped( g"), ("b))\n    return x", "b))\n    return  x")),
        (("x = g(", "x = h("), ("wrapped(g", "wrapped( g")),
    ],
    ids=["only elsewhere", "also elsewhere", "not clean before"],
)
def test_anything_else_stays_unformatted(results):
    edit = change(node_edit(LONG, CALL, "wrap"))
    assert after(LONG, edit, formatter=Fake(results=results)) == after(LONG, edit)


def test_the_lines_around_new_imports_may_be_formatted():
    tool = Fake(results=(("import a\n\n", "import a\n\n\n"),))
    edits = change(need(None, "a"))
    assert after("def f(): 0\n", edits, formatter=tool) == "import a\n\n\n\ndef f(): 0\n"


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$", "sleep 20", "> $1; exit 1"])
def test_a_formatter_that_fails_changes_nothing(tmp_path, monkeypatch, script):
    monkeypatch.setattr(formatters, "_SECONDS", 0.3)
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    edit = change(node_edit(LONG, CALL, "wrap"))
    assert Formatter(88, (str(tool),), tmp_path).format({"a.py": b"x\n"}) == {}
    broken = Formatter(88, (str(tool),), tmp_path)
    assert after(LONG, edit, formatter=broken) == after(LONG, edit)


def test_a_formatter_that_is_gone_changes_nothing(tmp_path):
    gone = Formatter(88, (str(tmp_path / "gone"),), tmp_path)
    assert gone.format({"a.py": b"x\n"}) == {}
    assert gone.format({}) == {}


def test_ruff_formats_by_the_settings_of_each_folder(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 30\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ruff.toml").write_text("line-length = 80\n")
    beside_python = str(Path(sys.executable).parent)
    ruff = shutil.which("ruff", path=beside_python) or shutil.which("ruff")
    assert ruff is not None
    tool = Formatter(30, (ruff, "format", "--quiet", "--no-cache"), tmp_path)
    text = b"x = function(aaaaaaaaaa, bbbbbbbb)\n"
    found = tool.format({"a.py": text, "sub/b.py": text, "sub/deep/c.py": text})
    assert found["sub/b.py"] == found["sub/deep/c.py"] == text
    assert found["a.py"] == b"x = function(\n    aaaaaaaaaa, bbbbbbbb\n)\n"


RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
QUOTES = 'quote-style = "single"\n'


@pytest.mark.parametrize(
    ("root", "files", "quote"),
    [
        ("", {"ruff.toml": 'extend = "base.toml"\n', "base.toml": f"[format]\n{QUOTES}"}, "'"),
        (
            "packages/api",
            {
                "packages/api/ruff.toml": 'extend = "../../pyproject.toml"\n',
                "pyproject.toml": f"[tool.ruff.format]\n{QUOTES}",
            },
            "'",
        ),
        (
            "",
            {
                "pyproject.toml": '[tool.ruff]\n"ext\\u0065nd" = "./x/a.toml"\n',
                "x/a.toml": 'extend = "b.toml"\n',
                "x/b.toml": f"[format]\n{QUOTES}",
            },
            "'",
        ),
        # It names what is rewritten, which is no settings.
        ("", {"ruff.toml": 'extend = "a.py"\n', "a.py": f"[format]\n{QUOTES}"}, None),
    ],
)
def test_settings_that_others_extend_are_those_of_the_project(tmp_path, root, files, quote):
    (tmp_path / ".git").mkdir()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    tool = Formatter(88, (RUFF, "format", "--quiet", "--no-cache"), tmp_path / root)

    found = tool.format({"a.py": b'x = "a"\n'})

    assert found.get("a.py") == (quote and f"x = {quote}a{quote}\n".encode())


def endless(_):
    return "/dev/zero"


def pipe(root):
    os.mkfifo(root / "pipe")
    return "pipe"


def link(root):
    (root / "link").symlink_to("/dev/zero")
    return "link"


def other(root):
    (root.parent.parent / "other.toml").write_text("")
    return "../../other.toml"


def cycle(root):
    (root / "cycle.toml").write_text('extend = "ruff.toml"')
    return "cycle.toml"


def chain(root):
    (root / "chain.toml").write_text('extend = "/dev/zero"')
    return "chain.toml"


def sparse(root):
    with (root / "sparse").open("w") as file:
        file.truncate(20 << 30)
    return "sparse"


@pytest.mark.parametrize(
    "made",
    [
        *(endless, pipe, link, other, cycle, chain, sparse),
        *(lambda _: "~/ruff.toml", lambda _: "$HOME/ruff.toml", lambda _: "ruff.toml"),
    ],
)
@pytest.mark.parametrize("settings", ["ruff.toml", ".ruff.toml", "sub/pyproject.toml"])
def test_a_formatter_is_led_to_nothing_outside(tmp_path, monkeypatch, made, settings):
    """Ruff would read a device or a pipe for a minute, and fill the memory with it."""
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    table = "[tool.ruff]\n" if settings.endswith("pyproject.toml") else ""
    (root / settings).write_text(f'{table}extend = "{made((root / settings).parent)}"\n')
    started = []
    monkeypatch.setattr(formatters, "run_program", lambda words, **_: started.append(words))

    tool = Formatter(88, (RUFF, "format", "--quiet", "--no-cache"), root)

    assert tool.format({"sub/a.py": b"x = 'a'\n"}) == {}
    assert not started
    assert tool.fingerprint(["sub/a.py"])


@pytest.mark.parametrize("name", ["pyproject.toml", "ruff.toml"])
def test_settings_that_are_no_file_are_not_read_by_the_formatter(tmp_path, name):
    os.mkfifo(tmp_path / name)
    tool = Formatter(88, (RUFF, "format", "--quiet", "--no-cache"), tmp_path)

    assert tool.format({"a.py": b"x = 'a'\n"}) == {}


@pytest.mark.parametrize(
    "script",
    [
        f"{sys.executable} -c 'x = bytearray(1 << 28); import time; time.sleep(60)'",
        "yes",  # what it prints is not kept
    ],
)
def test_a_formatter_takes_only_so_much(tmp_path, monkeypatch, script):
    monkeypatch.setattr(formatters, "_BYTES", 1 << 27)
    monkeypatch.setattr(formatters, "_SECONDS", 0.5 if script == "yes" else 60)
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\nexec {script}\n")
    tool.chmod(0o755)

    assert Formatter(88, (str(tool),), tmp_path).format({"a.py": b"x\n"}) == {}
