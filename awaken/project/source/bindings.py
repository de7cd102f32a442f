"""The bindings and reads of every scope of a file, collected in one walk without recursion.

Imports, and what renames them, need no scopes.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal
from weakref import ref

from awaken.project.source.trees import (
    CHILDLESS,
    IN_ORDER,
    ONLY_VALUE,
    Comprehension,
    Function,
    FunctionOrLambda,
    last_name,
    parameters_of,
    root_of,
    type_params,
    walk_statements,
)
from awaken.workspace.parsing import children_by_field

NAMING: frozenset[BindingKind] = frozenset({"assignment", "class", "import"})
"""What gives a name to something that may have another one."""

ScopeKind = Literal["module", "class", "function", "lambda", "comprehension", "type-params"]
Import = ast.Import | ast.ImportFrom
BindingKind = Literal[
    "import",
    "assignment",
    "augmented",
    "annotation",
    "parameter",
    "function",
    "class",
    "for",
    "with",
    "except",
    "walrus",
    "match",
    "delete",
    "type-param",
    "type-alias",
]


@dataclass(eq=False, slots=True)
class Binding:
    """One place that gives a name a value.

    ``node`` is what binds: an ``ast.Name``, ``alias``, ``arg``, a definition, an except handler or
    a pattern. ``value`` is the expression as written: for ``with`` the context manager, for ``for``
    the iterable, None where the value is only part of an expression.
    """

    name: str
    kind: BindingKind
    node: ast.AST
    # Scopes hold their bindings. In a circle, no tree would be freed before it is collected, which
    # takes ten times as long.
    held_by: ref[Scope]
    value: ast.expr | None = None
    annotation: ast.expr | None = None

    @property
    def scope(self) -> Scope:
        """The scope that binds the name, as long as somebody holds the module."""
        scope = self.held_by()
        if scope is None:
            raise ReferenceError(f"the module that binds {self.name} was let go")
        return scope

    @property
    def parameter(self) -> tuple[Function, ast.arg] | None:
        """The function with the parameter that binds the name, if one does; of no lambda."""
        match self.scope.node, self.node:
            case ((ast.FunctionDef() | ast.AsyncFunctionDef() as function), ast.arg() as parameter):
                return function, parameter
        return None

    @property
    def declared_annotation(self) -> ast.expr | None:
        """The annotation, be it of a variable or of a parameter."""
        return self.annotation or getattr(self.node, "annotation", None)


@dataclass(eq=False, slots=True, weakref_slot=True)
class Scope:
    """One scope: ``bindings`` by name (``global`` and ``nonlocal`` already moved), and reads.

    ``private`` is the class name with which ``__names`` of this scope are mangled.
    """

    node: ast.AST
    kind: ScopeKind
    parent: Scope | None
    private: str = ""
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    reads: dict[str, list[ast.Name]] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)

    def chain(self) -> Iterator[Scope]:
        """Yield this scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def mangled_name(self, name: str) -> str:
        """Return ``name`` as the compiler stores it here: ``__x`` is ``_Shop__x`` in a class."""
        if not self.private or not name.startswith("__") or name.endswith("__"):
            return name
        return f"_{self.private}{name}"

    def bindings_of(self, name: str) -> list[Binding]:
        """Return what binds ``name``, as it is written in this scope."""
        return self.bindings.get(self.mangled_name(name), [])

    def enclosing_function(self) -> FunctionOrLambda | None:
        """Return the innermost function or lambda that this scope is, or lies in."""
        for scope in self.chain():
            node = scope.node
            if scope.kind in {"function", "lambda"} and isinstance(node, FunctionOrLambda):
                return node
        return None

    def definition_names(self) -> list[str]:
        """Return the names of the classes and functions around, outermost first."""
        names = [
            scope.node.name
            for scope in self.chain()
            if isinstance(scope.node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and scope.kind != "type-params"
        ]
        return names[::-1]

    def qualname_of(self, name: str) -> str:
        """Return the ``__qualname__`` of what has ``name`` here: ``make.<locals>.Shop``."""
        parts = [name]
        for scope in self.chain():
            if scope.kind == "type-params":
                continue  # of a definition that opens a scope of its own as well
            if isinstance(scope.node, Function):
                parts += ["<locals>", scope.node.name]
            elif isinstance(scope.node, ast.ClassDef):
                parts.append(scope.node.name)
            elif isinstance(scope.node, ast.Lambda):
                parts += ["<locals>", "<lambda>"]
        return ".".join(reversed(parts))


# Nodes that bind nothing and hold nothing: two of five, so not worth a visit.
_LEAVES = CHILDLESS - {ast.Name, ast.Global, ast.Nonlocal}

Work = list[tuple[ast.AST, Scope]]


class Builder:
    """Walks one tree and fills ``scopes``.

    ``entered`` maps each node whose scope is not that of its parent to its scope.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, "module", None)
        self.scopes = [self.module]
        self.import_stars: list[ast.ImportFrom] = []
        self.entered: dict[ast.AST, Scope] = {tree: self.module}
        # The values of a target's names, noted at the statement and used at the name.
        self._received: dict[ast.AST, tuple[BindingKind, ast.expr | None, ast.expr | None]] = {}
        self._unbound: set[ast.AST] = set()
        self._walk(tree)
        for scope in self.scopes:
            # Only at the end: the scope that owns a name may bind it further down.
            self._move_declared(scope)

    def _walk(self, tree: ast.Module) -> None:
        scope, reads = self.module, self.module.reads
        name_kind, load, only_value, leaves = ast.Name, ast.Load, ONLY_VALUE, _LEAVES
        # A scope on the stack is that of the nodes after it.
        stack: list[ast.AST | Scope] = [tree]
        visits, in_order = self._VISITS.get, IN_ORDER.get
        while stack:
            node: Any = stack.pop()
            kind = type(node)
            while kind in only_value:
                node = node.value
                kind = type(node)
            # By hand what most nodes are: a call for each takes a third longer.
            if kind is name_kind and type(node.ctx) is load:
                name: str = node.id
                if name[0] == "_":
                    name = scope.mangled_name(name)
                if name in reads:
                    reads[name].append(node)
                else:
                    reads[name] = [node]
                continue
            if kind in leaves:
                continue
            if kind is Scope:
                scope, reads = node, node.reads
                continue
            visit = visits(kind)
            work = None if visit is None else visit(self, node, scope)
            if work is not None:
                stack += _stacked(work, scope)
                continue
            below = in_order(kind, children_by_field)(node)
            below.reverse()
            stack += below

    # ------------------------------------------- what a node binds by itself, or its target gets
    def _assign(self, node: ast.Assign, _scope: Scope) -> None:
        for target in node.targets:
            self._receive(target, "assignment", node.value)

    def _receive_augmented(self, node: ast.AugAssign, _scope: Scope) -> None:
        self._receive(node.target, "augmented", None)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.comprehension, _scope: Scope) -> None:
        self._receive(node.target, "for", node.iter, whole=False)

    def _receive_with_item(self, node: ast.withitem, _scope: Scope) -> None:
        if node.optional_vars is not None:
            self._receive(node.optional_vars, "with", node.context_expr, whole=False)

    def _except(self, node: ast.ExceptHandler, scope: Scope) -> None:
        if node.name is not None:
            _bind(scope, Binding(node.name, "except", node, ref(scope), node.type))

    def _match(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping, scope: Scope) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            _bind(scope, Binding(name, "match", node, ref(scope)))

    def _global(self, node: ast.Global, scope: Scope) -> None:
        # The compiler mangles private names in these statements as well.
        scope.globals.update(scope.mangled_name(name) for name in node.names)

    def _nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None:
        scope.nonlocals.update(scope.mangled_name(name) for name in node.names)

    # ----------------------------------------------------------- nodes that open scopes, and names
    def _name(self, node: ast.Name, scope: Scope) -> Work:
        kind, value, annotation = self._received.pop(node, ("assignment", None, None))
        if kind == "augmented":
            # ``x += 1`` reads the name that it binds.
            scope.reads.setdefault(scope.mangled_name(node.id), []).append(node)
        if isinstance(node.ctx, ast.Del):
            kind = "delete"
        if node not in self._unbound:
            _bind(scope, Binding(node.id, kind, node, ref(scope), value, annotation))
        return []

    def _receive(
        self, target: ast.expr, kind: BindingKind, value: ast.expr | None, *, whole: bool = True
    ) -> None:
        stack = [(target, value)]
        while stack:
            part, received = stack.pop()
            match part:
                case ast.Name():
                    self._received[part] = (kind, received, None)
                case ast.Tuple() | ast.List():
                    stack += zip(part.elts, _spread(part.elts, received, whole=whole), strict=True)
                case ast.Starred():
                    stack.append((part.value, None))

    def _receive_annotated(self, node: ast.AnnAssign, _scope: Scope) -> None:
        if not isinstance(node.target, ast.Name):
            return
        kind: BindingKind = "annotation" if node.value is None else "assignment"
        if node.value is None and not node.simple:
            self._unbound.add(node.target)  # ``(x): int`` binds nothing
        self._received[node.target] = (kind, node.value, node.annotation)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            if alias.name == "*" and isinstance(node, ast.ImportFrom):
                self.import_stars.append(node)
            else:
                name = alias.asname or alias.name.split(".")[0]
                _bind(scope, Binding(name, "import", alias, ref(scope)))

    def _open(self, node: ast.AST, kind: ScopeKind, parent: Scope, private: str) -> Scope:
        opened = Scope(node, kind, parent, private)
        self.scopes.append(opened)
        return opened

    def _enter(self, nodes: Iterable[ast.AST | None], scope: Scope) -> Work:
        work: Work = []
        for node in nodes:
            if node is not None:
                self.entered[node] = scope
                work.append((node, scope))
        return work

    def _type_params(self, node: ast.AST, scope: Scope) -> tuple[Scope, Work]:
        """Return the scope in which the rest of a generic definition is evaluated."""
        params = type_params(node)
        if not params:
            return scope, []
        opened = self._open(node, "type-params", scope, scope.private)
        for param in params:
            name: str = param.name  # type: ignore[attr-defined]
            _bind(opened, Binding(name, "type-param", param, ref(opened)))
        return opened, self._enter(params, opened)

    def _function(self, node: Function, scope: Scope) -> Work:
        _bind(scope, Binding(node.name, "function", node, ref(scope)))
        outer, work = self._type_params(node, scope)
        inner = self._open(node, "function", outer, scope.private)
        # Decorators do not see the type parameters of what they decorate.
        work = self._enter(node.decorator_list, scope) + work
        work += self._parameters(node.args, inner, outer, scope)
        work += self._enter([node.returns], outer)
        return work + self._enter(node.body, inner)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Work:
        inner = self._open(node, "lambda", scope, scope.private)
        work = self._parameters(node.args, inner, scope, scope)
        return work + self._enter([node.body], inner)

    def _parameters(
        self, args: ast.arguments, inner: Scope, annotations: Scope, defaults: Scope
    ) -> Work:
        """Bind the parameters; ``arguments`` itself and each ``arg`` belong to the function."""
        self.entered[args] = inner
        work: Work = []
        for parameter, default in parameters_of(args):
            annotation = parameter.annotation
            _bind(
                inner,
                Binding(parameter.arg, "parameter", parameter, ref(inner), default, annotation),
            )
            # Annotations see the type parameters, defaults do not.
            work += self._enter([parameter.annotation], annotations)
            work += self._enter([default], defaults)
        return work

    def _class(self, node: ast.ClassDef, scope: Scope) -> Work:
        _bind(scope, Binding(node.name, "class", node, ref(scope)))
        outer, work = self._type_params(node, scope)
        # The compiler drops leading underscores of the class when it mangles.
        inner = self._open(node, "class", outer, node.name.lstrip("_"))
        work = self._enter(node.decorator_list, scope) + work
        work += self._enter([*node.bases, *node.keywords], outer)
        return work + self._enter(node.body, inner)

    def _comprehension(self, node: Comprehension, scope: Scope) -> Work:
        inner = self._open(node, "comprehension", scope, scope.private)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        work = self._enter(results, inner)
        for generator in node.generators:
            self._loop(generator, inner)
            self.entered[generator] = inner
            first = generator is node.generators[0]
            work += self._enter([generator.target], inner)
            work += self._enter([generator.iter], scope if first else inner)
            work += self._enter(generator.ifs, inner)
        return work

    def _walrus(self, node: ast.NamedExpr, scope: Scope) -> Work:
        target = scope
        while target.kind == "comprehension" and target.parent is not None:
            target = target.parent
        self._received[node.target] = ("walrus", node.value, None)
        return [*self._enter([node.target], target), (node.value, scope)]

    def _type_alias(self, node: ast.AST, scope: Scope) -> Work:
        name: ast.Name = node.name  # type: ignore[attr-defined]
        value: ast.expr = node.value  # type: ignore[attr-defined]
        self._received[name] = ("type-alias", value, None)
        outer, work = self._type_params(node, scope)
        return [(name, scope), *work, *self._enter([value], outer)]

    def _move_declared(self, scope: Scope) -> None:
        """Give bindings of ``global`` and ``nonlocal`` names to the scope that owns the name."""
        if scope.kind == "module":
            # At the top of a file `global` changes nothing.
            return
        for name in (scope.globals | scope.nonlocals) & scope.bindings.keys():
            owner: Scope | None = self.module
            if name in scope.nonlocals:
                functions = (item for item in scope.chain() if item.kind in {"function", "lambda"})
                owner = next(
                    (item for item in functions if item is not scope and _owns(item, name)), None
                )
            if owner is not None:
                owner.bindings.setdefault(name, []).extend(scope.bindings.pop(name))

    # By type, for whole programs are walked: a series of ``case`` takes twice the time. A visit
    # returns None if it only notes something: the parts of the node are visited then.
    _VISITS: ClassVar[dict[type[ast.AST], Callable[[Builder, Any, Scope], Work | None]]] = {
        ast.Name: _name,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.Lambda: _lambda,
        ast.ClassDef: _class,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.NamedExpr: _walrus,
        ast.Assign: _assign,
        ast.AnnAssign: _receive_annotated,
        ast.AugAssign: _receive_augmented,
        ast.For: _loop,
        ast.AsyncFor: _loop,
        ast.comprehension: _loop,
        ast.withitem: _receive_with_item,
        ast.ExceptHandler: _except,
        ast.MatchAs: _match,
        ast.MatchStar: _match,
        ast.MatchMapping: _match,
        ast.Import: _import,
        ast.ImportFrom: _import,
        ast.Global: _global,
        ast.Nonlocal: _nonlocal,
    }
    if sys.version_info >= (3, 12):
        _VISITS[ast.TypeAlias] = _type_alias


def _stacked(work: Work, scope: Scope) -> list[ast.AST | Scope]:
    """Return a stack of some nodes with their scopes, for the nodes below them are of ``scope``."""
    stack: list[ast.AST | Scope] = []
    later = scope
    for part, inside in reversed(work):
        if inside is not later:
            stack.append(later)
            later = inside
        stack.append(part)
    return stack if later is scope else [*stack, later]


def _bind(scope: Scope, binding: Binding) -> None:
    name = binding.name
    if name[0] == "_":
        name = binding.name = scope.mangled_name(name)
    if name in scope.bindings:
        scope.bindings[name].append(binding)
    else:
        scope.bindings[name] = [binding]


def _owns(scope: Scope, name: str) -> bool:
    """Whether a scope binds a name for itself, and does not only declare whose it is."""
    return name in scope.bindings and name not in scope.nonlocals and name not in scope.globals


def _spread(
    targets: Sequence[ast.expr], value: ast.expr | None, *, whole: bool
) -> Sequence[ast.expr | None]:
    """Return what each target of an unpacking receives, where that can be read off."""
    if (
        whole
        and isinstance(value, ast.Tuple | ast.List)
        and len(value.elts) == len(targets)
        and not any(isinstance(part, ast.Starred) for part in [*targets, *value.elts])
    ):
        return value.elts
    return [None] * len(targets)


# ----------------------------------- imports, without scopes: these take longer than to parse
_NAMED: Mapping[type[ast.AST], str] = {
    ast.arg: "arg",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.ExceptHandler: "name",
    ast.MatchAs: "name",
    ast.MatchStar: "name",
    ast.MatchMapping: "rest",
}
"""What binds a name, and its attribute that holds the name."""
if sys.version_info >= (3, 12):
    _NAMED = {**_NAMED, ast.TypeVar: "name", ast.ParamSpec: "name", ast.TypeVarTuple: "name"}


def imports_in(tree: ast.Module) -> list[Import]:
    """Return the statements of a file that import, in whatever scope."""
    return [statement for statement in walk_statements(tree) if isinstance(statement, Import)]


def renamed_imports(imports: Iterable[Import]) -> dict[ast.AST, tuple[str, str]]:
    """Return what ``from a import b as c`` imports: ``c`` and ``b`` of each such part."""
    return {
        item: (item.asname, item.name)
        for statement in imports
        for item in statement.names
        if isinstance(statement, ast.ImportFrom) and item.asname
    }


def renaming_assignments(tree: ast.Module) -> Iterator[tuple[ast.Name, ast.Name, str]]:
    """Yield the targets of ``name = a.b`` at the top of a file, with ``a`` and the name ``b``."""
    for statement in tree.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name() as target], value=ast.Attribute() | ast.Name() as value
            ):
                root = root_of(value)
                if isinstance(root, ast.Name):
                    yield target, root, last_name(value)


def names_bound_by(imports: Iterable[Import]) -> dict[str, ast.AST]:
    """Return the names that statements bind, each with the part that does."""
    return {_bound_name(item): item for statement in imports for item in statement.names}


def bound_once(
    binding: Mapping[str, ast.AST],
    nodes: Callable[[type[Any]], Iterable[Any]],
    ancestors: Callable[[ast.AST], Iterable[ast.AST]],
) -> dict[str, ast.AST]:
    """Return the items of ``binding`` at the top of a file whose names nothing else binds.

    ``nodes`` gives those of a type in the file, ``ancestors`` what is around one.
    """
    times = _times_bound(binding, nodes)
    scoped = FunctionOrLambda | ast.ClassDef
    return {
        name: node
        for name, node in binding.items()
        # In a class, `__name` is read by another name.
        if times[name] == 1
        and not name.startswith("__")
        and not any(isinstance(above, scoped) for above in ancestors(node))
    }


def _times_bound(
    names: Collection[str], nodes: Callable[[type[Any]], Iterable[Any]]
) -> Counter[str]:
    """Return how often a file binds each name, in all scopes; a declaration counts, too."""
    times = Counter[str](
        node.id for node in nodes(ast.Name) if node.id in names and type(node.ctx) is not ast.Load
    )
    for kind, attribute in _NAMED.items():
        times.update(filter(None, (getattr(node, attribute) for node in nodes(kind))))
    for kind in (ast.Global, ast.Nonlocal):
        times.update(name for node in nodes(kind) for name in node.names)
    times.update(map(_bound_name, nodes(ast.alias)))
    return times


def _bound_name(item: ast.alias) -> str:
    return item.asname or item.name.partition(".")[0]
