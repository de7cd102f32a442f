"""The labels that Query adds to columns, in SQL that is written as text: ``users_name``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.help import short_text
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.sql_names import sql_names
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.f_strings import text_parts
from awaken.project.source.trees import is_text
from awaken.project.source.worklist import Worklist


def refuse_labels(statement: Statement, criterion: ast.expr) -> None:
    """Raise Refused where a text names a label of Query, because a select() has none."""
    nodes = (criterion, *(leaf for _, leaf in _leaves(statement.reader, criterion)))
    words = {word for node in nodes for word in _words(node)}
    for label in _labels(statement) if words else ():
        if label in words:
            raise Refused(reasons.LABEL_IN_TEXT, label)


def label_caveats(statement: Statement) -> list[str]:
    """Return the caveats of texts that are computed: they may name a label."""
    label = next(_labels(statement), None)
    computed = [
        text
        for criterion in (statement.criteria if label is not None else ())
        for text, leaf in _leaves(statement.reader, criterion)
        # A word that ends with an underscore goes on in another part of the text.
        if not is_text(leaf) or any(word != word.strip("_") for word in _words(leaf))
    ]
    shown = dict.fromkeys(map(short_text, computed))
    return [f"the text `{text}` finds no label of Query, such as `{label}`" for text in shown]


def _words(node: ast.expr) -> list[str]:
    return re.findall(r"\w+", str(node.value)) if isinstance(node, ast.Constant) else []


def _labels(statement: Statement) -> Iterator[str]:
    """Yield the labels, each of the table and the column."""
    for item in statement.items:
        mapped = statement.reader.project.orm.mapped_class(item.model) if item.model else None
        if mapped is not None and mapped.tablename is not None:
            # A label that is also the name of a column is found in both styles.
            labels = {f"{mapped.tablename}_{name}" for name in mapped.columns}
            yield from sorted(labels - set(mapped.columns))


def _leaves(reader: Reader, criterion: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each ``text(...)`` in a criterion, or in a variable of it, with each of its parts."""
    waiting = Worklist([criterion])
    for expression in waiting:
        for node in ast.walk(expression):
            match node:
                case ast.Name():
                    waiting += filter(None, [reader.only_value(node)])
                case ast.Call(func=func, args=[text, *_]):
                    if reader.library_name(func) in sql_names().by_text:
                        yield from ((text, leaf) for leaf in _parts(reader, text))


def _parts(reader: Reader, text: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of a text, those of variables and of both sides of a condition."""
    waiting = Worklist([text])
    for node in waiting:
        value = reader.only_value(node) if isinstance(node, ast.Name) else None
        inner = node.value if isinstance(node, ast.FormattedValue) else value
        below = text_parts(node) or branches(node)
        below = [inner] if inner is not None else below if below != [node] else []
        waiting += below
        if not below:
            yield node
