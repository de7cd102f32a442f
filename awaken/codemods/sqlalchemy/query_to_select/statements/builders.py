"""Builders of a query as builders of a select: the translation of each, and its imports."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.by_use import (
    names_columns,
    read_by_options,
    read_by_rows,
    read_by_use,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import SET_OPERATIONS, Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader, sqlalchemy_name
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import (
    Target,
    is_relationship,
    join_target,
    target_of,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.labels import refuse_labels
from awaken.codemods.sqlalchemy.query_to_select.statements.parents import relationship_to
from awaken.codemods.sqlalchemy.query_to_select.statements.partners import (
    are_of_first_item,
    implied_partners,
    is_entity,
    is_of_partners,
    only_partner,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import keep_comments
from awaken.codemods.sqlalchemy.query_to_select.statements.set_operations import set_operation
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.entities import classify_all
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.source.trees import is_constant, is_text, last_name

_CRITERIA = frozenset({"filter", "where", "having", "order_by", "group_by"})
# Query raises for these after a limit; a select() would take them in front of it.
_NOT_AFTER_LIMIT = name_list("not_after_limit")
_CRITERIA_OF_ANY_KIND = _NOT_AFTER_LIMIT | {"limit", "offset", "slice", "distinct"}
# Query raises for these once criteria or joins were added.
_ONLY_FIRST = frozenset({"select_from", "from_statement"})
_TEXT = "sqlalchemy.TextClause"
_JOIN_KEYWORDS = frozenset({"target", "onclause", "isouter", "full"})


def translate(reader: Reader, chain: Chain, executed: bool) -> Statement:
    """Return the statement of ``chain``; raises Refused for a builder without a counterpart."""
    criteria = [argument for link in chain.links for argument in link.call.args]
    statement = initial_statement(reader, chain, criteria)
    # This comes first: the meaning of each builder depends on the entities.
    items = read_by_options(reader, statement.items, chain.links)
    items = read_by_rows(reader, items, chain.node)
    statement.items = statement.orm_items = items
    add_links(statement, executed)
    return statement


def initial_statement(reader: Reader, chain: Chain, criteria: Sequence[ast.expr]) -> Statement:
    """Return the statement of ``chain`` before its builders are added.

    Its items are read by their use in ``criteria``, which may be in other chains as well.
    """
    items = classify_all(reader, chain.items)
    items = tuple(read_by_use(reader, item, criteria) for item in items)
    return Statement(reader, chain, items, orm_items=items)


def add_links(statement: Statement, executed: bool) -> None:
    """Add the builders of its chain to ``statement``; raises Refused as ``translate`` does."""
    for position, link in enumerate(statement.chain.links):
        _check_order(statement, link)
        handler = _HANDLERS.get(link.name, _keep)
        edit = handler(statement, link, position, executed)
        keep_comments(statement, link, position, edit)
        statement.edits.append(edit)


def _check_order(statement: Statement, link: Link) -> None:
    """Query refuses some builders after others; select() takes them in any order."""
    name = link.name
    # After `enable_assertions(False)` Query takes any order as well.
    if not statement.asserting:
        return
    if statement.limited and name in _NOT_AFTER_LIMIT:
        raise Refused(reasons.RAISES_TODAY, f"{name}() follows a limit or offset")
    if statement.from_statement and name in _CRITERIA_OF_ANY_KIND:
        raise Refused(reasons.RAISES_TODAY, f"{name}() follows from_statement()")
    if statement.begun and name in _ONLY_FIRST:
        raise Refused(reasons.RAISES_TODAY, f"{name}() follows {statement.begun}()")
    if name in _CRITERIA_OF_ANY_KIND | _ONLY_FIRST:
        statement.begun = name


# -------------------------------------------------------------------------------------- handlers
Handler = Callable[[Statement, Link, int, bool], LinkEdit]


def _keep(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    # `correlate()`, `with_for_update()`, hints and the like mean the same on a select().
    del statement
    return LinkEdit(link.name)


def _criteria(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    arguments = link.call.args
    resets = len(arguments) == 1 and is_constant(arguments[0], value=False)
    for argument in arguments:
        refuse_labels(statement, argument)
    statement.criteria.extend(arguments)
    if link.name in {"filter", "where"}:
        statement.partners += implied_partners(statement, arguments)
    statement.unjudged.extend(node for node in arguments if not is_of_partners(statement, node))
    if link.name == "group_by":
        statement.one_row_each = not statement.grouped and are_of_first_item(statement, arguments)
        statement.grouped = True
    if link.name == "order_by":
        statement.ordered.extend(arguments)
    # `order_by(False)` takes the order back; on a select() only None does.
    if link.name in {"order_by", "group_by"} and resets:
        return LinkEdit(link.name, arguments="None")
    # A select() has `filter()` too, but `where()` is what SQLAlchemy recommends.
    return LinkEdit("where" if link.name == "filter" else link.name)


def _limit(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    statement.limited = True
    arguments = link.call.args
    # An offset leaves the limit as it is; a later limit replaces it.
    statement.one_row_limit = (
        link.name == "limit"
        and len(arguments) == 1
        and isinstance(arguments[0], ast.Constant)
        and arguments[0].value == 1
    ) or (link.name == "offset" and statement.one_row_limit)
    return LinkEdit(link.name)


def _distinct(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    arguments = link.call.args
    # A plain DISTINCT also compares the columns next to the object.
    is_of_object = are_of_first_item(statement, arguments) if arguments else is_entity(statement)
    statement.one_row_each = not statement.distinct and is_of_object
    statement.distinct = True
    return LinkEdit(link.name)


def _options(statement: Statement, link: Link, _position: int, executed: bool) -> LinkEdit:
    if statement.items and all(item.orm is False for item in statement.orm_items):
        # Query looks for what they apply to; a select() of no mapped class ignores them.
        raise Refused(reasons.RAISES_TODAY, "options() of a query without a mapped class")
    # A select() that loads takes names of columns wherever a Query does, which is before 2.0.
    takes_names = executed and not statement.reader.project.targets.admits("sqlalchemy", ">=2.0")
    for option in link.call.args:
        if takes_names and names_columns(statement.reader, option):
            continue
        for node in ast.walk(option):
            if isinstance(node, ast.Call) and _names_by_string(statement.reader, node):
                raise Refused(reasons.REMOVED_METHOD, f"`{ast.unparse(node)}` with a string")
    statement.options.extend(link.call.args)
    return LinkEdit(link.name)


def _names_by_string(reader: Reader, option: ast.Call) -> bool:
    strings = [a for a in option.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if all(string.value == "*" for string in strings):
        return False
    name = reader.library_name(option.func) or last_name(option.func)
    return name.endswith(("load", "load_only", "eager", "defer")) and name != "Load"


def _join(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    _refuse_old_join(statement.reader, link)
    statement.joined = True
    # reset_joinpoint() lasts until the next join.
    statement.reset = False
    statement.criteria.extend(link.call.args)
    statement.join_point = join_target(statement.reader, link)
    partner = only_partner(statement, link)
    if partner is None:
        statement.multiplies = True
    else:
        statement.partners += (partner,)
    return LinkEdit(link.name)


def _refuse_old_join(reader: Reader, link: Link) -> None:
    arguments = link.call.args
    # Forms of 1.x: neither Query nor select() takes them in 2.0.
    if any(is_text(a) for a in arguments):
        raise Refused(reasons.REMOVED_METHOD, f"{link.name}() with the name of a relationship")
    if arguments and isinstance(arguments[0], ast.Tuple):
        raise Refused(reasons.REMOVED_METHOD, f"the tuple form of {link.name}()")
    unknown = [k.arg for k in link.call.keywords if k.arg not in _JOIN_KEYWORDS]
    if unknown:
        raise Refused(reasons.REMOVED_METHOD, f"{link.name}({unknown[0] or '**'}=...)")
    chained = len(arguments) > 1 and all(is_relationship(reader, a) for a in arguments)
    if chained or len(arguments) > 2:  # noqa: PLR2004  a target and its ON clause
        raise Refused(reasons.REMOVED_METHOD, f"{link.name}() of several targets")


def _select_from(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    statement.selects_from = True
    statement.sources.extend(link.call.args)
    first = link.call.args[0] if link.call.args else None
    if first is None or isinstance(first, ast.Starred):
        statement.source = Target(None, "an unknown FROM")
    else:
        _refuse_text(statement.reader, first)
        statement.source = target_of(statement.reader, first)
    return LinkEdit(link.name)


def _refuse_text(reader: Reader, source: ast.expr) -> None:
    """Query selects from no ``text()``, even where nothing that it asks for is mapped."""
    is_call = isinstance(source, ast.Call) and reader.library_name(source.func) == "text"
    if is_call or reader.project.instance_of(reader.module, source) == (_TEXT,):
        raise Refused(reasons.RAISES_TODAY, "select_from() accepts no text()")


def _filter_by(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    if statement.chain.ending == "written":
        return LinkEdit(link.name)  # `bulk` decides: update() and delete() have rules of their own
    before_2_1 = not statement.reader.project.targets.admits("sqlalchemy", ">=2.1")
    # A select() has no reset_joinpoint(): its filter_by() would still mean what was joined.
    if not statement.reset and (before_2_1 or _has_one_source(statement)):
        return LinkEdit(link.name)
    target = filter_target(statement)
    if target.text is None:
        raise Refused(reasons.FILTER_BY_TARGET, target.described)
    refuse_missing_keys(statement, link, target)
    return LinkEdit("where", target=target.text)


def refuse_missing_keys(statement: Statement, link: Link, target: Target) -> None:
    """A key that the target lacks raises one error from Query and another from its class."""
    mapped = statement.reader.project.orm.mapped_class(target.model) if target.model else None
    # The key may come from an invisible base or mixin.
    if mapped is None or not mapped.complete:
        return
    for keyword in link.call.keywords:
        if keyword.arg is not None and mapped.attribute_kind(keyword.arg) is None:
            what = f"`{target.text}` has no attribute {keyword.arg!r}"
            raise Refused(reasons.RAISES_TODAY, what)


def _has_one_source(statement: Statement) -> bool:
    """Whether ``filter_by`` of a select can only mean the one entity of the items.

    SQLAlchemy 2.1 searches every FROM object that was named so far (its issue 8601). There, a
    labelled or computed column counts as its table, next to the class and without its attributes.
    """
    items = statement.items
    if statement.joined or statement.selects_from or not items:
        return False
    if len(items) == 1 and items[0].what is What.EXPRESSION:
        # Nothing to search: it fails in both styles.
        return items[0].owner is None and not items[0].mixed
    plain = all(item.what in {What.ENTITY, What.COLUMN} for item in items)
    return plain and len({item.owner for item in items}) == 1 and items[0].owner is not None


def filter_target(statement: Statement) -> Target:
    """Return what ``filter_by`` means at this point of the chain."""
    # In the order of Query: what was joined last, what is selected from, the first item.
    if statement.join_point is not None and not statement.reset:
        return statement.join_point
    if statement.source is not None:
        return statement.source
    first = statement.items[0] if statement.items else None
    if first is None or first.owner is None or first.mixed:
        return Target(None, "an entity outside the project")
    # An alias that is made in place, as `aliased(User)`, has no name to compare by.
    if not first.owner.replace(".", "").isidentifier():
        return Target(None, f"`{first.owner}`")
    # A Table or subquery has its columns in `.c`.
    text = f"{first.owner}.c" if first.what is What.SELECTABLE else first.owner
    return Target(text, text, first.model)


def _with_entities(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    arguments = link.call.args
    if not arguments or any(isinstance(a, ast.List | ast.Tuple) for a in arguments):
        raise Refused(reasons.RAISES_TODAY, "with_entities() accepts columns one by one")
    statement.items = classify_all(statement.reader, arguments)
    statement.lists = ()
    # Query forgets what was joined, but not what it selects from.
    statement.join_point = None
    statement.changed_items = True
    return LinkEdit("with_only_columns")


def _add_columns(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    added = classify_all(statement.reader, link.call.args)
    statement.items = (*statement.items, *added)
    statement.lists = tuple((*items, *added) for items in statement.lists)
    # Unlike add_columns(), with_only_columns() does not make an ORM statement of another one.
    statement.orm_items = (*statement.orm_items, *added)
    statement.changed_items = True
    return LinkEdit("add_columns")


def _reset_joinpoint(
    statement: Statement, _link: Link, _position: int, _executed: bool
) -> LinkEdit:
    statement.reset = True
    return LinkEdit(None)


def _assertions(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    # A select() asserts nothing, so that nothing need be switched off.
    statement.asserting = not (link.call.args and is_constant(link.call.args[0], value=False))
    return LinkEdit(None)


def _eagerloads(statement: Statement, link: Link, _position: int, executed: bool) -> LinkEdit:
    value = link.call.args[0] if len(link.call.args) == 1 else None
    if not isinstance(value, ast.Constant) or not isinstance(value.value, bool):
        raise Refused(reasons.LEGACY_ARGUMENT, "enable_eagerloads() with a variable")
    # True is the default, and what is only embedded loads nothing.
    if value.value or not executed:
        return LinkEdit(None)
    if any(other.name == "options" for other in statement.chain.links):
        # ``lazyload("*")`` does not overrule the options that name a relationship.
        raise Refused(reasons.LEGACY_ARGUMENT, "enable_eagerloads() together with options()")
    _check_strategies(statement)
    # A select() has no such method; to load every relationship lazily comes to the same.
    written = sqlalchemy_name(statement.reader, statement.chain.root, "lazyload")
    statement.needs.append(written)
    return LinkEdit("options", arguments=f'{written.text}("*")')


def _check_strategies(statement: Statement) -> None:
    """Refuse where ``lazyload("*")`` takes the place of a strategy that the method leaves alone."""
    project = statement.reader.project
    kept = {*name_list("never_loading")}
    if project.targets.admits("sqlalchemy", "<2"):
        kept |= {"immediate", "selectin"}
    for item in statement.items:
        if item.what is What.ENTITY:
            models = [item.model] if item.model else sorted(item.models) or [""]
            sides = (project.orm.eager.side_loaded_by(each, frozenset(kept)) for each in models)
            if side := next(filter(None, sides), None):
                detail = f"enable_eagerloads(), which keeps the `lazy` of {side},"
                raise Refused(reasons.LEGACY_ARGUMENT, detail)


def _setting(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    arguments = [*link.call.args, *link.call.keywords]
    # These methods of Query are execution options of a select().
    if link.name == "populate_existing":
        return LinkEdit("execution_options", arguments="populate_existing=True")
    if len(arguments) != 1 or link.call.keywords or isinstance(arguments[0], ast.Starred):
        raise Refused(reasons.LEGACY_ARGUMENT, f"{link.name}() with these arguments")
    # With yield_per() Query keeps repeated rows, so `unique()` must not be added.
    statement.yields |= link.name == "yield_per"
    return LinkEdit("execution_options", keyword=link.name)


def _execution_options(
    statement: Statement, link: Link, _position: int, _executed: bool
) -> LinkEdit:
    for keyword in link.call.keywords:
        match keyword:
            case ast.keyword(arg=None, value=ast.Dict(keys=keys)):
                names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
            case _:
                names = [keyword.arg]
        statement.portioned |= "yield_per" in names
        statement.unknown_settings |= None in names
    return LinkEdit(link.name)


def _from_statement(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    statement.from_statement = True
    return LinkEdit(link.name)


def _with_session(statement: Statement, link: Link, position: int, _executed: bool) -> LinkEdit:
    if len(link.call.args) != 1 or link.call.keywords:
        raise Refused(reasons.LEGACY_ARGUMENT, "with_session() with these arguments")
    # The last with_session() counts, so that an earlier one is overwritten.
    statement.session = position
    return LinkEdit(None)


def _with_parent(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    arguments = link.call.args
    # The parent, and its relationship.
    if len(arguments) not in {1, 2} or link.call.keywords:
        raise Refused(reasons.WITH_PARENT)
    first = statement.items[0] if statement.items else None
    model = None if first is None else _class_of(statement.reader, first)
    # After a join, Query looks for the relationship on another class.
    if model is None or statement.joined or statement.selects_from:
        raise Refused(reasons.WITH_PARENT)
    relationship = None
    if not arguments[1:]:
        relationship = relationship_to(statement.reader, model, arguments[0])
    if relationship is None and not any(
        is_relationship(statement.reader, argument) for argument in arguments[1:]
    ):
        raise Refused(reasons.WITH_PARENT)
    written = sqlalchemy_name(statement.reader, statement.chain.root, "with_parent")
    statement.needs.append(written)
    # The relationship may use a secondary table, which is then in FROM.
    statement.joined = statement.multiplies = True
    return LinkEdit("where", parent=written.text, relationship=relationship)


def _class_of(reader: Reader, item: Item) -> str | None:
    """Return the class that ``item`` is; of an alias, Query compares the columns of the alias."""
    if item.what is not What.ENTITY or item.aliased:
        return None
    name = item.model or reader.qualified_name(item.node)
    known = name is not None and reader.project.class_facts(name) is not None
    return name if item.model is not None or known else None


def _as_rows(statement: Statement, link: Link, _position: int, _executed: bool) -> LinkEdit:
    if link.name == "tuples":
        # Rows come out even if one class is asked for: `scalars()` would give objects.
        statement.as_rows = True
        return LinkEdit(None)
    value = link.call.args[0] if len(link.call.args) == 1 else None
    if not isinstance(value, ast.Constant) or not isinstance(value.value, bool):
        raise Refused(reasons.LEGACY_ARGUMENT, "only_return_tuples() with a variable")
    statement.as_rows = value.value
    return LinkEdit(None)


def _transformation(
    _statement: Statement, _link: Link, _position: int, _executed: bool
) -> LinkEdit:
    # The function is given a Query, of which it may call any method.
    raise Refused(reasons.TRANSFORMATION)


_HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(_CRITERIA, _criteria),
    **dict.fromkeys(("limit", "offset", "slice"), _limit),
    **dict.fromkeys(("join", "outerjoin"), _join),
    **dict.fromkeys(("add_columns", "add_column", "add_entity"), _add_columns),
    **dict.fromkeys(("populate_existing", "autoflush", "yield_per"), _setting),
    **dict.fromkeys(("only_return_tuples", "tuples"), _as_rows),
    **dict.fromkeys(SET_OPERATIONS, set_operation),
    "distinct": _distinct,
    "options": _options,
    "select_from": _select_from,
    "filter_by": _filter_by,
    "with_entities": _with_entities,
    "reset_joinpoint": _reset_joinpoint,
    "enable_assertions": _assertions,
    "enable_eagerloads": _eagerloads,
    "execution_options": _execution_options,
    "from_statement": _from_statement,
    "with_session": _with_session,
    "with_parent": _with_parent,
    "with_transformation": _transformation,
}
