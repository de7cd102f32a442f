"""The chain of one query as written: where it starts, its builders, and how it ends."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Reason
from awaken.knowledge import knowledge
from awaken.knowledge.libraries import StatementTaker
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.names.module_tables import target_of
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.f_strings import is_placed, is_shown
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of, last_name, position, receivers

BUILDERS = name_list("builders")
COLUMN_VALUES = frozenset({"value", "values"})
EMBEDDING = frozenset({"subquery", "cte", "exists", "label", "scalar_subquery", "as_scalar"})
WRITES = frozenset({"update", "delete"})
EXECUTING = name_list("executing_queries") - WRITES
WITHOUT_KEY = EXECUTING - {"get"}
"""Ends of a query that are given no key."""
SET_OPERATIONS = sql_names().set_operations
LINKS = BUILDERS | SET_OPERATIONS
OTHER_ITEMS = frozenset({"with_entities", "add_columns", "add_column", "add_entity"})
"""Builders that change what is asked for."""
REMOVED = frozenset({"from_self", "select_entity_from", "with_polymorphic", "with_lockmode"})
EXTENSIONS = frozenset({"paginate", "get_or_404", "first_or_404", "one_or_404"})
READ_ONLY = frozenset({"statement", "whereclause", "column_descriptions"})
TAKEN = "the argument of a library"
"""How a query ends that a function of a library takes, which does the same with a select()."""
SELECTABLE_ARGUMENTS = name_list("criteria_among") | {"from_select"}
"""Methods that take a statement and put it into another one."""
OF_SESSION = frozenset({"execute", "scalar", "scalars"})
"""Methods of a session that execute a statement, and a Query until SQLAlchemy 2.0."""
ITERATING = library_names().consuming | name_list("lazy_builtins")
"""Builtins that do nothing with an iterable argument but iterate it."""
_OF_SEVERAL = frozenset({"chain", "compress", "zip_longest"})
"""Functions of ``itertools`` that iterate each of their arguments."""
Ending = Literal[
    "executed", "written", "extended", "sliced", "iterated", "embedded", "argument", "read"
]
_ENDINGS: Mapping[str, Ending] = {
    **dict.fromkeys(EXECUTING | {"value"}, "executed"),
    **dict.fromkeys(WRITES, "written"),
    **dict.fromkeys(EXTENSIONS, "extended"),
    **dict.fromkeys(EMBEDDING, "embedded"),
}


def taker_of(module: Module, node: ast.expr) -> StatementTaker | None:
    """Return the function of a library that is given the query ``node`` as its statement."""
    above = module.parent(node)
    call = module.call_taking(node)
    if call is None or any(isinstance(part, ast.Starred) for part in call.args):
        return None
    taker = knowledge().takes_statements.get(_imported_text(module, call.func) or "")
    if taker is None:
        return None
    is_named = isinstance(above, ast.keyword) and above.arg == taker.parameter
    is_placed = node in call.args and call.args.index(node) == taker.position
    return taker if is_named or is_placed else None


def _imported_text(module: Module, node: ast.expr) -> str | None:
    """Return the dotted name of what a file imports: once, and by a name of that alone."""
    match node:
        case ast.Name():
            binding = module.scopes.only_binding(node)
            if binding is None:
                return None
            target = target_of(module, binding)
            if target.kind == "from":
                return None if target.level else f"{target.text}.{target.name}"
            return target.text if target.kind == "module" else None
        case ast.Attribute(value=owner, attr=name):
            home = _imported_text(module, owner)
            return None if home is None else f"{home}.{name}"
    return None


class Link(Struct, frozen=True):
    """One builder, as in ``.filter(User.id == 1)``."""

    name: str
    call: ast.Call


class Chain(Struct, frozen=True):
    """A query from ``session.query(...)``, or ``Model.query``, to what ends it.

    ``root`` is its first expression; for ``Model.query`` the ``receiver`` is the model's session,
    in no file, and None where it has no name at this place. ``node`` is the whole expression.
    ``ending`` says how it ends: a terminator is called (``executed``, ``written`` by update or
    delete, ``extended`` by a method of Flask-SQLAlchemy, ``embedded``), it is ``sliced`` or
    indexed, it is iterated in place, it is the argument of a method that takes a statement, or an
    attribute is ``read``. ``end`` is the name of the terminator, of the builtin that iterates, or
    ``for``, ``in``, ``*``, ``[i]`` and the like. ``extension`` is the Flask-SQLAlchemy object of
    the session, as written here.
    """

    root: ast.Call | ast.Attribute
    receiver: ast.expr | None
    session_argument: ast.expr | None
    items: tuple[ast.expr, ...]
    links: tuple[Link, ...]
    node: ast.expr
    ending: Ending
    end: str
    extension: str | None = None

    @property
    def terminator(self) -> ast.Call | None:
        """The call that ends the chain, if one does."""
        ended = self.ending in {"executed", "written", "extended", "embedded"}
        return self.node if ended and isinstance(self.node, ast.Call) else None


def read_chain(
    module: Module, root: ast.Call | ast.Attribute, session: ast.expr | None = None
) -> Chain:
    """Return the chain that starts at ``root``; raises Refused where its end is not visible.

    ``session`` is what executes the query of a ``root`` that is an attribute, ``Model.query``.
    """
    links, node = read_links(module, root)
    ending, end, whole = read_end(module, node)
    receiver, argument, items = _read_start(root, session)
    return Chain(root, receiver, argument, items, links, whole, ending, end)


def _read_start(
    root: ast.Call | ast.Attribute, session: ast.expr | None
) -> tuple[ast.expr | None, ast.expr | None, tuple[ast.expr, ...]]:
    if isinstance(root, ast.Attribute):
        return session, None, (root.value,)
    if isinstance(root.func, ast.Attribute) and root.func.attr == "query":
        if root.keywords:
            raise Refused(reasons.RAISES_TODAY, "query() accepts no keyword arguments")
        return root.func.value, None, tuple(root.args)
    if not root.args or isinstance(root.args[0], ast.Starred):
        raise Refused(reasons.LEGACY_ARGUMENT, "Query() with these arguments")
    # `Query(User)` has none: with_session() gives it one, or it is only embedded.
    keyword = keyword_of(root, "session")
    argument = root.args[1] if len(root.args) > 1 else keyword
    # Unlike query(), the class takes several items as one list.
    first = root.args[0]
    items = tuple(first.elts) if isinstance(first, ast.List | ast.Tuple) else (first,)
    return None, argument, items


def read_links(module: Module, root: ast.expr) -> tuple[tuple[Link, ...], ast.expr]:
    """Return the builders called on ``root``, innermost first, and the last call of them."""
    links: list[Link] = []
    node = root
    while True:
        attribute = module.parent(node)
        if not isinstance(attribute, ast.Attribute) or attribute.attr not in LINKS:
            return tuple(links), node
        call = module.call_of(attribute)
        if call is None:
            return tuple(links), node
        links.append(Link(attribute.attr, call))
        node = call


def read_end(module: Module, node: ast.expr) -> tuple[Ending, str, ast.expr]:
    """Return how the query ``node`` ends: the kind, its name, and the whole; raises Refused."""
    parent = module.parent(node)
    if isinstance(parent, ast.Subscript) and parent.value is node:
        return "sliced", "[a:b]" if isinstance(parent.slice, ast.Slice) else "[i]", parent
    if not isinstance(parent, ast.Attribute):
        ending, end = _read_use(module, node, parent)
        return ending, end, node
    name = parent.attr
    call = module.call_of(parent)
    if call is None:
        if name in READ_ONLY:
            return "read", name, parent
        # `query.first` without a call is always true, and an AttributeError of a select().
        known = name in BUILDERS | EXECUTING | EMBEDDING | WRITES | COLUMN_VALUES
        raise Refused(reasons.UNCALLED_METHOD if known else reasons.UNKNOWN_METHOD, name)
    if name in _ENDINGS:
        return _ENDINGS[name], name, call
    if name == "values":
        # values() gives an iterator: its consumer has to be visible, as with the query itself.
        _read_use(module, call, module.parent(call))
        return "executed", name, call
    raise _refused_method(name)


def _refused_method(name: str) -> Refused:
    if name in REMOVED:
        return Refused(reasons.REMOVED_METHOD, f"Query.{name}()")
    return Refused(reasons.UNKNOWN_METHOD, name)


def _read_use(module: Module, node: ast.expr, parent: ast.AST | None) -> tuple[Ending, str]:
    """Set how a query without a terminator is used."""
    if taker_of(module, node) is not None:
        return "argument", TAKEN
    match parent:
        case ast.For(iter=used) if used is node:
            return "iterated", "for"
        case ast.comprehension(iter=used, is_async=0) if used is node:
            return "iterated", "for"
        case ast.Starred(ctx=ast.Load()):
            return "iterated", "*"
        case ast.YieldFrom():
            return "iterated", "yield from"
        case ast.Compare() if _is_container(parent, node):
            return "iterated", "in"
        case ast.Assign() if all(isinstance(t, ast.Tuple | ast.List) for t in parent.targets):
            return "iterated", "unpack"
        case ast.Call() if node in parent.args:
            return _read_argument(module, node, parent)
        case _:
            raise Refused(*_refused_use(module, node, parent))


def _is_container(compare: ast.Compare, node: ast.expr) -> bool:
    return any(
        used is node and isinstance(operator, ast.In | ast.NotIn)
        for operator, used in zip(compare.ops, compare.comparators, strict=True)
    )


def _read_argument(module: Module, node: ast.expr, call: ast.Call) -> tuple[Ending, str]:
    if isinstance(call.func, ast.Attribute):
        of_cte = call.func.attr in SET_OPERATIONS and _is_cte(module, call.func.value)
        of_query = call.func.attr in SET_OPERATIONS and (
            query_root(call.func) is not None or holds_query(module, call.func.value)
        )
        if of_cte or of_query or call.func.attr in SELECTABLE_ARGUMENTS:
            return "argument", call.func.attr
        if call.func.attr in OF_SESSION and _is_given_own(node, call):
            return "argument", call.func.attr
        # It reads all rows at once, as list() does.
        if call.func.attr == "extend" and _is_list(module, call.func.value):
            return "iterated", "extend"
    name = ast.unparse(call.func)
    # A name that the program binds is not the builtin.
    is_builtin = isinstance(call.func, ast.Name) and not module.scopes.is_bound(name, call)
    if is_builtin and _is_iterated(name, node, call):
        return "iterated", name
    iterator = of_itertools(module, call)
    if iterator and (iterator in _OF_SEVERAL or call.args[0] is node):
        return "iterated", iterator
    last = name.rpartition(".")[2]
    if last in SET_OPERATIONS:
        raise Refused(reasons.SET_OPERATION, f"`{last}()` of queries")
    raise Refused(reasons.PASSED_QUERY, name)


def _is_given_own(query: ast.expr, call: ast.Call) -> bool:
    """Whether a method of a session is given the ``query`` that the same session makes."""
    if call.args[0] is not query or not isinstance(call.func, ast.Attribute):
        return False
    root = query_root(query)
    made_by = root.func if isinstance(root, ast.Call) else None
    return isinstance(made_by, ast.Attribute) and ast.unparse(made_by.value) == ast.unparse(
        call.func.value
    )


def _is_iterated(name: str, node: ast.expr, call: ast.Call) -> bool:
    """Whether the builtin ``name`` iterates ``node``; raises Refused if it looks at it."""
    if name == "bool":
        raise Refused(reasons.TRUTH_OF_QUERY)
    if name in {"str", "print", "repr"}:
        raise Refused(reasons.TEXT_OF_QUERY)
    if name == "len":
        raise Refused(reasons.RAISES_TODAY, "a Query has no len()")
    # The first argument of map() and filter() is the function that they call.
    return name in ITERATING and (name not in {"map", "filter"} or call.args[0] is not node)


def _is_list(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is a variable that nothing but lists are assigned to."""
    bindings = module.scopes.bindings_of(node)
    return bool(bindings) and all(
        binding.kind == "assignment" and isinstance(binding.value, ast.List | ast.ListComp)
        for binding in bindings
    )


