"""One change for mocks of Query and all queries that they answer."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import grouped_rewrites, reasons
from awaken.codemods.sqlalchemy.query_to_select.answers import session_mocks
from awaken.codemods.sqlalchemy.query_to_select.answers.session_mocks import Asked, asked_methods
from awaken.codemods.sqlalchemy.query_to_select.components.collecting import read_component
from awaken.codemods.sqlalchemy.query_to_select.decide.single import rewrite_single
from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Rewrite, Root
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised, Sites
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.contract import Edit, Place, SiteId, Span, TextEdit
from awaken.project.frameworks.testing import Double, QueryUse, use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameter_names
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import classes_in

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_MOST_USES = 30
"""Functions whose queries one change rewrites: more is no unit of work any more."""
CAVEAT = "the tests' assertions about the query become assertions about the statement"


def stand_in(
    project: Project, module: Module, root: ast.AST, without: Collection[str] = ()
) -> Refused | None:
    """Return the refusal of a query that an object may answer which is no plain session.

    Those of the classes ``without`` do not count: they are rewritten together with the query.
    """
    match root:
        case ast.Call(func=ast.Attribute(attr="query", value=receiver)):
            result = project.orm.stand_ins.stand_in_for(module, receiver, without)
        case _:
            return None
    if result is None:
        return None
    because = Place(result.place.path, result.place.span, "passed instead of a session")
    return Refused(reasons.STAND_IN, result.why, because=(because,))


class _Written(Struct, frozen=True):
    """A place that makes a double, and the edit that has it answer statements."""

    module: Module
    node: ast.AST
    shown: str
    edit: Callable[[SiteId], Edit]


class _Query(Struct, frozen=True):
    """A query that a mock answers, and the decision on it; ``asked`` if it is by methods alone."""

    recognised: Recognised
    rewrite: Rewrite
    asked: Asked | None


class Together:
    """Decides about the queries of one program that mocks answer, and about the mocks."""

    def __init__(self, project: Project, sites: Sites, *, mocks_by_hand: bool) -> None:
        self._project = project
        self.sites = sites
        self.mocks_by_hand = mocks_by_hand
        self._decided: dict[QueryUse, Rewrite | None] = {}
        self._by_hand_only: set[QueryUse] = set()

    def rewrite(self, use: QueryUse) -> Rewrite | None:
        """Return the rewrite of a query and of all its mocked answers; None if it stays."""
        if use not in self._decided:
            uses, doubles = self._group(use)
            rewrite = self._of_group(uses, doubles)
            if (
                rewrite is not None
                and not self.mocks_by_hand
                and grouped_rewrites.MOCKED in rewrite.caveats
            ):
                self._by_hand_only.update(uses)
                rewrite = None
            self._decided.update(dict.fromkeys(uses, rewrite))
        return self._decided[use]

    def is_answerable(self, use: QueryUse) -> bool:
        """Whether a query can be rewritten if the user rewrites its mocks."""
        return self.rewrite(use) is None and use in self._by_hand_only

    def _group(self, use: QueryUse) -> tuple[list[QueryUse], list[Double]]:
        """Return the queries and the doubles that belong together, always in one order."""
        uses, doubles = Queue([use]), dict[Place, Double]()
        for each in uses:
            for double in self._project.doubles.answering(each):
                doubles[double.place] = double
                uses += double.uses
            if len(uses.seen) > _MOST_USES:
                break
        order = attrgetter("path", "function", "text")
        return sorted(uses.seen.values(), key=order), [doubles[place] for place in sorted(doubles)]

    def _of_group(self, uses: Sequence[QueryUse], doubles: Sequence[Double]) -> Rewrite | None:
        if len(uses) > _MOST_USES or not all(candidate.is_followed for candidate in doubles):
            return None
        queries: dict[QueryUse, list[_Query]] = {}
        for path in dict.fromkeys(use.path for use in uses):
            result = self._queries(path, set(uses))
            if result is None:
                return None
            queries |= result
        written: list[_Written] = []
        left: list[Double] = []
        for double in doubles:
            answers = [query.asked for use in double.uses for query in queries.get(use, ())]
            known = [answer for answer in answers if answer is not None]
            is_known = len(known) == len(answers)
            written_mocks = self._written_mocks(double, known) if is_known else None
            if written_mocks is None:
                left += [double]
            written += written_mocks or []
        joined = _joined_rewrite([query for use in uses for query in queries.get(use, ())], written)
        return joined.with_mocks_by_hand(
            self._project, [place for item in left for place in item.marks]
        )

    # ------------------------------------------------------------------------------- the queries
    def _queries(self, path: str, uses: set[QueryUse]) -> dict[QueryUse, list[_Query]] | None:
        """Return the queries of a file by their use; None if one of them stays."""
        module = self._project.module(path)
        if module is None:
            return None
        reader = Reader(self._project, module)
        roots = {item.root: item for item in self.sites.queries_of(module)}
        queries: dict[QueryUse, list[_Query]] = {}
        for node in module.nodes(ast.Attribute):
            if node.attr != "query":
                continue
            use, call = use_of(module, node), module.parent(node)
            if use not in uses:
                continue
            recognised = roots.get(call) if isinstance(call, ast.Call) else None
            query = None if recognised is None else self._query(reader, recognised)
            fakes = [double.fake for double in self._project.doubles.answering(use)]
            if query is None or stand_in(self._project, module, query.recognised.root, fakes):
                return None
            queries.setdefault(use, []).append(query)
        return queries

    def _query(self, reader: Reader, recognised: Recognised) -> _Query | None:
        if recognised.refused is not None:
            return None

        def roots_of(module: Module) -> dict[ast.AST, Recognised]:
            return {query.root: query for query in self.sites.queries_of(module)}

        try:
            if read_component(reader, recognised.root, roots_of) is not None:
                return None
            rewrite = rewrite_single(reader, recognised)
            method = asked_methods(reader.module, recognised, rewrite)
        except Refused:
            return None
        return _Query(recognised, rewrite, method)

    # ------------------------------------------------------------------------------- the doubles
    def _written_mocks(self, double: Double, answers: Sequence[Asked]) -> list[_Written] | None:
        """Return the mock's answers to statements; None where they are unknown."""
        module = self._project.module(double.place.path)
        if module is None or not answers:
            return None
        nodes = [next(module.nodes_at({place.span}), None) for place in double.marks]
        if double.fake or any(_query_span(module, node) for node in nodes if node is not None):
            places = [double.place] if double.fake else double.marks
            return self._by_hand(module, double, places, answers)
        statements = [
            session_mocks.configured_answer(self._project, module, node)
            if isinstance(node, ast.Attribute)
            else None
            for node in nodes
        ]
        if None in statements:
            return None
        known = [statement for statement in statements if statement is not None]
        heads = {answer.after[0] for answer in answers}
        if any(session_mocks.asks_already(module, candidate, heads) for candidate in known):
            return None
        written = session_mocks.answered_methods(session_mocks.Links(known), answers)
        return None if written is None else [_telling(item) for item in written]

    def _by_hand(
        self, module: Module, double: Double, places: Sequence[Place], answers: Sequence[Asked]
    ) -> list[_Written] | None:
        heads = {answer.after[0] for answer in answers}
        nodes = [next(module.nodes_at({place.span}), None) for place in places]
        if len(heads) != 1 or self._is_named_elsewhere(double):
            return None
        head = heads.pop()
        written: list[_Written] = []
        for node in nodes:
            span = None if node is None else _query_span(module, node)
            function = None if node is None else _function_of(module, node)
            if node is None or span is None or function is None:
                return None
            if _has_member(module, node, head):
                return None
            if not _answers_alike(module, function, answers):
                return None
            written.append(_renaming(module, node, span, head))
        handled = [
            node
            for item in self._project.doubles.in_file(module.path)
            for node in module.nodes_at({place.span for place in item.marks})
        ]
        if double.fake and _is_read(self._project, module, double.fake, handled):
            return None
        return written

    def _is_named_elsewhere(self, double: Double) -> bool:
        name = double.fake.rpartition(".")[2].encode()
        return bool(double.fake) and self._project.files_with((name,)) != [double.place.path]


