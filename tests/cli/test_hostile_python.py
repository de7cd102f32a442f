"""Python that is legal and hard to rewrite: rewritten, or named, and never a crash."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from real_program import GOOD, GOOD_AFTER, NEW_IMPORT, QUERY, Program


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a project with one good file; the test stands in its root."""
    made = Program(tmp_path / "shop", {"good.py": GOOD})
    monkeypatch.chdir(made.root)
    return made


def returned(text):
    return f"    return {text}\n"


def after(text):
    return f"    x = {text}\n    return §\n"


def blocks(depth):
    lines = [f"{' ' * level}if a:\n" for level in range(4, depth + 4)]
    return "".join(lines) + " " * (depth + 4) + "return §\n"


REWRITTEN, MANUAL, NOT_READ = "rewritten", "manual", "not read"
HOSTILE = {
    "parentheses-190": (returned("(" * 190 + "§" + ")" * 190), REWRITTEN),
    "parentheses-5000": (returned("(" * 5000 + "§" + ")" * 5000), NOT_READ),
    "brackets-100000": (after("[" * 100_000 + "]" * 100_000), NOT_READ),
    "minus-380": (returned("-" * 380 + "§"), REWRITTEN),
    "minus-100000": (after("-" * 100_000 + "1"), NOT_READ),
    "chain-behind-100": (returned("§" + ".x()" * 100), REWRITTEN),
    "chain-behind-10000": (returned("§" + ".x()" * 10_000), NOT_READ),
    "chain-within-100": (
        returned("db.query(User)" + ".filter(User.id)" * 100 + ".all()"),
        REWRITTEN,
    ),
    "chain-within-180": (returned("db.query(User)" + ".filter(User.id)" * 180 + ".all()"), MANUAL),
    "chain-within-10000": (
        returned("db.query(User)" + ".filter(User.id)" * 10_000 + ".all()"),
        NOT_READ,
    ),
    "elif-100": ("    if a: x = 1\n" + "    elif a: x = 2\n" * 99 + "    else: x = §\n", REWRITTEN),
    "elif-2000": ("    if a: x = 1\n" + "    elif a: x = §\n" * 2000, NOT_READ),
    "string-of-a-megabyte": (after(f"'{'x' * 1_000_000}'"), REWRITTEN),
    "number-of-4000-digits": (after("9" * 4000), REWRITTEN),
    "hexadecimal-of-100000-digits": (after("0x" + "9" * 100_000), REWRITTEN),
    "list-of-20000": (after("[" + "1, " * 20_000 + "]"), REWRITTEN),
    "strings-joined-5000": (after("'a' " * 5000), REWRITTEN),
    "plus-380": (returned("1 + " * 380 + "§"), REWRITTEN),
    "plus-100000": (after("1 + " * 100_000 + "1"), NOT_READ),
    "comparison-of-2000": (after("1 < " * 2000 + "1"), REWRITTEN),
    "f-strings-nested": (returned("""f'''{f\"\"\"{f'{§}'}\"\"\"}'''"""), REWRITTEN),
    "f-string-with-parentheses": (returned("f'{" + "(" * 90 + "§" + ")" * 90 + "}'"), REWRITTEN),
    "subscripts-380": (returned("§" + "[0]" * 380), REWRITTEN),
    "lambda-300": (returned("lambda: " * 300 + "§"), REWRITTEN),
    "conditions-280": (returned("a if a else " * 280 + "§"), REWRITTEN),
    "blocks-95": (blocks(95), REWRITTEN),
    "blocks-200": (blocks(200), NOT_READ),
    "calls-190": (returned("a(" * 190 + "§" + ")" * 190), REWRITTEN),
    "queries-in-queries": (
        returned("db.query(User).filter(User.id == " * 10 + "§" + "[0].id).all()" * 10),
        REWRITTEN,
    ),
    "continued-lines-5000": ("    return \\\n" + "    \\\n" * 5000 + "§\n", REWRITTEN),
    "indentation-of-50000": (f"    if a:\n{' ' * 50_000}return §\n", REWRITTEN),
    "starred-2000": (returned("a(" + "*a, " * 2000 + "§)"), REWRITTEN),
    "decorators-1000": ("    @a\n" * 1000 + "    def g(): return §\n", REWRITTEN),
    "statements-on-one-line": ("    a = 1; " + "a = 1; " * 2000 + "x = §\n", REWRITTEN),
    "queries-on-one-line": ("    x = §; " + "x = §; " * 49 + "\n", REWRITTEN),
}


@pytest.mark.slow
def test_hostile_python_is_rewritten_or_named_and_never_a_crash(program):
    head = f"{NEW_IMPORT}{GOOD.partition('def')[0]}def f(db: Session, a=1):\n"
    files = {f"{name}.py": head + text.replace("§", QUERY) for name, (text, _) in HOSTILE.items()}
    for name, text in files.items():
        program.write(name, text)

    # processes of their own: a crash must not take the tests along
    check, apply = (
        subprocess.run(
            [sys.executable, "-m", "awaken", command, "-q", "--output-format", "concise"],
            capture_output=True,
            text=True,
            check=False,
        )
        for command in ("check", "apply")
    )
    after = {name: content.decode() for name, content in program.contents().items()}
    levels = dict(re.findall(r"^([\w-]+)\.py:\d+:\d+: (\w+) ", check.stdout, re.MULTILINE))
    outcomes = {"safe": REWRITTEN, "manual": MANUAL, None: NOT_READ}
    named = [re.match(r"error: ([\w-]+)\.py:", line)[1] for line in check.stderr.splitlines()]

    assert (check.returncode, apply.returncode, apply.stderr) == (2, 2, check.stderr)
    assert {name: outcomes[levels.get(name)] for name in HOSTILE} == {
        name: expected for name, (_, expected) in HOSTILE.items()
    }
    assert len(named) == len(set(named))
    assert {name for name, (_, expected) in HOSTILE.items() if expected == NOT_READ} <= set(named)
    assert {levels.get(name) for name in named} == {None}
    assert after["good.py"] == GOOD_AFTER
    for name, text in files.items():
        if HOSTILE[name.removesuffix(".py")][1] == REWRITTEN:
            compile(after[name], name, "exec")
            assert after[name].count(".scalars(") == text.count(".query("), name
        else:
            assert after[name] == text, name