def query_root(node: ast.expr) -> ast.Call | ast.Attribute | None:
    """Return the ``query(...)``, or ``Model.query``, of which builders alone make ``node``."""
    for part in receivers(node):
        match part:
            case ast.Attribute(attr="query"):
                return part
            case ast.Call(func=called) if last_name(called) in {"query", "Query"}:
                return part
            case ast.Call(func=called) if last_name(called) not in LINKS:
                return None
    return None


def holds_query(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is a variable that holds nothing but queries, or builders called on one."""
    name = _without_builders(node)
    values = [item.value for item in module.scopes.bindings_of(name)] if name is not None else []
    begun = [value for value in values if value is not None and query_root(value) is not None]
    others = [_without_builders(value) for value in values if value not in begun]
    return bool(begun) and all(part and name and part.id == name.id for part in others)


def _without_builders(node: ast.expr | None) -> ast.Name | None:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in LINKS:
            return None
        node = node.func.value
    return node if isinstance(node, ast.Name) else None


def _is_cte(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is a variable that holds a common table expression."""
    if not isinstance(node, ast.Name):
        return False
    values = [binding.value for binding in module.scopes.bindings_of(node)]
    return any(
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr == "cte"
        for value in values
    )


def _refused_use(module: Module, node: ast.expr, parent: ast.AST | None) -> tuple[Reason, str]:
    match use_of(module, node).way:
        case "returned" | "yielded":
            return reasons.RETURNED_QUERY, ""
        case "tested":
            return reasons.TRUTH_OF_QUERY, ""
        case "same" if isinstance(parent, ast.BoolOp):
            return reasons.TRUTH_OF_QUERY, ""
        case "formatted":
            return reasons.TEXT_OF_QUERY, ""
        case "dropped":
            return reasons.NOT_EXECUTED, ""
        case _ if isinstance(parent, ast.keyword):
            call = module.call_taking(node)
            return reasons.PASSED_QUERY, "a function" if call is None else ast.unparse(call.func)
    return reasons.KEPT_QUERY, _described_keeping(module, parent)


def _described_keeping(module: Module, parent: ast.AST | None) -> str:
    """Say where a query is kept, and where a variable is used next."""
    match parent:
        case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() if len(targets_of(parent)) == 1:
            (target,) = targets_of(parent)
        case _:
            return "it is a part of another value"
    text = ast.unparse(target)
    if not isinstance(target, ast.Name):
        return f"`{text}` keeps it"
    reads = module.scopes.reads_of(target)
    reads.sort(key=position)
    # In a loop, all reads may precede the assignment.
    later = [read for read in reads if read.lineno > (parent.end_lineno or 0)] or reads
    return f"line {later[0].lineno} uses `{text}`" if later else f"`{text}` keeps it"


def check_formatted(module: Module, start: ast.expr) -> None:
    """Raise Refused for a query in an f-string that has to stay: what shows its code, above all.

    ``start`` is where the query begins. Other ends than those that give a result at once may need
    quotes, or a line of their own.
    """
    if not module.in_fstring(start):
        return
    _, node = read_links(module, start)
    try:
        ending, end, whole = read_end(module, node)
    except Refused:
        raise Refused(reasons.INSIDE_FSTRING) from None
    is_one_line = whole.lineno == whole.end_lineno
    if ending != "executed" or end not in WITHOUT_KEY or not is_one_line:
        raise Refused(reasons.INSIDE_FSTRING)
    if is_shown(module, whole) or not is_placed(module, whole):
        raise Refused(reasons.INSIDE_FSTRING)


_OF_ITERTOOLS = name_list("lazy_of_itertools")

ONE_BY_ONE = name_list("lazy_builtins") | _OF_ITERTOOLS
"""Functions between the rows of which other statements may run."""


def iterator_called(module: Module, call: ast.Call) -> str:
    """Return which of Python's functions ``call`` makes an iterator by; nothing if none."""
    name = module.scopes.builtin_called(call) or of_itertools(module, call)
    return name if name in ONE_BY_ONE else ""


def asks_at_once(call: ast.Call, iterated: ast.expr) -> bool:
    """Whether an iterator asks ``iterated`` for an item as soon as it is asked for one itself."""
    name = last_name(call.func)
    if name == "chain":
        return call.args[0] is iterated
    if name == "accumulate":
        return not call.keywords
    if name != "islice":
        return True
    match call.args[1:]:
        case [ast.Constant(value=int() as number)]:
            return number > 0
        case _:
            return False  # of nothing, if it is to give nothing


def of_itertools(module: Module, call: ast.Call) -> str:
    """Return which function of ``itertools`` is called that only iterates; nothing if none."""
    match call.func:
        case ast.Name() as name:
            imported = _import(module, name)
            home = module.parent(imported)
            is_there = isinstance(home, ast.ImportFrom) and home.module == "itertools"
            result = imported.name if imported is not None and is_there else ""
        case ast.Attribute(value=ast.Name() as package, attr=attribute):
            imported = _import(module, package)
            home = module.parent(imported)
            is_whole = isinstance(home, ast.Import) and getattr(imported, "name", "") == "itertools"
            result = attribute if is_whole else ""
        case _:
            result = ""
    return result if result in _OF_ITERTOOLS else ""


def _import(module: Module, name: ast.Name) -> ast.alias | None:
    """Return the import that ``name`` always means, if it is one."""
    binding = module.scopes.only_binding(name)
    return binding.node if binding is not None and isinstance(binding.node, ast.alias) else None