def _telling(written: session_mocks.Written) -> _Written:
    module, target = written.told.module, written.told.target
    return _Written(module, target, module.excerpt(target), written.edit)


def _renaming(module: Module, node: ast.AST, span: Span, name: str) -> _Written:
    def edit(site: SiteId) -> Edit:
        return TextEdit(path=module.path, anchor=span, text=name, site=site)

    return _Written(module, node, "query", edit)


def _joined_rewrite(queries: Sequence[_Query], doubles: Sequence[_Written]) -> Rewrite:
    rewrites = [query.rewrite for query in queries]
    roots = [root for rewrite in rewrites for root in rewrite.roots]
    for double in doubles:
        said = f"the mock `{double.shown}` now answers the statement"
        roots.append(Root(double.module, double.node, double.node, said, (), None))

    def others(site: SiteId) -> Iterator[Edit]:
        for rewrite in rewrites:
            yield from rewrite.others(site)
        for double in doubles:
            yield double.edit(site)

    return Rewrite(
        roots=roots,
        parts=[part for rewrite in rewrites for part in rewrite.parts],
        caveats=list(dict.fromkeys([CAVEAT, *(each for one in rewrites for each in one.caveats)])),
        needs=[need for rewrite in rewrites for need in rewrite.needs],
        others=others,
        requires=[other for rewrite in rewrites for other in rewrite.requires],
    )


