"""Queries in generated surroundings: only they change, and once."""

from __future__ import annotations

import re
import shutil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from real_program import IMPORTS, LONG_LINES, NEW_IMPORT, QUERY, Program, awaken

ROWS = rb"db\.scalars\(\s*select\(User\)\s*\)\s*\.all\(\)"
# A list is made where a function with annotations adds the rows to others.
RESULT = rb"(?:" + ROWS + rb"|list\(\s*" + ROWS + rb"\s*\))"
SPACE = st.sampled_from(["", " ", "\t", " \f", "\\\n", " \\\n   "])
WIDE = st.sampled_from(["", " ", "\n", "  # é\n    ", "\n\n\t# 变\n\n  ", "\f\n"])
LEAVES = ["§", "§", "a", "größe", "'\u2028\x85'", "'''\n  # no\n'''", "r'\\\\'", "f'{a}'", "-1"]
NAMES = st.sampled_from(["x", "größe", "ﬁ", "x.y", "x[0]"])
EMPTY = st.sampled_from(["", "\n", " \t\n", "# about\n", "\f\n", "\t# 变\n"])
COMMENT = st.sampled_from(["", "  # é", " \t", "  # type: ignore"])
TOPS = ["", "\f", "\n", "'doc'\n", "#!/bin/sh\n", "# é\n\n", "\n# coding: utf-8\n"]
NEWLINES = ["\n", "\r\n", "\r"]


def joined(*parts):
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(
        "".join
    )


def around(inner):
    return st.one_of(
        joined("call(", WIDE, inner, WIDE, ")"),
        joined("call(*", inner, ",", SPACE, "**", inner, ",)"),
        joined("(", WIDE, inner, WIDE, ",)", SPACE, "[0]"),  # parentheses alone may go
        joined("(", inner, " if ", inner, " else ", inner, ")"),
        joined("{", inner, ":", WIDE, inner, ", **a}"),
        joined("[", inner, " for x in", SPACE, " ", inner, " if ", inner, "]"),
        joined("(lambda x=", inner, ":", SPACE, inner, ")"),
        joined("(", inner, SPACE, "+", SPACE, inner, ")"),
        joined("(not", SPACE, " ", inner, ")"),
    )


VALUES = st.recursive(st.sampled_from(LEAVES), around, max_leaves=4)
SIMPLE = st.one_of(
    joined(NAMES, SPACE, "=", SPACE, VALUES),
    joined(NAMES, SPACE, "+=", SPACE, VALUES),
    joined("x: ", VALUES, SPACE, "=", SPACE, VALUES),
    joined("assert ", VALUES, ",", SPACE, VALUES),
    joined("x = 1;", SPACE, VALUES, SPACE, ";"),
    joined(VALUES, "; x = §"),
)
HEADERS = st.one_of(
    joined("if ", VALUES, ":"),
    joined("while ", VALUES, SPACE, ":"),
    joined("for x in ", VALUES, ":"),
    joined("with call(", VALUES, ") as x:"),
    joined("@call(", VALUES, ")\n<indent>class C(call(", VALUES, ")):"),
    joined("@ call(", VALUES, ")\n<indent>def g(y=", VALUES, "):"),
    joined("async def g(*, y=", VALUES, ") -> ", VALUES, ":"),
    joined("match ", VALUES, ":\n<indent> case 1 if ", VALUES, ":"),
)


@st.composite
def blocks(draw, indent, depth=0):
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        lines.append(draw(EMPTY))
        if depth > 1 or draw(st.booleans()):
            lines.append(f"{indent}{draw(SIMPLE)}{draw(COMMENT)}\n")
            continue
        lines.append(indent + draw(HEADERS).replace("<indent>", indent))
        if draw(st.integers(0, 3)) == 0:
            lines.append(f" {draw(SIMPLE)}{draw(COMMENT)}\n")
        else:
            deeper = (
                f"{indent}\t " if "case" in lines[-1] else indent + draw(st.sampled_from(" \t"))
            )
            lines.append(f"{draw(COMMENT)}\n{draw(blocks(deeper, depth + 1))}")
    return "".join(lines)


@st.composite
def modules(draw):
    """Return a module around ``§``, and its byte order mark."""
    body = draw(blocks(draw(st.sampled_from([" ", "\t", "    "]))))
    end = draw(st.sampled_from(["", "\n", "\n\n  # end", "\n\f\n"]))
    head = f"{draw(st.sampled_from(TOPS))}{NEW_IMPORT}{IMPORTS}\ndef f(db: Session, a=1):\n"
    lines = f"{head}{body.removesuffix(chr(10))}{end}".split("\n")
    newlines = draw(
        st.sampled_from(NEWLINES).map(lambda newline: [newline])
        | st.lists(st.sampled_from(NEWLINES), min_size=2, max_size=5)
    )
    ended = [line + newlines[i % len(newlines)] for i, line in enumerate(lines[:-1])]
    return "".join([*ended, lines[-1]]).encode(), draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("generated")


def compiles(text):
    try:
        compile(text.decode("utf-8-sig"), "case.py", "exec")
    except SyntaxError:
        return False
    return True


@given(modules())
@pytest.mark.slow
def test_only_the_queries_change_and_once(directory, module):
    text, bom = module
    pieces = text.split("§".encode())
    before = bom + QUERY.encode().join(pieces)
    assume(compiles(before))
    shutil.rmtree(directory / "shop", ignore_errors=True)
    program = Program(directory / "shop", {"case.py": before, **LONG_LINES})
    untouched = program.contents()

    assert awaken("apply", "-q", program.root)[0] == 0

    after = program.contents()["case.py"]
    wanted = re.escape(bom) + RESULT.join(map(re.escape, pieces))
    assert re.fullmatch(wanted, after), after
    assert compiles(after)
    assert awaken("diff", "-q", program.root) == (0, b"")
    if len(pieces) > 1:
        awaken("undo", "-q", program.root)
    assert program.contents() == untouched
