"""Properties that wait: they become methods, and what reads them awaits a call.

A cached one keeps what it gave under another name of its object.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.payload import METHOD, Method
from awaken.contract import Edit, Place
from awaken.kit.imports import released
from awaken.kit.sites import Refused, Site
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.names.classes import ClassFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import ClassOf, InstanceOf, NoneValue

if TYPE_CHECKING:
    from awaken.project import Project

_PROPERTIES = {"builtins.property": "plain", "functools.cached_property": "cached"}
_HARMLESS = {
    "abc.ABC", "builtins.object", "typing.Generic", "typing.Protocol",
    "typing_extensions.Protocol",
}  # fmt: skip
"""Bases outside of the program that read no attribute of an object by its name."""
_ASKING = {"attrgetter", "delattr", "getattr", "hasattr", "object", "patch", "setattr"}
"""Functions that are given the name of an attribute in a string."""
_LOOKING_UP = {"__getattr__", "__getattribute__"}


class _Reads(NamedTuple):
    """Who reads a property, and the first place of which it is not known whether it does."""

    calls: tuple[Call, ...]
    unsure: Place | None
    why: str


class Properties:
    """Those of one program; ``around`` gives the function in which an expression runs."""

    def __init__(
        self, project: Project, around: Callable[[Module, ast.AST], FunctionPlace]
    ) -> None:
        self._project = project
        self._around = around
        self._found: dict[FunctionPlace, _Reads] = {}
        self._kinds: dict[FunctionPlace, str] = {}

    def kind_of(self, function: FunctionPlace) -> str:
        """Return whether a function is a ``plain`` or a ``cached`` property; empty if neither."""
        if function not in self._kinds:
            found = self._node(function)
            decorator = None if found is None else self._decorator(*found)
            name = None
            if found is not None and decorator is not None:
                name = self._project.qualified_name(found[0], decorator)
            self._kinds[function] = _PROPERTIES.get(name or "", "")
        return self._kinds[function]

    def makes(self, module: Module, decorator: ast.expr) -> bool:
        """Whether a decorator of a method makes a property of it."""
        return self._project.qualified_name(module, decorator) in _PROPERTIES

    def callers(self, function: FunctionPlace) -> Iterable[Call]:
        """Return what reads a property, as calls of it."""
        return self._reads(function).calls if self.kind_of(function) else ()

    def check(self, function: FunctionPlace) -> None:
        """Raise Refused where a property cannot be a method."""
        name = function.qualname
        kin = self._project.calls.kin().of(function)
        if len({self.kind_of(one) for one in kin}) > 1 or not self._is_plain_class(function):
            raise Refused(reasons.SYNC_PROTOCOL, name)
        found = self._node(function)
        is_cached = self.kind_of(function) == "cached"
        if found is None or (is_cached and not _ends_with_result(*found)):
            raise Refused(reasons.SYNC_PROTOCOL, name)
        reads = self._reads(function)
        if reads.unsure is not None:
            help_text = f"{reads.why}. {reasons.SYNC_PROTOCOL.help}"
            raise Refused(reasons.SYNC_PROTOCOL, name, help_text, because=(reads.unsure,))

    def _is_plain_class(self, function: FunctionPlace) -> bool:
        """Whether nothing out of sight reads attributes of objects of the class, or below it."""
        project, owner = self._project, self._owner(function)
        name = _name(function)
        owners = {self._owner(one) for one in project.calls.kin().of(function)}
        for one in (owner, *project.all_subclasses(owner)):
            facts = project.class_facts(one)
            if facts is None or facts.keywords or not facts.unique or name in facts.assigned:
                return False
            if name in facts.members and one not in owners:
                return False
            if set(project.library_ancestors(one)) - _HARMLESS:
                return False
            if project.orm.mapped_class(one) is not None:
                return False
            if any(None in each.bases or _LOOKING_UP & each.members for each in self._line(one)):
                return False
        defined = project.class_definition(owner)
        if defined is None:
            return False
        module, node = defined
        # A setter is a second function of that name.
        return len(module.scopes.scope_made_by(node).bindings.get(name, ())) == 1

    def _line(self, qualified: str) -> Iterator[ClassFacts]:
        """Yield a class and all that it inherits from."""
        waiting, seen = [qualified], set[str]()
        while waiting:
            current = waiting.pop()
            facts = self._project.class_facts(current) if current not in seen else None
            seen.add(current)
            if facts is not None:
                yield facts
                waiting += filter(None, facts.bases)

    # -------------------------------------------------------------------------------------- reads
    def _reads(self, function: FunctionPlace) -> _Reads:
        if function not in self._found:
            # What reads one of them may read each.
            kin = (function, *self._project.calls.kin().of(function))
            reads = self._all(function, frozenset(kin))
            self._found.update(dict.fromkeys(kin, reads))
        return self._found[function]

    def _all(self, function: FunctionPlace, kin: frozenset[FunctionPlace]) -> _Reads:
        name = _name(function)
        calls: list[Call] = []
        unsure: dict[Place, str] = {}
        for module, node, why in self._mentions(name, kin):
            if why:
                unsure[module.place(node)] = why
            elif why is None:
                place, caller = module.place(node), self._around(module, node)
                calls.append(Call(place, caller, name, "one", (function,), ""))
                if caller.start < 0:
                    unsure[place] = "It is read when a file is imported"
        for place in self._computed(kin):
            unsure.setdefault(place, "It may be read by a name that the program works out")
        first = min(unsure, default=None)
        return _Reads(tuple(calls), first, "" if first is None else unsure[first])

    def _mentions(
        self, name: str, kin: frozenset[FunctionPlace]
    ) -> Iterator[tuple[Module, ast.expr, str | None]]:
        """Yield what may read a property: None says that it does, a text why that is unsure."""
        for path in self._project.files_with((name.encode(),)):
            module = self._project.module(path)
            for node in module.walk() if module is not None else ():
                match node:
                    case ast.Attribute() if module is not None and node.attr == name:
                        yield module, node, self._read_at(module, node, kin)
                    case ast.Constant(value=str() as text) if module is not None:
                        if text.rpartition(".")[2] == name:
                            yield module, node, self._named_at(module, node, kin)
                    case _:
                        pass

    def _read_at(
        self, module: Module, node: ast.Attribute, kin: frozenset[FunctionPlace]
    ) -> str | None:
        """Return None where a property is read, empty where it is not, else why that is unsure."""
        name = node.attr
        if _is_super(node.value):
            around = module.enclosing_class(node)
            owner = "" if around is None else f"{module.name}.{module.qualname(around)}"
            found = [self._is_owner(owner, name, kin)]
            unknown = None
        else:
            values = self._project.values.of(module, node.value)
            unknown = values.unknown
            # Nothing is read of None.
            owners = [one for one in values.alternatives if one != NoneValue()]
            found = [
                isinstance(one, ClassOf | InstanceOf) and self._is_owner(one.qualified, name, kin)
                for one in owners
            ]
            if any(
                isinstance(one, ClassOf) and is_one
                for one, is_one in zip(owners, found, strict=True)
            ):
                return "It is read of its class"
        if unknown is not None:
            return f"It may be what `{module.excerpt(node)}` reads: {unknown.why}"
        if found and all(found):
            is_read = isinstance(node.ctx, ast.Load)
            return None if is_read else "It is assigned or deleted"
        return "It may be what is read here, or something else" if any(found) else ""

    def _is_owner(self, qualified: str, name: str, kin: frozenset[FunctionPlace]) -> bool:
        """Whether ``name`` of an instance of a class is a property of ``kin``."""
        functions = self._project.calls.kin().methods(qualified, name)
        return bool(functions) and set(functions) <= kin

    def _named_at(self, module: Module, node: ast.Constant, kin: frozenset[FunctionPlace]) -> str:
        """Return why a text may have the property read or replaced; empty if it does not."""
        call = module.parent(node)
        if isinstance(call, ast.Subscript | ast.Compare) and b"__dict__" in module.source.text:
            return "It may be taken out of the dictionary of its object"
        if not isinstance(call, ast.Call) or last_name(call.func) not in _ASKING:
            return ""
        owners = self._project.values.of(module, call.args[0]) if call.args else None
        is_other = (
            owners is not None
            and call.args[0] is not node
            and owners.is_known
            and not any(
                isinstance(one, ClassOf | InstanceOf) and self._may_have(one.qualified, node, kin)
                for one in owners.alternatives
            )
        )
        return "" if is_other else "It may be read or replaced by its name in a text"

    def _may_have(self, qualified: str, node: ast.Constant, kin: frozenset[FunctionPlace]) -> bool:
        name = str(node.value).rpartition(".")[2]
        return bool(kin.intersection(self._project.calls.kin().methods(qualified, name)))

    def _computed(self, kin: frozenset[FunctionPlace]) -> Iterator[Place]:
        """Yield the calls of ``getattr`` that may ask an object of the class for it."""
        owners = {self._owner(one) for one in kin}
        below = {each for one in owners for each in (one, *self._project.all_subclasses(one))}
        for path in self._project.files_with((b"getattr",)):
            module = self._project.module(path)
            for node in module.walk() if module is not None else ():
                match node:
                    case ast.Call(args=[owner, ast.Constant(), *_]):
                        continue
                    case ast.Call(args=[owner, _, *_]) if module is not None and (
                        module.scopes.builtin_called(node) in {"getattr", "hasattr"}
                    ):
                        values = self._project.values.of(module, owner).alternatives
                        named = {x.qualified for x in values if isinstance(x, InstanceOf)}
                        if below & named:
                            yield module.place(node)
                    case _:
                        pass

    # ------------------------------------------------------------------------------------ writing
    def edits(self, site: Site[ast.AST], function: FunctionPlace) -> Iterator[Edit]:
        """Yield what makes a method of a property."""
        found = self._node(function)
        decorator = None if found is None else self._decorator(*found)
        if found is None or decorator is None:
            return
        _, node = found
        kept = self._free_name(function) if self.kind_of(function) == "cached" else ""
        first = next(one.arg for one in (*node.args.posonlyargs, *node.args.args))
        has_docstring = ast.get_docstring(node, clean=False) is not None
        data = Method(node.decorator_list.index(decorator), kept, first, has_docstring)
        yield site.rewrite(node, METHOD, data)
        yield from released(site, decorator) if kept else ()

    def caveats(self, function: FunctionPlace) -> list[str]:
        """Return what may be otherwise with a property that becomes a method."""
        name = _name(function)
        called = f"`{name}` is called now"
        caveats = [f"{called}: what reads it by a text, as a template does, gets the method"]
        if self.kind_of(function) == "cached":
            caveats.append(f"two tasks that call `{name}` of one object at once both work it out")
        return caveats

    def _free_name(self, function: FunctionPlace) -> str:
        owner = self._owner(function)
        classes = (owner, *self._project.all_subclasses(owner))
        taken: set[str] = set()
        for one in classes:
            for facts in self._line(one):
                taken |= facts.members | facts.assigned
        name = f"_{_name(function).lstrip('_')}"
        while name in taken:
            name += "_kept"
        return name

    def _decorator(self, module: Module, node: Function) -> ast.expr | None:
        """Return the decorator of a method that makes a property of it."""
        if module.enclosing_class(node) is None:
            return None
        return next((one for one in node.decorator_list if self.makes(module, one)), None)

    def _owner(self, function: FunctionPlace) -> str:
        home = self._project.layout.name_of(function.path)
        return f"{home}.{function.qualname.rpartition('.')[0]}"

    def _node(self, function: FunctionPlace) -> tuple[Module, Function] | None:
        module = self._project.module(function.path)
        node = None if module is None else module.function_at(function.start)
        return None if module is None or node is None else (module, node)


def read_at(module: Module, place: Place) -> ast.Attribute:
    """Return the attribute that is read at ``place``."""
    name = (
        module.source.text[place.span.start : place.span.end].rpartition(b".")[2].strip().decode()
    )
    nodes = (one for one in module.mentions(name) if isinstance(one, ast.Attribute))
    return next(one for one in nodes if module.place(one) == place)


def _ends_with_result(module: Module, node: Function) -> bool:
    """Whether a function returns once, in its last statement."""
    returns = [
        one
        for one in module.walk(node)
        if isinstance(one, ast.Return | ast.Yield | ast.YieldFrom)
        and module.enclosing_function(one) is node
    ]
    last = node.body[-1]
    return returns == [last] and isinstance(last, ast.Return) and last.value is not None


def _is_super(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="super"), args=[]):
            return True
        case _:
            return False


def _name(function: FunctionPlace) -> str:
    return function.qualname.rpartition(".")[2]
