"""Small rewriters, and short ways to make changes with them, for the tests of the engine."""

from __future__ import annotations

import ast
import itertools

import libcst as cst

from awaken.contract import (
    Change,
    InsertStatements,
    Level,
    NeedImport,
    NodeEdit,
    ReleaseImport,
    Span,
    TextEdit,
)
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.project.source.modules import Module
from awaken.workspace.sources import Snapshot, decode

PATH = "shop.py"


def identity(node, data, around):
    del data, around
    return node


def wrap(node, data, around):
    """``x`` → ``wrapped(x)``; ``data`` is another name for the function."""
    del around
    return cst.Call(cst.Name(data or "wrapped"), [cst.Arg(node)])


def rename(node, data, around):
    """Call another function, in place of the last name of the old one."""
    del around
    if isinstance(node.func, cst.Attribute):
        return node.with_changes(func=node.func.with_changes(attr=cst.Name(data)))
    return node.with_changes(func=cst.Name(data))


def swap(node, data, around):
    """Exchange the first two arguments; their commas and comments stay where they are."""
    del data, around
    first, second, *rest = node.args
    args = [first.with_changes(value=second.value), second.with_changes(value=first.value)]
    return node.with_changes(args=[*args, *rest])


def parsed(node, data, around):
    """Replace the node by the expression that ``data`` spells."""
    del node, around
    return cst.parse_expression(data)


def statements(node, data, around):
    """Replace the node by (or insert) the statements that ``data`` spells."""
    del node
    config = cst.PartialParserConfig(default_indent=around.indent)
    tree = cst.parse_module(data, config)
    first, *rest = tree.body
    return [first.with_changes(leading_lines=[*tree.header, *first.leading_lines]), *rest]


def remove(node, data, around):
    del node, data, around
    return cst.RemoveFromParent()


def broken_line(node, data, around):
    """Replace the node by a chain of two lines."""
    del node, data, around
    line_break = cst.ParenthesizedWhitespace(indent=False)
    dot = cst.Dot(whitespace_before=line_break)
    return cst.Call(cst.Attribute(cst.Name("a"), cst.Name("b"), dot=dot))


def compound(node, data, around):
    """Replace the node by a product of a sum without the parentheses that it needs."""
    del node, data, around
    total = cst.BinaryOperation(cst.Name("a"), cst.Add(), cst.Name("b"))
    return cst.BinaryOperation(total, cst.Multiply(), cst.Name("c"))


def beside(node, data, around):
    """``x`` → ``beside(x, 2)``."""
    del data, around
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return cst.Call(cst.Name("beside"), [cst.Arg(node, comma=comma), cst.Arg(cst.Integer("2"))])


def nothing(node, data, around):
    del node, data, around
    return []


def fail(node, data, around):
    del node, around
    raise LookupError(data)


REWRITERS = {
    "rule": {
        function.__name__: function
        for function in (
            identity,
            wrap,
            rename,
            swap,
            parsed,
            statements,
            remove,
            broken_line,
            compound,
            nothing,
            beside,
            fail,
        )
    }
}

_numbers = itertools.count()


def module(text):
    """Return ``text`` (str or bytes) as a parsed file."""
    raw = text if isinstance(text, bytes) else text.encode()
    source = decode(PATH, raw)
    return Module(source, ast.parse(source.text.decode()), "shop")


def span(text, code, nth=0):
    """Return where ``code`` stands in ``text`` for the ``nth`` time."""
    text, code = text.encode(), code.encode()
    at = -1
    for _ in range(nth + 1):
        at = text.index(code, at + 1)
    return Span(at, at + len(code))


def node_edit(text, code, rewriter, data=None, *, kind="Call", nth=0):  # noqa: PLR0913
    return NodeEdit(
        path=PATH,
        anchor=span(text, code, nth),
        node=kind,
        rewriter=rewriter,
        data=data,
        site="site",
    )


def token(text, code, new, nth=0):
    return TextEdit(path=PATH, anchor=span(text, code, nth), text=new, site="site")


def insert(text, code, where, data, rewriter="statements"):
    at = span(text, code) if code else Span(0, 0)
    return InsertStatements(
        path=PATH, at=at, where=where, rewriter=rewriter, data=data, site="site"
    )


def need(name, module_name="library", alias=None, *, typing=False):
    return NeedImport(
        path=PATH, module=module_name, name=name, alias=alias, type_checking=typing, site="site"
    )


def release(name, module_name="library"):
    return ReleaseImport(path=PATH, module=module_name, name=name, site="site")


def change(*edits, id=None, level=Level.SAFE):  # noqa: A002  as the contract calls it
    return Change(
        id=id or f"change-{next(_numbers)}",
        rule="rule",
        title="",
        level=level,
        sites=(),
        edits=edits,
    )


def run(text, *changes, files=None, formatter=None):
    raw = text if isinstance(text, bytes) else text.encode()
    files = {PATH: decode(PATH, raw), **(files or {})}
    return apply_in_memory(Snapshot(files), changes, REWRITERS, formatter)


def after(text, *changes, **options):
    """Return the text of the file after ``changes``, all of which must be made."""
    result = run(text, *changes, **options)
    assert result.problems == ()
    return result.snapshot[PATH].text.decode()


def refused(text, *changes, **options):
    """Return what the one problem says, and the changes that it names."""
    (problem,) = run(text, *changes, **options).problems
    return problem.message, list(problem.changes)
