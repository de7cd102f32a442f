"""The decision about a query that ends in a method that Flask-SQLAlchemy adds to Query.

Since 3.0 its object has methods of the same names that take a statement. They differ in what they
execute: ``Query.first_or_404`` asks for one row, ``db.first_or_404`` for what the statement says;
``Query.one_or_404`` removes duplicates, ``db.one_or_404`` does not; ``db.paginate`` does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.decide.distinct import check_distinct
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import decide_executed
from awaken.codemods.sqlalchemy.query_to_select.payload import ExtensionRewrite, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import translate
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.entities import classify_all
from awaken.project.frameworks.loads.query_items import Kind, What, kind_of

# The end of Query that gives the same rows, as which the statement is judged.
_EXECUTED_AS = {"first_or_404": "first", "one_or_404": "one", "paginate": "all"}
_PAGINATE = frozenset({"page", "per_page", "max_per_page", "error_out", "count"})
_SETTINGS = frozenset({"limit", "offset", "slice", "from_statement", "yield_per", "autoflush"})
_SETTINGS |= {"execution_options", "populate_existing"}
_DESCRIBED = 2
"""Arguments of ``get_or_404``: a key and a description."""


def decide_extension(reader: Reader, chain: Chain) -> Decision:
    """Decide the rewrite of a ``chain`` that ends in a method of Flask-SQLAlchemy."""
    check_extension_version(reader, chain.end)
    if chain.extension is None:
        what = f"no known Query class has the method `.{chain.end}()`"
        raise Refused(reasons.EXTENSION_METHOD, what)
    call = chain.node
    if not isinstance(call, ast.Call) or any(isinstance(a, ast.Starred) for a in call.args):
        raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() with these arguments")
    # The statement goes in front of the arguments, where comments would lose their place.
    refuse_comments_of_end(reader, call)
    if chain.end == "get_or_404":
        return _with_key(reader, chain, call)
    return _with_statement(reader, chain, call)


def check_extension_version(reader: Reader, method: str) -> None:
    """Raise Refused unless every admitted Flask-SQLAlchemy has ``db.paginate`` and the like."""
    if reader.project.targets.admits("flask-sqlalchemy", "<3.0"):
        since = f"`db.{method}()` accepts a select() only since Flask-SQLAlchemy 3.0"
        help_text = f"Require flask-sqlalchemy>=3.0, for `db.{method}(...)`."
        raise Refused(reasons.EXTENSION_METHOD, since, help_text)


def refuse_comments_of_end(reader: Reader, call: ast.Call) -> None:
    """Raise Refused if a comment is between the method's name and its end."""
    module = reader.module
    start, end = module.span(call.func).end, module.span(call).end
    refuse_comment(module.source.text[start:end])


def _with_key(reader: Reader, chain: Chain, call: ast.Call) -> Decision:
    # Query.get(), which it calls, ignores some builders and raises after others.
    if chain.links:
        what = f"`.get_or_404()` follows `.{chain.links[-1].name}()`"
        raise Refused(reasons.EXTENSION_METHOD, what, "Rewrite this call by hand.")
    items = classify_all(reader, chain.items)
    start, end = reader.module.span(call).start, reader.module.span(call.func).end
    refuse_comment(reader.module.source.text[start:end])
    is_class = len(items) == 1 and items[0].what is What.ENTITY and not items[0].aliased
    if not is_class:
        raise Refused(reasons.RAISES_TODAY, "get_or_404() accepts only one mapped class")
    names = {keyword.arg for keyword in call.keywords}
    given = len(call.args) + len(call.keywords)
    known = names <= {"description"} if call.args else names <= {"ident", "description"}
    if not known or not 1 <= given <= _DESCRIBED or (not call.args and "ident" not in names):
        raise Refused(reasons.RAISES_TODAY, "get_or_404() accepts a key and a description")
    # The method of `db` takes the description by keyword only.
    keyword = "description" if len(call.args) == _DESCRIBED else None
    return Decision(ExtensionRewrite(method="get_or_404", statement=None, keyword=keyword))


def _with_statement(reader: Reader, chain: Chain, call: ast.Call) -> Decision:
    check_arguments(chain, call)
    statement = translate(reader, read_as_executed(chain), executed=True)
    return decide_extension_call(statement, chain, call, chain.links)


def read_as_executed(chain: Chain) -> Chain:
    """Return ``chain`` with the end of Query that gives the same."""
    return replace(chain, ending="executed", end=_EXECUTED_AS[chain.end])


def decide_extension_call(
    statement: Statement, chain: Chain, call: ast.Call, links: Iterable[Link]
) -> Decision:
    """Decide how a ``statement`` is given to the method of Flask-SQLAlchemy that ``call`` calls.

    ``links`` are all the builders that made it. Raises Refused.
    """
    check_distinct(statement)
    _check_kind(chain, statement, links)
    decision = decide_executed(statement)
    decision.needs += statement.needs
    data = decision.data
    if not isinstance(data, QueryRewrite):
        raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() here")
    if chain.end == "one_or_404" and "unique" in data.then:
        what = "`.one_or_404()` removes duplicates, which `db.one_or_404()` does not"
        raise Refused(
            reasons.EXTENSION_METHOD,
            what,
            "Write `db.session.scalars(...).unique().one()` in a `try`, and abort(404) in it.",
        )
    # The method of `db` executes the statement, and reads the result, by itself.
    executed = msgspec.structs.replace(data, runs=chain.end, then=(), last=None)
    # The methods of `db` take the description by keyword only.
    keyword = "description" if call.args else None
    decision.data = ExtensionRewrite(method=chain.end, statement=executed, keyword=keyword)
    return decision


def check_arguments(chain: Chain, call: ast.Call) -> None:
    """Raise Refused unless the method of Flask-SQLAlchemy's object takes what ``call`` gives."""
    names = {keyword.arg for keyword in call.keywords}
    if chain.end == "paginate":
        if call.args:
            raise Refused(
                reasons.RAISES_TODAY,
                "paginate() accepts only keyword arguments since Flask-SQLAlchemy 3.0",
            )
        if not names <= _PAGINATE:
            raise Refused(reasons.LEGACY_ARGUMENT, "paginate() with these arguments")
    elif len(call.args) + len(call.keywords) > 1 or not names <= {"description"}:
        raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() with these arguments")


def _check_kind(chain: Chain, statement: Statement, links: Iterable[Link]) -> None:
    if kind_of(statement.items) is not Kind.ENTITY or statement.as_rows:
        what = f"`.{chain.end}()` returns rows here, and `db.{chain.end}()` returns values"
        raise Refused(reasons.EXTENSION_METHOD, what, "Rewrite this call by hand.")
    if chain.end != "paginate":
        return
    for link in links:
        if link.name in _SETTINGS:
            what = f"`.paginate()` follows `.{link.name}()`"
            raise Refused(reasons.EXTENSION_METHOD, what, "Rewrite this call by hand.")
