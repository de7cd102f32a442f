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
COMPAT = "z_compat"
"""A module of the program that imports of libraries what all others take from it."""
PAGES = [name for name in CASES if CASES[name].name.startswith("page-")]

OTHER_PROGRAM = {
    "async-timeout-to-asyncio/patched": "the test replaces the name that is renamed",
    "dangling-task/replaced": "the test replaces the name that is renamed",
    "httpx-asgi-transport/replaced": "the test replaces the name that is renamed",
    "running-loop/patched": "the test replaces the name that is renamed",
    "wait-for-to-timeout/elsewhere": "the test replaces the name that is renamed",
}
"""Cases with more safe sites by other names, and why."""
LOST = {
    "blocking-call/before-3.9": "the text of a file is searched for calls of a library",
    "blocking-call/other-loop": "the text of a file is searched for calls of a library",
    "missing-await/shapes": "the text of a file is searched for the names of coroutines",
    "sequential-awaits/requests": "the text of a file is searched for `wait_for`",
}
"""Cases with fewer sites by other names, and why."""
UNFOLLOWED = {
    "annotated-dependency/calls-by-computed-names": "`getmembers`",
    "httpx-asgi-transport/refused": "`Optional`",
    "query-to-select/classes-replaced-in-tests": "`patch`",
    "query-to-select/doubles-by-hand": "mocks",
    "query-to-select/doubles-of-classes": "`patch`",
    "query-to-select/doubles-of-requests": "mocks",
    "query-to-select/doubles-patched": "`patch`",
    "query-to-select/replaced-by-parameters": "`patch`",
    "query-to-select/session-stand-ins-made": "`namedtuple`, `make_dataclass`",
    "query-to-select/session-stand-ins-put": "`namedtuple`, `new_class`",
    "settings-config/listed": "`getmembers`",
    "settings-config/read-by-computed-names": "`attrgetter`",
}
"""Cases that are safer if a module of the program gives these another name for all others: it is
looked for by its own name. A defect, with the names that have to be followed over files."""
ROLLED_BACK = {
    ("session-to-async/computed-elsewhere", "compat"): "`get` of an unknown session is not awaited",
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


class Originals(dict):
    """The names by which things are known at home, as far as nothing else is ``taken`` by them."""

    def __init__(self, taken):
        super().__init__()
        self.taken = taken

    def setdefault(self, thing, _):
        home, name = thing
        is_free = name and name not in self.taken.union(self.values())
        return super().setdefault(thing, name if is_free else f"{home}.{name}".replace(".", "_"))


class Aliasing(ast.NodeTransformer):
    """Reads each module, one of ``modules`` as written, by another name."""

    def __init__(self, modules):
        self.modules = modules

    def _read(self, node):
        name = self.modules.get(ast.unparse(node)) if isinstance(node.ctx, ast.Load) else None
        return ast.copy_location(ast.Name(name, ast.Load()), node) if name else None

    def visit_Name(self, node):
        return self._read(node) or node

    def visit_Attribute(self, node):
        return self._read(node) or self.generic_visit(node)

    def visit_Import(self, node):
        for alias in node.names:
            alias.asname = self.modules.get(alias.asname or alias.name, alias.asname)
        return node


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


def aliased(text, own):
    """Return a file that reads each module of a library by another name, given at the import."""
    tree = ast.parse(text)
    bound = set(bound_in(tree))
    plain = [
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.partition(".")[0] not in own
    ]
    free = [name for name in dict.fromkeys(plain) if name.partition(".")[0] not in bound]
    aliasing = Aliasing({name: f"z{number}" for number, name in enumerate(free)})
    return ast.unparse(ast.fix_missing_locations(aliasing.visit(tree)))


def passed_on(text, own, names):
    """Return a file that takes what it imports of libraries from ``COMPAT``, by other names."""
    tree = ast.parse(text)
    renaming = renaming_in(tree, imported_in(tree, own), names)
    tree.body = [node if isinstance(node, IMPORTS) else renaming.visit(node) for node in tree.body]
    at = sum(is_head(node) for node in tree.body[:2])
    taken = [ast.alias(names[thing], None) for thing in renaming.reads]
    tree.body[at:at] = [ast.ImportFrom(COMPAT, taken, 0)] if taken else []
    return ast.unparse(ast.fix_missing_locations(tree))


def is_head(node):
    """Whether a statement comes before all others: the docstring, or imports from the future."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())) | ast.ImportFrom(module="__future__"):
            return True
    return False


def findings_of(case, text_of, names=None):
    """Return how many findings of each rule and level a case has with other texts.

    With ``names`` a further file imports them of libraries for all others.
    """
    files = {
        path: text_of(text).encode() if path.endswith(".py") else text
        for path, text in case.before.items()
    }
    if names:
        tree = ast.Module(imports_of(names), [])
        files[f"{COMPAT}.py"] = ast.unparse(ast.fix_missing_locations(tree)).encode()
    report = run_case(case, files=files).report
    return Counter((finding.rule, finding.level) for finding in report.findings)


def compared(identifier, place):
    """Return what a case has by the names that it is written with, and by others."""
    case = CASES[identifier]
    own = {part.removesuffix(".py") for path in case.before for part in path.split("/")}
    texts = [text for path, text in case.before.items() if path.endswith(".py")]
    taken = {name for text in texts for name in bound_in(ast.parse(text))}
    names = Originals(taken) if place == "gathered" else {} if place == "compat" else None
    others = {
        "alias": lambda text: aliased(text, own),
        **dict.fromkeys(("compat", "gathered"), lambda text: passed_on(text, own, names)),
    }
    return (
        findings_of(case, lambda text: ast.unparse(ast.parse(text))),
        findings_of(case, others.get(place, lambda text: renamed(text, own, place)), names),
    )


def safe(findings):
    return sum(count for (_, level), count in findings.items() if level is Level.SAFE)


@pytest.mark.parametrize("place", ["alias", "function", "try"])
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
        for place in ("alias", "assignment", "compat", "function", "file", "gathered")
        if (name, place) not in ROLLED_BACK
    ],
)
@pytest.mark.sampled(4)
def test_no_site_is_lost_or_safer_by_another_name(identifier, place):
    written, by_others = compared(identifier, place)

    if identifier not in OTHER_PROGRAM and (place != "compat" or identifier not in UNFOLLOWED):
        assert safe(by_others) <= safe(written)
    if identifier not in LOST and place not in {"compat", "gathered"}:
        assert by_others.total() >= written.total()
