"""The statement that loads objects: where it begins, its calls, its options, and who has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from awaken.contract import Place
from awaken.kit.eager_loads.loader_options import Given, given_at
from awaken.kit.eager_loads.reasons import INNER_CODE, NOT_STATEMENT
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.frameworks.sqlalchemy.reads.read_facts import call_or_attribute_at
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, variable_of
from awaken.project.source.worklist import Worklist

if TYPE_CHECKING:
    from awaken.project import Project

# A LEFT OUTER JOIN changes what these ask for, or is not possible with them.
_JOIN_BREAKERS = sql_names().set_operations | name_list("join_breakers")
_EXECUTING = library_names().executing_methods | {"paginate"}
_CONSUMING = frozenset({"dict", "enumerate", "iter", "len", "list", "set", "sorted", "tuple"})
_RESULTS = name_list("results")
_FIRST_OF_ALL = "first of all"
_SINGLE = name_list("single_results") | {_FIRST_OF_ALL}
_WITHOUT_OBJECTS = frozenset({"count", "delete", "exists", "update"})
_ITEM_BUILDERS = frozenset({"add_entity", "add_columns", "with_entities", "with_only_columns"})
GETS = library_names().by_key
"""Methods of sessions that take the options as an argument."""
_FOLLOWED = 50  # reads of one variable; more than that is no statement that is built up


class Entity(Struct, frozen=True):
    """A class that a statement gives objects of, as it is written there."""

    qualified: str
    node: ast.expr
    text: str
    aliased: bool = False


class Statement(Struct):
    """The expression that begins a statement, and what is called on it.

    ``calls`` are the calls that follow directly, the first one first, and ``whole`` is the last of
    them. ``separate`` says that nothing may be joined to it. ``leaves`` says that others in the
    program may go on with it. ``ends`` are the visible methods that fetch its rows; a loop over all
    of them is called ``iter``.
    """

    module: Module
    begin: ast.expr
    whole: ast.expr
    calls: list[ast.Call]
    entities: list[Entity]
    given: list[Given]
    separate: bool = False
    leaves: bool = False
    around: ast.AST | None = None
    ends: set[str] = field(default_factory=set)

    @property
    def gives_one(self) -> bool:
        """Whether no more than one object is taken of it."""
        return not self.leaves and bool(self.ends) and self.ends <= _SINGLE

    @property
    def gives_many(self) -> bool:
        """Whether visible code takes all its objects."""
        return bool(self.ends - _SINGLE)

    @property
    def is_cut(self) -> bool:
        """Whether one object is taken of all that are loaded: a result reads every row."""
        limited = any(last_name(call.func) in {"limit", "fetch"} for call in self.calls)
        return _FIRST_OF_ALL in self.ends and not limited

    @property
    def options_calls(self) -> list[ast.Call]:
        """The calls that give it loader options."""
        return [call for call in self.calls if last_name(call.func) == "options"]


def node_at(module: Module, place: Place) -> ast.expr | None:
    """Return the call at a place, or the attribute ``Model.query``."""
    node = call_or_attribute_at(module, place)
    return None if isinstance(node, ast.Attribute) and node.attr != "query" else node


def check_place(module: Module, node: ast.expr) -> None:
    """Raise Refused where code should not be written: in f-strings, lambdas and annotations."""
    if module.in_fstring(node):
        raise Refused(INSIDE_FSTRING, module.excerpt(node))
    for below, above in module.steps_up(node):
        if isinstance(above, ast.Lambda | ast.arguments | ast.arg):
            raise Refused(INNER_CODE, module.excerpt(node))
        if isinstance(above, Function | ast.ClassDef) and below in above.decorator_list:
            raise Refused(INNER_CODE, module.excerpt(node))
        if isinstance(above, ast.AnnAssign) and below is above.annotation:
            raise Refused(INNER_CODE, module.excerpt(node))


def statement_of(project: Project, module: Module, begin: ast.expr) -> Statement:
    """Return the statement that begins with ``begin``; raises Refused where it begins none."""
    check_place(module, begin)
    if isinstance(begin, ast.Call):
        items = begin.args[:1] if last_name(begin.func) in GETS else begin.args
    elif isinstance(begin, ast.Attribute):
        items = [begin.value]
    else:
        raise Refused(NOT_STATEMENT, module.excerpt(begin))
    calls = list(_calls_on(module, begin))
    reader = ModuleReader(project, module)
    more = [node for call in calls if last_name(call.func) in _ITEM_BUILDERS for node in call.args]
    entities = [entity for one in (*items, *more) if (entity := entity_at(reader, one)) is not None]
    made = Statement(module, begin, calls[-1] if calls else begin, calls, entities, [])
    arguments = [argument for call in made.options_calls for argument in call.args]
    made.given = [given_at(project, module, argument) for argument in arguments]
    _look_around(made)
    return made


def _calls_on(module: Module, node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of methods of ``node``, of what these return, and so on."""
    while True:
        call = module.method_call_on(node)
        if call is None:
            return
        yield call
        # Later methods are called on the result.
        if last_name(call.func) in _RESULTS:
            return
        node = call


