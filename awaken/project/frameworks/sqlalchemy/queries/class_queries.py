"""The session of ``Model.query``: Flask-SQLAlchemy's ``db.Model``, or a registry."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, structs

from awaken.contract import Place
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.queries.query_classes import QueryClass, QueryClasses
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import ClassFacts
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import arguments_of, is_none, keyword_of
from awaken.project.values.domain import InstanceOf, Session, Unknown, without_none

# Methods of a subclass of the extension's class that change sessions or queries.
_DECISIVE = name_list("deciding_query")
_WRITTEN = (b".query =", b".query=")
_MODEL_CLASS = (b"model_class",)


class ClassQuery(Struct, frozen=True):
    """``Model.query`` asks the session that the variable ``owner`` holds.

    ``owner`` is the qualified name of a module-level variable, ``app.extensions.db``, which may
    be a library's; ``place`` is where that was seen, None for a class of a library;
    ``attribute`` the attribute of it that is the session, empty where it is the registry itself.
    ``query_class`` is the program's own class of such queries, None for a plain Query; ``custom``
    says that they are of a class that cannot be read, empty if they are not.
    """

    owner: str
    attribute: str
    place: Place | None
    custom: str = ""
    query_class: QueryClass | None = None

    def is_like(self, other: ClassQuery) -> bool:
        """Whether both ask the same session in the same way."""
        return structs.replace(self, place=other.place) == other


Found = ClassQuery | Unknown


class ClassQueries:
    """Answers where ``query`` of a class comes from; keeps one answer per class."""

    def __init__(
        self, evaluator: ProgramEvaluator, models: Models, query_classes: QueryClasses
    ) -> None:
        self._evaluator = evaluator
        self._classes = evaluator.classes
        self._models = models
        self._query_classes = query_classes

    @cached_by(str, None)  # for a class that inherits from itself
    def source_of(self, qualified: str) -> Found | None:
        """Return where ``query`` of a class comes from.

        Unknown has the reason; None means that ``query`` is something else, or that the class is
        not mapped.
        """
        facts = self._classes.facts(qualified)
        if facts is None:
            return self._of_library(qualified)
        result, given = list[Found](), list[tuple[str, str | None]]()
        for item in self._models.ancestors(qualified):
            node = self._classes.node(item.qualified)
            if node is None:
                place = Place(item.path, item.span)
                return Unknown(f"`{item.qualified}` is defined more than once", place)
            own = self._set_in(item, *node)
            # A column or a method called `query` is no query at all.
            if own is None:
                return None
            result += [
                *own,
                *self._assignments().get(item.qualified, []),
                *self._bases(item, *node),
            ]
            given += self._query_class(item, *node)
        known = any(isinstance(query, ClassQuery) for query in result)
        if not known and self._models.status(qualified) not in {"mapped", "base"}:
            return None
        if not result and self._models.status(qualified) == "base":
            return None  # its subclasses may have one
        if not result:
            why = f"nothing shows where `query` of `{qualified}` comes from"
            return Unknown(why, Place(facts.path, facts.span))
        agreed = _agreed(result, f"`query` of `{qualified}` comes from several places")
        if isinstance(agreed, ClassQuery) and given and agreed.attribute and not agreed.custom:
            return self._with_class(agreed, given)
        return agreed

    def of_subclasses(self, qualified: str) -> Found | None:
        """Return where ``query`` of ``cls`` comes from, which may be any subclass.

        A class that is not mapped itself is a mixin: then its subclasses decide.
        """
        own = self.source_of(qualified)
        subclasses = self._classes.all_subclasses(qualified)
        below = [query for name in subclasses if (query := self.source_of(name)) is not None]
        if own is None:
            below += self._model_classes().get(qualified, [])
        else:
            below.insert(0, own)
        if not below:
            return None
        return _agreed(below, f"`query` of the subclasses of `{qualified}` is not the same")

    def is_extension(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a Flask-SQLAlchemy object that nothing customises."""
        known = {name.rpartition(".")[0] for name in self._evaluator.knowledge.class_queries}
        libraries = sorted({name.partition(".")[0].encode() for name in known})
        # Words first: they ask no callers.
        if not self._evaluator.files_with(libraries):
            return False
        for value in self._evaluator.values(module, node):
            if not isinstance(value, InstanceOf) or self._customised_text(value):
                return False
            if value.custom_query == "?":
                return False
            if known.isdisjoint(self._classes.library_names(value.qualified)):
                return False
        return True

    def _of_library(self, qualified: str) -> Found | None:
        knowledge = self._evaluator.knowledge
        owner = knowledge.queried_classes.get(qualified)
        if owner is None:
            return None
        kind = knowledge.instance_attributes[owner]
        return ClassQuery(owner, knowledge.class_queries[f"{kind}.Model"], None)

    def _set_in(self, facts: ClassFacts, module: Module, node: ast.ClassDef) -> list[Found] | None:
        """Return what the body of a class makes of ``query``; None where that is no query."""
        class_queries: list[Found] = []
        for binding in module.scopes.scope_made_by(node).bindings.get("query", []):
            # ``query: Query`` is written for type checkers.
            if binding.kind == "annotation":
                continue
            query = self._property(module, binding.value)
            if query is None and _is_attribute(self._models, facts, binding):
                return None
            why = f"`{facts.qualified}` gives `query` a meaning of its own"
            place = module.place(binding.node)
            class_queries.append(query or Unknown(why, place))
        return class_queries

    def _query_class(
        self, facts: ClassFacts, module: Module, node: ast.ClassDef
    ) -> Iterator[tuple[str, str | None]]:
        """Yield the classes that the body of a class gives as ``query_class``, with who does it."""
        for binding in module.scopes.scope_made_by(node).bindings.get("query_class", []):
            name = None
            if binding.value is not None:
                name = self._evaluator.names.qualified_name(module, binding.value)
            yield f"`{facts.qualified}` sets `query_class`", name

    def _with_class(self, found: ClassQuery, given: Sequence[tuple[str, str | None]]) -> ClassQuery:
        """Return ``found`` with the class of its queries: one that is ``given`` by inheritance."""
        classes = {name for _, name in given}
        if classes <= self._evaluator.knowledge.query_classes:
            return found
        name = classes.pop() if len(classes) == 1 else None
        known = None if name is None else self._query_classes.query_class(name)
        custom = given[0][0] if known is None else ""
        return structs.replace(found, query_class=known, custom=custom)

    def _property(self, module: Module, value: ast.expr | None) -> Found | None:
        """Return what ``registry.query_property()`` gives; None where it is something else."""
        function = value.func if isinstance(value, ast.Call) else None
        if not isinstance(value, ast.Call) or not isinstance(function, ast.Attribute):
            return None
        if function.attr != "query_property":
            return None
        place = module.place(value, "the query property")
        values = self._evaluator.values(module, function.value)
        sessions = [item for item in values if isinstance(item, Session) and item.kind == "scoped"]
        registry = self._evaluator.names.qualified_name(module, function.value)
        if len(sessions) != len(values) or not sessions:
            return Unknown(f"`{module.excerpt(function.value)}` is not known as a registry", place)
        if registry is None or not self._is_variable(registry):
            text = module.excerpt(function.value)
            return Unknown(f"the registry `{text}` is no variable of a module", place)
        arguments = arguments_of(value)
        query = ClassQuery(registry, "", place)
        if arguments and not is_none(arguments[0]):
            why = f"`query_property({module.excerpt(arguments[0])})` has a Query of its own"
            name = self._evaluator.names.qualified_name(module, arguments[0])
            return self._with_class(query, [(why, name)])
        why = "the session makes queries of the program's own class"
        customs = {session.custom_query for session in sessions}
        return self._with_class(query, [(why, word) for word in customs]) if any(customs) else query

    def _is_variable(self, qualified: str) -> bool:
        """Whether it is the name of something at the top of a file of the project."""
        located = self._evaluator.names.locate(qualified)
        return located is not None and len(located.rest) == 1

    # ------------------------------------------------------------------------------ from outside
    @cached_by(tuple, {})
    def _assignments(self) -> Mapping[str, list[Found]]:
        """Return what statements assign to ``query`` of classes: ``Base.query = ...``."""
        result = defaultdict[str, list[Found]](list)
        for module, node in nodes_in(self._evaluator.modules_with(_WRITTEN), ast.Assign):
            for target in node.targets:
                if not isinstance(target, ast.Attribute) or target.attr != "query":
                    continue
                name = self._evaluator.names.qualified_name(module, target.value)
                if name is not None:
                    why = f"`{module.excerpt(target)}` is given another value"
                    query = self._property(module, node.value)
                    result[name].append(query or Unknown(why, module.place(node)))
        return result

    @cached_by(tuple, {})
    def _model_classes(self) -> Mapping[str, list[Found]]:
        result = defaultdict[str, list[Found]](list)
        for module, node in nodes_in(self._evaluator.modules_with(_MODEL_CLASS), ast.Call):
            base = keyword_of(node, "model_class")
            name = None if base is None else self._evaluator.names.qualified_name(module, base)
            if name is not None:
                result[name].append(self._made_query(module, node))
        return result

    def _made_query(self, module: Module, node: ast.Call) -> Found:
        parent = module.parent(node)
        target = parent.targets[0] if isinstance(parent, ast.Assign) else None
        made: Found | None = None
        if isinstance(target, ast.Name):
            owner = self._evaluator.names.attribute(module.path, target.id)
            made = None if owner is None else self._extension(owner, "Model", module, node)
        why = "the extension that it is given to is no variable"
        return made or Unknown(why, module.place(node))

    # -------------------------------------------------------------------------- the extension
    def _bases(self, facts: ClassFacts, module: Module, node: ast.ClassDef) -> Iterator[Found]:
        """Yield what the bases that are no classes of the project give to ``query``."""
        for base, written in zip(facts.bases, node.bases, strict=True):
            if base is None or self._classes.facts(base) is not None:
                continue
            yield from self._assignments().get(base, [])
            owner, _, attribute = base.rpartition(".")
            if self._is_variable(owner) or owner in self._evaluator.knowledge.instance_attributes:
                query = self._extension(owner, attribute, module, written)
                if query is not None:
                    yield query

    def _extension(self, owner: str, attribute: str, module: Module, node: ast.AST) -> Found | None:
        """Return the query of classes that inherit ``db.Model``; None where ``db`` is not one."""
        sessions = self._evaluator.knowledge.class_queries
        values = self._evaluator.values_of_name(owner, module, node)
        # ``db = None`` is a placeholder until the real one is made.
        values = without_none(values)
        place = module.place(node, "the base class")
        query: ClassQuery | None = None
        for value in values:
            if not isinstance(value, InstanceOf):
                return None
            kinds = self._classes.library_names(value.qualified)
            full = (f"{kind}.{attribute}" for kind in kinds)
            known = next((name for name in full if name in sessions), None)
            if known is None:
                return None
            query = ClassQuery(owner, sessions[known], place, self._customised_text(value))
            if value.custom_query:
                why = "the extension is given a Query class or a session class of the program's own"
                query = self._with_class(query, [(why, value.custom_query)])
        return query

    def _customised_text(self, value: InstanceOf) -> str:
        """Return that the class of an extension object makes queries of its own; else empty."""
        for facts in self._classes.line(value.qualified):
            node = self._classes.node(facts.qualified)
            if node is None:
                return f"`{facts.qualified}` is defined more than once"
            module, tree = node
            if _DECISIVE & module.scopes.scope_made_by(tree).bindings.keys():
                return f"`{facts.qualified}` changes the behaviour of Flask-SQLAlchemy"
            # `query_cls` or `query_class`, which reach the extension in many ways.
            if b"query_c" in module.source.text:
                return f"`{facts.qualified}` may have a Query class of its own"
        return ""


def _is_attribute(models: Models, facts: ClassFacts, binding: Binding) -> bool:
    """Whether ``query`` of a class is a column, a relationship or a function."""
    body = models.body(facts.qualified)
    mapped = body is not None and body.kinds.get("query", "opaque") != "opaque"
    return mapped or binding.kind in {"function", "class"}


def _agreed(found: Sequence[Found], why: str) -> Found:
    unknown = next((query for query in found if isinstance(query, Unknown)), None)
    if unknown is not None:
        return unknown
    known = [query for query in found if isinstance(query, ClassQuery)]
    if all(query.is_like(known[0]) for query in known):
        return known[0]
    # Classes of libraries are given their answers, and agree by themselves.
    return Unknown(why, next(query.place for query in reversed(known) if query.place is not None))
