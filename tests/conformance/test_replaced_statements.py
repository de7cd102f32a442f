"""The edit that replaces whole statements as text: what any codemod writes is taken, or refused.

The codemods are functions from text to text, run as a pass in this process. All laws hold for what
becomes of them.
"""

from __future__ import annotations

import ast
import io
import re
import sched
import tokenize
from dataclasses import dataclass
from pathlib import Path

import pytest

from awaken.contract import Level
from awaken.passes.foreign import rule_of
from awaken.passes.pass_settings import PassPlace, PassSettings
from awaken.passes.protocol import Ready, Rewritten
from awaken.testing import LAWS, Case, laws_of, run_case
from awaken.testing.cases import Settings
from awaken.testing.running import diagnostics_of, naming_case
from awaken.workspace.sources import LINE_END, decode

PROGRAM = '''\
"""Every kind of block, and what stands between blocks."""

import sched

app = dict(name="app"); value = 1
print("alone")


class Error(Exception):  # its own
    name: str = """
    of several lines
"""

    @property
    # between two decorators
    @staticmethod
    def value(
        item, data=None,  # the data
        *, error=(1,
                  2),
    ):
        """Return a value."""
        if item: return data
        elif error:
            x = 1
        # behind a block
        else:
            x = (
                # in brackets
                item
            )
        return x


def outer(session):
    def inner(x): return x
    async def later():
        async with session as data, data as value:
            return [i async for i in value]

    try:
        for i in inner([1]):
            while i:
                i -= 1
            else:
                print(i)
        else:
            pass
    except (ValueError, TypeError) as e:
        # first
        raise Error from e
    except Exception:
        print("other")
    else:

        return later
    finally:
        print("done"); print("really")
    match session:
        case [item, *_] if item:
            return item
        case {"data": data}: return data
        case _:
            # nothing
            pass
    with open("x") as x, \\
            open("y") as y:
        return f"{x!r} {y}"


if __name__ == "__main__":
    outer(sched)
# the end
'''
FILES = {
    "case.py": PROGRAM.encode(),
    "scheduler.py": Path(sched.__file__).read_bytes(),
}
NAMES = re.compile(r"(self|session|app|result|error|data|value|name|item|x|i|e)$")


@dataclass(frozen=True)
class InProcess:
    """Runs a function from text to text where a pass would run foreign code."""

    codemod: object
    loaded = Ready()

    def __call__(self, setup):
        del setup
        return self

    def answers(self, items):
        found = []
        for one in items:
            source = decode(one.path, one.content)
            text = self.codemod(source.text.decode())
            found.append(Rewritten(source.with_text(text.encode()).raw()))
        return found

    def end(self):
        pass


def newline_of(text):
    return next(iter(LINE_END.findall(text)), "\n")


def split_at(text):
    """Return the lines of a text with their ends."""
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


def renames(text):
    """Give common names a suffix, wherever they stand."""
    lines = split_at(text)
    plain = "".join(re.sub(r"\r\n?", "\n", one) for one in lines)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(plain).readline))):
        if token.type == tokenize.NAME and NAMES.match(token.string):
            (row, column), end = token.start, token.end[1]
            line = lines[row - 1]
            lines[row - 1] = f"{line[:column]}{token.string}_{line[end:]}"
    return "".join(lines)


def notes(text):
    """Put a comment above every second function that has none."""
    lines = split_at(text)
    heads = [
        min([one.lineno, *(d.lineno for d in one.decorator_list)])
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for row in sorted(heads[::2], reverse=True):
        indent = re.match(r"[ \t]*", lines[row - 1])[0]
        if "# seen" not in lines[row - 2]:
            lines.insert(row - 1, f"{indent}# seen{newline_of(text)}")
    return "".join(lines)


def wraps(text):
    """Put calls that stand alone at the top of a file into a block."""
    lines = split_at(text)
    for node in reversed(ast.parse(text).body):
        first, last = node.lineno, node.end_lineno
        is_call = isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call)
        if is_call and first == last and ";" not in lines[first - 1]:
            newline = newline_of(text)
            lines[first - 1] = f"if True:{newline}    {lines[first - 1]}"
    return "".join(lines)


CODEMODS = {"renames": renames, "notes": notes, "wraps": wraps}


@pytest.fixture(params=[False, True], ids=["file", "hunk"])
def per_hunk(request):
    return request.param


def made(codemod, *, per_hunk):
    """Return what a codemod makes of the program."""
    place = PassPlace(Path("/"), Path("/"))
    settings = PassSettings(libcst=codemod, name=codemod, per_hunk=per_hunk)
    own = Case(
        name="blocks",
        family="libcst",
        rule=codemod,
        directory=Path(),
        settings=Settings(unsafe=True, level=Level.UNSAFE),
        before=FILES,
        after={},
        program={},
    )
    return run_case(own, [rule_of(settings, place, InProcess(CODEMODS[codemod]))])


@pytest.mark.parametrize("codemod", CODEMODS)
def test_it_writes_what_the_codemod_gives(codemod, per_hunk):
    result = made(codemod, per_hunk=per_hunk)

    with naming_case(result.case):
        assert not diagnostics_of(result)
    for path, text in FILES.items():
        wanted = CODEMODS[codemod](text.decode())
        assert result.files[path].decode() == wanted
        assert wanted.encode() != text


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("codemod", CODEMODS)
@pytest.mark.sampled(4)
def test_all_laws_hold(codemod, law, per_hunk):
    result = made(codemod, per_hunk=per_hunk)
    if law in laws_of(result.case):
        with naming_case(result.case):
            LAWS[law](result)
