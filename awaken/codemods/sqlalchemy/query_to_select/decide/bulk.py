"""The decision about a query that ends in a bulk ``update()`` or ``delete()``.

Query builds the same statement and gives it to ``session.execute``, on every version since 1.4
(``orm/query.py``: ``Query.update``, ``Query.delete``): autoflush, the default of
``synchronize_session`` and what happens to loaded objects are the same by construction. They differ
in the checks and in the parts that Query ignores.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import (
    Decision,
    note_sqlalchemy_name,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import session_of
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    Argument,
    BulkRewrite,
    LinkEdit,
    QueryRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    OTHER_ITEMS,
    SET_OPERATIONS,
    Chain,
    Link,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.help import tell_target
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.results.typed import is_typed
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader, sqlalchemy_name
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import (
    filter_target,
    refuse_missing_keys,
    translate,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import (
    keep_comments,
    refuse_comment,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.kit.names_here import name_here
from awaken.project.frameworks.loads.query_items import Item, What, doubts_of
from awaken.project.frameworks.loads.repeats import Sources

_CRITERIA = frozenset({"filter", "where", "with_parent"})
# Query raises after these, where a careless rewrite would write rows.
_RAISING = frozenset({"limit", "offset", "slice", "distinct", "order_by", "group_by"})
_RAISING |= {"join", "outerjoin", "select_from", *SET_OPERATIONS}
_WITHOUT_EFFECT = frozenset({"options", "enable_eagerloads", "reset_joinpoint"})
"""Builders that mean something only to a query that loads: they are left out."""

_WRITTEN = _CRITERIA | _WITHOUT_EFFECT | {"filter_by", "with_session", "params"}
_KEYWORDS: dict[str, dict[str, Argument]] = {
    "update": {
        "values": "values",
        "synchronize_session": "synchronize_session",
        "update_args": "dialect",
    },
    "delete": {"synchronize_session": "synchronize_session", "delete_args": "dialect"},
}
"""The arguments of both methods in their order, and what they are."""

_PRESERVE_ORDER = "preserve_parameter_order"
_WITH_COMMENTS: frozenset[Argument] = frozenset({"values", "synchronize_session"})
"""The arguments that comments go with, to the builders that stand for them."""

_COMMENTS = rb"\s*(?:#[^\n]*\n\s*)*"
_FIRST_GAP = re.compile(rb"\s*\(" + _COMMENTS)
_GAP = re.compile(rb"\s*," + _COMMENTS)
_LAST_GAP = re.compile(rb"\s*,?" + _COMMENTS + rb"\)")
"""What may stand around arguments for its comments to belong to one of them."""


def decide_write(reader: Reader, chain: Chain) -> Decision:
    """Decide the rewrite of a ``chain`` that ends in update() or delete(); raises Refused."""
    for link in chain.links:
        # First of all: Query raises for some builders that a select() would take.
        check_link(reader, chain.end, link)
    statement = translate(reader, chain, executed=False)
    check_target(statement)
    decision = Decision(None)
    select = note_sqlalchemy_name(statement, decision, chain.end)
    decision.data = executed_write(statement, select, link_edits(statement))
    decision.needs += statement.needs
    decision.caveats += caveats_of_target(statement.items, chain.links)
    return decision


def caveats_of_target(items: Sequence[Item], links: Sequence[Link]) -> list[str]:
    """Return what may change if one of ``items`` is no mapped class, but a Table.

    Criteria would make an ORM statement of it, or not.
    """
    has_criteria = any(link.name in _CRITERIA for link in links)
    return doubts_of(items) if has_criteria else []


def executed_write(statement: Statement, select: str, edits: Sequence[LinkEdit]) -> BulkRewrite:
    """Return how the terminator is written; ``edits`` are of the builders in front of it."""
    chain, terminator = statement.chain, statement.chain.node
    if not isinstance(terminator, ast.Call):
        raise Refused(reasons.BULK_WRITE, f"`{ast.unparse(terminator)}`")
    arguments, ordered = _arguments(chain.end, terminator)
    _check_comments(statement.reader, terminator, arguments)
    links = (*edits, *(LinkEdit(name) for name in new_links(arguments, ordered)))
    query = QueryRewrite(
        select=select,
        links=links,
        runs="execute",
        # New builders take the terminator's place; without them it is still there to be cut off.
        ended="call" if len(links) == len(chain.links) else "not",
        session=session_of(statement),
    )
    # Where the call is a statement of its own, nobody reads the number of rows.
    rowcount = not isinstance(statement.reader.module.parent(terminator), ast.Expr)
    return BulkRewrite(
        statement=query,
        arguments=arguments,
        ordered=ordered,
        params=_params(chain.links),
        rowcount=rowcount,
        cast=_cast(statement) if rowcount else None,
    )


def _cast(statement: Statement) -> tuple[str, str] | None:
    """Return the cast that tells a type checker that the result counts rows, if one is needed.

    It was until SQLAlchemy 2.0.44 by ``Session.execute`` itself.
    """
    reader, chain = statement.reader, statement.chain
    targets = reader.project.targets
    is_promised = targets.guarantees("sqlalchemy", ">=2.0") and targets.admits(
        "sqlalchemy", ">=2.0.44"
    )
    if not is_promised or not reader.project.is_type_checked:
        return None
    if not is_typed(reader, chain.node, chain.receiver or chain.session_argument):
        return None
    typing = ("typing", "typing_extensions")
    function, any_type = (
        name_here(reader.module, chain.node, name, typing, "typing_") for name in ("cast", "Any")
    )
    result = sqlalchemy_name(reader, chain.node, "CursorResult")
    statement.needs += [function, any_type, result]
    return function.text, f"{result.text}[{any_type.text}]"


def new_links(arguments: Sequence[Argument], ordered: bool) -> list[str]:
    """Return the builders that replace the arguments of update() or delete(), in their order."""
    names = {
        "values": "ordered_values" if ordered else "values",
        "dialect": "with_dialect_options",
        "synchronize_session": "execution_options",
    }
    return [name for argument, name in names.items() if argument in arguments]


# ------------------------------------------------------------------------------------- builders
def check_link(reader: Reader, end: str, link: Link) -> None:
    """Raise Refused unless ``link`` may come before ``end()``, delete or update.

    Query looks at some builders to raise, and ignores most others.
    """
    name, arguments = link.name, link.call.args
    if name in _WRITTEN:
        return
    # `order_by(None)` takes the builder back, so that Query sees nothing to raise for.
    reset = name in {"order_by", "group_by", "limit", "offset"} and _is_reset(arguments)
    if name in _RAISING and not reset:
        raise Refused(reasons.RAISES_TODAY, f"{end}() follows {name}()")
    # The selected entity is no longer the one class of `query(...)`.
    if name in OTHER_ITEMS:
        raise Refused(reasons.BULK_WRITE, f"`.{end}()` after `.{name}()`")
    # Since 2.0 both methods pass the options on.
    is_passed_on = not reader.project.targets.admits("sqlalchemy", "<2.0")
    if name != "execution_options" or not is_passed_on:
        raise Refused(reasons.BULK_WITH_SETTINGS, name)


def _is_reset(arguments: Sequence[ast.expr]) -> bool:
    return not arguments or any(
        isinstance(node, ast.Constant) and node.value in {None, False} for node in arguments
    )


def check_target(statement: Statement) -> None:
    """Raise Refused unless the query is for one mapped class, an alias of one, or a Table.

    Query calls ``delete(it)`` whatever it is; but ORM criteria make an ORM statement of that of a
    Table.
    """
    chain = statement.chain
    if len(chain.items) != 1 or isinstance(chain.items[0], ast.Starred):
        raise Refused(reasons.BULK_WRITE, f"`.{chain.end}()` of these items")
    item = statement.items[0]
    if item.what is What.ENTITY:
        return
    described = ast.unparse(item.node)
    has_criteria = any(link.name in _CRITERIA for link in chain.links)
    if item.what is What.UNKNOWN:
        # Without criteria, a class and a Table come to the same statement.
        if has_criteria:
            help_text = tell_target(statement.reader, item)
            raise Refused(reasons.UNKNOWN_ENTITY, described, help_text)
    elif item.what is What.SELECTABLE:
        if item.orm is not False or (
            has_criteria and not _are_core(statement.reader, item, chain.links)
        ):
            raise Refused(reasons.BULK_WRITE, f"`.{chain.end}()` of `{described}`")
    else:
        raise Refused(reasons.RAISES_TODAY, f"{chain.end}() accepts only one mapped class")


def _are_core(reader: Reader, table: Item, links: Sequence[Link]) -> bool:
    """Whether all criteria compare columns of ``table`` with values, as far as can be seen."""
    # Only the arguments of these two are the criteria themselves.
    if any(link.name not in {"filter", "where"} for link in links):
        return False
    criteria = [node for link in links for node in link.call.args]
    parts = [part for node in criteria for part in ast.walk(node)]
    owner = (table.owner or "").partition(".")[0]
    values = [
        reader.only_value(part) for part in parts if isinstance(part, ast.Name) and part.id != owner
    ]
    # A variable may hold a query, which makes an ORM statement of it as well.
    return _is_alone(reader, table, criteria) and not any(isinstance(v, ast.Call) for v in values)


def link_edits(statement: Statement, before: Sequence[ast.expr] = ()) -> list[LinkEdit]:
    """Return the rewrites of the builders; ``before`` are criteria that are there already."""
    edits: list[LinkEdit] = []
    criteria = list(before)
    pairs = zip(statement.chain.links, statement.edits, strict=True)
    for position, (link, translated) in enumerate(pairs):
        edit = translated
        if link.name in _WITHOUT_EFFECT | {"params"}:
            # The values of `params()` go to `execute()` instead, as its second argument.
            edit = LinkEdit(None)
            keep_comments(statement, link, position, edit)
        elif link.name == "filter_by" and edit.call == "filter_by":
            edit = _filter_by(statement, link, criteria)
            keep_comments(statement, link, position, edit)
        elif link.name in _CRITERIA:
            # A later filter_by() searches the tables that these name, from 2.1 on.
            criteria.extend(link.call.args)
        edits.append(edit)
    return edits


def _filter_by(statement: Statement, link: Link, criteria: Sequence[ast.expr]) -> LinkEdit:
    """Since 2.1 ``filter_by`` searches every table that the criteria before it name (8601).

    For an alias it searches the table instead (run on 2.1.9).
    """
    reader, item = statement.reader, statement.items[0]
    if not reader.project.targets.admits("sqlalchemy", ">=2.1"):
        return LinkEdit("filter_by")
    if item.what is What.UNKNOWN:
        raise Refused(reasons.UNKNOWN_ENTITY, ast.unparse(item.node), tell_target(reader, item))
    is_table = item.what is What.SELECTABLE
    is_class = item.model is not None and not item.aliased
    if (is_table or is_class) and _is_alone(reader, item, criteria):
        return LinkEdit("filter_by")
    target = filter_target(statement)
    if target.text is None or is_table:
        raise Refused(reasons.FILTER_BY_TARGET, target.described)
    refuse_missing_keys(statement, link, target)
    return LinkEdit("where", target=target.text)


def _is_alone(reader: Reader, item: Item, criteria: Sequence[ast.expr]) -> bool:
    # Without a name, no criterion is known to be its own.
    if item.owner is None:
        return not criteria
    return Sources(reader, item.owner, item.model).only(criteria)


def _params(links: Sequence[Link]) -> int | None:
    """Return the place of ``params(...)``, whose values go to ``execute``; raises Refused."""
    positions = [position for position, link in enumerate(links) if link.name == "params"]
    if not positions:
        return None
    call = links[positions[0]].call
    by_name = not call.args and all(keyword.arg is not None for keyword in call.keywords)
    by_position = len(call.args) == 1 and not isinstance(call.args[0], ast.Starred)
    # Calls of params() add up, and `execute()` takes only one dictionary.
    if len(positions) > 1 or not (by_name or (by_position and not call.keywords)):
        raise Refused(reasons.BULK_WRITE, f"`{ast.unparse(call)}`")
    return positions[0]


# ------------------------------------------------------------------------------------ arguments
def _arguments(method: str, call: ast.Call) -> tuple[tuple[Argument, ...], bool]:
    """Return what each argument of ``call`` is, and whether the values keep their order."""
    known = _KEYWORDS[method]
    given = [*zip(known, call.args, strict=False)]
    given += [(keyword.arg or "**", keyword.value) for keyword in call.keywords]
    names = [name for name, _ in given]
    # Which parameter an unpacked argument fills cannot be seen here.
    starred = any(isinstance(node, ast.Starred) for node in call.args)
    if starred or len(call.args) > len(known) or not set(names) <= set(known):
        raise Refused(reasons.BULK_WRITE, f"`{method}()` with these arguments")
    if len(set(names)) < len(names) or (method == "update" and "values" not in names):
        raise Refused(reasons.RAISES_TODAY, f"{method}() has too many or too few arguments")
    arguments, ordered = [], False
    for name, node in given:
        argument = known[name]
        if argument == "dialect":
            argument, ordered = _dialect(name, node)
        arguments.append(argument)
    return tuple(arguments), ordered


def _dialect(name: str, node: ast.expr) -> tuple[Argument, bool]:
    """Read ``update_args={"preserve_parameter_order": True}`` or ``{"mysql_limit": 1}``."""
    refused = Refused(reasons.BULK_WRITE, f"`{name}={ast.unparse(node)}`")
    if not isinstance(node, ast.Dict) or not node.keys:
        raise refused
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    # No option of a dialect: it selects `ordered_values()` instead of `values()`.
    if keys == [_PRESERVE_ORDER] and isinstance(node.values[0], ast.Constant):
        return "order", node.values[0].value is True
    # The options become keywords of `with_dialect_options()`.
    if _PRESERVE_ORDER in keys or not all(isinstance(k, str) and k.isidentifier() for k in keys):
        raise refused
    return "dialect", False


def _check_comments(reader: Reader, call: ast.Call, arguments: Collection[Argument]) -> None:
    """Comments between arguments move with them to the builders that replace them.

    They have no place where that is written in another form, or where they interrupt an argument.
    """
    # A single argument keeps the brackets of its call, with every comment in them.
    if len(arguments) <= 1:
        return
    first, *between, last = _gaps(reader, call)
    gaps = [(_FIRST_GAP, first), *((_GAP, gap) for gap in between), (_LAST_GAP, last)]
    for gap, text in gaps:
        if not _WITH_COMMENTS.issuperset(arguments) or gap.fullmatch(text) is None:
            refuse_comment(text)
    module = reader.module
    # The keyword may go, and a comment after it has no other place.
    for keyword in call.keywords:
        start, end = module.span(keyword).start, module.span(keyword.value).start
        refuse_comment(module.source.text[start:end])


def _gaps(reader: Reader, call: ast.Call) -> list[bytes]:
    """Return the text before, between and after the arguments of ``call``."""
    module = reader.module
    start, gaps = module.span(call.func).end, []
    for node in sorted([*call.args, *call.keywords], key=lambda part: module.span(part).start):
        gaps.append(module.source.text[start : module.span(node).start])
        start = module.span(node).end
    return [*gaps, module.source.text[start : module.span(call).end]]
