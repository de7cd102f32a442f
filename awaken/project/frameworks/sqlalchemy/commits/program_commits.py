"""The commits of a program, and what runs after them, in their functions and in callers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit, Later
from awaken.project.frameworks.sqlalchemy.commits.later import LaterInFunction
from awaken.project.frameworks.sqlalchemy.commits.loaded_objects import Loaded
from awaken.project.frameworks.sqlalchemy.commits.owners import Owners, bound_at
from awaken.project.frameworks.sqlalchemy.commits.reloads import Reloads
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof, Sessions
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_items
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, arguments_of
from awaken.project.source.worklist import MOST_STEPS
from awaken.project.values.domain import InstanceOf, Producer, Session, Unknown

_WORDS = (b".commit", b".begin", b".prepare", b".run_sync")
_EXPIRING = {"begin_nested", "expire_all", "rollback"}
_EXPIRING_WORDS = (b".begin_nested", b".expire_all", b".rollback")
_COMMITTING = {"commit", "prepare"}
_TRANSACTION = "SessionTransaction"
_SESSIONS = (b"ession",)
"""What stands in files that have a session in hand."""
_LATER_STILL = (b"add_task", b"StreamingResponse")
"""What reads objects when a response has been sent."""


class _Start(Struct, frozen=True):
    """A place in a function after which something has been committed."""

    path: str
    place: Place
    commit: Place


class Commits:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, models: Models, sessions: Sessions) -> None:
        self._evaluator = evaluator
        self._sessions = sessions
        self.reloads = Reloads(evaluator, models)
        self._later = LaterInFunction(
            evaluator, Loaded(evaluator, models), self.reloads, Owners(evaluator)
        )

    @cached_items
    def all(self) -> Iterator[Commit]:
        """Return every visible commit, tests included, in the order of files and places.

        Calls on an object that is proven to be no session are left out.
        """
        return chain.from_iterable(map(self._in_file, self._evaluator.files_with(_WORDS)))

    def expiring(self) -> tuple[Commit, ...]:
        """Return every visible call that expires objects, whatever the session's options are.

        These are ``rollback`` and ``expire_all`` of a proven session, and the ``rollback`` of a
        transaction. ``begin_nested`` of a block is one too, because an exception ends it.
        """
        commits: list[Commit] = []
        for module, node in nodes_in(self._evaluator.modules_with(_EXPIRING_WORDS), ast.Call):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _EXPIRING:
                    if name == "begin_nested" and not isinstance(module.parent(node), ast.withitem):
                        continue
                    if name == "rollback":
                        commits += self._of_transaction(module, node, owner)
                    proof = self._sessions.proof_of(module, owner)
                    if isinstance(proof, SessionProof):
                        commits.append(Commit(module.place(node), _is_async(proof)))
        return tuple(commits)

    def read_in_functions(
        self, commits: Collection[Commit], *, unknown: bool = False
    ) -> tuple[Later, ...]:
        """Return what may be read of before after ``commits`` in their own functions.

        With ``unknown`` also that of which it is not known what it holds, callers aside.
        """
        kinds = {"read", "unknown"} if unknown else {"read"}
        starts = self._begun_pair(commits)[1]
        events = dict(self._in_functions(starts, self._later.reads))
        every = (event for start in starts for event in events.get(start, ()))
        return tuple(dict.fromkeys(event for event in every if event.kind in kinds))

    def _in_functions(
        self, starts: Iterable[_Start], ask: Callable[..., Iterator[Later]]
    ) -> Iterator[tuple[_Start, list[Later]]]:
        """Yield what is said of the function of each start, without its callers."""
        # One function after the other: its facts are kept that long.
        for start in sorted(starts, key=lambda item: item.place):
            module, node, function = self._place_at(start)
            if function is not None:
                with self._evaluator.without_callers():
                    yield start, [*ask(module, function, node, start.commit)]

    def seen_in_functions(self, commits: Collection[Commit]) -> tuple[Later, ...]:
        """Return the reads and loads after ``commits`` in their own functions.

        As far as it is seen, which proves nothing; a commit may be the call of what commits.
        """
        seen = self._in_functions(self._begun_pair(commits)[1], self._later.uses_after)
        return tuple(dict.fromkeys(event for _, events in seen for event in events))

    def events_after(self, commits: Collection[Commit]) -> tuple[Later, ...]:
        """Return what may happen after ``commits`` while their objects are still in hand.

        In the functions that commit, and in those that call them, over all files. Without an
        ``unknown`` it is all that happens.
        """
        result, waiting = self._begun_pair(commits)
        seen = set[_Start]()
        while waiting:
            level = [candidate for candidate in dict.fromkeys(waiting) if candidate not in seen]
            seen.update(level)
            if len(seen) > MOST_STEPS:
                why = "too many functions commit to tell"
                result[Later("unknown", level[0].place, why, level[0].commit)] = None
                break
            self._announce(level)
            waiting = []
            for start in level:
                result |= dict.fromkeys(self._events_after(start, shared=True))
                callers, unknown = self._callers(start)
                result |= dict.fromkeys(unknown)
                waiting += callers
        # The costly question last: it only matters where nothing else prevents a proof.
        return tuple(result) or tuple(self._given_away())

    def later_of_own(self, commits: Collection[Commit]) -> tuple[Later, ...]:
        """Return the same for a session that its function makes, and that nobody else is given.

        Only what that function lets out can be read elsewhere.
        """
        result, starts = self._begun_pair(commits)
        for start in starts:
            result |= dict.fromkeys(self._events_after(start, shared=False))
        return tuple(result)

    def _begun_pair(self, commits: Collection[Commit]) -> tuple[dict[Later, None], list[_Start]]:
        unsure = (commit for commit in commits if commit.unless)
        result = {Later("unknown", item.place, item.unless, item.place): None for item in unsure}
        sure = (commit.place for commit in commits if not commit.unless)
        return result, [_Start(place.path, place, place) for place in sure]

    def _announce(self, level: Collection[_Start]) -> None:
        """Have the callers of many functions searched at once."""
        # One caller after the other would be searched through all files each time.
        self._evaluator.callers.search(
            (module, function) for module, _, function in map(self._place_at, level) if function
        )

    # ------------------------------------------------------------------------- where one commits
    def _in_file(self, path: str) -> Iterator[Commit]:
        module = self._evaluator.load(path)
        if module is None:
            return
        for node in module.nodes_of(ast.Call, ast.With, ast.AsyncWith):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _COMMITTING:
                    yield from self._commit(module, node, owner)
                case ast.Call(func=ast.Attribute(value=owner, attr="run_sync")):
                    if isinstance(self._sessions.proof_of(module, owner), SessionProof):
                        why = f"it is not known whether `{module.excerpt(node)}` commits"
                        yield Commit(module.place(node), is_async=True, unless=why)
                case ast.With() | ast.AsyncWith():
                    for item in node.items:
                        yield from self._block(module, node, item.context_expr)

    def _commit(self, module: Module, call: ast.Call, owner: ast.expr) -> Iterator[Commit]:
        begun = list(self._of_transaction(module, call, owner))
        proof = None if begun else self._sessions.proof_of(module, owner)
        yield from begun
        if proof is None:
            return
        if isinstance(proof, Unknown):
            is_awaited = isinstance(module.parent(call), ast.Await)
            why = f"it is not known whether `{module.excerpt(owner)}` is a session"
            yield Commit(module.place(call), is_awaited, unless=why)
            return
        yield Commit(module.place(call), _is_async(proof), bound_at(module, owner))

    def _of_transaction(self, module: Module, node: ast.AST, owner: ast.expr) -> Iterator[Commit]:
        """Yield the commit of what ``session.begin()`` gives."""
        for value in self._evaluator.values(module, owner):
            if isinstance(value, InstanceOf) and value.qualified.endswith(_TRANSACTION):
                yield Commit(module.place(node), "Async" in value.qualified)
                return

    def _block(
        self, module: Module, block: ast.With | ast.AsyncWith, context: ast.expr
    ) -> Iterator[Commit]:
        """Yield the commit at the end of ``session.begin()`` or ``maker.begin()``."""
        match context:
            case ast.Call(func=ast.Attribute(value=owner, attr="begin")):
                pass
            case ast.Call(func=ast.Attribute(attr="begin_nested")):
                # A savepoint that is released expires nothing.
                return
            case _:
                yield from self._of_transaction(module, block, context)
                return
        place, is_async = module.place(block), isinstance(block, ast.AsyncWith)
        values = self._evaluator.values(module, context)
        if any(_is_manager(value) for value in values):
            yield Commit(place, is_async)
            return
        proof = self._sessions.proof_of(module, owner)
        if isinstance(proof, SessionProof):
            yield Commit(place, _is_async(proof), bound_at(module, owner))

    # ------------------------------------------------------------------------- what comes after
    def _given_away(self) -> Iterator[Later]:
        """Yield the first call that passes a session to unread code, which may commit it."""
        for module, node in nodes_in(self._evaluator.modules_with(_SESSIONS), ast.Call):
            if self._gets_session(module, node):
                why = f"`{module.excerpt(node.func)}` gets a session, and may commit"
                yield Later("unknown", module.place(node), why, module.place(node))
                return

    def _gets_session(self, module: Module, call: ast.Call) -> bool:
        """Whether a library, or what is not known, is given a session."""
        arguments = arguments_of(call)
        names = [
            argument for argument in arguments if isinstance(argument, ast.Name | ast.Attribute)
        ]
        with self._evaluator.without_callers():
            if not any(
                isinstance(value, Session)
                for node in names
                for value in self._evaluator.values(module, node)
            ):
                return False
            if not isinstance(functions_called(self._evaluator, module, call), Unknown):
                return False
            made = self._evaluator.values(module, call)
        # A class of the program is followed wherever it commits.
        own = (value for value in made if isinstance(value, InstanceOf))
        name = self._evaluator.names.qualified_name(module, call.func) or ""
        is_builtin = name.startswith("builtins.")
        return not is_builtin and not any(
            self._evaluator.classes.facts(instance.qualified) for instance in own
        )

    def _place_at(self, start: _Start) -> tuple[Module, ast.AST, Function | None]:
        """Return a place again: the trees are not kept."""
        module = self._evaluator.load(start.path)
        if module is None:
            raise LookupError(start.path)
        # Most are calls. Blocks, and setting an attribute such as a key, count as well.
        nodes = module.nodes_at({start.place.span})
        node = next(node for node in nodes if not isinstance(node, ast.Expr))
        function = module.enclosing_function(node)
        return module, node, function if isinstance(function, Function) else None

    def _events_after(self, start: _Start, *, shared: bool) -> Iterator[Later]:
        module, node, function = self._place_at(start)
        if function is None:
            # Nothing but what a function returns gets from there to the top of a file.
            if start.place == start.commit or not isinstance(module.statement_of(node), ast.Expr):
                why = "awaken does not read the module-level code after it"
                yield Later("unknown", start.place, why, start.commit)
            return
        with self._evaluator.without_callers():
            yield from self._later.events_after(module, function, node, start.commit, shared=shared)

    def _callers(self, start: _Start) -> tuple[list[_Start], list[Later]]:
        module, _, function = self._place_at(start)
        if function is None:
            return [], []
        result = self._evaluator.callers_of(module, function)
        is_served = any(obstacle.kind == "framework" for obstacle in result.obstacles)
        expected = {"framework", "named", "outside"} if is_served else set[str]()
        unknown = [
            Later("unknown", obstacle.place, obstacle.why, start.commit)
            for obstacle in result.obstacles
            if obstacle.kind not in expected
        ]
        if function.name.startswith("__") and function.name.endswith("__"):
            why = f"awaken does not follow the callers of `{function.name}`"
            unknown.append(Later("unknown", module.place(function), why, start.commit))
        # A background task may still read objects that a dependency commits on exit.
        if module.is_generator(function) and self._evaluator.files_with(_LATER_STILL):
            why = "code that runs in the background or streams may read objects later"
            unknown.append(Later("unknown", start.place, why, start.commit))
        callers = [_Start(site.place.path, site.place, start.commit) for site in result.sites]
        return callers, unknown


def _is_async(proof: SessionProof) -> bool:
    return proof.kind.startswith("async")


def _is_manager(value: object) -> bool:
    return (
        isinstance(value, Producer)
        and value.how == "manager"
        and any(isinstance(alternative, Session) for alternative in value.inner)
    )
