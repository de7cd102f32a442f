"""The functions of a program that answer a request of a test, and what they are given.

A function answers if the path of its decorator ends the path that is asked for. FastAPI's
``Depends`` is followed from there, for tests put a double in the place of such a dependency.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from awaken.project.frameworks.testing.double_reach import EntryPoint
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.f_strings import text_parts
from awaken.project.source.memo import cached_method, cached_property, recursive_items
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.replacing import text_of
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, keyword_of, parameters_of
from awaken.project.source.worklist import MOST_FILES, MOST_FUNCTIONS, Worklist

METHODS = {"delete", "get", "head", "open", "options", "patch", "post", "put", "request"}
_ROUTES = {"api_route", "route", *METHODS}
_ANY = "{}"
_Score = tuple[int, int]
"""How many parts of a path are those asked for, and how many it has."""
_INCLUDING = {"include_router", "register_blueprint"}


def path_of(module: Module, call: ast.Call) -> str | None:
    """Return the path that a client is asked for, ``{}`` for each part that is computed."""
    # ``client.request(method, path)`` has the path second.
    for argument in [*call.args[:2], *(k.value for k in call.keywords if k.arg in {"url", "path"})]:
        text = text_of(module, argument)
        if text is None and text_parts(argument):
            text = _shown_text(module, argument)
        if text is not None and text.startswith(("/", _ANY)):
            return text
    return None


def _shown_text(module: Module, node: ast.expr) -> str:
    """Return a text, with ``{}`` for each part of an f-string or of a sum that is unknown."""
    parts = (_shown_text(module, part) for part in text_parts(node))
    return text_of(module, node) or "".join(parts) or _ANY


class _Router(NamedTuple):
    """The variable of a file that holds a router."""

    path: str
    name: str


class Routes(ProgramFacts):
    """Finds the functions that answer requests."""

    @cached_method
    def answering(self, method: str, path: str) -> list[EntryPoint] | None:
        """Return the functions that may answer ``method`` on ``path``; None if too many may."""
        wanted = _parts(path)
        files = self._files(wanted)
        result = list(self._search(method, wanted, files))
        # Several patterns may fit, and a framework takes the most special one, as a rule.
        best = max((score for score, _ in result), default=(0, 0))
        fitting = [entry for score, entry in result if score == best]
        return fitting if len(files) <= MOST_FILES else None

    def _files(self, wanted: list[str]) -> list[str]:
        words = tuple(f"/{name}".encode() for name in wanted if _is_literal(name))
        files = self._evaluator.files_with(words or (b'"/"',))
        # The path of a router may be only where it is included.
        routers = (
            router.path
            for router, prefixes in self._prefixes.items()
            if any(set(prefix) & set(wanted) for prefix in prefixes)
        )
        return sorted({file for file in (*files, *routers) if not is_around_tests(file)})

    @cached_property
    def _prefixes(self) -> dict[_Router, tuple[tuple[str, ...], ...]]:
        """The paths that each router has where it is included; those of the outer ones first."""
        included: defaultdict[_Router, list[tuple[_Router | None, list[str]]]] = defaultdict(list)
        paths = self._evaluator.files_with((b".include_router(", b".register_blueprint("))
        for module, node in nodes_in(self._evaluator.modules_at(paths), ast.Call):
            child = _included_router(node)
            router = None if child is None else self._router(module, child)
            if router is not None and isinstance(node.func, ast.Attribute):
                outer = self._router(module, node.func.value)
                own = [] if outer is None else _prefix(module, node.func.value)
                included[router].append((outer, [*own, *_prefix_of(module, node)]))

        @recursive_items
        def prefixes_of(router: _Router) -> Iterator[tuple[str, ...]]:
            for outer, prefix in included[router]:
                above = prefixes_of(outer) if outer is not None and outer in included else ()
                yield from ((*item, *prefix) for item in above or [()])

        return {router: prefixes_of(router) for router in list(included)}

    def _router(self, module: Module, node: ast.expr) -> _Router | None:
        """Return where the variable is defined that ``node`` names."""
        qualified = self._evaluator.names.qualified_name(module, node)
        located = None if qualified is None else self._evaluator.names.locate(qualified)
        if located is None or len(located.rest) != 1:
            return None
        return _Router(located.path, located.rest[0])

    def _search(
        self, method: str, wanted: list[str], files: list[str]
    ) -> Iterator[tuple[_Score, EntryPoint]]:
        """Yield what may answer, with how many parts of its path are those asked for."""
        for module in self._evaluator.modules_at(files if len(files) <= MOST_FILES else ()):
            for node in module.tree.body:
                if isinstance(node, Function) and module is not None:
                    scores = [
                        score
                        for decorator in node.decorator_list
                        for score in self._scores(module, decorator, method, wanted)
                    ]
                    for score in scores:
                        yield score, EntryPoint(module, node)

    def _scores(
        self, module: Module, decorator: ast.expr, method: str, wanted: list[str]
    ) -> Iterator[_Score]:
        """Yield how well a decorator answers, by each path of its router."""
        if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
            return
        router = decorator.func.value
        name = router.id if isinstance(router, ast.Name) else ""
        for prefix in self._prefixes.get(_Router(module.path, name)) or [()]:
            score = _answers(module, decorator, method, wanted, prefix)
            if score is not None:
                yield score

    def receivers_of(self, route: EntryPoint, dependency: str) -> tuple[list[EntryPoint], bool]:
        """Return the functions that get what ``dependency`` gives, when ``route`` is asked.

        Second comes whether these are all.
        """
        entry_points = list[EntryPoint]()
        waiting = Worklist([route], lambda entry: entry.function, MOST_FUNCTIONS)
        for entry in waiting:
            given = set[str]()
            for parameter, default in parameters_of(entry.function.args):
                for module, node in self._evaluator.injections.of_parameter(
                    entry.module, parameter, default
                ):
                    if self._evaluator.names.qualified_name(module, node) == dependency:
                        given.add(parameter.arg)
                    else:
                        waiting += self._function(module, node)
            if given:
                entry_points.append(EntryPoint(entry.module, entry.function, frozenset(given)))
        return entry_points, waiting.is_done

    def _function(self, module: Module, node: ast.expr) -> Iterator[EntryPoint]:
        with self._evaluator.without_callers():
            values = self._evaluator.values(module, node)
        for value in values:
            result = getattr(value, "node", None)
            if isinstance(result, Function):
                yield EntryPoint(value.module, result)  # type: ignore[union-attr]


def may_answer(route: str, asked: str) -> bool:
    """Whether a request of the path ``asked`` may reach a ``route``, maybe with a prefix."""
    parts, wanted = _parts(route), _parts(asked)
    # A computed prefix may have any number of parts.
    is_open = bool(wanted) and not _is_literal(wanted[0])
    pairs = zip(reversed(parts), reversed(wanted), strict=False)
    return (is_open or len(parts) <= len(wanted)) and all(_fits(*pair) for pair in pairs)


def _parts(path: str) -> list[str]:
    return [location for location in path.partition("?")[0].split("/") if location]


def _is_literal(part: str) -> bool:
    return not any(name in part for name in "{}<>")


def _answers(
    module: Module, decorator: ast.Call, method: str, wanted: list[str], prefix: Sequence[str]
) -> _Score | None:
    """Return how well a decorator answers, ``@router.get("/users/{id}")``; None if not at all."""
    if not isinstance(decorator.func, ast.Attribute):
        return None
    path = decorator.args[0] if decorator.args else None
    if not isinstance(path, ast.Constant) or not isinstance(path.value, str):
        return None
    if not _admits(decorator, decorator.func.attr, method):
        return None
    parts = [*prefix, *_prefix(module, decorator.func.value), *_parts(path.value)]
    pairs = list(zip(reversed(parts), reversed(wanted), strict=False))
    # An application may be mounted somewhere: the ends are compared.
    if len(parts) > len(wanted) or not all(_fits(name, other) for name, other in pairs):
        return None
    return sum(name == other for name, other in pairs), len(parts)


def _included_router(call: ast.Call) -> ast.expr | None:
    """Return the router that ``app.include_router(router, prefix="/users")`` includes."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _INCLUDING:
        return None
    by_name = (keyword.value for keyword in call.keywords if keyword.arg in {"router", "blueprint"})
    return call.args[0] if call.args else next(by_name, None)


