"""Results that are entered, and context managers that are classes: where they are entered.

A plain function that returns an object with ``__enter__`` stays plain where another one, decorated
by ``contextmanager``, is called in its place: its result is entered asynchronously. So does a
declaration without a body, such as one of a protocol.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.codemods.sqlalchemy.session_to_async.twin_names import write_twin
from awaken.contract import Place, Span
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.made_sessions.entered_resources import CLOSING
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf, classes_in

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation

_BASES = library_names().manager_bases
_HARMLESS = library_names().harmless_bases
ENTERING = {"__enter__": "__aenter__", "__exit__": "__aexit__"}
"""The methods that ``with`` calls, and those that ``async with`` does."""

_WORDS = tuple(f"def {name}".encode() for name in ENTERING)


class Managers:
    """The managers of one program; ``around`` gives the function in which an expression runs."""

    def __init__(
        self, project: Project, around: Callable[[Module, ast.AST], FunctionPlace]
    ) -> None:
        self._project = project
        self._around = around
        self._uncertain: dict[FunctionPlace, Place] = {}

    def linked_methods(self, function: FunctionPlace) -> tuple[FunctionPlace, ...]:
        """Return the functions that change with one: overrides, and methods of its manager.

        A manager that is entered asynchronously is also left asynchronously.
        """
        kin = self._project.calls.override_sets()
        functions = {*kin.override_set(function)}
        method = function.name
        if method in ENTERING:
            for other in ENTERING:
                functions |= {*kin.methods(self._owner(function), other)}
        return tuple(sorted(functions))

    def callers(self, function: FunctionPlace) -> list[Call]:
        """Return who calls a function, or enters what it is the method of."""
        calls = self._project.calls.graph().callers(function)
        if function.name in ENTERING:
            calls += self._entries.get(function, [])
        return calls

    def entries(self, function: FunctionPlace) -> list[Call]:
        """Return the ``with`` statements that call ``function``."""
        return self._entries.get(function, []) if function.name in ENTERING else []

    @cached_property
    def _entries(self) -> dict[FunctionPlace, list[Call]]:
        functions: defaultdict[FunctionPlace, list[Call]] = defaultdict(list)
        if not self._project.files_with(_WORDS):
            return functions
        paths = self._project.files_with((b"with ", b"enter_context("))
        for module, node in nodes_in(self._project.modules_at(paths), ast.AST):
            entered = _entered_node(node)
            is_done = isinstance(module.parent(node), ast.AsyncWith)
            if entered is None or is_done:
                continue
            for function in self._methods_of(module, entered):
                caller, place = self._around(module, entered), module.place(entered)
                name = function.name
                functions[function].append(Call(place, caller, name, "one", (function,), ""))
                # `enter_context()` is a plain call: nothing can await in its place.
                if not isinstance(node, ast.withitem) or not self._is_certain(module, entered):
                    self._uncertain.setdefault(function, place)
        return functions

    def _methods_of(self, module: Module, node: ast.expr) -> list[FunctionPlace]:
        values = self._project.values.of(module, node).alternatives
        classes = filter(self._project.class_facts, classes_in(values))
        return entering_methods(self._project, classes)

    def _is_certain(self, module: Module, node: ast.expr) -> bool:
        """Whether what is entered is of classes of the program that are all managers.

        Or of the synchronous side, which is entered asynchronously as well.
        """
        names = self._project.instance_of(module, node)
        kin = self._project.calls.override_sets()
        return bool(names) and all(
            name in twins().names or kin.methods(name, "__exit__") for name in names
        )

    def refusals_of_closing(
        self, steps: Container[FunctionPlace]
    ) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the methods among ``steps`` that ``closing(...)`` calls, and does not await."""
        kin = self._project.calls.override_sets()
        for module, node in nodes_with(self._project, (b"closing",), ast.Call):
            if len(node.args) != 1:
                continue
            if self._project.qualified_name(module, node.func) != CLOSING:
                continue
            for owner in classes_in(self._project.values.of(module, node.args[0]).alternatives):
                for item in kin.methods(owner, "close"):
                    if item in steps:
                        place = module.place(node)
                        yield item, Refused(reasons.HANDED_ON, item.qualname, because=(place,))

    def _owner(self, function: FunctionPlace) -> str:
        home = self._project.layout.name_of(function.path)
        return f"{home}.{function.qualname.rpartition('.')[0]}"

    # ------------------------------------------------------------------------------- the classes
    def check(self, function: FunctionPlace) -> None:
        """Raise Refused where a manager cannot be one that is entered asynchronously."""
        name = function.name
        owner = self._owner(function)
        outside = set(self._project.library_ancestors(owner)) - _BASES - _HARMLESS
        kin = self._project.calls.override_sets()
        has_both = any(kin.methods(owner, other) for other in ENTERING.values())
        if outside or has_both:
            raise Refused(reasons.SYNC_PROTOCOL, name)
        place = self._uncertain.get(function)
        if place is not None:
            raise Refused(reasons.SYNC_PROTOCOL, name, because=(place,))

    def bases(self, functions: list[FunctionPlace], rule: str) -> Iterator[Member]:
        """Yield the rewrites of the bases that make a class a manager."""
        owners = {self._owner(function) for function in functions if function.name in ENTERING}
        classes = {
            name
            for owner in owners
            for name in (
                *(facts.qualified for facts in self._project.class_line(owner)),
                *self._project.all_subclasses(owner),
            )
        }
        for qualified in sorted(classes):
            pair = self._project.class_definition(qualified)
            if pair is not None:
                yield from self._bases_of(*pair, rule)

    def _bases_of(self, module: Module, node: ast.ClassDef, rule: str) -> Iterator[Member]:
        for base in node.bases:
            name = base.value if isinstance(base, ast.Subscript) else base
            qualified = self._project.qualified_name(module, name)
            if qualified in _BASES:
                site: Site[ast.AST] = Site(rule, module, name)
                shown = f"`{module.text_of(name)}`"
                try:
                    written, edits = write_twin(self._project, site, name, qualified)
                except Refused as refused:
                    yield Member(site, refused, shown)
                else:
                    yield Member(site, Rewrite(f"{shown} becomes `{written}`", edits), shown)


