"""The names that each scope binds and reads, by Python's own rules.

The rules are those of the language reference, section "Naming and binding": class scopes are
invisible to the functions inside them, the first iterable of a comprehension belongs to the scope
around it, a walrus leaks out of comprehensions, and ``global`` and ``nonlocal`` move a binding.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from operator import attrgetter

from awaken.project.source.bindings import Binding, BindingKind, Builder, Scope
from awaken.project.source.memo import cached_method
from awaken.project.source.texts.named_parts import NamedParts, NotedNames, note_read
from awaken.project.source.trees import Loop, children, last_name, walk
from awaken.project.source.worklist import groups_of

_REPLACING = {"assignment", "function", "class", "type-alias"}
"""What replaces a name; an import may, too, where an annotation means the one above it."""

_ASSIGNING: tuple[BindingKind, ...] = ("assignment", "walrus")

_RUNNING = {"function", "class"}
"""What runs code of the file where a name of it is read."""


class ScopeTable:
    """The scopes of one module; ``parts`` notes which of its names are looked up."""

    def __init__(
        self, tree: ast.Module, parent: Callable[[ast.AST], ast.AST | None], parts: NamedParts
    ) -> None:
        self._parent = parent
        builder = Builder(tree)
        self.module = builder.module
        self._scopes = builder.scopes
        self._entered = builder.entered
        self._known: dict[ast.AST, tuple[list[Binding], str]] = {}
        self.parts = parts
        self._top, self._top_reads = self.module.bindings, self.module.reads
        parts.top, parts.stars = self._top, builder.import_stars
        self.module.bindings = NotedNames(self._top, parts.path, parts.note)
        self.module.reads = NotedNames(self._top_reads, parts.path, parts.note_all)

    @property
    def scopes(self) -> list[Scope]:
        """All scopes of the file."""
        note_read(self.parts.path)
        return self._scopes

    @property
    def import_stars(self) -> Sequence[ast.ImportFrom]:
        """The star imports of the file."""
        self.parts.note("*")
        return self.parts.stars

    def _reads_of(self, scope: Scope) -> Mapping[str, list[ast.Name]]:
        return self._top_reads if scope is self.module else scope.reads

    def scope_of(self, node: ast.AST) -> Scope:
        """Return the scope in which ``node`` is evaluated; of a definition, the one around it."""
        current: ast.AST | None = node
        while current is not None:
            scope = self._entered.get(current)
            if scope is not None:
                break
            current = self._parent(current)
        else:
            scope = self.module
        # Most nodes are asked about several times.
        self._entered[node] = scope
        return scope

    def scope_made_by(self, node: ast.AST) -> Scope:
        """Return the scope that ``node`` opens: a module, definition, lambda or comprehension.

        Raises KeyError for other nodes.
        """
        if node not in self._scopes_by_node:
            raise KeyError(type(node).__name__)
        return self._scopes_by_node[node]

    @cached_property
    def _scopes_by_node(self) -> dict[ast.AST, Scope]:
        # A generic definition opens another scope, for its type parameters, with the same node.
        scopes = [scope for scope in reversed(self._scopes) if scope.kind != "type-params"]
        return {scope.node: scope for scope in scopes}

    def scopes_inside(self, scope: Scope) -> list[Scope]:
        """Return ``scope`` and all scopes below it."""
        if scope is self.module:
            return self.scopes
        scopes = [scope]
        for item in scopes:
            # The list grows while it is read, so that scopes at any depth are reached.
            scopes += self._children.get(item, ())
        return scopes

    @cached_property
    def _children(self) -> Mapping[Scope | None, list[Scope]]:
        return groups_of(self._scopes, attrgetter("parent"))

    @cached_method
    def imported_names(self, scope: Scope) -> dict[str, list[Binding]]:
        """Return the names of ``scope`` that nothing but imports bind, with their bindings."""
        return {
            name: bindings
            for name, bindings in scope.bindings.items()
            if bindings and {binding.kind for binding in bindings} == {"import"}
        }

    def owner(self, name: str, scope: Scope) -> Scope | None:
        """Return the scope whose binding of ``name`` is seen from ``scope``; None if unbound.

        An unbound name is a builtin, comes from a star import, or does not exist.
        """
        owner = self._owner(name, scope)
        if owner is None or owner is self.module:
            self.parts.note(scope.mangled_name(name))
        return owner

    def _owner(self, name: str, scope: Scope) -> Scope | None:
        name = scope.mangled_name(name)
        class_visible = True
        for current in scope.chain():
            if current is self.module or name in current.globals:
                return self.module if name in self._top else None
            if current.kind == "class":
                if class_visible and name in current.bindings:
                    return current
                class_visible = False
            elif name in current.bindings and name not in current.nonlocals:
                return current
            if current.kind != "type-params":
                # Only type parameters see the names of the class around them (PEP 695).
                class_visible = False
        return None

    def bindings_of(self, node: ast.AST | None) -> list[Binding]:
        """Return every binding that ``node``, a name that is read, may refer to.

        None for builtins, star imports and other expressions. A name that is stored may get an
        outer binding in a class body: its own binding is in ``scope_of(node).bindings``.

        In a class body only the bindings above ``node`` count. If all of those are conditional or
        missing, outer bindings count too (``Session = Session``).
        """
        if type(node) is not ast.Name:
            return []
        known = self._known.get(node)
        if known is None:
            scope = self.scope_of(node)
            owner = self._owner(node.id, scope)
            is_local = owner is not None and owner is not self.module and owner.kind != "class"
            name = "" if is_local else scope.mangled_name(node.id)
            known = self._known[node] = self._bindings(node, scope, owner), name
        if known[1]:
            self.parts.note(known[1])
        return known[0]

    def _bindings(self, node: ast.Name, scope: Scope, owner: Scope | None) -> list[Binding]:
        if owner is None:
            return []
        name = scope.mangled_name(node.id)
        bindings = self._top[name] if owner is self.module else owner.bindings[name]
        if owner.kind != "class" or scope is not owner or node.id in scope.globals:
            return bindings
        above = [binding for binding in bindings if self._is_above(binding, node)]
        if any(self._unconditional(binding, owner) for binding in above) or owner.parent is None:
            return above
        return above + self._bindings_outside(node, owner)

    def lasting(self, bindings: list[Binding]) -> list[Binding]:
        """Return those of the bindings of a name of the file that no later one surely replaces.

        All where code of the file may read the name before: it may run between them.
        """
        if not bindings[1:]:
            return bindings
        own = [item for item in bindings if self.scope_of(item.node) is self.module]
        replacing = [
            place
            for place, item in enumerate(own)
            if item.kind in _REPLACING and self._unconditional(item, self.module)
        ]
        replaced = own[: replacing[-1]] if replacing else []
        if replaced:
            note_read(self.parts.path)
            begin, end = _place(replaced[0].node), _place(own[replacing[-1]].node)
            if bisect_right(self._runs, begin) < bisect_left(self._runs, end):
                return bindings
        return [item for item in bindings if item not in replaced]

    @cached_property
    def _runs(self) -> list[tuple[int, int]]:
        """The places where the file uses a function or class of its own as it runs, sorted."""
        return sorted(
            _place(node)
            for scope in self._scopes
            if scope.enclosing_function() is None
            for name, reads in self._reads_of(scope).items()
            if any(item.kind in _RUNNING for item in self._top.get(name, ()))
            for node in reads
        )

    def read_by(self, node: ast.Name) -> list[Binding]:
        """Return the bindings that ``node`` reads: where a file runs, the last one above.

        All bindings of the name where that may be conditional, in loops and in functions.
        """
        bindings = self.bindings_of(node)
        if not bindings[1:] or node.id not in self._surely_bound:
            return bindings
        if self.scope_of(node) is not self.module:
            return bindings
        current = self._parent(node)
        while current is not None:
            if isinstance(current, Loop):
                return bindings
            current = self._parent(current)
        # The order of statements is no part of any.
        note_read(self.parts.path)
        above = [
            item
            for item in bindings
            if self.scope_of(item.node) is not self.module or self._is_above(item, node)
        ]
        lasting = self.lasting(above)
        is_replaced = any(self._unconditional(item, self.module) for item in lasting)
        return lasting if is_replaced else bindings

    def is_bound_above(self, name: str, node: ast.AST) -> bool:
        """Whether a statement at the top of the file surely binds ``name`` above ``node``."""
        note_read(self.parts.path)
        return any(
            self._unconditional(item, self.module) and self._is_above(item, node)
            for item in self.module.bindings.get(name, ())
        )

    @cached_property
    def _surely_bound(self) -> set[str]:
        """The names that a statement at the top of the file binds, under no condition."""
        return {
            name
            for name, bindings in self._top.items()
            if any(self._unconditional(item, self.module) for item in bindings)
        }

    def _bindings_outside(self, node: ast.Name, scope: Scope) -> list[Binding]:
        outside = scope.parent
        while outside is not None and outside.kind == "class":
            outside = outside.parent
        owner = None if outside is None else self._owner(node.id, outside)
        return [] if outside is None else self._bindings(node, outside, owner)

    def _is_above(self, binding: Binding, node: ast.AST) -> bool:
        statement: ast.AST | None = binding.node
        while statement is not None and not isinstance(statement, ast.stmt):
            statement = self._parent(statement)
        # The end decides: ``x = x`` reads the name before it binds it.
        end = getattr(statement, "end_lineno", 0), getattr(statement, "end_col_offset", 0)
        return end <= _place(node)

    def _unconditional(self, binding: Binding, owner: Scope) -> bool:
        current = binding.node
        while not isinstance(current, ast.stmt):
            above = self._parent(current)
            if above is None:
                return False
            current = above
        return self._parent(current) is owner.node

    def only_binding(self, node: ast.AST | None, *kinds: BindingKind) -> Binding | None:
        """Return the only binding that ``node`` may refer to; None for several, and other nodes.

        None as well where it is of none of ``kinds``, if some are named.
        """
        bindings = self.bindings_of(node)
        is_told = len(bindings) == 1 and (not kinds or bindings[0].kind in kinds)
        return bindings[0] if is_told else None

    def only_value(self, node: ast.AST | None, *kinds: BindingKind) -> ast.expr | None:
        """Return the value of that binding; None without one.

        Without ``kinds`` it is what is assigned: no default, iterable or context manager.
        """
        binding = self.only_binding(node, *(kinds or _ASSIGNING))
        return None if binding is None else binding.value

    def parameter_of(self, node: ast.AST) -> Binding | None:
        """Return the parameter that ``node`` is; None if it may be anything else."""
        return self.only_binding(node, "parameter")

    def is_bound(self, name: str, node: ast.AST) -> bool:
        """Whether ``name`` refers to a binding of this file at the place of ``node``."""
        return self.owner(name, self.scope_of(node)) is not None

    def builtin_called(self, call: ast.Call) -> str:
        """Return the name of the builtin that ``call`` calls by its name; empty for others."""
        func = call.func
        is_builtin = isinstance(func, ast.Name) and not self.is_bound(func.id, call)
        return func.id if isinstance(func, ast.Name) and is_builtin else ""

    def attribute_read(
        self, node: ast.AST | None, builtins: Collection[str] = ("getattr",)
    ) -> tuple[ast.expr | None, str]:
        """Return object and name of ``x.name`` and ``getattr(x, "name")``, which read an attribute.

        ``builtins`` read it by its name. None and no name for everything else.
        """
        match node:
            case ast.Attribute(value=owner, attr=name, ctx=ast.Load()):
                return owner, name
            case ast.Call(args=[owner, ast.Constant(value=str() as name), *_]):
                if self.builtin_called(node) in builtins:
                    return owner, name
        return None, ""

    def reads_of(self, node: ast.Name) -> list[ast.Name]:
        """Return every read, in the order of the scopes, that may refer to what ``node`` does."""
        bindings = self.bindings_of(node)
        if not bindings or bindings[0].scope is self.module:
            note_read(self.parts.path)
        # The same spelling may be another variable in each scope, so bindings are compared.
        return [read for read in self._reads.get(node.id, ()) if self.bindings_of(read) == bindings]

    @cached_property
    def _reads(self) -> Mapping[str, list[ast.Name]]:
        result = defaultdict[str, list[ast.Name]](list)
        for scope in self._scopes:
            for name, reads in self._reads_of(scope).items():
                result[name] += reads
        return result

    def reads_in(self, owner: Scope, name: str) -> list[ast.Name]:
        """Return every read of the variable ``name`` that ``owner`` binds, in the scopes inside."""
        name = owner.mangled_name(name)
        return [
            read
            for scope in self.scopes_inside(owner)
            for read in scope.reads.get(name, ())
            if self.owner(name, scope) is owner
        ]

    def is_shadowed(self, name: str, node: ast.AST) -> bool:
        """Whether a scope below the module's binds ``name`` as seen from ``node``."""
        owner = self.owner(name, self.scope_of(node))
        return owner is not None and owner is not self.module

    def free_reads(self, node: ast.AST) -> set[str]:
        """Return the names that code in the scope opened by ``node`` reads from outside of it."""
        inside = set(self.scopes_inside(self.scope_made_by(node)))
        return {
            name
            for scope in inside
            for name in scope.reads
            if (owner := self.owner(name, scope)) is None or owner not in inside
        }

    def captured_names(self, function: ast.AST) -> dict[str, ast.Name]:
        """Return the variables of functions around a function that it reads, each with a read."""
        inside = self.scopes_inside(self.scope_made_by(function))
        return {
            name: reads[0]
            for scope in inside
            for name, reads in scope.reads.items()
            if (owner := self.owner(name, scope)) is not None
            and owner.kind == "function"
            and owner not in inside
        }

    def names(self, within: ast.AST | None = None) -> set[str]:
        """Return every name that the file, or the scope of ``within`` alone, binds or reads."""
        scopes = self.scopes if within is None else self.scopes_inside(self.scope_made_by(within))
        return {
            name
            for scope in scopes
            for names in (scope.bindings, scope.reads, scope.globals, scope.nonlocals)
            for name in names
        }

    def names_in_strings(self) -> set[str]:
        """Return the names that string annotations, ``cast("X", ...)`` and ``__all__`` mention.

        The strings of ``Literal[...]`` are values, not names.
        """
        names: set[str] = set()
        for binding in self.module.bindings.get("__all__", []):
            exported = () if binding.value is None else walk(binding.value)
            names |= {
                part.value
                for part in exported
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
        note_read(self.parts.path)
        stack = [part for node in walk(self.module.node) for part in _annotations(node)]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parsed = _parse_expression(node.value)
                inner = [] if parsed is None else list(walk(parsed))
                names |= {part.id for part in inner if isinstance(part, ast.Name)}
                # Strings may hold strings: ``"list['User']"``.
                stack += [part for part in inner if isinstance(part, ast.Constant)]
            elif not (isinstance(node, ast.Subscript) and last_name(node.value) == "Literal"):
                stack += children(node)
        return names

    def fresh_name(
        self, *candidates: str, taken: Collection[str] = (), within: ast.AST | None = None
    ) -> str:
        """Return the first of ``candidates`` that nothing in the file uses, and that is not taken.

        Of a name that is bound in the function ``within``, only that function must not use it. If
        there is none, the last candidate gets a number: ``base_2``, ``base_3``...
        """
        used = {*self.names(within), *dir(builtins), *keyword.kwlist, *keyword.softkwlist, *taken}
        numbered = (f"{candidates[-1]}_{number}" for number in itertools.count(2))
        return next(name for name in itertools.chain(candidates, numbered) if name not in used)


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _annotations(node: ast.AST) -> list[ast.AST]:
    """Return the parts of ``node`` whose strings are types."""
    nodes: list[ast.expr | None] = []
    match node:
        case ast.arg() | ast.AnnAssign():
            nodes = [node.annotation]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            nodes = [node.returns]
        case ast.Call() if last_name(node.func) == "cast" and node.args:
            nodes = [node.args[0]]
    return [part for part in nodes if part is not None]


def _parse_expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
