"""Finds sessions that are closed by hand or never, and has ``with`` close them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct, structs
from msgspec.structs import replace

from awaken.contract import Constraints, Edit, Phase, Place, Plan, Reason, Status
from awaken.contract.rewriter_input import SessionBlock
from awaken.kit.caveats.replaced_names import caveats_of
from awaken.kit.changes import Decided, plan_of, refused_together, rewritten_together
from awaken.kit.payloads import SESSION_BLOCKS, SessionBlocks
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.made_sessions.made import (
    MadeOtherwise,
    MadeSession,
    closes,
)
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, variable_of
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

CLOSED_ELSEWHERE = Reason(
    "closed-elsewhere",
    "`{}` is closed, but not in the block that creates it, nor by a `finally` after it",
    "Create it with `with`, which closes it.",
)
REBOUND = Reason(
    "rebound", "`{}` is assigned again before it is closed", "Give each session its own name."
)
OWN_ENDS = Reason(
    "own-ends",
    "`{}` overrides `close()` or `__enter__()`",
    "Check its `__exit__`, then use `with` if it does what you want.",
)
FAKE = Reason(
    "entered-fake",
    "a test replaces `{}` with a fake that does not give itself to `with`",
    "Add `__enter__` and `__exit__` to the fake, or `__aenter__` and `__aexit__`.",
)
GIVEN_CONNECTION = Reason(
    "given-connection",
    "`{}` may be bound to a connection, and closing it may end a transaction that other code began",
    "If it is bound to an engine, create it with `with`.",
)
CROSSING = Reason(
    "crossing",
    "`{}` is open while the function creates other sessions, which it closes later",
    "Close the last one first, or create all of them with one `with`.",
)
LAYOUT = Reason(
    "layout",
    "`{}` is not in a block that can be moved",
    "Put each statement on a line of its own, or the code into a function.",
)

_BLOCKS = (
    ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.For
    | ast.AsyncFor
    | ast.While
    | ast.If
    | ast.With
    | ast.AsyncWith
    | ast.Try
)
Making = ast.Assign | ast.AnnAssign
_ENDS = sorted(name_list("ends_of_sessions"))
_DETACHED = "its objects can load nothing after the block"
_UNWRAPPED = {"begun", "try"}
"""The ends that take the statements of a ``try`` out of it, or the first one alone."""
_LEAVES = "leaves `{}` open today"


class Opened(Struct, frozen=True):
    """A statement that makes a session: its name, its kind, and the block around it.

    ``statement`` is that of the block: itself, or a ``try`` that begins with it and closes the
    session. ``taken`` counts the last statements of a ``finally`` that go with other sessions.
    """

    name: str
    made: MadeSession
    block: list[ast.stmt]
    statement: ast.stmt
    taken: Counter[ast.stmt]

    def closes(self, statement: ast.stmt) -> bool:
        """Whether ``statement`` closes the session and does nothing else."""
        return closes(statement, self.name, is_async=self.made.is_async)

    def finally_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return what the ``finally`` of a statement has left; nothing for other statements."""
        body = statement.finalbody if isinstance(statement, ast.Try) else []
        return body[: len(body) - self.taken[statement]]

    def following(self, last: int) -> Sequence[ast.AST]:
        """Return what follows it in its block, up to the number ``last``."""
        if isinstance(self.statement, ast.Try):
            begun = self.statement
            return [*begun.body[1:], *begun.handlers, *begun.orelse, *self.finally_of(begun)[:-1]]
        return self.block[self.block.index(self.statement) + 1 : last + 1]


class Move(Struct, frozen=True):
    """How the statements of one session move into ``with``, below the node ``parent``.

    ``ending`` is the last of them. The sessions of a ``try`` that goes with it are ``inner``. So
    are those that a ``finally`` closes before it.
    """

    site: Site[Making]
    parent: ast.AST
    ending: ast.stmt
    data: SessionBlock
    inside: tuple[Place, ...]
    caveats: tuple[str, ...]
    inner: tuple[Move, ...] = ()

    def all(self) -> list[Move]:
        """Return this one and those inside of it."""
        return [self, *(each for move in self.inner for each in move.all())]

    def blocks(self) -> SessionBlock:
        """Return its data, with that of those inside of it."""
        return structs.replace(self.data, inner=tuple(map(self._block_inside, self.inner)))

    def _block_inside(self, move: Move) -> SessionBlock:
        """Return the data of one inside of it, counted from what follows the first statement."""
        data = move.blocks()
        start = {"begun": 1, "finally": self.data.first + 1}.get(self.data.ends, 0)
        return structs.replace(data, first=data.first - start, last=data.last - start)

    def holds(self, other: Move) -> bool:
        """Whether another one of its block moves with it, because its ``finally`` is kept."""
        is_inside = self.data.first < other.data.first <= self.data.last
        return is_inside and self.data.ends == "finally"


