"""Every shape that nests, around a query and in many sizes: awaken rewrites it or says why not."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from real_program import GOOD, NEW_IMPORT, QUERY, SELECT, Program

from awaken.engine.planning.checks import why_no_program
from awaken.workspace.sources import decode

pytestmark = pytest.mark.slow
HEAD = f"{NEW_IMPORT}{GOOD.partition('def')[0]}def f(db: Session, a=1):\n"
EXPRESSIONS = {
    "parentheses": lambda n: "(" * n + "§" + ")" * n,
    "lists": lambda n: "[" * n + "§" + "]" * n,
    "dictionaries": lambda n: "{0: " * n + "§" + "}" * n,
    "calls": lambda n: "a(" * n + "§" + ")" * n,
    "keywords": lambda n: "a(b=" * n + "§" + ")" * n,
    "stars": lambda n: "a(*" * n + "§" + ")" * n,
    "subscripts": lambda n: "a[" * n + "§" + "]" * n,
    "slices": lambda n: "a[:" * n + "§" + "]" * n,
    "minus": lambda n: "-" * n + "§",
    "not": lambda n: "not " * n + "§",
    "power": lambda n: "a ** " * n + "§",
    "plus": lambda n: "§" + " + 1" * n,
    "comparison": lambda n: "a < " * n + "§",
    "and": lambda n: "(a and " * n + "§" + ")" * n,
    "attributes": lambda n: "§" + ".b" * n,
    "chain": lambda n: "§" + ".b()" * n,
    "chain-over-lines": lambda n: "(§" + "\n  .b()" * n + ")",
    "subscripts-behind": lambda n: "§" + "[0]" * n,
    "lambdas": lambda n: "lambda: " * n + "§",
    "lambda-defaults": lambda n: "lambda a=" * n + "§" + ": 0" * n,
    "conditions": lambda n: "a if b else " * n + "§",
    "comprehensions": lambda n: "[" * n + "§" + " for a in b]" * n,
    "iterables": lambda n: "[a for a in " * n + "§" + "]" * n,
    "assignments": lambda n: "(a := " * n + "§" + ")" * n,
    "yields": lambda n: "(yield " * n + "§" + ")" * n,
    "tuple": lambda n: "a, " * n + "§",
    "strings": lambda n: "'a' " * n + "'b', §",
    "f-string": lambda n: "f'" + "{a}" * n + "', §",
    "criteria": lambda n: "db.query(User)" + ".filter(User.id == 1)" * n + ".all()",
    "criteria-in-one": lambda n: "db.query(User).filter(" + "~" * n + "User.id).all()",
    "queries": lambda n: "db.query(User).filter(User.id == " * n + "§" + ").all()" * n,
}
STATEMENTS = {
    "elif": lambda n: "    if a: b\n" + "    elif a: b\n" * n + "    else: §\n",
    "elif-with-queries": lambda n: "    if a: b\n" + "    elif §: b\n" * min(n, 1000),
    "pattern": lambda n: "    match a:\n        case " + "[" * n + "b" + "]" * n + ": §\n",
    "alternatives": lambda n: "    match a:\n        case " + "1 | " * n + "2: §\n",
    "decorator": lambda n: "    @a" + ".b" * n + "\n    def g(): §\n",
    "targets": lambda n: "    " + "a = " * n + "§\n",
    "deletion": lambda n: "    del a" + "[0]" * n + "; §\n",
    "annotation": lambda n: "    x: " + "a[" * n + "int" + "]" * n + " = §\n",
    "statements": lambda n: "    " + "a; " * n + "§\n",
    "if": lambda n: nested("if a:", n),
    "def": lambda n: nested("def g():", n),
    "class": lambda n: nested("class A:", n),
}


def nested(header, depth):
    depth = min(depth, 300)
    return "".join(f"    {' ' * i}{header}\n" for i in range(depth)) + f"    {' ' * depth}x = §\n"


def is_program(text):
    # compile() itself would crash on some of these
    return why_no_program(decode("hostile.py", text.encode()), (3, 11)) is None


@pytest.mark.parametrize("size", [30, 95, 130, 190, 250, 300, 398, 1000, 10_000])
def test_every_shape_is_rewritten_or_named(tmp_path, size):
    bodies = {name: f"    x = {shape(size)}\n" for name, shape in EXPRESSIONS.items()}
    bodies |= {name: shape(size) for name, shape in STATEMENTS.items()}
    files = {f"{name}.py": HEAD + body.replace("§", QUERY) for name, body in bodies.items()}
    program = Program(tmp_path / "shop", {"good.py": GOOD, **files})

    done, left = (
        subprocess.run(
            [sys.executable, "-m", "awaken", *words, "-q"],
            cwd=program.root,
            capture_output=True,
            text=True,
            check=False,
        )
        for words in (["apply"], ["check", "--output-format", "concise"])
    )

    after = {name: text.decode() for name, text in program.contents().items()}
    named = re.findall(r"^error: ([\w-]+\.py):", done.stderr, re.MULTILINE)
    manual = re.findall(r"^([\w-]+\.py):\d+:\d+: manual ", left.stdout, re.MULTILINE)
    assert done.returncode == (2 if named else 0)
    assert len(named) == len(set(named)) == len(done.stderr.splitlines())
    assert SELECT in after["good.py"]
    for name, before in files.items():
        if name in {*named, *manual}:
            assert after[name] == before, name
        else:
            assert ".query(" not in after[name], name
            assert is_program(after[name]) >= is_program(before), name