def entity_at(reader: ModuleReader, node: ast.expr) -> Entity | None:
    """Return the mapped class, or the alias of one, that an expression gives."""
    item: Item | None = entity_of(reader, node)
    text = reader.module.text_of(node)
    if item is None or item.what is not What.ENTITY or item.model is None:
        classes = reader.project.classes_of(reader.module, node)
        if len(classes) != 1 or reader.project.orm.mapped_class(classes[0]) is None:
            return None
        return Entity(classes[0], node, text)
    return Entity(item.model, node, text, item.aliased)


def _look_around(statement: Statement) -> None:
    """Find out whether the statement is built up elsewhere, and by what."""
    module, names = statement.module, {last_name(call.func) for call in statement.calls}
    waiting = Worklist[ast.expr]([statement.whole])
    for node in waiting:
        statement.leaves = statement.leaves or len(waiting.seen) > _FOLLOWED
        if statement.leaves:
            break
        for target in _targets(module, node, statement):
            for read in module.scopes.reads_of(target):
                calls = list(_calls_on(module, read))
                names |= {last_name(call.func) for call in calls}
                waiting += [calls[-1] if calls else read]
    statement.separate = statement.leaves or bool(names & _JOIN_BREAKERS)


def _targets(module: Module, node: ast.expr, statement: Statement) -> Iterator[ast.Name]:
    """Yield the variables that a statement is put into; note if it leaves the function."""
    above = module.parent(node)
    match above:
        case _ if isinstance(node, ast.Call) and last_name(node.func) in _RESULTS:
            statement.ends |= {last_name(node.func)} - _WITHOUT_OBJECTS
            return
        case ast.Call(func=ast.Attribute(attr=name)) if name in _EXECUTING and node in above.args:
            statement.ends.add(name if name == "scalar" else _fetched_text(module, above))
            return
        case ast.Call(func=ast.Name(id=name)) if name in _CONSUMING:
            statement.ends.add("iter")
            return
        case ast.For(iter=used) | ast.comprehension(iter=used) if used is node:
            statement.ends.add("iter")
            return
        case ast.Assign() | ast.AnnAssign() if (target := variable_of(above)) is not None:
            if module.enclosing_function(node) is not None:
                statement.around = module.enclosing_function(node)
                yield target
                return
        case ast.Expr():
            return
    statement.leaves = True


def _fetched_text(module: Module, executed: ast.Call) -> str:
    """Return the last method that is called on the result of a statement."""
    waits = module.parent(executed)
    calls = _calls_on(module, waits if isinstance(waits, ast.Await) else executed)
    names = [last_name(call.func) for call in calls]
    if names and names[-1] == "first":
        return _FIRST_OF_ALL
    return names[-1] if names else "iter"