class SessionContextManager(Rule):
    """Rewrites sessions that are closed by hand, or never, to ``with``."""

    name = "session-context-manager"
    family = "sqlalchemy"
    phase = Phase.SESSIONS
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"ession", b"aker", b"db = ", b"db: ")
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    # A session can be entered since then.
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.OPT_IN
    reasons = (CLOSED_ELSEWHERE, CROSSING, FAKE, GIVEN_CONNECTION, LAYOUT, OWN_ENDS, REBOUND)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per session, and one change for those of each block."""
        return plan_of(self._decide(project, constraints))

    def _decide(self, project: Project, constraints: Constraints) -> Iterator[Decided]:
        blocks: dict[tuple[str, ast.AST], list[Move]] = {}
        taken = Counter[ast.stmt]()
        for site, opened in self._sites(project, taken):
            try:
                move = _move(project, site, opened)
            except Refused as refused:
                yield refused_together((site,), refused)
                continue
            if site.id in constraints.excluded:
                yield _moved_change(project, [move])
                continue
            blocks.setdefault((site.module.path, move.parent), []).append(move)
            if move.data.ends == "finally":
                taken[move.ending] += 1
        apart: dict[tuple[str, ast.AST], list[Move]] = {}
        for key, moves in blocks.items():
            crossing = [
                entry for entry in moves if any(_cross(entry.data, other.data) for other in moves)
            ]
            endings = [item.ending for item in crossing if item.data.ends == "finally"]
            crossing += [x for x in moves if x.ending in endings and x not in crossing]
            for item in crossing:
                yield refused_together((item.site,), Refused(CROSSING, item.data.name))
            apart[key] = [candidate for candidate in moves if candidate not in crossing]
        for moves in _nested_moves(apart):
            yield _moved_change(project, moves)

    def _sites(
        self, project: Project, taken: Counter[ast.stmt]
    ) -> Iterator[tuple[Site[Making], Opened]]:
        for module in site_modules(project, self.triggers):
            for node in module.nodes_of(ast.Assign, ast.AnnAssign):
                if not isinstance(node, Making):
                    continue
                opened = _opened_session(project, module, node, taken)
                if opened is not None:
                    yield Site(self.name, module, node), opened


def _opened_session(
    project: Project, module: Module, node: Making, taken: Counter[ast.stmt]
) -> Opened | None:
    """Return the session that a statement makes for its own function; None if it does not."""
    function, name, call = module.enclosing_function(node), last_name(variable_of(node)), node.value
    if not name or not isinstance(call, ast.Call):
        return None
    words = f"{last_name(call.func)} {name}".lower()
    # Constructors come last: few calls look like them.
    if not isinstance(function, Function) or not any(
        word in words for word in ("session", "maker", "db")
    ):
        return None
    scope = module.scopes.scope_of(node)
    if name in scope.globals | scope.nonlocals:
        return None
    made = project.orm.made_session(module, call)
    if made is None or (made.is_async and not isinstance(function, ast.AsyncFunctionDef)):
        return None
    opened = _of_try(module, Opened(name, made, module.block_of(node), node, taken))
    if any(opened.closes(part) for part in module.nodes_below(function, ast.stmt)):
        is_left = _is_closed_first(opened) or _is_half_closed(project, module, function)
        return None if is_left else opened
    is_new = made.source in {"factory", "class"}
    return opened if is_new and not escapes(project, module, function, node, name) else None


def _of_try(module: Module, opened: Opened) -> Opened:
    """Return a session as that of a ``try``, if one begins with it and closes it at its end."""
    tried = module.parent(opened.statement)
    if not isinstance(tried, ast.Try) or tried.body[0] is not opened.statement:
        return opened
    closing = opened.finally_of(tried)[-1:]
    is_closed = any(map(opened.closes, closing))
    return replace(opened, block=module.block_of(tried), statement=tried) if is_closed else opened


def _is_closed_first(opened: Opened) -> bool:
    """Whether a ``finally`` closes the session on every path, and does more after that."""
    for statement in opened.block[opened.block.index(opened.statement) + 1 :]:
        match opened.finally_of(statement):
            case [first, _, *_]:
                return opened.closes(first)
        if not _cannot_fail(statement):
            return False
    return False


def _is_half_closed(project: Project, module: Module, function: Function) -> bool:
    """Whether a dependency gives the session and may leave it open: a rule of its own."""
    if not module.is_generator(function):
        return False
    dependency = project.orm.session_dependency(module, function)
    return dependency is not None and dependency.closed != "always"


def _move(project: Project, site: Site[Making], opened: Opened) -> Move:
    """Return how the statements of a session move. Raises Refused."""
    module, block = site.module, opened.block
    otherwise = _other_results(project, site)
    if own_ends := opened.made.own_ends or otherwise.own_ends:
        raise Refused(OWN_ENDS, own_ends)
    first = block.index(opened.statement)
    last, ends = _end(site, opened, first)
    # Code that closes it today closes it as well.
    if ends == "nothing" and opened.made.may_share:
        raise Refused(GIVEN_CONNECTION, opened.name)
    inside = opened.following(last)
    for statement in inside:
        if _binds(module, statement, opened.name):
            raise Refused(REBOUND, opened.name, because=(module.place(statement),))
    data = SessionBlock(first, last, opened.name, ends, opened.made.is_async)
    doubles, places = _doubles(project, site, opened, otherwise.others)
    if opened.statement is not site.node:
        places = (*places, module.place(opened.statement, "begins with it"))
    return Move(
        site,
        _parent(site, opened),
        block[last],
        data,
        (*places, *(module.place(node, "is then inside the block") for node in inside)),
        (
            *doubles,
            *_caveats(opened, first, last, ends, module.excerpt(site.node.value or site.node)),
        ),
    )


def _other_results(project: Project, site: Site[Making]) -> MadeOtherwise:
    """Return what the factory may give instead of a plain session."""
    made = site.node.value
    if not isinstance(made, ast.Call):
        return MadeOtherwise()
    if any(project.replaced_names.of_library(site.module, made, name) for name in _ENDS):
        return MadeOtherwise("Session")
    return project.orm.made_otherwise(site.module, made)


def _doubles(
    project: Project, site: Site[Making], opened: Opened, others: Sequence[str]
) -> tuple[list[str], tuple[Place, ...]]:
    """Return what is put in the place of the factory: it may give what `with` cannot enter.

    Raises Refused where it is known to.
    """
    if not isinstance(site.node.value, ast.Call):
        return [], ()
    factory = site.node.value.func
    replaced = project.replaced_names.replacements_of(site.module, factory)
    doubles = [replacement for replacement in replaced if not replacement.gives_sessions]
    method = "__aenter__" if opened.made.is_async else "__enter__"
    lacking = [replacement.place for replacement in doubles if method in replacement.lacks]
    if lacking:
        shown = site.module.excerpt(factory)
        raise Refused(FAKE, shown, because=tuple(lacking))
    clauses, places = caveats_of(site.module, factory, doubles)
    bindings = site.module.scopes.bindings_of(factory)
    shown = site.module.excerpt(factory)
    clauses += [
        f"`{shown}` may return an instance of `{name}` instead of a session" for name in others[:1]
    ]
    if any(isinstance(binding.node, ast.arg) for binding in bindings):
        clauses.append(f"a caller may pass a `{shown}` that returns something other than a session")
    return clauses, places


def _cross(one: SessionBlock, other: SessionBlock) -> bool:
    """Whether each of two sessions has statements that the other has not."""
    first, second = sorted((one, other), key=lambda each: each.first)
    return first.first < second.first <= first.last < second.last


def _nested_moves(blocks: Mapping[tuple[str, ast.AST], Sequence[Move]]) -> Iterator[list[Move]]:
    """Yield the moves of each block, except those that move with another one.

    These are in a ``try`` that is removed, or in a block whose ``finally`` is kept.
    """
    gone = {
        (path, move.ending)
        for (path, _), moves in blocks.items()
        for move in moves
        if move.data.ends in _UNWRAPPED
    }

    def whole(path: str, one: Move) -> Move:
        held = blocks.get((path, one.ending), ()) if one.data.ends in _UNWRAPPED else ()
        inside = [x for x in blocks.get((path, one.parent), ()) if one.holds(x)]
        return replace(one, inner=tuple(whole(path, each) for each in _outer([*held, *inside])))

    for (path, parent), moves in blocks.items():
        if moves and (path, parent) not in gone:
            yield [whole(path, move) for move in _outer(moves)]


def _outer(moves: Sequence[Move]) -> list[Move]:
    """Return those that no other one of their block holds."""
    return [item for item in moves if not any(other.holds(item) for other in moves)]


def _moved_change(project: Project, outer: Sequence[Move]) -> Decided:
    """Return the change of the sessions of one block: they count its statements together."""
    moves = [each for move in outer for each in move.all()]
    sites = [move.site for move in moves]
    data = SessionBlocks(tuple(move.blocks() for move in outer))
    edits: list[Edit] = [sites[0].rewrite(outer[0].parent, SESSION_BLOCKS, data)]
    for site in sites:
        if isinstance(site.node, ast.AnnAssign):
            # `with` takes no annotation, so that may have been the last use of its name.
            annotation = project.qualified_name(site.module, site.node.annotation) or ""
            home, _, word = annotation.rpartition(".")
            edits += [site.release_import(home, word)] if home else []
    shown = ", ".join(dict.fromkeys(f"`{move.data.name}`" for move in moves))
    keyword = "async with" if any(move.data.is_async for move in moves) else "with"
    caveats = list(dict.fromkeys(text for move in moves for text in move.caveats))
    message = f"`{keyword}` creates and closes {shown}"
    related = tuple(place for move in moves for place in move.inside)
    return rewritten_together(sites, Rewrite(message, edits, caveats, related))


def _end(site: Site[Making], opened: Opened, first: int) -> tuple[int, str]:
    """Return the last statement that belongs into ``with``, and what ends there."""
    module, block = site.module, opened.block
    function = module.enclosing_function(site.node)
    if isinstance(opened.statement, ast.Try):
        if len(opened.statement.body) == 1:
            raise Refused(LAYOUT, opened.name)
        return first, "begun"
    for number in range(first + 1, len(block)):
        match opened.finally_of(block[number]):
            case [*others, last] if opened.closes(last):
                return number, "finally" if others else "try"
    closing = [n for n in range(first + 1, len(block)) if opened.closes(block[n])]
    if closing:
        if closing[-1] == first + 1:
            raise Refused(LAYOUT, opened.name)
        return closing[-1], "closes"
    for node in module.walk(function) if function is not None else ():
        if isinstance(node, ast.stmt) and opened.closes(node):
            raise Refused(CLOSED_ELSEWHERE, opened.name, because=(module.place(node),))
    if len(block) == first + 1:
        raise Refused(LAYOUT, opened.name)
    return len(block) - 1, "nothing"


def _binds(module: Module, statement: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        for node in module.walk(statement)
    )


def _parent(site: Site[Making], opened: Opened) -> ast.AST:
    """Return the node whose body has the statements; Refused if they cannot be moved."""
    module, block = site.module, opened.block
    parent = module.parent(opened.statement)
    begun = opened.statement.body if isinstance(opened.statement, ast.Try) else []
    apart = all(map(_are_apart, (block, begun)))
    apart &= all(part.lineno > opened.statement.lineno for part in begun[:1])
    is_body = isinstance(parent, _BLOCKS) and parent.body is block
    if (
        parent is None
        or not is_body
        or not apart
        or block[0].lineno == getattr(parent, "lineno", 0)
    ):
        raise Refused(LAYOUT, module.excerpt(site.node))
    if isinstance(parent, ast.If) and module.text_of(parent).startswith("elif"):
        raise Refused(LAYOUT, module.excerpt(site.node))
    return parent


def _are_apart(block: Sequence[ast.stmt]) -> bool:
    """Whether each statement of a block begins below the last line of the one before it."""
    lines = [(statement.lineno, statement.end_lineno) for statement in block]
    return all(below[0] > (above[1] or above[0]) for above, below in pairwise(lines))


def _caveats(opened: Opened, first: int, last: int, ends: str, made: str) -> list[str]:
    name = opened.name
    if ends == "begun":
        clauses = [f"an error of `{made}` reaches no handler and no `finally` of the `try`"]
        is_more = len(opened.finally_of(opened.statement)) > 1
        return [
            *clauses,
            *([f"an error in the `finally` {_LEAVES.format(name)}"] if is_more else []),
        ]
    if ends == "nothing":
        return [f"nothing closes `{name}` today, and {_DETACHED}"]
    if ends == "closes":
        return [f"an error or a return in between leaves `{name}` open today, and {_DETACHED}"]
    between = opened.block[first + 1 : last]
    clauses = [] if all(map(_cannot_fail, between)) else [f"an error before the `try` {_LEAVES}"]
    clauses += [f"an error in the `finally` {_LEAVES}"] if ends == "finally" else []
    return [clause.format(name) for clause in clauses]


def _cannot_fail(statement: ast.stmt) -> bool:
    """Whether a statement gives a name a value that is made of nothing but constants."""
    match statement:
        case ast.Assign(targets=[ast.Name()], value=value):
            return all(
                isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.expr_context)
                for node in ast.walk(value)
            )
    return False


_KEEPING = {"add_done_callback", "partial", "put", "setattr", "setdefault", "submit"}
_KEEPING |= library_names().adding_methods.keys() - {"add", "insert"}
"""Calls that keep what they are given, or run it later; functions that add rows do not."""
_READING_LATER = tuple(name_list("reading_later"))
_LAZY = name_list("lazy_builtins")


def escapes(
    project: Project, module: Module, function: Function, made: ast.stmt, name: str
) -> bool:
    """Whether something else than ``function`` may still use the session when it has returned."""
    if any(_reads_later(project, module, part) for part in _outgoing(module, function)):
        return True
    for node in module.walk(function):
        if not isinstance(node, ast.Name) or node.id != name or isinstance(node.ctx, ast.Store):
            continue
        # A function inside may be called later.
        if module.enclosing_function(node) is not function or not _is_used_up(module, node):
            return True
    return _shares_its_name(module, made, name)


def _outgoing(module: Module, function: Function) -> Iterator[ast.expr]:
    """Yield what a function returns, or puts where others find it."""
    for node in module.walk(function):
        match node:
            case ast.Return(value=ast.expr() as value):
                yield value
            case ast.Assign(targets=targets, value=value) if any(
                isinstance(target, ast.Attribute | ast.Subscript) for target in targets
            ):
                yield value


def _reads_later(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether a value reads rows from its session, or begins to, when it is used."""
    match node:
        case ast.GeneratorExp(generators=[ast.comprehension(iter=rows), *_]):
            return _reads_later(project, module, rows)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _LAZY:
            return any(_reads_later(project, module, argument) for argument in arguments)
    return any(
        isinstance(alternative, InstanceOf)
        and alternative.qualified.startswith(("sqlalchemy.", "sqlmodel."))
        and alternative.qualified.endswith(_READING_LATER)
        for alternative in project.values.of(module, node).alternatives
    )


def _is_used_up(module: Module, node: ast.Name) -> bool:
    """Whether what reads the session is done with it when the statement is."""
    call = module.call_taking(node)
    if call is not None:
        return _is_plain_call(call)
    match module.parent(node):
        case ast.Attribute() as attribute:
            # ``run = session.execute`` keeps the session as well.
            above = module.parent(attribute)
            is_method = module.call_of(attribute) is not None
            return is_method or not isinstance(above, ast.Assign | ast.Return | ast.Call)
        case ast.Compare() | ast.If() | ast.BoolOp() | ast.UnaryOp():
            return True
    return False


def _is_plain_call(call: ast.Call) -> bool:
    """Whether a call looks like one of a function, not of a class that keeps what it is given."""
    name = last_name(call.func)
    return name not in _KEEPING and not name.lstrip("_")[:1].isupper() and bool(name)


def _shares_its_name(module: Module, made: ast.stmt, name: str) -> bool:
    """Whether the name is something else at times: whose reads are meant is not followed."""
    bindings = module.scopes.scope_of(made).bindings_of(name)
    return len(bindings) != 1
