"""Mocks of a session in tests: ``db.query.return_value.all.return_value = rows``.

A variable may have the mock that one of them gives. ``db.query.return_value = query`` links it to
the session, and ``query.filter.return_value = query`` links it to itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Rewrite
from awaken.codemods.sqlalchemy.query_to_select.payload import GetRewrite, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import read_chain
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.contract import Edit, SiteId, TextEdit
from awaken.kit.payloads import REMOVE_STATEMENT
from awaken.kit.sites import node_edit
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, root_of

if TYPE_CHECKING:
    from awaken.project import Project

_SPEC = {"name", "spec", "spec_set"}
_RESULT = "return_value"


class Asked(Struct, frozen=True):
    """The methods that are called of ``query(...)`` today, and those of the session afterwards.

    ``items`` is how much is asked for.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    items: int


def asked_methods(module: Module, recognised: Recognised, rewrite: Rewrite) -> Asked | None:
    """Return how a query is asked, before and after; None where that is more than methods."""
    if recognised.begin is not None or len(rewrite.parts) != 1 or len(rewrite.roots) != 1:
        return None
    chain = read_chain(module, recognised.root)
    if chain.receiver is None or chain.ending not in {"executed", "iterated"}:
        return None
    end = chain.end if chain.ending == "executed" else "__iter__"
    before = (*(link.name for link in chain.links), end)
    match rewrite.parts[0].data:
        case GetRewrite(settings=()):
            after: tuple[str, ...] = ("get",)
        case QueryRewrite(session="receiver", runs=str() as runs, then=then, last=last):
            last = end if last is None and chain.ending == "iterated" else last
            after = (runs, *then, *([last] if last else []))
        case _:
            return None
    return Asked(before, after, len(chain.items))


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One statement that says what ``root``, or its query, gives to the methods of a ``path``.

    ``target`` is ``return_value`` or ``side_effect`` of the last method, which it sets to the
    variable ``linked``. Without a ``setting`` it is the value that this variable gets.
    """

    module: Module
    root: ast.expr
    target: ast.expr
    path: tuple[str, ...]
    setting: str
    linked: ast.Name | None = None

    @property
    def linked_name(self) -> str:
        """The name of the variable that is linked; empty without one."""
        return "" if self.linked is None else self.linked.id

    @property
    def statement(self) -> ast.stmt | None:
        """The statement itself."""
        return self.module.statement_of(self.target)

    def edit(self, root: ast.expr, afterwards: Sequence[tuple[str, ...]], site: SiteId) -> Edit:
        """Return the edit that tells the same of the methods of ``root`` that are called then."""
        text = self.module.text_of(root)
        setting = self.setting or _RESULT
        targets = [f"{text}.{'.return_value.'.join(methods)}.{setting}" for methods in afterwards]
        span = self.module.span(self.target)
        return TextEdit(path=self.module.path, anchor=span, text=" = ".join(targets), site=site)

    def removal(self, site: SiteId) -> Edit:
        """Return the edit that takes the statement away."""
        statement = self.statement or self.target
        return node_edit(self.module, statement, REMOVE_STATEMENT, None, site)


class Answer(NamedTuple):
    """The statements that answer a query, in their order, and the ``end``, which is kept.

    Its mock is asked the methods of ``rest``, as before. Without these it gives the result itself.
    """

    told: tuple[Told, ...]
    end: Told
    rest: tuple[str, ...]


def configured_answer(project: Project, module: Module, query: ast.Attribute) -> Told | None:
    """Return the configured answer of a mock's attribute ``query``; None without one."""
    statement = _told_statement(module, query.value, query, [])
    if statement is None or not (statement.path or statement.linked):
        return None
    return statement if _is_mock(project, module, query) else None


def _told_statement(
    module: Module, root: ast.expr, method: ast.Attribute, path: list[str]
) -> Told | None:
    """Return the statement that says what ``method`` gives, or a method of what it gives."""
    while True:
        given = module.parent(method)
        match given:
            case ast.Attribute(attr="return_value" | "side_effect", ctx=ast.Store()) as target:
                if not _is_alone(module, target):
                    return None
                value = getattr(module.parent(target), "value", None)
                linked = value if isinstance(value, ast.Name) else None
                return Told(module, root, target, tuple(path), target.attr, linked)
            case ast.Attribute(attr="return_value") | ast.Call() if (
                isinstance(given, ast.Attribute) or given.func is method
            ):
                further = module.parent(given)
            case _:
                return None
        match further:
            case ast.Attribute():
                path.append(further.attr)
                method = further
            case ast.Assign(targets=[ast.Name() as linked]):
                return Told(module, root, given, tuple(path), "", linked)
            case _:
                return None


def _is_alone(module: Module, target: ast.Attribute) -> bool:
    statement = module.parent(target)
    if not isinstance(statement, ast.Assign):
        return False
    # A function would be called with what the method is given.
    return target.attr == _RESULT or isinstance(statement.value, ast.List | ast.Tuple)


def _is_mock(project: Project, module: Module, query: ast.Attribute) -> bool:
    """Whether the object of ``query`` answers every call."""
    root = root_of(query.value)
    if not isinstance(root, ast.Name):
        return False
    if _is_plain(project, module, query.value) or _is_plain(project, module, root):
        return True
    around = module.enclosing_def(root)
    return any(
        candidate.bound == root.id and candidate.given is None and candidate.new_callable is None
        for candidate in project.replacements.in_module(module)
        if around in (candidate.node, *module.ancestors(candidate.node))
    )


