"""``union()`` and its like: a subquery that is selected from by an alias.

Query wraps both queries in a subquery and reads what comes later off it (``orm/query.py``:
``Query._from_selectable``). ``select(aliased(Model, union(...).subquery()))`` is that statement;
where later builders name the class, the alias gets a name in place, and they use that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit, Operation
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import SET_OPERATIONS, Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import (
    Reader,
    names,
    sqlalchemy_name,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import join_target
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.loads.embedded import exists_in
from awaken.project.frameworks.loads.entities import classify_all
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.frameworks.loads.repeats import Sources, is_subquery
from awaken.project.source.trees import arguments_of, chained_calls, is_text, last_name

BEFORE = frozenset({"filter", "where", "filter_by", "order_by", "group_by", "having", "join"})
BEFORE |= {"outerjoin", "limit", "offset", "slice", "distinct", "select_from", "with_session"}
BEFORE |= {"reset_joinpoint", "enable_assertions", *SET_OPERATIONS}
"""Builders that may stand in front of a set operation."""
_COUNTS = frozenset({"limit", "offset", "slice", "with_session"})
_SETTINGS = frozenset({"execution_options", "yield_per", "populate_existing", "autoflush"})
_SETTINGS |= {"enable_assertions"}
_CRITERIA = frozenset({"filter", "where", "order_by", "group_by", "having", "distinct"})
_JOINS = frozenset({"join", "outerjoin"})
_AFTER = _COUNTS | _SETTINGS | _CRITERIA | _JOINS | {"filter_by", "options", "with_entities"}
_LOADERS = library_names().separate_loaders | library_names().blocking_loaders | {"joinedload"}
# Consumers that take values by position, whatever the columns are called.
_LISTS = name_list("criteria_among")
_EMBEDDED = frozenset({"scalar_subquery", "as_scalar", *_LISTS, *SET_OPERATIONS})


def set_operation(statement: Statement, link: Link, position: int, _executed: bool) -> LinkEdit:
    """Return the edit of ``.union(...)``; ``statement`` selects from its subquery afterwards."""
    links = statement.chain.links
    _check_call(link)
    for before in links[:position]:
        if before.name not in BEFORE and not _follows_operation(links, before):
            raise Refused(reasons.SET_OPERATION, f"{link.name}() after {before.name}()")
    later = [after for after in links[position + 1 :] if after.name != "reset_joinpoint"]
    until = next((n for n, after in enumerate(later) if after.name in SET_OPERATIONS), len(later))
    # Only the last operation takes the place of the query.
    if until == len(later):
        _check_end(statement, link)
    # Every operand has to fit the query that the first operation is called on.
    statement.first_items = statement.first_items or statement.items
    edit = _operation(statement, link, later[:until], is_last=until == len(later))
    _start_again(statement)
    return edit


def _follows_operation(links: Sequence[Link], link: Link) -> bool:
    """Whether ``link`` is after a set operation of its own, which has checked it."""
    return any(before.name in SET_OPERATIONS for before in links[: links.index(link)])


def _check_call(link: Link) -> None:
    call = link.call
    if not call.args or call.keywords or any(isinstance(a, ast.Starred) for a in call.args):
        raise Refused(reasons.SET_OPERATION, f"`{link.name}()` with these arguments")


def _check_end(statement: Statement, link: Link) -> None:
    """Raise Refused where the columns' names, or what a count counts, would be others."""
    chain = statement.chain
    embedded = chain.ending in {"embedded", "argument"} and chain.end not in _EMBEDDED
    if chain.end == "subquery" and (_are_labelled(statement) or _is_list(statement)):
        return
    if embedded or chain.ending in {"written", "read"} or chain.end in {"value", "values"}:
        raise Refused(reasons.SET_OPERATION, f"{chain.end}() after {link.name}()")


def _are_labelled(statement: Statement) -> bool:
    """Whether all columns are labelled, so that Query gives none a name with that of its table."""
    labels = [getattr(getattr(item.node, "func", None), "attr", "") for item in statement.items]
    return set(labels) == {"label"} and all(i.key for i in statement.items) and not statement.lists


def _is_list(statement: Statement) -> bool:
    """Whether ``in_()`` alone reads a subquery: it takes columns by position."""
    module, node = statement.reader.module, statement.chain.node
    match module.parent(node):
        case ast.Assign(targets=[ast.Name() as name]) if module.enclosing_def(node) is not None:
            reads: Sequence[ast.expr] = module.scopes.reads_of(name)
        case _:
            reads = [node]
    lists = (module.parent(read) for read in reads)
    return bool(reads) and all(
        isinstance(call, ast.Call) and call.args[:1] == [read] and last_name(call.func) in _LISTS
        for call, read in zip(lists, reads, strict=True)
    )


