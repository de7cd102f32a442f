"""A site is one whatever its file or function calls what it imports: a law over all rules."""

from __future__ import annotations

import ast
from collections import Counter

import pytest
from fixture_cases import CASES, costly

from awaken.contract import Level
from awaken.testing import run_case

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)
PAGES = [name for name in CASES if CASES[name].name.startswith("page-")]

OTHER_PROGRAM = {
    "async-timeout-to-asyncio/patched": "the test replaces the name that is renamed",
    "dangling-task/replaced": "the test replaces the name that is renamed",
    "running-loop/patched": "the test replaces the name that is renamed",
    "wait-for-to-timeout/elsewhere": "the test replaces the name that is renamed",
}
"""Cases with more safe sites by other names, and why."""
LOST = {
    "blocking-call/before-3.9": "the text of a file is searched for calls of a library",
    "blocking-call/other-loop": "the text of a file is searched for calls of a library",
    "missing-await/shapes": "the text of a file is searched for the names of coroutines",
    "nested-asyncio-run/executed": "the text of the program is searched for `asyncio.run(`",
    "nested-asyncio-run/refused": "the text of the program is searched for `asyncio.run(`",
    "sequential-awaits/requests": "the text of a file is searched for `wait_for`",
}
"""Cases with fewer sites by other names, and why."""
ROLLED_BACK = {
    ("session-to-async/models-that-ask", "assignment"): "`z0 = Session` serves a listener as well",
}
"""Cases of which a check takes everything back by other names, and why."""


class Renaming(ast.NodeTransformer):
    """Reads each thing of ``imported`` by another name, one of ``names``."""

    def __init__(self, imported, names):
        self.imported, self.names, self.reads = imported, names, {}

    def _name(self, thing, read):
        self.reads[thing] = read
        name = self.names.setdefault(thing, f"z{len(self.names)}")
        return ast.copy_location(ast.Name(name, ast.Load()), read)

    def visit_Name(self, node):
        thing = self.imported.get(node.id)
        return self._name(thing, node) if thing and isinstance(node.ctx, ast.Load) else node

    def visit_Attribute(self, node):
        home = self.imported.get(node.value.id) if isinstance(node.value, ast.Name) else None
        is_of_module = home is not None and not home[1] and isinstance(node.ctx, ast.Load)
        return self._name((home[0], node.attr), node) if is_of_module else self.generic_visit(node)


def imports_of(names):
    """Return the imports that give ``names``."""
    return [
        ast.ImportFrom(home, [ast.alias(name, other)], 0)
        if name
        else ast.Import([ast.alias(home, other)])
        for (home, name), other in names.items()
    ]


def imported_in(tree, own):
    """Return what the top of a file imports of libraries: the module, and the name in it."""
    imported = {}
    for node in tree.body:
        match node:
            case ast.Import():
                plain = [each for each in node.names if each.asname or "." not in each.name]
                imported |= {each.asname or each.name: (each.name, "") for each in plain}
            case ast.ImportFrom(module=str() as home, level=0) if home != "__future__":
                imported |= {each.asname or each.name: (home, each.name) for each in node.names}
    return {
        name: thing for name, thing in imported.items() if thing[0].partition(".")[0] not in own
    }


def bound_in(tree):
    """Yield the names that anything in ``tree`` binds, imports aside."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name


def renaming_in(tree, imported, names):
    """Return what renames the reads of what is ``imported`` and nothing in ``tree`` binds."""
    bound = set(bound_in(tree))
    return Renaming({name: imported[name] for name in imported if name not in bound}, names)


def renamed(text, own, place):
    """Return a file that reads what it imports by other names, given at ``place``.

    Only functions do, but for the place ``file``: there everything does.
    """
    tree = ast.parse(text)
    imported, names = imported_in(tree, own), {}
    if place == "file":
        renaming = renaming_in(tree, imported, names)
        tree.body = [
            node if isinstance(node, IMPORTS) else renaming.visit(node) for node in tree.body
        ]
        at = sum(is_head(node) for node in tree.body[:2])
        tree.body[at:at] = imports_of(names)
        return ast.unparse(ast.fix_missing_locations(tree))
    functions, reads = [node for node in tree.body if isinstance(node, FUNCTIONS)], {}
    for function in functions:
        renaming = renaming_in(function, imported, names)
        function.body = [renaming.visit(node) for node in function.body]
        reads |= renaming.reads
        if place == "function":
            function.body[:0] = imports_of(names)
            names.clear()
    if place == "assignment":
        at = tree.body.index(functions[0]) if functions else 0
        tree.body[at:at] = [
            ast.Assign([ast.Name(name, ast.Store())], reads[thing]) for thing, name in names.items()
        ]
    elif names:
        otherwise = ast.ExceptHandler(ast.Name("ImportError", ast.Load()), None, [ast.Raise()])
        at = tree.body.index(functions[0])
        tree.body.insert(at, ast.Try(imports_of(names), [otherwise], [], []))
    return ast.unparse(ast.fix_missing_locations(tree))


def is_head(node):
    """Whether a statement comes before all others: the docstring, or imports from the future."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())) | ast.ImportFrom(module="__future__"):
            return True
    return False


def findings_of(case, text_of):
    """Return how many findings of each rule and level a case has with other texts."""
    files = {
        path: text_of(text).encode() if path.endswith(".py") else text
        for path, text in case.before.items()
    }
    report = run_case(case, files=files).report
    return Counter((finding.rule, finding.level) for finding in report.findings)


def compared(identifier, place):
    """Return what a case has by the names that it is written with, and by others."""
    case = CASES[identifier]
    own = {part.removesuffix(".py") for path in case.before for part in path.split("/")}
    return (
        findings_of(case, lambda text: ast.unparse(ast.parse(text))),
        findings_of(case, lambda text: renamed(text, own, place)),
    )


def safe(findings):
    return sum(count for (_, level), count in findings.items() if level is Level.SAFE)


@pytest.mark.parametrize("place", ["function", "try"])
@pytest.mark.parametrize("page", PAGES)
def test_an_import_by_another_name_hides_no_site(page, place):
    written, by_others = compared(page, place)

    assert by_others == written


@pytest.mark.parametrize(
    ("identifier", "place"),
    [
        costly(name, place)
        for name, case in CASES.items()
        if name not in PAGES
        for place in ("assignment", "function", "file")
        if (name, place) not in ROLLED_BACK
    ],
)
def test_no_site_is_lost_or_safer_by_another_name(identifier, place):
    written, by_others = compared(identifier, place)

    if identifier not in OTHER_PROGRAM:
        assert safe(by_others) <= safe(written)
    if identifier not in LOST:
        assert by_others.total() >= written.total()
