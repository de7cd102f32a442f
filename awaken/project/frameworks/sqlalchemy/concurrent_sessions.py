"""Sessions and connections that several coroutines use while all of them run.

A session is identified by the variable, and the attributes, through which the coroutines reach it.
An argument is followed to the call, ``self`` to the receiver, and an object that was built with one
session to that session.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge import knowledge
from awaken.knowledge.coroutines import coroutines
from awaken.knowledge.library_names import word_list
from awaken.project.effects.own_nodes import waited_for
from awaken.project.graph.dispatch import Called, functions_called
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.expressions.lists import list_parts
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Conditional,
    Function,
    FunctionOrLambda,
    Repeating,
    argument_of,
    arguments_of,
    positional_parameters,
)
from awaken.project.source.worklist import MOST_FUNCTIONS
from awaken.project.values.domain import InstanceOf, NoneValue, Session, Unknown, Value

_WORDS = (b"sqlalchemy.ext", b"sqlmodel.ext", b"asyncpg")
_MAKING = (*word_list("asynchronous_sessions"), b"asyncpg")
_LOCK = "asyncio.Lock"
_SESSION = "sqlalchemy.ext.asyncio.AsyncSession"


class SharedSession(Struct, frozen=True):
    """A session, or connection, that coroutines use at once.

    ``shown`` is how the program reaches it where they are made, ``places`` where two of them use
    it, or the one that is made several times.
    """

    shown: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Owner:
    """The holder of a session: a variable with its bindings, and the attributes that lead from it.

    ``built`` says that it is an object that was built with the session.
    """

    path: str
    scope: int
    name: str
    attributes: tuple[str, ...] = ()
    built: bool = field(default=False, compare=False)
    bindings: tuple[Binding, ...] = field(default=(), compare=False)

    @property
    def display_name(self) -> str:
        """How the program writes it, without the module of a global variable."""
        return ".".join((self.name.rpartition(".")[2], *self.attributes))


class _Scene(Struct, frozen=True):
    """A piece of code that runs: a file, or a function of it as it was called from ``above``."""

    module: Module
    called: Called | None = None
    call: ast.Call | None = None
    above: _Scene | None = None

    def runs(self, function: Function) -> bool:
        """Whether ``function`` is running already, here or in a scene above."""
        here = self.called is not None and self.called.function is function
        return here or (self.above is not None and self.above.runs(function))


class _Use(Struct, frozen=True):
    """A place at which a coroutine uses a session."""

    owner: _Owner
    place: Place


class SharedSessions(ProgramFacts):
    """Finds what coroutines that run at once have in common."""

    @cached_property
    def _has_any(self) -> bool:
        """Whether the program can have such sessions: most that gather coroutines have none."""
        return all(map(self._evaluator.files_with, (_WORDS, _MAKING)))

    def shared_session(
        self, module: Module, together: ast.AST, made: Sequence[ast.expr]
    ) -> SharedSession | None:
        """Return the session that several of the coroutines ``made`` use, if one is proven.

        ``together`` is the call that runs them, such as ``gather``. A loop around a coroutine that
        is not around ``together`` makes it several times.
        """
        if not self._has_any:
            return None
        around = {together, *module.ancestors(together)}
        seen: list[tuple[ast.expr, _Use]] = []
        for coroutine in made:
            # The callers' arguments are not asked for: arguments are followed downward from here.
            with self._evaluator.without_callers():
                uses = _Uses(self._evaluator).uses_in(module, coroutine)
            loops = [
                ancestor
                for ancestor in module.ancestors(coroutine)
                if isinstance(ancestor, Repeating) and ancestor not in around
            ]
            for use in uses:
                if any(not _is_bound_in(module, use.owner, loop) for loop in loops):
                    return _shared_session(use)
                seen.append((coroutine, use))
        for (node, use), (other, again) in combinations(seen, 2):
            if node is not other and use.owner == again.owner and _meet(module, node, other, use):
                return _shared_session(use, again)
        return None


def _shared_session(*uses: _Use) -> SharedSession:
    places = tuple(dict.fromkeys(use.place for use in uses))
    return SharedSession(uses[0].owner.display_name, places)


def _is_bound_in(module: Module, owner: _Owner, loop: ast.AST) -> bool:
    """Whether each round of ``loop`` may have another such session."""
    span = module.span(loop)
    return owner.path == module.path and any(
        span.start <= module.span(binding.node).start < span.end for binding in owner.bindings
    )


def _meet(module: Module, one: ast.expr, other: ast.expr, use: _Use) -> bool:
    """Whether both coroutines can be made in one run, from the same value of the variable."""
    statements = module.statement_of(one), module.statement_of(other)
    if len(use.owner.bindings) > 1 and statements[0] is not statements[1]:
        return False
    taken = dict(_forks(module, one))
    return all(taken.get(fork, branch) is branch for fork, branch in _forks(module, other))


def _forks(module: Module, node: ast.AST) -> Iterator[tuple[ast.AST, object]]:
    """Yield each fork around ``node``, with the branch of it that holds ``node``."""
    for below, above in module.steps_up(node):
        if isinstance(above, FunctionOrLambda):
            return
        if isinstance(above, ast.If):
            yield above, next((item for item in (above.body, above.orelse) if below in item), below)
        elif isinstance(above, Conditional | ast.Match):
            yield above, below


class _Uses:
    """Follows one coroutine, and what it awaits, to the sessions that it uses."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._calls = MOST_FUNCTIONS
        self._found: list[_Use] = []

    def uses_in(self, module: Module, coroutine: ast.expr) -> tuple[_Use, ...]:
        """Return the sessions from outside that ``coroutine`` uses, each once."""
        self._follow(_Scene(module), coroutine)
        return tuple(self._found)

    # ------------------------------------------------------------------ what a coroutine runs
    def _follow(self, scene: _Scene, node: ast.expr) -> None:
        match node:
            case ast.Name():
                value = scene.module.scopes.only_value(node)
                if isinstance(value, ast.Call):
                    self._follow_call(scene, value)
            case ast.Call():
                self._follow_call(scene, node)
            case ast.Starred():
                self._follow(scene, node.value)
            case _:
                items = [part.node for part in list_parts(scene.module, node)]
                for part in (*branches(node), *items):
                    if part is not node:
                        self._follow(scene, part)

    def _follow_call(self, scene: _Scene, call: ast.Call) -> None:
        self._calls -= 1
        if self._calls < 0:
            return
        func = call.func
        if isinstance(func, ast.Attribute) and self._note(scene, func.value):
            return
        functions = functions_called(self._evaluator, scene.module, call)
        if isinstance(functions, Unknown):
            for given in arguments_of(call):
                self._follow_argument(scene, given)
            return
        for called in functions:
            if not scene.runs(called.function):
                self._follow_body(_Scene(called.module, called, call, scene))

    def _follow_argument(self, scene: _Scene, given: ast.expr) -> None:
        """Follow an argument of an unread function: it is awaited there."""
        inner = given.value if isinstance(given, ast.Starred) else given
        receiver = inner.func if isinstance(inner, ast.Call) else None
        if isinstance(receiver, ast.Attribute) and self._is_session(scene, receiver.value):
            # Such as `session.in_transaction()`, which waits for nothing.
            if f"{_SESSION}.{receiver.attr}" in coroutines().gives:
                self._note(scene, receiver.value)
        elif not self._note(scene, inner):
            self._follow(scene, inner)

    def _follow_body(self, scene: _Scene) -> None:
        """Follow what a function awaits; of one that is no coroutine, what it returns."""
        module, called = scene.module, scene.called
        if called is None:
            return
        awaits = isinstance(called.function, ast.AsyncFunctionDef)
        for node in module.walk(called.function):
            waited = waited_for(node) if awaits else _returned_nodes(node)
            if not waited or module.enclosing_function(node) is not called.function:
                continue
            if self._is_locked(module, node, called.function):
                continue
            for part in waited:
                if not self._note(scene, part):
                    self._follow(scene, part)

    def _is_locked(self, module: Module, node: ast.AST, function: Function) -> bool:
        """Whether a lock prevents that another coroutine runs ``node`` as well."""
        for above in module.ancestors(node):
            if above is function:
                return False
            if isinstance(above, ast.AsyncWith) and any(
                self._is_lock(module, item.context_expr) for item in above.items
            ):
                return True
        return False

    def _is_lock(self, module: Module, node: ast.expr) -> bool:
        values = self._evaluator.values(module, node)
        known = {value.qualified for value in values if isinstance(value, InstanceOf)}
        if _LOCK in known:
            return True
        unknown = any(isinstance(value, Unknown) for value in values)
        return unknown and "lock" in module.text_of(node).lower()

    # ----------------------------------------------------------------------- whose session it is
    def _note(self, scene: _Scene, node: ast.expr) -> bool:
        """Note that ``node`` is used if it is a session; return whether it is one."""
        if not self._is_session(scene, node):
            return False
        owner = self._owner(scene, node)
        if owner is not None and all(use.owner != owner for use in self._found):
            self._found.append(_Use(owner, scene.module.place(node, "used here")))
        return True

    def _is_session(self, scene: _Scene, node: ast.expr) -> bool:
        """Whether ``node`` is a session, or a connection, for one task at a time."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        values = self._evaluator.values(scene.module, node)
        result = [value for value in values if value != NoneValue()]
        if any(isinstance(value, Unknown) for value in result):
            # A parameter without annotation is what the call gives it.
            given = self._argument(scene, node)
            return (
                given is not None
                and scene.above is not None
                and self._is_session(scene.above, given)
            )
        return bool(result) and all(map(_is_for_one_task, result))

    def _owner(self, scene: _Scene, node: ast.expr) -> _Owner | None:
        """Return what holds the session ``node`` outside of the functions that run.

        None if they make it themselves, and where that is not told.
        """
        self._calls -= 1
        if self._calls < 0:
            return None
        match node:
            case ast.Name():
                return self._owner_of_name(scene, node)
            case ast.Attribute():
                above = self._owner(scene, node.value)
                if above is None or above.built or self._is_property(scene.module, node):
                    return above if above is not None and above.built else None
                return replace(above, attributes=(*above.attributes, node.attr))
            case ast.Call():
                return self._built_with(scene, node)
        return None

    def _owner_of_name(self, scene: _Scene, node: ast.Name) -> _Owner | None:
        module, bindings = scene.module, scene.module.scopes.bindings_of(node)
        if not bindings:
            return None
        binding, called = bindings[0], scene.called
        if called is not None and _is_inside(module, binding, called.function):
            if isinstance(binding.node, ast.arg):
                return self._owner_of_parameter(scene, node, binding.node)
            value = module.scopes.only_value(node)
            return None if value is None else self._owner(scene, value)
        if binding.kind == "import":
            name = self._evaluator.names.qualified_name(module, node)
            return None if name is None else _Owner("", 0, name)
        value = module.scopes.only_value(node)
        followed = None if value is None else self._owner(_Scene(module), value)
        if followed is not None:
            return followed
        if binding.scope is module.scopes.module:
            return _Owner("", 0, f"{module.name}.{node.id}")
        start = module.span(binding.scope.node).start
        return _Owner(module.path, start, node.id, bindings=tuple(bindings))

    def _owner_of_parameter(
        self, scene: _Scene, node: ast.Name, parameter: ast.arg
    ) -> _Owner | None:
        if scene.call is None or scene.above is None:
            return None
        if _is_receiver(scene, parameter):
            return self._owner_of_receiver(scene.above, scene.call)
        given = self._argument(scene, node)
        return None if given is None else self._owner(scene.above, given)

    def _argument(self, scene: _Scene, node: ast.expr) -> ast.expr | None:
        """Return what the call gives to the parameter ``node`` of the function that runs."""
        binding = scene.module.scopes.only_binding(node)
        called, call = scene.called, scene.call
        if called is None or call is None or binding is None:
            return None
        parameter = binding.node
        if not isinstance(parameter, ast.arg) or binding.scope.node is not called.function:
            return None
        return argument_of(call, called.function, parameter, called.bound)

    def _owner_of_receiver(self, above: _Scene, call: ast.Call) -> _Owner | None:
        func = call.func
        if not isinstance(func, ast.Attribute):
            return None
        if not isinstance(func.value, ast.Call) or above.module.scopes.builtin_called(
            func.value
        ) != ("super"):
            return self._owner(above, func.value)
        # The receiver of a `super()` call is that of the calling method.
        is_method = above.called is not None and above.called.bound and above.above is not None
        if not is_method or above.above is None or above.call is None:
            return None
        return self._owner_of_receiver(above.above, above.call)

    def _built_with(self, scene: _Scene, call: ast.Call) -> _Owner | None:
        """Return the owner of the one session that a new object of the program is given."""
        values = self._evaluator.values(scene.module, call)
        value = values[0] if len(values) == 1 else None
        if (
            not isinstance(value, InstanceOf)
            or self._evaluator.classes.node(value.qualified) is None
        ):
            return None
        arguments = arguments_of(call)
        sessions = [argument for argument in arguments if self._is_session(scene, argument)]
        owner = self._owner(scene, sessions[0]) if len(sessions) == 1 else None
        return None if owner is None else replace(owner, built=True)

    def _is_property(self, module: Module, node: ast.Attribute) -> bool:
        """Whether ``node`` is a property, which may give another session each time."""
        for value in self._evaluator.values(module, node.value):
            qualified = value.qualified if isinstance(value, InstanceOf) else ""
            for facts in self._evaluator.classes.line(qualified):
                home, owner = self._evaluator.classes.node(facts.qualified) or (None, None)
                if home is None or owner is None:
                    return True
                bindings = home.scopes.scope_made_by(owner).bindings_of(node.attr)
                if any(binding.kind == "function" for binding in bindings):
                    return True
        return False


def _is_receiver(scene: _Scene, parameter: ast.arg) -> bool:
    called = scene.called
    if called is None or not called.bound:
        return False
    return positional_parameters(called.function)[:1] == [parameter]


def _is_for_one_task(value: Value) -> bool:
    if isinstance(value, Session):
        return value.kind == "async"
    return isinstance(value, InstanceOf) and value.qualified in knowledge().for_one_task


def _is_inside(module: Module, binding: Binding, function: Function) -> bool:
    scope = module.scopes.scope_made_by(function)
    return any(candidate is scope for candidate in binding.scope.chain())


def _returned_nodes(node: ast.AST) -> Sequence[ast.expr]:
    return (node.value,) if isinstance(node, ast.Return) and node.value is not None else ()
