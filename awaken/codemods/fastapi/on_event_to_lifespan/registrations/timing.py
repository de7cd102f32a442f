"""The moment and the cases of a registration, as seen from where its application is made."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.application_constructors import Home
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.applications import OF_OTHERS
from awaken.project.frameworks.web.registrations import Registration
from awaken.project.frameworks.web.served_applications import Inclusion
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module, same_node
from awaken.project.source.trees import Function, Loop
from awaken.project.values.domain import InstanceOf, NoneValue

Order = tuple[int, ...]
_ONCE = "0.112.2"
_PLAIN_TYPES = {"builtins.bool", "builtins.float", "builtins.int", "builtins.str"}


class Timing(Struct, frozen=True):
    """``order`` sorts the handlers of an event.

    ``conditional``: it may not be executed at all, as ``test`` says if it can. ``foreign``: it is
    in another file, which is imported before the application is made (``first``) or after.
    ``caveats`` say what may change.
    """

    order: Order
    conditional: bool = False
    test: Condition | None = None
    foreign: bool = False
    first: bool = False
    caveats: tuple[str, ...] = ()


class Clock:
    """Tells the time of registrations of one application."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home

    def timing_of(
        self, registration: Registration, statement: ast.stmt, via: tuple[Inclusion, ...]
    ) -> Timing:
        """Return when ``statement`` registers, on a router that is included ``via``.

        Raises Refused if it is unknown.
        """
        module = registration.module
        if via:
            return self._timing_through(registration, statement, via)
        timing = self.of_statement(module, statement)
        if timing is not None:
            return timing
        start = module.span(statement).start
        here = module.path == self._home.module.path
        scope = module.scopes.scope_of(statement)
        if scope.kind == "module":
            caveats = self._require_one_call(module, statement)
            self._require_always(module, statement)
            # The module's own statements run after those of the factory that it calls: order 2.
            if here:
                return Timing((2, start), caveats=caveats)
            return self._imported_time(module, statement)
        raise self._refusal_elsewhere(module, statement)

    def of_statement(self, module: Module, statement: ast.stmt) -> Timing | None:
        """Return when ``statement`` is executed; None if not where the application is made."""
        scope = module.scopes.scope_of(statement)
        if not same_node(module, scope.node, self._home.module, self._home.scope.node):
            return None
        conditional = is_conditional(self._home, statement)
        test = test_around(self._home, statement) if conditional else None
        steady = None if test is None else _steady_condition(self._project, self._home, test)
        return Timing((1, module.span(statement).start), conditional, steady)

    def _refusal_elsewhere(self, module: Module, statement: ast.stmt) -> Refused:
        where = module.scope_name(statement)
        where = f"`{where}`" if where != "<module>" else module.path
        place = module.place(statement)
        return Refused(reasons.REGISTERED_ELSEWHERE, where, because=(place,))

    def _require_one_call(self, module: Module, statement: ast.stmt) -> tuple[str, ...]:
        """Refuse what is registered on one of several applications that a factory makes.

        Return what may change if others make more.
        """
        function, home = self._home.function, self._home.module
        if function is None:
            return ()
        callers = self._project.calls.callers_of(home, function)
        hidden = [obstacle for obstacle in callers.obstacles if obstacle.kind not in OF_OTHERS]
        # The lifespan would be given to every application that the factory makes.
        if len(callers.sites) != 1 or hidden:
            place = module.place(statement)
            raise Refused(reasons.FACTORY, function.name, because=(place,))
        if callers.complete:
            return ()
        return (
            (
                f"applications that code outside the project gets from `{function.name}` also "
                "have the lifespan"
            ),
        )

    def _require_always(self, module: Module, statement: ast.stmt) -> None:
        # A flag would have to be in a file that the application does not know.
        if not isinstance(module.parent(statement), ast.Module):
            place = module.place(statement)
            why = f"`{module.path}` registers it under a condition"
            raise Refused(reasons.CONDITIONAL, why, because=(place,))

    def _imported_time(self, module: Module, statement: ast.stmt) -> Timing:
        """Return the time of what another file registers when it is imported."""
        home = self._home.module
        result = self._project.web.imports.statement(home, module.path)
        if result is None:
            raise self._refusal_elsewhere(module, statement)
        # The file's handlers are registered at the moment of its import.
        at, start = home.span(result).start, module.span(statement).start
        caveat = f"the lifespan imports what {module.path} registers"
        return Timing((1, at, start), foreign=True, caveats=(caveat,))

    # ------------------------------------------------------------------------------------ routers
    def _timing_through(
        self, registration: Registration, statement: ast.stmt, via: tuple[Inclusion, ...]
    ) -> Timing:
        module = registration.module
        place = registration.place
        scope = module.scopes.scope_of(statement)
        here = same_node(module, scope.node, self._home.module, self._home.scope.node)
        if not here and scope.kind != "module":
            raise self._refusal_elsewhere(module, statement)
        if not isinstance(module.parent(statement), ast.Module | Function):
            raise Refused(reasons.ROUTER_HANDLER, "under a condition", because=(place,))
        inner = via[-1]
        start = module.span(statement).start
        # `include_router` copies the handlers that the router has at that moment.
        if inner.module.path == module.path and inner.module.span(inner.node).start < start:
            raise Refused(reasons.ROUTER_HANDLER, "added after it was included", because=(place,))
        order: Order = (1,)
        for inclusion in via:
            order = (*order, inclusion.module.span(inclusion.node).start)
        self._require_included_once(via[0])
        caveats: tuple[str, ...] = ()
        # From that version on the router's own merged lifespan runs its handlers as well.
        if not self._project.targets.guarantees("fastapi", f"<{_ONCE}"):
            caveats = (f"handlers of routers run twice since FastAPI {_ONCE}, and once afterwards",)
        foreign = module.path != self._home.module.path
        return Timing((*order, start), foreign=foreign, first=foreign, caveats=caveats)

    def _require_included_once(self, inclusion: Inclusion) -> None:
        """Refuse an inclusion that is not always executed, where the application is made."""
        module, home = inclusion.module, self._home
        place = module.place(inclusion.node)
        statement = module.statement_of(inclusion.node)
        same = module.path == home.module.path
        if statement is None or not same:
            raise Refused(reasons.ROUTER_HANDLER, f"included in {module.path}", because=(place,))
        known = next(home.module.nodes_at({module.span(statement)}), None)
        if not isinstance(known, ast.stmt):
            raise Refused(reasons.ROUTER_HANDLER, f"included in {module.path}", because=(place,))
        scope = home.module.scopes.scope_of(known)
        if scope.kind == "module" and home.function is not None:
            self._require_one_call(home.module, known)
            self._require_always(home.module, known)
            return
        if scope.node is not home.scope.node or is_conditional(home, known):
            raise Refused(reasons.ROUTER_HANDLER, "included in some cases only", because=(place,))


