"""A site is one whatever its file or function calls what it imports: a law over all rules."""

from __future__ import annotations

import ast
from collections import Counter

import pytest
from fixture_cases import CASES

from awaken.testing import run_case

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Renaming(ast.NodeTransformer):
    """Reads each thing of ``imported`` by another name, one of ``names``."""

    def __init__(self, imported, names):
        self.imported, self.names = imported, names

    def _name(self, thing, read):
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


def renamed(text, own, place):
    """Return a file whose functions read what it imports by other names, given at ``place``."""
    tree = ast.parse(text)
    imported, names = imported_in(tree, own), {}
    functions = [node for node in tree.body if isinstance(node, FUNCTIONS)]
    for function in functions:
        bound = set(bound_in(function))
        renaming = Renaming({name: imported[name] for name in imported if name not in bound}, names)
        function.body = [renaming.visit(node) for node in function.body]
        if place == "function":
            function.body[:0] = imports_of(names)
            names.clear()
    if names:
        otherwise = ast.ExceptHandler(ast.Name("ImportError", ast.Load()), None, [ast.Raise()])
        at = tree.body.index(functions[0])
        tree.body.insert(at, ast.Try(imports_of(names), [otherwise], [], []))
    return ast.unparse(ast.fix_missing_locations(tree))


def findings_of(case, text_of):
    """Return how many findings of each rule and level a case has with other texts."""
    files = {
        path: text_of(text).encode() if path.endswith(".py") else text
        for path, text in case.before.items()
    }
    report = run_case(case, files=files).report
    return Counter((finding.rule, finding.level) for finding in report.findings)


@pytest.mark.parametrize("place", ["function", "try"])
@pytest.mark.parametrize("page", [name for name in CASES if CASES[name].name.startswith("page-")])
def test_an_import_by_another_name_hides_no_site(page, place):
    case = CASES[page]
    own = {part.removesuffix(".py") for path in case.before for part in path.split("/")}

    assert findings_of(case, lambda text: renamed(text, own, place)) == findings_of(
        case, lambda text: ast.unparse(ast.parse(text))
    )
