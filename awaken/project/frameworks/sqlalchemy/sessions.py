"""The proof that an expression is a SQLAlchemy session, and when ``.query`` proves it itself.

Items of a dictionary that a library hands to functions of a program: ``ctx["db"]`` of a worker.

One function puts something there, and another takes it out: a parameter of the same name, and the
same text.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.models import ModelFacts
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import arguments_of
from awaken.project.values.domain import (
    ClassOf,
    External,
    InstanceOf,
    ModuleOf,
    NoneValue,
    NotRelevant,
    Session,
    SessionKind,
    Unknown,
    UnknownResult,
    Value,
    Values,
    without_none,
)

_EXPRESSIONS = name_list("parts_of_statements")
_PLAIN = frozenset(
    {"builtins.bool", "builtins.bytes", "builtins.float", "builtins.int", "builtins.str"}
)
"""Classes of literals: none has a method of a session."""


def put_as_item(
    evaluator: ProgramEvaluator, module: Module, node: ast.Subscript
) -> Iterator[tuple[Module, ast.expr | None]]:
    """Yield what is put where ``node`` is taken out; None for what is no plain assignment."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
            pass
        case _:
            return
    if module.scopes.parameter_of(node.value) is None:
        return
    paths = evaluator.files_with([f'{name}["{key}"]'.encode(), f"{name}['{key}']".encode()])
    for other, part in nodes_in(evaluator.modules_at(paths), ast.Subscript):
        match part:
            case ast.Subscript(
                value=ast.Name(id=owner) as held, slice=ast.Constant(value=item)
            ) if (owner, item) == (name, key):
                if isinstance(part.ctx, ast.Load):
                    continue
                above = other.parent(part)
                is_parameter = other.scopes.parameter_of(held) is not None
                is_plain = isinstance(above, ast.Assign) and is_parameter
                yield other, above.value if is_plain and isinstance(above, ast.Assign) else None


class SessionProof(Struct, frozen=True):
    """It is a session.

    ``kind`` is ``scoped`` for a registry. ``places`` say where that was seen, ``by_use`` that only
    ``.query(MappedClass)`` proves it. ``query_class`` is the class of the program's own that
    ``query()`` returns, ``?`` if it may be any, empty if it is a plain Query. ``unless`` is empty,
    or a clause that says why it may be something else although every visible call passes a session.
    """

    kind: SessionKind
    places: tuple[Place, ...] = ()
    by_use: bool = False
    query_class: str = ""
    unless: str = ""

    @property
    def is_followed(self) -> bool:
        """Whether it is followed to where it is made, so that its class is known.

        An object that is only annotated as a session, or used like one, is not followed.
        """
        notes = {place.note for place in self.places}
        return bool(notes) and "annotated" not in notes and not self.by_use and not self.unless