class Condition(Struct, frozen=True):
    """The source of a condition, and the names that it reads."""

    code: str
    reads: tuple[ast.Name, ...]


def _steady_condition(project: Project, home: Home, test: ast.expr) -> Condition | None:
    """Return ``test`` as the lifespan may ask it, None if its answer may change until then.

    It may if it reads anything but values that cannot change, under names that are bound once.
    """
    text = home.module.text_of(test)
    # The condition becomes the head of an `if`, on one line.
    if "\n" in text or "\r" in text or not _Steadiness(project, home).of_test(test):
        return None
    reads = tuple(home.module.nodes_below(test, ast.Name))
    return Condition(text, reads)


class _Steadiness:
    """Decides about expressions: of the condition, and those that its names are bound to."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home

    def of_test(self, test: ast.expr) -> bool:
        """Whether a condition is always as true as it is now."""
        match test:
            case ast.Constant():
                return True
            case ast.Name():
                return self._of_name(test, truth_only=True)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.of_test(operand)
            case ast.BoolOp(values=values):
                return all(map(self.of_test, values))
            case ast.Compare(left=left, comparators=others):
                # A comparison needs the very values; their truth alone is not enough.
                return all(map(self._of_operand, (left, *others)))
        return False

    def _of_operand(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Tuple(elts=elements) | ast.Set(elts=elements) | ast.List(elts=elements):
                return all(isinstance(element, ast.Constant) for element in elements)
            case ast.Name():
                return self._of_name(node, truth_only=False)
        return False

    def _of_name(self, node: ast.Name, *, truth_only: bool) -> bool:
        module = self._home.module
        binding = module.scopes.only_binding(node)
        # A loop gives one binding many values.
        if binding is None or _in_a_loop(module, binding):
            return False
        if binding.kind == "parameter":
            return binding.scope is self._home.scope and self._is_plain(module, node)
        if binding.scope is not self._home.scope and binding.scope.kind != "module":
            return False
        # Tests may set the name between the import and the start.
        replaced_names = self._project.replaced_names
        if binding.scope.kind == "module" and replaced_names.of_name(f"{module.name}.{node.id}"):
            return False
        if binding.kind == "import":
            return self._of_imported(node, truth_only)
        return self._is_kept(module, binding, truth_only)

    def _of_imported(self, node: ast.Name, truth_only: bool) -> bool:
        name = self._project.qualified_name(self._home.module, node)
        definition = self._project.definition(name) if name is not None else None
        module = self._project.module(definition.path) if definition is not None else None
        if name is None or module is None:
            return False
        return self._is_kept(
            module, module.scopes.module.bindings[name.rpartition(".")[2]][0], truth_only
        )

    def _is_kept(self, module: Module, binding: Binding, truth_only: bool) -> bool:
        """Whether ``binding`` assigns a value that cannot change; a comparison gives a truth."""
        value = binding.value if binding.kind == "assignment" else None
        if value is None:
            return False
        if truth_only and isinstance(value, ast.Compare):
            return True
        return self._is_plain(module, value)

    def _is_plain(self, module: Module, value: ast.expr) -> bool:
        """Whether an expression gives a number, a string, a truth or None, and nothing else."""
        values = self._project.values.of(module, value)
        return values.is_known and all(
            part == NoneValue() or (isinstance(part, InstanceOf) and part.qualified in _PLAIN_TYPES)
            for part in values.alternatives
        )


def _in_a_loop(module: Module, binding: Binding) -> bool:
    above = module.ancestors(binding.node)
    return any(isinstance(node, Loop) for node in above)


_BRANCHES = (ast.If, ast.Try, ast.Match, ast.With, ast.AsyncWith)


def is_conditional(home: Home, statement: ast.stmt) -> bool:
    """Whether ``statement``, in the scope of ``home``, may be left out when that is executed.

    Raises Refused for what no flag can keep: loops, and functions that may end before it.
    """
    module = home.module
    around = _blocks(module, home.statement)
    # Blocks around the application too decide nothing: without it, no handler matters.
    own = [block for block in _blocks(module, statement) if block not in around]
    place = module.place(statement)
    # A flag cannot count how often the handler was registered.
    if any(isinstance(block, Loop) for block, _ in own):
        raise Refused(reasons.LOOP, because=(place,))
    if home.function is not None:
        returned = _return_between(home, statement)
        if returned is not None:
            why = f"`{module.excerpt(returned)}` may end the function before"
            raise Refused(reasons.CONDITIONAL, why, because=(place,))
    return bool(own)


def test_around(home: Home, statement: ast.stmt) -> ast.expr | None:
    """Return what decides alone whether ``statement`` is executed, if one condition does."""
    around = _blocks(home.module, home.statement)
    own = [pair for pair in _blocks(home.module, statement) if pair not in around]
    block, branch = own[0] if len(own) == 1 else (None, "")
    return block.test if isinstance(block, ast.If) and branch == "body" else None


def in_one_branch(module: Module, one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two statements are in one branch of an ``if``, so that both are executed or none.

    Nothing around them may catch what the code between them raises.
    """
    first, second = _blocks(module, one), _blocks(module, other)
    return first == second and all(isinstance(block, ast.If) for block, _ in first)


def _blocks(module: Module, statement: ast.stmt) -> list[tuple[ast.AST, str]]:
    """Return the compound statements around ``statement`` in its scope, each with its branch."""
    blocks: list[tuple[ast.AST, str]] = []
    for below, above in module.steps_up(statement):
        if isinstance(above, Function | ast.ClassDef | ast.Module):
            break
        if isinstance(above, (Loop, *_BRANCHES)):
            branch = next(
                (
                    name
                    for name, value in ast.iter_fields(above)
                    if isinstance(value, list) and any(candidate is below for candidate in value)
                ),
                "",
            )
            blocks.append((above, branch))
    return blocks


def _return_between(home: Home, statement: ast.stmt) -> ast.Return | None:
    start, end = home.module.span(home.statement).end, home.module.span(statement).start
    returns = home.module.returns_of(home.function) if home.function is not None else ()
    return next((x for x in returns if start <= home.module.span(x).start < end), None)
