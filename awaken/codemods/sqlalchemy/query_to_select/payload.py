"""The data of an edit: all that the rewriter of one query needs, and nothing to look up."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Operation(Struct, frozen=True, kw_only=True):
    """How a set operation is written: all names as they are to be written.

    ``select`` is empty where the result of ``function`` is executed itself. ``model`` is the class
    that is read off the subquery, by an alias called ``name`` if later builders need one; they
    then use it for what they named before (``renamed``: old and new text).
    """

    function: str
    select: str = ""
    aliased: str = ""
    model: str | None = None
    name: str | None = None
    renamed: tuple[tuple[str, str], ...] = ()


class LinkEdit(Struct, frozen=True):
    """The rewrite of one builder of the chain, ``.filter(...)`` and the like.

    ``call`` is its new name, None drops it. The arguments stay as they are, unless ``arguments``
    replaces them by source text, ``keyword`` names the only one, or ``target`` turns each
    ``key=value`` into ``target.key == value``. ``parent`` is the function that they are passed to,
    with ``relationship`` after them. An ``operation`` puts the statement so far, and the arguments,
    into a set operation.
    """

    call: str | None
    arguments: str | None = None
    keyword: str | None = None
    target: str | None = None
    parent: str | None = None
    relationship: str | None = None
    operation: Operation | None = None


class QueryRewrite(Struct, frozen=True, kw_only=True):
    """How one chain is rewritten; ``links`` has one entry per builder, innermost first.

    ``shape`` says what the arguments of ``query(...)`` become: those of ``select`` (``items``),
    ``select(1).select_from(...)`` (``one``), or ``select(func.count()).select_from(...)``
    (``count``, of the class ``source`` where its key is asked for); a statement that is ``held`` in
    a variable starts with that, or with the text of ``source``, and is executed by the session
    ``given`` as text. ``extra`` are builders added after the last one (``limit(1)``); ``runs`` is
    the session's method that executes the statement, None where it is only embedded. ``then`` are
    calls put between the execution and ``last``, the terminator's new name (None: no terminator,
    its arguments stay as they are). ``wrap`` encloses the statement: ``exists``, or the count of
    its subquery. ``ended`` says that the anchor is the terminator itself. The statement is passed
    to the function ``given_to``: ``list``, where annotations ask for one.
    """

    select: str
    links: tuple[LinkEdit, ...] = ()
    shape: Literal["items", "one", "count", "held"] = "items"
    source: str | None = None
    extra: tuple[str, ...] = ()
    wrap: Literal["exists", "count"] | None = None
    exists: str = ""
    func: str = ""
    runs: str | None = None
    then: tuple[str, ...] = ()
    last: str | None = None
    ended: Literal["call", "attribute", "not"] = "call"
    session: Literal["receiver", "argument"] | int = "receiver"
    given: str = ""
    given_to: str = ""


class KindsRewrite(Struct, frozen=True, kw_only=True):
    """How a query is executed that asks for one class on some paths, and for columns on others.

    ``ways`` are the conditions, as source text, each with its text; ``otherwise`` is the text for
    all others.
    """

    ways: tuple[tuple[str, QueryRewrite], ...]
    otherwise: QueryRewrite


Argument = Literal["values", "order", "dialect", "synchronize_session"]


class BulkRewrite(Struct, frozen=True, kw_only=True):
    """How a chain that ends in ``.update(...)`` or ``.delete(...)`` is rewritten.

    ``arguments`` says what each argument of the terminator is; ``ordered``, that its values become
    ``ordered_values``. ``statement`` describes the chain as it is when these arguments have become
    builders of their own. ``params`` is the place of the builder whose arguments become those of
    the execution. ``rowcount`` says that the number of rows is used. ``by_criteria`` is the start
    of the statement, ``delete(Model)``, to which the criteria of the chain are passed on. ``cast``
    tells a type checker that the result has a number of rows: function and class.
    """

    statement: QueryRewrite
    arguments: tuple[Argument, ...] = ()
    ordered: bool = False
    params: int | None = None
    rowcount: bool = False
    cast: tuple[str, str] | None = None
    by_criteria: str | None = None


class SliceRewrite(Struct, frozen=True, kw_only=True):
    """How ``query[...]`` is rewritten: ``query`` gives a list, ``subscript`` is read from it."""

    query: QueryRewrite
    subscript: str | None = None


GetSetting = Literal[
    "options", "with_for_update", "populate_existing", "execution_options", "dropped"
]
"""What becomes of a builder in front of ``get()``: the argument of that name, or nothing."""


class GetRewrite(Struct, frozen=True, kw_only=True):
    """How ``session.query(Model)...get(key)`` becomes ``session.get(Model, key, ...)``.

    ``settings`` has one entry per builder, innermost first.
    """

    settings: tuple[GetSetting, ...] = ()
    session: Literal["receiver", "argument"] | int = "receiver"


class ExtensionRewrite(Struct, frozen=True, kw_only=True):
    """How a query that ends in a method of Flask-SQLAlchemy becomes the method of its object.

    ``db.paginate(select(...), page=1)``: ``statement`` names the method as what runs it, and
    ``keyword`` what an argument without a name is called there. Of ``get_or_404`` the
    ``statement`` is None: it takes the class and the key.
    """

    method: str
    statement: QueryRewrite | None
    keyword: str | None = None


class ClassRewrite(Struct, frozen=True, kw_only=True):
    """How a query is written whose start is to be read as ``session.query(Model)``.

    ``session`` is the source text to read in its place, and ``data`` says how to write it then.
    """

    session: str
    data: Struct