class Sessions(ModelFacts):
    """Proves sessions with one evaluator."""

    def proof_of(self, module: Module, node: ast.expr) -> SessionProof | Unknown | None:
        """Return the proof that ``node`` is a session; None if it is proven to be no session."""
        # Where it comes from counts first: other uses of it are weaker evidence.
        proof = self._from_values(module, node)
        if not _is_open(proof):
            return proof
        match node:
            case ast.Name():
                own = None
                if isinstance(proof, Unknown):
                    own = self._declared_proof(module, node) or self._taken_out(module, node)
                return own or self._used_elsewhere(module, node) or proof
            case ast.Subscript() if isinstance(proof, Unknown):
                return self._kept_as_item(module, node) or proof
        return proof

    def is_proved_by_use_alone(self, module: Module, node: ast.expr) -> bool:
        """Whether callers tell no more of ``node`` than that it is a session, as its use does.

        It is an attribute of an unknown object, to which the program gives nothing else.
        """
        evaluator = self._evaluator
        if not isinstance(node, ast.Attribute) or not evaluator.follows_callers:
            return False
        with evaluator.without_callers():
            is_open = isinstance(self._from_values(module, node), Unknown)
        return is_open and evaluator.attributes_by_name.are_only_sessions(node.attr)

    def others(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return what ``node`` is proven to be other than a session, each as a noun phrase."""
        result = self._sessions(module, node)
        return tuple(dict.fromkeys(item.what for item in result if isinstance(item, NotRelevant)))

    def _sessions(self, module: Module, node: ast.expr) -> Values:
        """Return what ``node`` may be, None aside, as far as it is a session."""
        values = without_none(self._evaluator.values(module, node))
        return tuple(self._session(module, node, value) for value in values)

    def _declared_proof(self, module: Module, node: ast.Name) -> SessionProof | None:
        """Return the proof by what a variable of a function is declared as, whatever it is given.

        The annotation may be too complex, or external.
        """
        bindings = module.scopes.bindings_of(node)
        if not bindings or bindings[0].scope is module.scopes.module:
            return None
        result: list[Session] = []
        for item in bindings:
            declared = () if item.annotation is None else self._values_of(module, item.annotation)
            sessions = [each for each in declared if isinstance(each, Session)]
            if item.kind == "parameter" or not sessions or len(sessions) < len(declared):
                return None
            result += sessions
        proof = self._joined_session_proof(module, node, result)
        return proof if isinstance(proof, SessionProof) else None

    def _values_of(self, module: Module, annotation: ast.expr) -> list[Value]:
        declared = self._evaluator.annotations.values(module, annotation)
        return [self._evaluator.members.as_session(one) for one in declared if one != NoneValue()]

    def _kept_as_item(self, module: Module, node: ast.Subscript) -> SessionProof | None:
        """Return the proof by what a program puts into what a library hands to its functions.

        ``unless`` says that others may put something else there.
        """
        sessions: list[Session] = []
        for other, value in put_as_item(self._evaluator, module, node):
            proof = None if value is None else self._from_values(other, value)
            if value is None or not isinstance(proof, SessionProof):
                return None
            sessions.append(Session(proof.kind, proof.query_class, other.place(value)))
        joined = self._joined_session_proof(module, node, sessions) if sessions else None
        why = f"more than this program may put something into `{module.excerpt(node.value)}`"
        return replace(joined, unless=why) if isinstance(joined, SessionProof) else None

    def _taken_out(self, module: Module, node: ast.Name) -> SessionProof | None:
        """Return the proof of a variable of a function that is given such an item, and no more."""
        binding = module.scopes.only_binding(node)
        if binding is None or binding.scope is module.scopes.module:
            return None
        if binding.kind in {"assignment", "walrus"} and isinstance(binding.value, ast.Subscript):
            return self._kept_as_item(module, binding.value)
        return None

    def _used_elsewhere(self, module: Module, node: ast.Name) -> SessionProof | None:
        """Return the proof by a ``.query`` of mapped classes on the same variable of a function.

        A variable with one binding is one thing; that a loop binds it again changes no type.
        """
        bindings = module.scopes.bindings_of(node)
        # A variable that is given several things may be a session only sometimes.
        if len(bindings) != 1 or bindings[0].kind not in {"parameter", "with", "assignment"}:
            return None
        if bindings[0].scope is module.scopes.module:
            return None
        for scope in module.scopes.scopes_inside(bindings[0].scope):
            for read in scope.reads.get(bindings[0].name, []):
                above = module.parent(read)
                if not isinstance(above, ast.Attribute) or above.attr != "query":
                    continue
                call = module.call_of(above)
                if call is None:
                    continue
                if module.scopes.bindings_of(read) == bindings:
                    proof = self.by_use(module, call)
                    if proof is not None:
                        return proof
        return None

    def _from_values(self, module: Module, node: ast.expr) -> SessionProof | Unknown | None:
        """Return the proof from where the value of ``node`` comes from."""
        result = self._sessions(module, node)
        unknown = next((value for value in result if isinstance(value, Unknown)), None)
        if unknown is not None:
            return unknown
        if not result:
            why = f"awaken sees only None for `{module.excerpt(node)}`"
            return self._evaluator.unknown(module, node, why)
        sessions = [value for value in result if isinstance(value, Session)]
        if not sessions:
            return None
        other = next((value for value in result if _is_other(value)), None)
        if other is not None:
            why = f"`{module.excerpt(node)}` may also be something else: {other.what}"
            return self._evaluator.unknown(module, node, why)
        return self._joined_session_proof(module, node, sessions)

    def by_use(
        self, module: Module, call: ast.Call, evidence: ast.expr | None = None
    ) -> SessionProof | None:
        """Return the proof that ``call``, a ``.query`` of mapped classes, gives by itself.

        ``evidence`` is an argument that is known to be mapped; without it one is looked for.
        """
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr != "query":
            return None
        if evidence is None:
            evidence = next((node for node in call.args if self.is_built_on(module, node)), None)
        if evidence is None or self._is_unbound(module, call, evidence):
            return None
        # Words first: callers are many.
        if not any(self._own_queries) and self.is_proved_by_use_alone(module, function.value):
            return self._proof_by(module, evidence)
        known = self._from_values(module, function.value)
        # An AsyncSession has no `query`, so this call proves nothing.
        if isinstance(known, SessionProof) and known.kind.startswith("async"):
            return None
        if isinstance(known, SessionProof) and not _is_open(known):
            return known
        # None is proven to be something else.
        if known is None or self._may_be_own(function.value, known):
            return None
        if self._may_be_other(module, function.value):
            return None
        return self._proof_by(module, evidence)

    def _is_unbound(self, module: Module, call: ast.Call, evidence: ast.expr) -> bool:
        """Whether a class is asked, as in ``type(session).query(session, User)``."""
        first = next(iter(call.args), evidence)
        return first is not evidence and isinstance(self._from_values(module, first), SessionProof)

    def _proof_by(self, module: Module, evidence: ast.expr) -> SessionProof:
        place = module.place(evidence, "only a session queries a mapped class")
        return SessionProof("session", (place,), by_use=True)

    def is_built_on(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is mapped, or an expression of SQLAlchemy's about what is mapped.

        ``func.count(User.id).label("n")``, ``distinct(User.name)``, ``User.age + 1``.
        """
        match node:
            case ast.Call(func=function) if self._is_of_library(module, function):
                arguments = arguments_of(node)
                return any(
                    self._is_mapped(module, part)
                    for argument in arguments
                    for part in ast.walk(argument)
                    if isinstance(part, ast.Name | ast.Attribute)
                )
            case ast.Call(func=ast.Attribute(value=inner)):
                return self._is_expression(module, inner)
            case ast.BinOp(left=left, right=right):
                return self._is_expression(module, left) or self._is_expression(module, right)
            case ast.Compare(left=left):
                return self._is_expression(module, left)
        return self._is_mapped(module, node)

    def _is_expression(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a mapped column or built on one: a class has methods of its own."""
        name = self._evaluator.names.qualified_name(module, node)
        is_class = name is not None and self._models.status(name) == "mapped"
        return not is_class and self.is_built_on(module, node)

    def _is_of_library(self, module: Module, function: ast.expr) -> bool:
        """Whether ``function`` is ``func.count``, ``distinct``, ``cast`` or the like."""
        name = self._evaluator.names.qualified_name(module, function) or ""
        if not name.startswith("sqlalchemy.") and isinstance(function, ast.Attribute):
            # ``db.func.count``: Flask-SQLAlchemy's object has the names of SQLAlchemy.
            values = self._evaluator.values(module, function)
            names = [value.qualified for value in values if isinstance(value, External)]
            name = names[0] if len(names) == len(values) == 1 else ""
        return name.startswith("sqlalchemy.func.") or name in _EXPRESSIONS

    def _is_mapped(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a mapped class, or one of its columns or relationships."""
        name = self._evaluator.names.qualified_name(module, node)
        if name is None:
            return False
        known = self._evaluator.knowledge.mapped_classes
        if name in known or self._models.status(name) == "mapped":
            return True
        owner, _, attribute = name.rpartition(".")
        if owner in known:
            return True
        mapped = self._models.mapped_class(owner) if owner else None
        kind = None if mapped is None else mapped.attribute_kind(attribute)
        return kind in {"column", "relationship"}

    def _may_be_own(self, receiver: ast.expr, known: Unknown | SessionProof) -> bool:
        """Whether the receiver may be of a class of the project with its own ``query``."""
        in_sessions, elsewhere = self._own_queries
        name = receiver.attr if isinstance(receiver, ast.Attribute) else ""
        name = receiver.id if isinstance(receiver, ast.Name) else name
        overrides = isinstance(known, Unknown) and "overrides" in known.why
        # A value called session is usually no client with a `query` of its own.
        return in_sessions or overrides or (elsewhere and "session" not in name.lower())

    def _may_be_other(self, module: Module, receiver: ast.expr) -> bool:
        """Whether the receiver may be something known that is no session, and replaces none."""
        result = self._sessions(module, receiver)
        return any(_is_other(value) and not value.mock for value in result)

    @cached_property
    def _own_queries(self) -> tuple[bool, bool]:
        """Whether session classes, and whether other classes, define ``query``."""
        in_sessions = elsewhere = False
        for module, node in nodes_in(
            self._evaluator.modules_with([b"def query("]), ast.FunctionDef
        ):
            if node.name != "query":
                continue
            owner = module.scopes.scope_of(node).node
            if not isinstance(owner, ast.ClassDef):
                continue
            qualified = module.full_name(owner)
            value = self._evaluator.members.as_session(InstanceOf(qualified))
            in_sessions = in_sessions or not isinstance(value, InstanceOf)
            # Without a parameter it cannot be what is called with a model.
            elsewhere = elsewhere or len(node.args.args) > 1 or node.args.vararg is not None
        return in_sessions, elsewhere

    def _joined_session_proof(
        self, module: Module, node: ast.expr, sessions: list[Session]
    ) -> SessionProof | Unknown:
        kinds = {session.kind for session in sessions}
        if len({kind.startswith("async") for kind in kinds}) > 1:
            why = f"`{module.excerpt(node)}` may be a Session or an AsyncSession"
            return self._evaluator.unknown(module, node, why)
        # Of a session and a registry only what both can do is certain.
        kind: SessionKind = "async" if sessions[0].kind.startswith("async") else "session"
        if len(kinds) == 1:
            kind = sessions[0].kind
        places = tuple(dict.fromkeys(value.place for value in sessions if value.place is not None))
        customs = {session.custom_query for session in sessions}
        custom = "?" if len(customs) > 1 else customs.pop()
        return SessionProof(
            kind,
            places,
            query_class=custom,
            unless=next((session.unless for session in sessions if session.unless), ""),
        )

    def _session(
        self, module: Module, node: ast.expr, value: Value
    ) -> Session | NotRelevant | Unknown:
        """Reduce a value to what matters here."""
        value = self._evaluator.members.as_session(value)
        match value:
            case UnknownResult(name=name) if (
                name.partition(".")[0] in self._evaluator.knowledge.not_sessions
            ):
                return NotRelevant(f"what `{name}` returns")
            case Session() | Unknown() | NotRelevant():
                return value
            case InstanceOf():
                return self._instance(module, node, value)
            case External():
                why = f"the value of `{value.qualified}` is unknown"
                return self._evaluator.unknown(module, node, why)
            case ClassOf():
                return NotRelevant(f"the class `{value.qualified}`")
            case ModuleOf():
                return NotRelevant(f"the module {value.path}")
        return NotRelevant("a function, or its result")

    def _instance(
        self, module: Module, node: ast.expr, value: InstanceOf
    ) -> Session | NotRelevant | Unknown:
        """A class of the project is no session if all its bases are visible."""
        knowledge, name = self._evaluator.knowledge, value.qualified
        ancestors = self._evaluator.classes.ancestors(name)
        if ancestors is None:
            if name in knowledge.types or _is_no_session(value, knowledge.not_sessions):
                return NotRelevant(f"an instance of `{name}`", plain=name in _PLAIN)
            why = f"`{name}` is defined outside the project"
            return UnknownResult(why, module.place(node), name)
        hidden = [
            word
            for word in ancestors.outside
            if word not in knowledge.types and not _is_harmless(word, knowledge.not_sessions)
        ]
        if hidden or (ancestors.unresolved and not self._is_mapped_whole(name)):
            base = hidden[0] if hidden else "a base that could not be followed"
            why = f"`{name}` inherits from {base}"
            return self._evaluator.unknown(module, node, why)
        return NotRelevant(f"an instance of `{name}`")

    def _is_mapped_whole(self, name: str) -> bool:
        """Whether a class is mapped, and all that it inherits is known."""
        mapped = self._models.mapped_class(name)
        return mapped is not None and mapped.complete


def _is_other(value: Value) -> TypeGuard[NotRelevant]:
    """Whether a value is no session, and may still have a method of one.

    A value without any raises AttributeError, whatever is called on it, as None does.
    """
    return isinstance(value, NotRelevant) and not value.plain


def _is_open(found: SessionProof | Unknown | None) -> bool:
    """Whether something else than where the value comes from may still prove it."""
    if isinstance(found, SessionProof):
        return bool(found.unless) and not found.query_class
    return found is not None


def _is_no_session(value: InstanceOf, not_sessions: set[str]) -> bool:
    """Whether an instance of a class outside the program is certainly no session."""
    home = value.qualified.rpartition(".")[0]
    top = home.partition(".")[0]
    if home.startswith("unittest.mock"):
        return False
    if home in {"typing", "typing_extensions", "collections.abc", "contextlib"}:
        # A session is hashable and iterable, too; of what it would be generic tells them apart.
        return bool(value.parameters)
    return top in not_sessions or top in sys.stdlib_module_names | {"builtins"}


def _is_harmless(base: str, not_sessions: set[str]) -> bool:
    """Whether a class that inherits from ``base``, of a library, is no session because of it."""
    root = base.partition(".")[0]
    is_of_python = root in sys.stdlib_module_names and not base.startswith("unittest.mock")
    return is_of_python or root in {"builtins", "typing_extensions"} | not_sessions
