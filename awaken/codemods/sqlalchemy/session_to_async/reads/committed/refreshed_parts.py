"""Parts of an object that is refreshed: the object forgets them first.

A refresh expires the parts that are loaded (``cascade="all"``), deleted ones too. It loads their
columns, and nothing more of what it expired, whatever the mapping says (SQLAlchemy,
``loading._instance``: ``invoke_all_eagers``). Parts that are not loaded it loads with all of that.

A refresh of an object of a joined subclass may leave what its base has unloaded: that is read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step, loaded_as_read
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Rewrite, Site
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts

_SESSIONS = {"scoped", "session"}
_WHY = "# The refresh loads what is expired with its own relationships.\n"
_SETTING = (b"AsDataclass", b"as_dataclass", b'"init"', b"'init'")
"""What gives a new object values that no argument of its class gives it."""
_CASCADES = ("all", "refresh-expire")


class _Refresh(NamedTuple):
    """A refresh, the ``names`` of parts that are forgotten, and what it may leave ``unloaded``."""

    module: Module
    statement: ast.Expr
    call: ast.Call
    names: list[str]
    unloaded: list[str]


class RefreshedParts:
    """The statements around ``session.refresh(order)`` in one program.

    ``loaded`` tells which relationships of a class are loaded with each object from now on.
    """

    def __init__(self, project: Project, rule: str, loaded: Callable[[str], list[str]]) -> None:
        self._project = project
        self._rule = rule
        self._loaded = loaded
        self._states = Persistence(project)
        self._places = frozenset(each.module.place(each.statement) for each in self._all())

    def places(self) -> frozenset[Place]:
        """Return the refreshes around which something is written."""
        return self._places

    def members(self) -> Iterator[Member]:
        """Yield what is written before and after them."""
        for module, statement, call, names, unloaded in self._all():
            site: Site[ast.AST] = Site(self._rule, module, call)
            text, session = module.text_of(call.args[0]), _session_of(module, call)
            listed, edits = ", ".join(f'"{name}"' for name in names), list[Edit]()
            message = f"loads what the refresh of `{text}` may leave"
            place = module.place(statement)
            if names:
                message = f"reloads the relationships of objects that belong to `{text}`"
                code = f"{_WHY}{session}.expire({text}, [{listed}])\n"
                edits.append(site.insert_statements(place, "before", code))
            if unloaded:
                code = loaded_as_read(session, [Step(text, name, ()) for name in unloaded])
                edits.append(site.insert_statements(place, "after", code))
            yield Member(site, Rewrite(message, edits), f"`{text}`")

    # -------------------------------------------------------------------------------- refreshes
    def _all(self) -> Iterator[_Refresh]:
        for module, node in nodes_with(self._project, (b".refresh(",), ast.Expr):
            match node:
                case ast.Expr(
                    value=ast.Call(
                        func=ast.Attribute(value=owner, attr="refresh"),
                        args=[ast.Name() | ast.Attribute() as given],
                        keywords=[],
                    ) as call
                ) if self._project.orm.resource_of(module, owner) in _SESSIONS:
                    owners, loaded = self._loaded_of(module, given)
                    names = [
                        name
                        for name in loaded
                        if any(self._leads_to_parts(owner, name) for owner in owners)
                    ]
                    is_stale = self._states.may_stay_unloaded(owners)
                    is_stale = is_stale and not self._is_made(module, given)
                    if (names or is_stale) and not self._is_new(module, node, given):
                        unloaded = [*self._columns_of(owners), *loaded] if is_stale else []
                        yield _Refresh(module, node, call, names, unloaded)

    def _loaded_of(self, module: Module, given: ast.expr) -> tuple[list[str], list[str]]:
        """Return the classes of an object, and the relationships that they all load with it."""
        values = self._project.values.of(module, given).alternatives
        owners = [value.qualified for value in values if isinstance(value, InstanceOf)]
        return owners, _in_all([set(self._loaded(owner)) for owner in owners])

    def _columns_of(self, owners: Iterable[str]) -> list[str]:
        """Return the columns that all mapped classes have, without primary keys."""
        mapped = filter(None, map(self._project.orm.mapped_class, owners))
        return _in_all(
            [
                {name for name, facts in each.columns.items() if not facts.primary_key}
                for each in mapped
            ]
        )

    def _is_made(self, module: Module, instance: ast.expr) -> bool:
        """Whether a function makes the object of a variable itself."""
        match module.scopes.bindings_of(instance):
            case [Binding(kind="assignment", value=ast.expr() as value)]:
                return all(self._states.makes_mapped(module, each) for each in branches(value))
        return False

    def _is_new(self, module: Module, refresh: ast.Expr, instance: ast.expr) -> bool:
        """Whether an object has no parts before a refresh: its function made it without any.

        Until then, the function uses only its columns, and adds it to the session.
        """
        if not isinstance(instance, ast.Name):
            return False
        match module.scopes.bindings_of(instance):
            case [Binding(kind="assignment", value=ast.Call(func=function, args=[]) as made)]:
                name = self._project.qualified_name(module, function) or ""
            case _:
                return False
        mapped = self._project.orm.mapped_class(name)
        if mapped is None or self._sets_parts(name):
            return False
        end = module.span(refresh).start
        return all(
            keyword.arg in mapped.columns or (keyword.arg is None and _is_dumped(keyword.value))
            for keyword in made.keywords
        ) and all(
            self._is_column_or_added(module, read, mapped.columns)
            for read in module.scopes.reads_of(instance)
            if module.span(read).start < end
        )

    def _sets_parts(self, qualified: str) -> bool:
        """Whether a new object of a class may have parts that nobody passes."""
        _, definition = self._project.class_definition(qualified) or (None, None)
        is_plain = definition is not None and not definition.decorator_list
        return (
            not is_plain
            or bool(self._project.files_with(_SETTING))
            or any(
                b"__init__" in home.source.text[facts.span.start : facts.span.end]
                for facts in self._project.class_line(qualified)
                for home in self._project.modules_at([facts.path])
            )
        )

    def _is_column_or_added(self, module: Module, read: ast.Name, columns: Container[str]) -> bool:
        match module.parent(read):
            case ast.Attribute(attr=name):
                return name in columns
            case ast.Call(func=ast.Attribute(value=owner, attr="add" | "refresh")):
                return self._project.orm.resource_of(module, owner) in _SESSIONS
        return False

    def _leads_to_parts(self, owner: str, name: str) -> bool:
        facts = self._project.orm.models.relationship(owner, name)
        if facts is None or facts.target is None or not self._is_cascading(facts):
            return False
        inverse = self._project.orm.reads.inverse_of(owner, name)
        back = {inverse.attribute} if inverse is not None and inverse.by_key else set[str]()
        return bool(set(self._loaded(facts.target)) - back)

    def _is_cascading(self, facts: RelationshipFacts) -> bool:
        """Whether a relationship is declared so that a refresh goes on along it."""
        for _, call in self._project.calls_at(Place(facts.path, facts.span))[:1]:
            for node in ast.walk(call):
                match node:
                    case ast.keyword(arg="cascade_delete", value=ast.Constant(value=True)):
                        return True
                    case ast.keyword(arg=name, value=given):
                        pairs = [(name, given)]
                    case ast.Dict():
                        keys = (getattr(key, "value", None) for key in node.keys)
                        pairs = [*zip(keys, node.values, strict=True)]
                    case _:
                        continue
                said = (getattr(given, "value", "") for name, given in pairs if name == "cascade")
                if any(word.strip() in _CASCADES for text in said for word in str(text).split(",")):
                    return True
        return False


def _in_all(names: Sequence[set[str]]) -> list[str]:
    """Return the names that are in all sets, sorted; none without a set."""
    return sorted(set[str]().union(*names).intersection(*names))


def _session_of(module: Module, call: ast.Call) -> str:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return module.text_of(owner)


def _is_dumped(node: ast.expr) -> bool:
    """Whether pydantic gives the dictionary: it has no objects of mapped classes."""
    match node:
        case ast.Call(func=ast.Attribute(attr="dict" | "model_dump")):
            return True
    return False