def _prefix(module: Module, router: ast.expr) -> list[str]:
    """Return the path that a router of the same file puts before those of its functions."""
    bindings = module.scopes.bindings_of(router)
    calls = (binding.value for binding in bindings if isinstance(binding.value, ast.Call))
    return next((parts for call in calls if (parts := _prefix_of(module, call))), [])


def _prefix_of(module: Module, call: ast.Call) -> list[str]:
    for keyword in call.keywords:
        if keyword.arg in {"prefix", "url_prefix"}:
            return _parts(text_of(module, keyword.value) or "")
    return []


def _admits(decorator: ast.Call, name: str, method: str) -> bool:
    """Whether a decorator ``name`` lets a function answer ``method``."""
    # The method of ``client.open`` is an argument, which is not read.
    if name not in _ROUTES or method in {"open", "request"}:
        return name in _ROUTES
    if name not in {"api_route", "route"}:
        return name == method
    given = keyword_of(decorator, "methods")
    if given is None:
        # The methods of a Flask route that names none.
        return method in {"get", "head", "options"}
    texts = [node.value for node in ast.walk(given) if isinstance(node, ast.Constant)]
    return not texts or method.upper() in texts


def _fits(one: str, other: str) -> bool:
    return one == other or not (_is_literal(one) and _is_literal(other))