def renamed_methods(module: Module, node: ast.FunctionDef) -> Iterator[tuple[Span, str]]:
    """Yield the places of the name of a manager's method, and its new name."""
    if node.name in ENTERING:
        start = module.source.text.index(node.name.encode(), module.span(node).start)
        yield Span(start, start + len(node.name)), ENTERING[node.name]


def entering_methods(project: Project, classes: Iterable[str]) -> list[FunctionPlace]:
    """Return the methods that enter and leave instances of some classes, sorted."""
    kin = project.calls.override_sets()
    return sorted(
        {item for name in classes for each in ENTERING for item in kin.methods(name, each)}
    )


def inherited_calls(node: ast.AST, names: Collection[str] = ENTERING) -> Iterator[ast.Call]:
    """Yield what calls the methods that a manager inherits: ``super().__enter__()``."""
    is_entering = getattr(node, "name", "") in {*ENTERING, *ENTERING.values()}
    for part in ast.walk(node) if is_entering else ():
        match part:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)
            ) if name in names:
                yield part


def entered_at(module: Module, place: Place) -> ast.expr:
    """Return the expression at ``place`` that is entered."""
    nodes = (_entered_node(node) for node in module.walk())
    return next(node for node in nodes if node is not None and module.span(node) == place.span)


def _entered_node(node: ast.AST) -> ast.expr | None:
    """Return what ``node`` enters: an item of ``with``, or ``stack.enter_context(...)``."""
    match node:
        case ast.withitem(context_expr=entered):
            return entered
        case ast.Call(args=[entered, *_]) if last_name(node.func) == "enter_context":
            return entered
    return None


_HOW = {"coroutine": "awaited", "manager": "entered asynchronously"}
MANAGER = "contextlib.contextmanager"
_SEVERAL = {"generator", "manager"}


def is_constructor(module: Module, node: ast.AST) -> bool:
    """Whether a function is the `__init__` of a class."""
    is_named = isinstance(node, ast.FunctionDef) and node.name == "__init__"
    return is_named and isinstance(module.parent(node), ast.ClassDef)


