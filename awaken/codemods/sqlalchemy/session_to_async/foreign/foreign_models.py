"""Models of installed packages: which of their attributes load when they are read is not known.

awaken reads nothing outside of the project. The owner has to say that only those attributes load
that look like relationships, or are named.

Queries from code that is not visible, such as collections of another package's models.

Code that executes one sends it synchronously, and there is nothing to await.

Attributes of objects of another package that may load: they are read in a greenlet.

The mapping of such objects is not visible and cannot change. Their relationships load as before,
and so do their collections that are queries, if `greenlet_spawn` calls the code that reads them.
`run_sync` is built on it, and it needs no session.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.foreign.bridged_models import (
    QUERYING,
    BridgedModels,
    read_as_relationships,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    DYNAMIC_COLLECTION,
    FOREIGN_MODEL,
    UNKNOWN_RESPONSE,
)
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.names_here import is_dotted
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.expressions.expression_uses import Use, use_of
from awaken.project.source.memo import cached_property, recursive
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.values.domain import External, InstanceOf, Value

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CONSUMERS = library_names().consuming | {"bool", "enumerate", "len", "next", "str", "zip"}
"""Builtins that take items of what they are given."""
ITEMS = "list"
"""What takes the items of a collection, which may be a query, at once."""
_QUERY = "sqlalchemy.orm.Query"
_KNOWN = schema_knowledge().models
_VALIDATORS = frozenset((*_KNOWN.validators, *_KNOWN.field_validators))
_EXECUTING = name_list("executing_queries")
_ITERATING = library_names().consuming | name_list("lazy_builtins")
_HELP = (
    'Call this code with `await session.run_sync(...)`, or declare `lazy="write_only"` in the '
    "package of the collection."
)
_LOADING = library_names().getting_methods | {"query", "select"}
_WORDS = (*(f"{name}(".encode() for name in sorted(_LOADING)), b"select as ")
_LIBRARIES = {"sqlalchemy", "sqlmodel"}


class BridgedReads:
    """Finds what reads objects of the classes of which ``is_foreign`` is true.

    Of such objects the program loads those of ``models`` itself. ``said`` are attributes, as
    ``package.Model.name``, that load when they are read, whatever they look like; ``fields`` those
    that models read as relationships.
    """

    def __init__(
        self,
        project: Project,
        models: Collection[str],
        is_foreign: Callable[[str], bool],
        said: Collection[str],
        fields: frozenset[str],
    ) -> None:
        self._project = project
        self._models = models
        self._is_foreign = is_foreign
        self._fields = fields
        self._said: defaultdict[str, set[str]] = defaultdict(set)
        for word in said:
            owner, _, name = word.rpartition(".")
            self._said[name].add(owner)

    def operations(self) -> dict[Place, Operation]:
        """Return what may load, and has to be called in a greenlet, by its place."""
        operations: dict[Place, Operation] = {}
        for module in modules_with(self._project, self._words):
            if not is_of_alembic(module):
                reads = [_as_read(module, node) for node in self._reads(module)]
                operations.update(_outermost(module, reads))
        for module, node in nodes_with(
            self._project, (b"getattr(", b"hasattr("), ast.Call, revisions=False
        ):
            if self._is_asked(module, node):
                operations.setdefault(module.place(node), Operation(node, "spawned"))
        return operations

    @cached_property
    def names(self) -> frozenset[str]:
        """The attributes that look like relationships, of some such class."""
        by_code = read_as_relationships(self._project, self._models, self._is_foreign)
        return self._fields.union(*by_code.values())

    @property
    def _words(self) -> tuple[bytes, ...]:
        return tuple(f".{name}".encode() for name in sorted({*self.names, *self._said}))

    def _reads(self, module: Module) -> Iterator[ast.Attribute]:
        for name in sorted({*self.names, *self._said}):
            for node in module.mentions(name):
                is_read = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
                if isinstance(node, ast.Attribute) and is_read and self._is_read(module, node):
                    yield node

    def _is_asked(self, module: Module, call: ast.Call) -> bool:
        """Whether a builtin reads an attribute by its name that may load."""
        if module.scopes.builtin_called(call) not in {"getattr", "hasattr"}:
            return False
        match call.args:
            case [owner, ast.Constant(value=str(name)), *_]:
                may_load = name in self.names or name in self._said
            case [owner, _, *_]:
                may_load = True
            case _:
                return False
        return may_load and self._is_of_foreign(module, owner)

    def _is_read(self, module: Module, node: ast.Attribute) -> bool:
        owners = self._project.values.of(module, node.value).instance_of
        is_said = not owners or not self._said.get(node.attr, set()).isdisjoint(owners)
        if node.attr not in self.names and not is_said:
            return False
        return self._is_of_foreign(module, node.value)

    @recursive(lambda *_: False)
    def _is_of_foreign(self, module: Module, node: ast.expr) -> bool:
        """Whether an expression may give an object of such a class, or an attribute of one.

        The attributes of such an object are unknown, so its origin decides.
        """
        values = self._project.values.of(module, node)
        if any(isinstance(alternative, InstanceOf) for alternative in values.alternatives):
            return any(map(self._is_instance, values.alternatives))
        if values.unknown is None:
            return False
        match node:
            case ast.Attribute(value=owner) | ast.Subscript(value=owner):
                return self._is_of_foreign(module, owner)
            case ast.Call(func=ast.Attribute(value=owner)):
                return self._is_of_foreign(module, owner)
            case ast.Call(func=ast.Name(), args=[given, *_]) if (
                module.scopes.builtin_called(node) in _CONSUMERS
            ):
                return self._is_of_foreign(module, given)
            case ast.Name():
                return any(
                    self._is_of_foreign(module, binding.value)
                    for binding in module.scopes.bindings_of(node)
                    if binding.value is not None and binding.kind != "parameter"
                )
        return False

    def _is_instance(self, value: Value) -> bool:
        return isinstance(value, InstanceOf) and self._is_foreign(value.qualified)


def _outermost(module: Module, reads: Sequence[Operation]) -> Iterator[tuple[Place, Operation]]:
    """Yield the operations that are no part of another one, each once."""
    nodes = {item.node for item in reads}
    for operation in sorted(reads, key=lambda each: module.span(each.node).start):
        if not any(above in nodes for above in module.ancestors(operation.node)):
            yield module.place(operation.node), operation


def _as_read(module: Module, read: ast.Attribute) -> Operation:
    """Return the operation of a read, with all attributes after it that may load.

    Its ``session`` is what the object is read of, if that may have to wait itself.
    """
    node, method = _whole(module, read)
    owner = None if is_dotted(read.value) else read.value
    return Operation(node, "loading", method=method, session=owner)


def _whole(module: Module, node: ast.expr) -> tuple[ast.expr, str]:
    """Return all of an expression that may load, and what takes its items."""
    while True:
        above = module.parent(node)
        match above:
            case ast.Attribute(value=value, ctx=ast.Load()) if value is node:
                called = module.call_of(above)
                if called is None:
                    node = above
                elif above.attr in QUERYING:
                    node = called
                else:
                    return node, ""
            case ast.Subscript(value=value, ctx=ast.Load()) if value is node:
                node = above
            case ast.Call(args=[given], keywords=[]) if (
                given is node and module.scopes.builtin_called(above) in _CONSUMERS
            ):
                node = above
            case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if iterated is node:
                return node, ITEMS
            case ast.Call(func=ast.Attribute(attr="extend")) | ast.Starred():
                return node, ITEMS
            case ast.Compare(ops=[*_, ast.In() | ast.NotIn()], comparators=[*_, last]) if (
                last is node
            ):
                return node, ITEMS
            case _:
                return node, ""


def executed_queries(project: Project, rule: str, *, is_bridged: bool) -> Iterator[Member]:
    """Yield the places where something that is known to be a query is executed.

    Validators of models do that in a greenlet where ``is_bridged``.
    """
    for module, executed in nodes_with(project, (b"Query",), ast.Name, revisions=False):
        if not _executes(module, executed) or not _is_query(project, module, executed):
            continue
        if not (is_bridged and _is_in_validator(project, module, executed)):
            site: Site[ast.AST] = Site(rule, module, executed)
            shown = module.excerpt(executed)
            yield Member(site, Refused(DYNAMIC_COLLECTION, shown, _HELP), f"`{shown}`")


def _is_in_validator(project: Project, module: Module, name: ast.Name) -> bool:
    """Whether a model calls the function around when it is given an object."""
    function = module.enclosing_function(name)
    return isinstance(function, Function) and any(
        project.qualified_name(module, without_arguments(decorator)) in _VALIDATORS
        for decorator in function.decorator_list
    )


def _executes(module: Module, name: ast.Name) -> bool:
    """Whether a variable is executed here, if it holds a query."""
    match use_of(module, name):
        case Use("iterated" | "item" | "unpacked") | Use("other", ast.YieldFrom()):
            return True
        case Use("attribute", ast.Attribute(attr=method)):
            return method in _EXECUTING and module.method_call_on(name) is not None
        case Use("argument", call):
            return module.scopes.builtin_called(call) in _ITERATING
        case Use("compared", ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[items])):
            return items is name
    return False


def _is_query(project: Project, module: Module, name: ast.Name) -> bool:
    """Whether the function around asks of a variable whether it is one.

    A visible query is one of ``session.query()``, which is refused there.
    """
    function = module.enclosing_function(name)
    for node in module.walk(function) if function is not None else ():
        match node:
            case ast.Call(args=[ast.Name(id=asked), kinds]) if (
                asked == name.id and last_name(node.func) == "isinstance"
            ):
                each = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
                if any(project.qualified_name(module, part) == _QUERY for part in each):
                    return True
    return False


class ForeignModels:
    """The models of external packages whose objects a program loads.

    Of those of the packages, or the classes, that are ``said`` only what looks like a relationship
    loads when it is read, and the attributes that are ``said`` as well.
    """

    def __init__(self, project: Project, rule: str, said: Collection[str]) -> None:
        self._project = project
        self._rule = rule
        self._said = said
        self.are_said = bool(said)

    def bridged_operations(self) -> dict[Place, Operation]:
        """Return what may load of objects of which something is said, and reads it in a greenlet.

        The option says that reading it loads nothing else.
        """
        # A program may be given such objects, and load none itself.
        said = {name for name in self._all(()) if _is_said(name, self._said)} | {*self._said}
        attributes = [name for name in self._said if _is_attribute(name)]
        fields = self._validating.fields
        reads = BridgedReads(self._project, said, self._is_foreign, attributes, fields)
        return reads.operations() | self._validating.operations()

    @cached_property
    def _validating(self) -> BridgedModels:
        return BridgedModels(self._project, self._is_foreign)

    def _is_foreign(self, model: str) -> bool:
        return _is_said(model, self._said)

    @cached_property
    def caveats(self) -> list[str]:
        """Return what has to be as it is said."""
        if not self._said:
            return []
        loaded = {name for name in self._all(()) if _is_said(name, self._said)}
        names = _names(loaded, read_as_relationships(self._project, loaded))
        shown = ", ".join(f"`{name}`" for name in names)
        return (
            [
                (
                    "only these reads of another package's models look as if they load a "
                    f"relationship: {shown}"
                )
            ]
            if names
            else []
        )

    def members(self) -> Iterator[Member]:
        """Yield the places where objects are loaded of which nothing is said.

        Collections that are queries load nothing before, whatever is said.
        """
        project, rule = self._project, self._rule
        yield from executed_queries(project, rule, is_bridged=self.are_said)
        for by in self._validating.unknown() if self._said else ():
            returned: Site[ast.AST] = Site(rule, by.module, by.node)
            shown = by.module.excerpt(by.node)
            yield Member(returned, Refused(UNKNOWN_RESPONSE, shown), f"`{shown}`")
        loaded = self._all(self._said)
        read = read_as_relationships(project, loaded)
        for module in _modules(project) if loaded else ():
            for models in _loaded_calls(project, module, self._said).values():
                site: Site[ast.AST] = Site(rule, module, next(iter(models.values())))
                yield Member(site, _why(models, read), _shown_text(models))

    def _all(self, said: Collection[str]) -> set[str]:
        """Return the classes that are loaded but those that are ``said``."""
        # Keeping facts of a file would keep its tree: each is asked again.
        return {
            name
            for module in _modules(self._project)
            for calls in _loaded_calls(self._project, module, said).values()
            for name in calls
        }


def _is_said(model: str, said: Collection[str]) -> bool:
    return model in said or model.partition(".")[0] in said


def _is_attribute(said: str) -> bool:
    """Whether an answer names an attribute of a class, as ``package.Model.name``."""
    owner, _, name = said.rpartition(".")
    return name[:1].islower() and owner.rpartition(".")[2][:1].isupper()


def _modules(project: Project) -> Iterator[Module]:
    for module in modules_with(project, _WORDS):
        if not is_of_alembic(module):
            yield module


def _loaded_calls(
    project: Project, module: Module, said: Collection[str]
) -> dict[ast.AST | None, dict[str, ast.Call]]:
    """Return the calls that load such objects, by the function around them and their class."""
    calls: defaultdict[ast.AST | None, dict[str, ast.Call]] = defaultdict(dict)
    for node in module.nodes(ast.Call):
        if last_name(node.func) in _LOADING:
            for name in _models(project, module, node):
                if not _is_said(name, said):
                    calls[module.enclosing_function(node)].setdefault(name, node)
    return calls


def _shown_text(models: Iterable[str]) -> str:
    return " and ".join(f"`{model.rpartition('.')[2]}`" for model in sorted(models))


def _names(models: Iterable[str], read: Mapping[str, Mapping[str, Place]]) -> list[str]:
    """Return the attributes that are read, as ``User.posts``."""
    return [
        f"{one.rpartition('.')[2]}.{name}" for one in sorted(models) for name in read.get(one, {})
    ]


def _why(models: Collection[str], read: Mapping[str, Mapping[str, Place]]) -> Refused:
    names = sorted({model.partition(".")[0] for model in models})
    packages = " and ".join(f"`{name}`" for name in names)
    shown = ", ".join(f"`{name}`" for name in _names(models, read))
    told = f"These reads look like relationships: {shown}. " if shown else ""
    because = tuple(at for model in sorted(models) for at in read.get(model, {}).values())
    declared = f"{_shown_text(models)} are declared in {packages}"
    listed = ", ".join(f'"{name}"' for name in names)
    refused = Refused(FOREIGN_MODEL, declared, f"{told}{FOREIGN_MODEL.help}", because)
    return refused.answered_by(f"rules.session-to-async.foreign_models = [{listed}]")


def _models(project: Project, module: Module, call: ast.Call) -> Iterator[str]:
    """Yield the classes of external packages whose objects a call loads."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    is_method = owner is not None and last_name(call.func) != "select"
    if (
        is_method
        and owner is not None
        and project.orm.resource_of(module, owner) not in BLOCKING_SESSIONS
    ):
        return
    for node in call.args:
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        for value in project.values.of(module, node).alternatives:
            if isinstance(value, External) and _is_model(project, value.qualified):
                yield value.qualified


def _is_model(project: Project, qualified: str) -> bool:
    """Whether a name is that of a class of a package that is not of this program."""
    package, _, rest = qualified.partition(".")
    is_class = rest.rpartition(".")[2][:1].isupper() and not rest.rpartition(".")[0][-1:].isupper()
    if not is_class or package in _LIBRARIES or package in sys.stdlib_module_names:
        return False
    return not any(
        part in {package, f"{package}.py"}
        for path in project.snapshot
        for part in path.split("/")[:3]
    )