def _start_again(statement: Statement) -> None:
    """Forget what was said of the first query: it is inside the subquery now."""
    statement.criteria, statement.options, statement.ordered = [], [], []
    statement.sources, statement.begun = [], ""
    statement.joined = statement.reset = statement.selects_from = False
    statement.multiplies, statement.partners, statement.unjudged = False, (), []
    statement.limited = statement.one_row_limit = False
    statement.distinct = statement.grouped = statement.one_row_each = False
    statement.join_point = statement.source = None
    statement.changed_items = True


# ------------------------------------------------------------------------------ what is selected
def _operation(statement: Statement, link: Link, later: Sequence[Link], is_last: bool) -> LinkEdit:
    for after in later:
        if after.name not in _AFTER:
            raise Refused(reasons.SET_OPERATION, f"{after.name}() after {link.name}()")
    if len(statement.items) == 1 and statement.items[0].what is What.ENTITY:
        return _of_entity(statement, link, later, is_last)
    return _of_rows(statement, link, later, is_last)


def _of_entity(statement: Statement, link: Link, later: Sequence[Link], is_last: bool) -> LinkEdit:
    item = statement.items[0]
    owner = ast.unparse(item.node)
    _check_entity(statement, item, owner)
    unnamed = _is_plain(later) and is_last
    # A count needs no objects; but of Core objects it flushes first only since 2.1.
    if unnamed and statement.chain.end == "count" and _flushes(statement):
        return LinkEdit("union", operation=Operation(function=_written_text(statement, link.name)))
    renamed: tuple[tuple[str, str], ...] = ()
    alias = None
    # They mean columns of the subquery, which the alias represents.
    if _mentions(later, owner):
        alias = _alias(statement, f"{owner.rpartition('.')[2].lower()}_alias")
        renamed = ((owner, alias),)
    _check_later(statement, link, item, later)
    made = alias or f"{link.name}(...)"
    statement.items = (Item(item.node, What.ENTITY, item.model, made, aliased=True),)
    return LinkEdit(
        "union",
        operation=Operation(
            function=_written_text(statement, link.name),
            select=_written_text(statement, "select"),
            aliased=_written_text(statement, "aliased"),
            model=owner,
            name=alias,
            renamed=renamed,
        ),
    )


def _check_entity(statement: Statement, item: Item, name: str) -> None:
    reader = statement.reader
    mapped = reader.project.orm.mapped_class(item.model) if item.model else None
    # The alias of a set operation before this one goes by another name than the class.
    is_alias = item.aliased and item.owner == name
    # An alias of an alias loses sight of the tables of a class that inherits them.
    is_nested = item.aliased and _inherits(statement, item)
    if mapped is None or mapped.table != "plain" or is_alias or is_nested:
        raise Refused(reasons.SET_OPERATION, f"a set operation of `{name}`")
    if reader.project.files_with((b"with_polymorphic",)):
        raise Refused(reasons.SET_OPERATION, "a set operation of classes that load subclasses")


def _inherits(statement: Statement, item: Item) -> bool:
    project = statement.reader.project
    facts = project.class_facts(item.model or "")
    bases = facts.bases if facts is not None else (None,)
    return any(base is None or project.orm.models.status(base) != "base" for base in bases)


def _of_rows(statement: Statement, link: Link, later: Sequence[Link], is_last: bool) -> LinkEdit:
    for item in statement.items:
        is_plain = item.what is What.COLUMN or (item.what is What.EXPRESSION and item.key)
        if not is_plain or item.key is None:
            raise Refused(reasons.SET_OPERATION, f"a set operation of `{ast.unparse(item.node)}`")
    for after in later:
        # Columns get no alias by which a later builder could name them.
        if after.name not in _COUNTS | _SETTINGS and not _is_empty(after):
            raise Refused(reasons.SET_OPERATION, f"{after.name}() after {link.name}() of columns")
    # Columns of a subquery make no ORM statement, which matters to the flush.
    statement.orm_items = ()
    function = _written_text(statement, link.name)
    # The union gives these rows by itself: nothing is read off a subquery of it.
    if is_last and _is_plain(later) and _takes_any(statement.chain):
        return LinkEdit("union", operation=Operation(function=function))
    return LinkEdit(
        "union", operation=Operation(function=function, select=_written_text(statement, "select"))
    )


def _takes_any(chain: Chain) -> bool:
    """Whether the set operation itself can replace the query."""
    is_list = chain.ending == "argument" and chain.end in _LISTS
    return chain.ending in {"executed", "iterated"} or is_list or chain.end == "subquery"


def _is_plain(later: Sequence[Link]) -> bool:
    return all(after.name in _COUNTS for after in later)


def _is_empty(link: Link) -> bool:
    """Whether a builder only takes something back: ``order_by(None)``, ``distinct()``."""
    arguments = [*link.call.args, *link.call.keywords]
    return link.name in _CRITERIA and all(
        isinstance(node, ast.Constant) and node.value in {None, False} for node in arguments
    )