def _is_plain(project: Project, module: Module, node: ast.expr) -> bool:
    mocked = project.mocks.made_at(module, node)
    if mocked is None:
        return False
    return not mocked.call.args and {keyword.arg for keyword in mocked.call.keywords} <= _SPEC


class Links:
    """The statements about one mock, and about the variables that these link to it."""

    def __init__(self, statements: Sequence[Told]) -> None:
        self.statements = statements
        self._behind: dict[str, list[Told]] = {}
        self._read: dict[str, set[str]] = {}
        for statement in statements:
            self._follow(statement)

    def _follow(self, statement: Told) -> None:
        """Read the statements about the variable that a statement links, if it is a local one."""
        module, name = statement.module, statement.linked
        binding = module.scopes.only_binding(name)
        if name is None or name.id in self._behind or binding is None:
            return
        if binding.value is None or not isinstance(binding.scope.node, Function):
            return
        links = self._behind[name.id] = []
        for read in module.scopes.reads_of(name):
            method = module.parent(read)
            if isinstance(method, ast.Attribute):
                link = _told_statement(module, read, method, [method.attr])
                if link is not None:
                    links.append(link)
                else:
                    self._read.setdefault(name.id, set()).add(method.attr)
            elif not isinstance(method, ast.Assign):
                self._read.setdefault(name.id, set()).add("")
        for link in links:
            self._follow(link)

    def answer(self, query: Asked) -> Answer | None:
        """Return what the test says of a query; None where it says nothing."""
        behind, rest, told = self.statements, query.before, list[Told]()
        while rest:
            fitting = [link for link in behind if rest[: len(link.path)] == link.path]
            if not fitting or len(told) > len(query.before):
                return None
            link = max(fitting, key=lambda each: len(each.path))
            told, rest = [*told, link], rest[len(link.path) :]
            if rest == query.after[1:]:
                break
            behind = self._behind.get(link.linked_name, [])
        name = told[-1].linked_name if rest else ""
        end = next((link for link in told if name and link.linked_name == name), told[-1])
        return Answer(tuple(told), end, rest)

    def is_read(self, link: Told, rests: Mapping[str, set[str]]) -> bool:
        """Whether a test asks a linked variable about more than what the program asks then."""
        name = link.root.id if isinstance(link.root, ast.Name) else ""
        return not self._read.get(name, set()) <= rests.get(name, set())


class Written(NamedTuple):
    """A statement, the session whose mock it names then, and the methods; it goes without these."""

    told: Told
    session: ast.expr
    afterwards: Sequence[tuple[str, ...]]

    def edit(self, site: SiteId) -> Edit:
        """Return the edit of the statement."""
        if not self.afterwards:
            return self.told.removal(site)
        return self.told.edit(self.session, self.afterwards, site)


def answered_methods(links: Links, queries: Iterable[Asked]) -> list[Written] | None:
    """Return what each statement has to say afterwards, if it says the same of all queries.

    None where a query would be answered that is not answered today, or in an unknown way.
    """
    answers = {query: links.answer(query) for query in queries}
    by_methods: dict[tuple[str, ...], set[object]] = {}
    sessions: dict[Told, ast.expr] = {}
    afterwards: dict[Told, set[tuple[str, ...]]] = {}
    rests: dict[str, set[str]] = {}
    for query, answer in answers.items():
        by_methods.setdefault(query.after, set()).add(answer and answer[1:])
        if answer is None:
            continue
        sessions |= dict.fromkeys(answer.told, answer.told[0].root)
        methods = query.after[: 1 if answer.rest else None]
        afterwards.setdefault(answer.end, set()).add(methods)
        if answer.rest:
            rests.setdefault(answer.end.linked_name, set()).add(answer.rest[0])
    # A mock answers whatever is asked of it, so that no other one may be there.
    linking = {methods for each in afterwards.values() for methods in each if len(methods) == 1}
    for query, answer in answers.items():
        if query.after[:1] in linking and len(query.after) > 1:
            by_methods.setdefault(query.after[:1], set()).add(answer and answer.end)
    if any(len(answer) > 1 for answer in by_methods.values()):
        return None
    if not sessions.keys() >= set(links.statements):
        return None
    if any(links.is_read(link, rests) for link in sessions):
        return None
    written = [
        Written(link, session, sorted(afterwards.get(link, ())))
        for link, session in sessions.items()
    ]
    return written if all(_can_be_written(each, written) for each in written) else None


def _can_be_written(written: Written, others: Iterable[Written]) -> bool:
    link, afterwards = written.told, written.afterwards
    # Of a list each of two mocks would give the first item, and a variable has one mock.
    if len(afterwards) > 1 and link.setting != _RESULT:
        return False
    module, statement = link.module, link.statement
    around, session = module.enclosing_function(link.target), root_of(written.session)
    if around is not module.enclosing_function(session) or statement is None:
        return False
    known = module.scopes.bindings_of(session)
    if any(module.span(binding.node).start > module.span(statement).start for binding in known):
        return False
    gone = {each.told.statement for each in others if not each.afterwards}
    is_single = isinstance(statement, ast.Assign) and len(statement.targets) == 1
    return statement not in gone or (is_single and not gone.issuperset(module.block_of(statement)))


def asks_already(module: Module, told: Told, heads: set[str]) -> bool:
    """Whether a test says something of a method that will be asked, too."""
    around = [node for node in module.ancestors(told.target) if isinstance(node, Function)]
    is_test = bool(around) and around[-1].name.startswith("test")
    inside = module.walk(around[-1]) if is_test else module.walk()
    root = module.text_of(told.root)
    return any(
        isinstance(one, ast.Attribute) and one.attr in heads and module.text_of(one.value) == root
        for one in inside
    )