def _query_span(module: Module, node: ast.AST) -> Span | None:
    """Return the place of the name ``query``, in a definition or an assignment."""
    match node:
        case ast.FunctionDef(name="query"):
            start = module.span(node).start
            at = module.source.text.index(b"query", start)
            return Span(at, at + len(b"query"))
        case ast.Attribute(attr="query", ctx=ast.Store()):
            end = module.span(node).end
            return Span(end - len(b"query"), end)
    return None


def _function_of(module: Module, node: ast.AST) -> ast.FunctionDef | None:
    """Return the function that answers: the method, or what is assigned."""
    if isinstance(node, ast.FunctionDef):
        return node if not node.decorator_list else None
    above = module.parent(node)
    if not isinstance(above, ast.Assign) or len(above.targets) != 1:
        return None
    binding = module.scopes.only_binding(above.value)
    result = None if binding is None else binding.node
    is_plain = isinstance(result, ast.FunctionDef) and not result.decorator_list
    return result if is_plain and isinstance(result, ast.FunctionDef) else None


def _answers_alike(module: Module, function: ast.FunctionDef, asked: Iterable[Asked]) -> bool:
    """Whether a function gives the same for a statement, asked by what is asked afterwards.

    It looks at nothing that it is given, and what it gives hands itself on until the last method.
    """
    # A fake that always raises gives no answer that could differ.
    if isinstance(_body(function)[0], ast.Raise):
        return True
    parameters = parameter_names(function.args)
    own = function.args.args[0].arg if module.enclosing_class(function) is not None else ""
    read = {node.id for node in module.nodes_below(function, ast.Name)}
    if read & (parameters - {own}):
        return False
    classes = list(_returned_classes(module, function, own))
    if not classes or None in classes:
        return False
    for method in asked:
        *builders, last = method.before
        is_same = method.items == 1 and len(method.after) > 1 and method.after[1:] == (last,)
        if not is_same or not all(
            given is not None
            and all(_gives_itself(given, name) for name in builders)
            and _method(given, last) is not None
            for given in classes
        ):
            return False
    return True


def _is_read(project: Project, module: Module, fake: str, handled: Sequence[ast.AST]) -> bool:
    """Whether a file reads ``query`` of an instance of the class ``fake`` by itself."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "query"
        and node not in handled
        and fake in classes_in(project.values.of(module, node.value).alternatives)
        for node in module.walk()
    )


def _has_member(module: Module, node: ast.AST, name: str) -> bool:
    """Whether the class around a definition, or the file, says something of ``name`` already."""
    around = module.enclosing_class(node)
    if around is not None and _method(around, name) is not None:
        return True
    return any(
        isinstance(part, ast.Attribute) and part.attr == name and isinstance(part.ctx, ast.Store)
        for part in module.walk()
    )


def _body(function: Function) -> list[ast.stmt]:
    """Return the statements of a function after its docstring."""
    match function.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest] if rest:
            return rest
        case body:
            return body


def _returned_classes(
    module: Module, function: ast.FunctionDef, own: str
) -> Iterator[ast.ClassDef | None]:
    """Yield the classes of what a function returns; None for what is not understood."""
    for node in module.walk(function):
        if not isinstance(node, ast.Return) or module.enclosing_function(node) is not function:
            continue
        match node.value:
            case ast.Name(id=name) if own and name == own:
                yield module.enclosing_class(function)
            case ast.Call(func=ast.Name() as made):
                binding = module.scopes.only_binding(made)
                result = None if binding is None else binding.node
                yield result if isinstance(result, ast.ClassDef) and not result.bases else None
            case _:
                yield None


def _method(around: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    for node in around.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    return None


def _gives_itself(around: ast.ClassDef, name: str) -> bool:
    method = _method(around, name)
    if method is None or method.decorator_list or not method.args.args:
        return False
    match _body(method):
        case [ast.Return(value=ast.Name(id=given))]:
            return given == method.args.args[0].arg
    return False