def _flushes(statement: Statement) -> bool:
    """Whether a statement of Core objects, as the count of a union is, flushes first."""
    return not statement.reader.project.targets.admits("sqlalchemy", "<2.1")


def _written_text(statement: Statement, name: str) -> str:
    result = sqlalchemy_name(statement.reader, statement.chain.root, name)
    statement.needs.append(result)
    return result.text


def _alias(statement: Statement, base: str) -> str:
    """Return a new name for the alias, which is assigned before the query."""
    module = statement.reader.module
    inner: ast.AST = statement.chain.node
    for above in module.ancestors(inner):
        # Python allows no `:=` in what a comprehension iterates.
        if isinstance(above, ast.comprehension) and above.iter is inner:
            raise Refused(
                reasons.SET_OPERATION, "a set operation that a comprehension iterates over"
            )
        inner = above
    # Every operation of a chain needs an alias of its own.
    others = sum(1 for edit in statement.edits if edit.operation is not None)
    return module.fresh_local(statement.chain.node, f"{base}_{others + 1}" if others else base)


# --------------------------------------------------------------------------------- later builders
def _mentions(links: Sequence[Link], owner: str) -> bool:
    return any(names(node, owner) for link in links for node in arguments_of(link.call))


def _check_later(statement: Statement, link: Link, item: Item, later: Sequence[Link]) -> None:
    """Raise Refused for what Query reads off the subquery and a new name cannot.

    All columns must visibly belong to the class, or to one that is joined later.
    """
    name = ast.unparse(item.node)
    known = [Sources(statement.reader, name, item.model)]
    for after in later:
        if after.name in _JOINS:
            known += _joined_sources(statement, link, item, after)
        elif after.name == "options":
            _check_options(after)
        elif after.name == "with_entities":
            _check_items(statement, link, after, known)
        elif after.name in _CRITERIA and not _is_empty(after):
            _check_criteria(link, after, known)
        if any(_asks_again(statement.reader, node, name) for node in arguments_of(after.call)):
            raise _unclear(link, after)


def _check_criteria(link: Link, after: Link, known: Sequence[Sources]) -> None:
    for node in arguments_of(after.call):
        if any(is_text(part) for part in (node, *_ordered_nodes(node))):
            raise Refused(reasons.RAISES_TODAY, f"{after.name}() by a name after {link.name}()")
        if not any(candidate.only([node]) for candidate in known):
            raise _unclear(link, after)


def _ordered_nodes(node: ast.expr) -> Sequence[ast.expr]:
    """Return what ``desc(...)`` and the like are called with."""
    return node.args if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ()


def _check_items(statement: Statement, link: Link, after: Link, known: Sequence[Sources]) -> None:
    """Raise Refused unless columns are asked for, one of the first class among them.

    An alias has another key in a row than its class, and FROM is made from what is asked for.
    """
    items = classify_all(statement.reader, after.call.args)
    owners = [item.owner for item in items]
    values = all(item.what in {What.COLUMN, What.EXPRESSION} for item in items)
    sure = {item.owner for item in known}.issuperset(owners)
    if not values or not sure or known[0].owner not in owners or any(i.mixed for i in items):
        raise _unclear(link, after)


def _unclear(link: Link, after: Link) -> Refused:
    arguments = ", ".join(map(ast.unparse, after.call.args))
    return Refused(reasons.SET_OPERATION, f"`{after.name}({arguments})` after {link.name}()")


def _joined_sources(statement: Statement, link: Link, item: Item, join: Link) -> Iterator[Sources]:
    """Yield what a join adds; raises Refused unless it is another class that is known."""
    target = join_target(statement.reader, join)
    # In a self-join the name of the class would mean the alias and the table.
    if target.text is None or target.model in {None, item.model}:
        raise _unclear(link, join)
    yield Sources(statement.reader, target.text, target.model)


def _check_options(link: Link) -> None:
    """Raise Refused unless each option begins at the class, which is then the alias."""
    for option in link.call.args:
        first = [*chained_calls(option)][-1:]
        if not any(last_name(call.func) in _LOADERS and len(call.args) == 1 for call in first):
            raise Refused(reasons.SET_OPERATION, f"`{ast.unparse(option)}` after a set operation")


def _asks_again(reader: Reader, node: ast.expr, owner: str) -> bool:
    """Whether ``node`` names the class where the table may be meant, not its alias."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        name = last_name(call.func)
        if name == "text" or exists_in(reader, call) is not None:
            return True
        # ``User.manager.has(User.id > 1)`` has a FROM of its own, as queries have.
        if (is_subquery(call) or name in {"any", "has"}) and _names_inside(call, owner):
            return True
    return False


def _names_inside(call: ast.Call, owner: str) -> bool:
    parts = [call] if is_subquery(call) else [*call.args, *call.keywords]
    return any(names(part, owner) for part in parts)
