"""The decision about a query that ends in ``get()``: ``session.get()``, with its settings.

``Query.get`` gives its loader options, its lock and its execution options to the very function
that ``Session.get`` calls (``orm/query.py``: ``Query._get_impl``), and nothing else of itself:
order, DISTINCT, ``autoflush()`` and ``yield_per()`` are ignored today.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.payload import GetRewrite, GetSetting
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import OTHER_ITEMS, Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment
from awaken.knowledge.sql_names import sql_names
from awaken.project import Module
from awaken.project.frameworks.loads.entities import classify_all
from awaken.project.frameworks.loads.query_items import What
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.trees import arguments_of, position

_IGNORED = frozenset({"order_by", "distinct", "autoflush", "yield_per", "enable_eagerloads"})
_IGNORED |= {"reset_joinpoint", "with_session"}
# Query.get() allows no criteria in front of it, as they would be ignored.
_RAISING = frozenset({"filter", "where", "filter_by", "limit", "offset", "slice", "group_by"})
_RAISING |= {"join", "outerjoin", "select_from", "from_statement", "with_parent"}


def settings_of(reader: Reader, chain: Chain) -> GetRewrite:
    """Return how a ``chain`` that ends in get() is written; raises Refused."""
    _check_target(reader, chain)
    session: int | None = None
    settings: list[GetSetting] = []
    for number, link in enumerate(chain.links):
        setting = _setting(reader, link)
        # Of these the last call counts; options and execution options add up.
        if setting in {"with_for_update", "populate_existing"} and setting in settings:
            settings[settings.index(setting)] = "dropped"
        settings.append(setting)
        # The last with_session() counts, whatever session made the query.
        session = number if link.name == "with_session" else session
    _refuse_comments(reader, chain, settings)
    if session is not None:
        return GetRewrite(settings=tuple(settings), session=session)
    if chain.receiver is None and chain.session_argument is None:
        raise Refused(reasons.NO_SESSION)
    return GetRewrite(
        settings=tuple(settings), session="argument" if chain.receiver is None else "receiver"
    )


def caveats_of(reader: Reader, chain: Chain) -> Iterator[str]:
    """Say what old versions that the project admits may lack."""
    targets = reader.project.targets
    if targets.admits("sqlalchemy", "<1.4.4") and _may_be_scoped(reader, chain):
        yield "a scoped_session has no `get()` before SQLAlchemy 1.4.4"
    if targets.admits("sqlalchemy", "<1.4.29") and any(
        link.name == "execution_options" for link in chain.links
    ):
        yield "`get()` accepts no execution options before SQLAlchemy 1.4.29"


def _may_be_scoped(reader: Reader, chain: Chain) -> bool:
    if chain.receiver is None:
        return True
    proof = reader.project.orm.session_of(reader.module, chain.receiver)
    return not isinstance(proof, SessionProof) or proof.kind != "session"


def _check_target(reader: Reader, chain: Chain) -> None:
    items = classify_all(reader, chain.items)
    # get() takes nothing but a mapped class, so an unknown item can stay unknown.
    is_class = len(items) == 1 and items[0].what in {What.ENTITY, What.UNKNOWN}
    if not is_class or items[0].aliased or isinstance(chain.items[0], ast.Starred):
        raise Refused(reasons.RAISES_TODAY, "get() accepts only one mapped class")
    call = chain.terminator
    if call is None or len(call.args) + len(call.keywords) != 1:
        raise Refused(reasons.RAISES_TODAY, "get() accepts only one key")


def _setting(reader: Reader, link: Link) -> GetSetting:
    call = link.call
    match link.name:
        case "options":
            refused = next((node for node in call.args if _names_by_string(node)), None)
            if refused is not None:
                raise Refused(reasons.REMOVED_METHOD, f"`{ast.unparse(refused)}` with a string")
            return "options"
        # `session.get()` takes the arguments as a dictionary, so each needs a name.
        case "with_for_update" if not call.args:
            return "with_for_update"
        case "populate_existing" if not call.args and not call.keywords:
            return "populate_existing"
        case "execution_options" if not call.args:
            # Query.get() overrules this option, Session.get() obeys it.
            if any(keyword.arg in {None, "populate_existing"} for keyword in call.keywords):
                raise Refused(reasons.LEGACY_ARGUMENT, f"get() follows `{_ended_text(call)}`")
            return "execution_options"
    # Query ignores the builder, but Python has evaluated its arguments all the same.
    if link.name in _IGNORED and all(_is_quiet(reader, node) for node in arguments_of(call)):
        return "dropped"
    if link.name in _RAISING:
        raise Refused(reasons.RAISES_TODAY, f"get() follows {link.name}()")
    if link.name in OTHER_ITEMS:
        raise Refused(reasons.LEGACY_ARGUMENT, f"get() follows {link.name}()")
    raise Refused(reasons.GET_WITH_SETTINGS, link.name)


def _ended_text(call: ast.Call) -> str:
    arguments = ", ".join(ast.unparse(node) for node in (*call.args, *call.keywords))
    return f"execution_options({arguments})"


def _names_by_string(option: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Call)
        # `lazyload("*")` names no attribute, and takes a string on every version.
        and any(isinstance(a, ast.Constant) and a.value != "*" for a in node.args)
        for node in ast.walk(option)
    )


def _is_quiet(reader: Reader, node: ast.expr) -> bool:
    """Whether nothing happens when ``node`` is no longer evaluated."""
    return all(
        not isinstance(part, ast.Call | ast.Await | ast.NamedExpr | ast.Yield | ast.YieldFrom)
        or (isinstance(part, ast.Call) and _is_quiet_call(reader, part))
        for part in ast.walk(node)
    )


def _is_quiet_call(reader: Reader, call: ast.Call) -> bool:
    # Without rows to put in order nothing is lost if they are not called.
    if isinstance(call.func, ast.Attribute) and call.func.attr in sql_names().orderings:
        return True
    known = reader.library_name(call.func) or reader.function_name(call.func)
    return known is not None


def _refuse_comments(reader: Reader, chain: Chain, settings: Sequence[GetSetting]) -> None:
    """Raise Refused for a comment between the arguments that stay: they move together."""
    if not isinstance(chain.node, ast.Call):
        return
    module = reader.module
    _refuse_comments_at_start(module, chain.root, chain.node)
    # Without settings the key keeps its brackets: comments in them stay.
    if not settings:
        refuse_comment(
            module.source.text[module.span(chain.root).end : module.span(chain.node.func).end]
        )
        return
    pairs = zip(chain.links, settings, strict=True)
    left = [
        node
        for link, setting in pairs
        if setting != "dropped"
        for node in _arguments_in_order(link.call)
    ]
    start = module.span(chain.root).end
    for node in (*left, *_arguments_in_order(chain.node)):
        refuse_comment(module.source.text[start : module.span(node).start])
        start = module.span(node).end
    refuse_comment(module.source.text[start : module.span(chain.node).end])


def _refuse_comments_at_start(module: Module, root: ast.expr, whole: ast.expr) -> None:
    """Raise Refused for a comment around what ``query(...)`` asks for."""
    items = root.args if isinstance(root, ast.Call) and root.args else [root]
    text = module.source.text
    refuse_comment(text[module.span(whole).start : module.span(items[0]).start])
    refuse_comment(text[module.span(items[-1]).end : module.span(root).end])


def _arguments_in_order(call: ast.Call) -> Sequence[ast.expr]:
    return sorted(arguments_of(call), key=position)