class Results:
    """The results of the functions of one program; ``kin`` are those that replace each other.

    The results of ``entered`` ones are entered asynchronously, whatever replaces them.
    """

    def __init__(
        self,
        project: Project,
        kin: Callable[[FunctionPlace], Iterable[FunctionPlace]],
        entered: Collection[FunctionPlace] = (),
    ) -> None:
        self._project = project
        self._kin = kin
        self._entered = entered

    @cached_method
    def kind_of(self, function: FunctionPlace) -> str:
        """Return what a call gives: a ``coroutine``, a ``generator``, a ``manager``, a ``class``.

        This holds after the function and all its replacements have changed.
        """
        own = self._own_kind(function)
        return own or self._kind_among(function)

    def stays_plain(self, function: FunctionPlace) -> bool:
        """Whether a function returns a manager or a generator, but is not one itself."""
        return not self._own_kind(function) and self.kind_of(function) != "coroutine"

    def entering_methods(self, function: FunctionPlace) -> list[FunctionPlace]:
        """Return the methods that enter and leave what a plain function gives."""
        is_plain = self.stays_plain(function)
        return entering_methods(self._project, self._classes(function)) if is_plain else []

    # ------------------------------------------------------------------------------------- parts
    def _own_kind(self, function: FunctionPlace) -> str:
        """Return what a function gives as it is written; empty if it is a plain one."""
        pair = self._project.calls.definition_of(function)
        if pair is None:
            return "coroutine"
        module, node = pair
        for decorator in node.decorator_list:
            if self._project.qualified_name(module, decorator) == MANAGER:
                return "manager"
        if is_constructor(module, node):
            return "class"
        return "generator" if module.is_generator(node) else ""

    def _kind_among(self, function: FunctionPlace) -> str:
        """Return the kind of result of a plain function, from its replacements."""
        kinds = {self._own_kind(item) for item in self._kin(function)} & _SEVERAL
        kinds |= {"manager"} if function in self._entered else set()
        if len(kinds) != 1:
            return "coroutine"
        kind = kinds.pop()
        is_one = self._is_declared(function) or (kind == "manager" and self._classes(function))
        return kind if is_one else "coroutine"

    def _is_declared(self, function: FunctionPlace) -> bool:
        """Whether a function only declares what its overrides do."""
        node = self._project.calls.definition_of(function)
        return node is not None and self._project.calls.is_declaration(*node)

    def _classes(self, function: FunctionPlace) -> list[str]:
        """Return the classes of the program whose objects a plain function gives, to be entered.

        None if it may give anything else.
        """
        module, node = self._project.calls.definition_of(function) or (None, None)
        if module is None or not isinstance(node, ast.FunctionDef) or node.decorator_list:
            return []
        returned = [*module.returns_of(node)]
        kin = self._project.calls.override_sets()
        classes: list[str] = []
        for part in returned:
            values = None if part.value is None else self._project.values.of(module, part.value)
            if values is None or not values.is_known:
                return []
            for value in values.alternatives:
                if not isinstance(value, InstanceOf) or not kin.methods(
                    value.qualified, "__enter__"
                ):
                    return []
                classes.append(value.qualified)
        return classes


class FakeEngines:
    """The methods of such classes of one program, each with a place at which it is called."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.awaited: dict[FunctionPlace, Place] = {}
        self.entered: dict[FunctionPlace, Place] = {}

    def add(self, operation: Operation, place: Place) -> None:
        """Note what an operation at ``place`` may call of fakes."""
        if operation.how not in {"awaited", "entered"}:
            return
        places = self.awaited if operation.how == "awaited" else self.entered
        for fake in operation.fakes:
            for method in self._project.calls.override_sets().methods(fake, operation.method):
                places.setdefault(method, place)

    def refusals(self, results: Results) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the methods that give nothing which could be entered, or awaited."""
        for expected, methods in (("coroutine", self.awaited), ("manager", self.entered)):
            for method, place in methods.items():
                if results.kind_of(method) != expected:
                    why = f"`{method.qualname}` may or may not be {_HOW[expected]}"
                    yield method, Refused(TEST_DOUBLE, why, because=(place,))
