"""Comments inside a query: a rewrite that would lose one is refused."""

from __future__ import annotations

import io
import tokenize

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement


def keep_comments(statement: Statement, link: Link, position: int, edit: LinkEdit) -> None:
    """Raise Refused if ``edit`` replaces a part of the builder ``link`` that holds a comment."""
    # A new name leaves the brackets and their content as they are.
    if edit.call is not None and edit.arguments is None:
        return
    module = statement.reader.module
    links = statement.chain.links
    before = links[position - 1].call if position else statement.chain.root
    # A builder that is dropped takes its dot, and the line break in front of it, along.
    start = before if edit.call is None else link.call.func
    text = module.source.text[module.span(start).end : module.span(link.call).end]
    refuse_comment(text)


def refuse_comment(source: bytes) -> None:
    """Raise Refused if ``source``, a piece of an expression, holds a comment."""
    text = source.decode("utf-8")
    comment = _comment_in(text) if "#" in text else None
    if comment is not None:
        raise Refused(reasons.COMMENT_LOST, comment)


def _comment_in(text: str) -> str | None:
    """Return the first comment of a piece of an expression; None if ``#`` is in a string."""
    try:
        # In brackets, a line break inside the piece ends no statement.
        tokens = list(tokenize.generate_tokens(io.StringIO(f"({text})\n").readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        # Unreadable text counts as a comment: too many queries stay, but none is lost.
        return text[text.index("#") :].partition("\n")[0].rstrip()
    return next((token.string for token in tokens if token.type == tokenize.COMMENT), None)
