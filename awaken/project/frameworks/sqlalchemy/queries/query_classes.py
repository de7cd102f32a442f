"""Query classes of the program: the methods they change, and the queries that this reaches."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.names.classes import ClassFacts
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.replacing import puts_in
from awaken.project.source.trees import last_name
from awaken.project.source.worklist import reachable

_ATTRIBUTE = "_query_cls"
"""The attribute in which a session has the class of its queries."""
_HARMLESS_BASES = library_names().plain_bases


class QueryClass(Struct, frozen=True):
    """A subclass of Query that can be read in full.

    ``own`` are the names that it defines, ``changed`` those of Query's own methods that do, or
    call, something else in it. All other methods do what they do in SQLAlchemy.
    """

    qualified: str
    own: frozenset[str]
    changed: frozenset[str]

    def why_not_of_query(self, used: str) -> str:
        """Return why the method ``used`` is not Query's, as a clause; empty if it is."""
        name = self.qualified.rpartition(".")[2]
        if used in self.own:
            return f"`.{used}()` is a method of `{name}`"
        return f"`.{used}()` calls a method that `{name}` replaces" if used in self.changed else ""


class QueryClasses(ProgramFacts):
    """Reads the Query classes of a project."""

    @cached_method
    def query_class(self, qualified: str) -> QueryClass | None:
        """Return what the class defines; None where it may change anything.

        That is so if a base is external or no plain Query, or if its body does more than define
        names. It also is if it has a special or private method, replaces a basic method of Query,
        or gets an attribute from outside.
        """
        knowledge = self._evaluator.knowledge
        ancestors = self._evaluator.classes.ancestors(qualified)
        if ancestors is None or ancestors.unresolved:
            return None
        outside = set(ancestors.outside)
        if not outside & knowledge.query_classes:
            return None
        # A mixin of a library may replace any method.
        if outside - knowledge.query_classes - _HARMLESS_BASES:
            return None
        own: set[str] = set()
        for facts in ancestors.inside:
            names = self._defined_names(facts)
            if names is None or self._is_written_to(facts):
                return None
            own |= names
        replaced = own & knowledge.query_attributes
        if (
            any(name.startswith("_") for name in own)
            or not replaced <= knowledge.query_callers.keys()
        ):
            return None
        return QueryClass(qualified, frozenset(own), frozenset(self._reached_methods(replaced)))

    @cached_method
    def classes_of_sessions(self) -> tuple[str, ...]:
        """Return the classes that any session of the project is given; ``?`` for an unknown one."""
        paths = self._evaluator.files_with([b"query_cls", b"query_class"])
        modules = self._evaluator.modules_at(paths)
        return self._own_classes((module, x) for module in modules for x in _given_in(module))

    @cached_method
    def classes_put(self) -> tuple[str, ...]:
        """Return the classes that any session has as an attribute; ``?`` for an unknown one."""
        modules = self._evaluator.modules_with([_ATTRIBUTE.encode()])
        return self._own_classes(
            (module, put.value) for module in modules for put in puts_in(module).get(_ATTRIBUTE, ())
        )

    def _own_classes(self, values: Iterable[tuple[Module, ast.expr | None]]) -> tuple[str, ...]:
        """Return the dotted names of classes that are not of the library."""
        names, library = self._evaluator.names, self._evaluator.knowledge.query_classes
        known = (value and names.qualified_name(module, value) for module, value in values)
        return tuple(dict.fromkeys(name or "?" for name in known if name not in library))

    def _defined_names(self, facts: ClassFacts) -> set[str] | None:
        """Return the names in the body of a class; None if it is more than a list of names."""
        node = self._evaluator.classes.node(facts.qualified)
        if node is None or facts.decorators or facts.keywords:
            return None
        names: set[str] = set()
        for statement in node[1].body:
            defined = _names(statement)
            if defined is None:
                return None
            names |= defined
        return names - {"__doc__", "__slots__", "inherit_cache"}

    def _is_written_to(self, facts: ClassFacts) -> bool:
        """Whether something assigns to an attribute of the class: ``Own.filter = ...``."""
        simple = facts.qualified.rpartition(".")[2].encode()
        for module in self._evaluator.modules_with([simple + b".", b"setattr("]):
            if simple in module.source.text:
                names = self._evaluator.names
                written = (names.qualified_name(module, node) for node in _written_to(module))
                if facts.qualified in written:
                    return True
        return False

    def _reached_methods(self, replaced: set[str]) -> set[str]:
        """Return the methods of Query that call one of ``replaced``, directly or not."""
        callers = self._evaluator.knowledge.query_callers
        return reachable(replaced, lambda name: callers.get(name, ()))


def _names(statement: ast.stmt) -> set[str] | None:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets) if all(isinstance(target, ast.Name) for target in targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return set()
    return None


def _given_in(module: Module) -> Iterator[ast.expr]:
    """Yield what calls and dictionaries of a file give as ``query_cls`` or ``query_class``.

    That of ``query_property`` and of relationships is no class of a session.
    """
    for node in module.walk():
        match node:
            case ast.keyword(arg="query_cls" | "query_class", value=value):
                call = module.parent(node)
                name = last_name(call.func) if isinstance(call, ast.Call) else ""
                # There it is for that property alone; sessions make plain queries.
                if name not in {"query_property", "relationship", "dynamic_loader", "backref"}:
                    yield value
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in {"query_cls", "query_class"}:
                        yield value


def _written_to(module: Module) -> Iterator[ast.expr]:
    """Yield the expressions of which some attribute is given a value in the file."""
    for node in module.walk():
        match node:
            case ast.Attribute(value=owner, ctx=ast.Store() | ast.Del()):
                yield owner
            case ast.Call(func=ast.Name(id="setattr"), args=[owner, *_]):
                yield owner
