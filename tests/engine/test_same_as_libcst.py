"""The same code comes out as when LibCST parses the whole file, on modules of the library."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import libcst as cst
import pytest
from rewriting_helpers import PATH, REWRITERS, change, identity, wrap

from awaken.contract import NodeEdit
from awaken.engine.edits.node_kinds import KINDS, is_name_only
from awaken.engine.formatting.formatter import Formatter
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.project.source.modules import Module
from awaken.workspace.parsing import deep_recursion
from awaken.workspace.sources import Snapshot, decode

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
MODULES = ["bisect.py", "contextlib.py", "json/decoder.py", "sched.py", "textwrap.py"]
EXPRESSIONS = ["Call", "Attribute", "Subscript", "BinOp", "Compare", "Name", "Dict", "Lambda"]
STATEMENTS = ["FunctionDef", "ClassDef", "If", "Assign", "Return", "With", "Try", "For", "Expr"]


class WholeFile(cst.CSTTransformer):
    """Runs a rewriter on chosen nodes of one kind, on the tree of the whole file."""

    def __init__(self, kind, chosen, rewriter):
        super().__init__()
        self.type, self.matches = KINDS[kind]
        self.chosen, self.rewriter = chosen, rewriter
        self.count = self.names = 0
        self.found = {}

    def on_visit_attribute(self, node, attribute):
        self.names += is_name_only(node, attribute)

    def on_leave_attribute(self, original_node, attribute):
        self.names -= is_name_only(original_node, attribute)

    def on_visit(self, node):
        if self.names:
            return False
        if type(node) is self.type and self.matches(node):
            if self.count in self.chosen:
                self.found[id(node)] = node
            self.count += 1
        return True

    def on_leave(self, original_node, updated_node):
        if id(original_node) not in self.found:
            return updated_node
        if not isinstance(updated_node, cst.BaseExpression):
            return self.rewriter(updated_node, None, None)
        left, right = updated_node.lpar, updated_node.rpar
        result = self.rewriter(updated_node.with_changes(lpar=(), rpar=()), None, None)
        return result.with_changes(lpar=[*left, *result.lpar], rpar=[*result.rpar, *right])


def both(source, kind, rewriter):
    """Return what the engine makes of every third node of a kind, and what LibCST makes."""
    module = Module(source, ast.parse(source.text.decode()), "x")
    nodes = [node for node in module.walk() if type(node).__name__ == kind]
    chosen = {
        number
        for number, node in enumerate(nodes)
        if number % 3 == 0
        and not module.in_fstring(node)
        and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    }
    edits = [
        NodeEdit(
            path=PATH,
            anchor=module.span(nodes[number]),
            node=kind,
            rewriter=rewriter.__name__,
            data=None,
            site="s",
        )
        for number in chosen
    ]
    any_length = Formatter(line_length=10_000)
    result = apply_in_memory(Snapshot({PATH: source}), [change(*edits)], REWRITERS, any_length)
    assert result.problems == ()
    with deep_recursion():
        tree = cst.parse_module(source.text.decode())
        expected = tree.visit(WholeFile(kind, chosen, rewriter)).code
    return result.snapshot[PATH].text.decode(), expected


def without_indentation(code):
    return [line.lstrip(" ") for line in code.splitlines()]


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.sampled(3)
def test_expressions(name):
    source = decode(PATH, (LIBRARY / name).read_bytes())
    for kind in EXPRESSIONS:
        found, expected = both(source, kind, wrap)
        # Aligned lines move with their bracket, which LibCST doesn't do: test_aligned_lines.py.
        assert without_indentation(found) == without_indentation(expected)


@pytest.mark.parametrize("name", MODULES[:3])
def test_statements(name):
    source = decode(PATH, (LIBRARY / name).read_bytes())
    for kind in STATEMENTS:
        found, expected = both(source, kind, identity)
        assert found == expected == source.text.decode()


def test_line_ends_of_windows():
    raw = (LIBRARY / "sched.py").read_bytes().replace(b"\n", b"\r\n")
    found, expected = both(decode(PATH, raw), "Call", wrap)
    assert found == expected
    assert "\n" not in found.replace("\r\n", "")
