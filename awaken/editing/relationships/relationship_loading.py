"""The loading of a relationship, written into its declaration."""

from __future__ import annotations

import libcst as cst

from awaken.contract import Surroundings
from awaken.editing.call_arguments import appended_call, fit_arguments, keyword_argument

_KEYWORDS = "sa_relationship_kwargs"
_DOUBLE = '"'


def with_lazy(node: cst.Call, lazy: str, around: Surroundings) -> cst.Call:
    """``relationship("Post")`` → ``relationship("Post", lazy="raise")``."""
    value = cst.SimpleString(_quoted_string(node, lazy))
    for index, argument in enumerate(node.args):
        if argument.keyword is not None and argument.keyword.value == "lazy":
            changed = argument.with_changes(value=value)
            return node.with_changes(args=[*node.args[:index], changed, *node.args[index + 1 :]])
    return _fitted_call(appended_call(node, keyword_argument("lazy", value)), around)


def with_lazy_in_keywords(
    node: cst.Call, lazy: str, around: Surroundings, depth: int = 0
) -> cst.Call:
    """``Relationship()`` → ``Relationship(sa_relationship_kwargs={"lazy": "raise"})``.

    ``depth`` is its ``join_depth``, 0 for none; one that is given stays.
    """
    quoted = _quoted_string(node, lazy)
    pairs = [_pair(quoted.replace(lazy, "lazy"), cst.SimpleString(quoted))]
    if depth:
        pairs.append(_pair(quoted.replace(lazy, "join_depth"), cst.Integer(str(depth))))
    for index, argument in enumerate(node.args):
        if argument.keyword is not None and argument.keyword.value == _KEYWORDS:
            held = cst.ensure_type(argument.value, cst.Dict)
            given = {_text(item.key) for item in held.elements if isinstance(item, cst.DictElement)}
            for pair in pairs:
                if _text(pair.key) == "lazy" or _text(pair.key) not in given:
                    held = _with_pair(held, pair)
            changed = argument.with_changes(value=held)
            return node.with_changes(args=[*node.args[:index], changed, *node.args[index + 1 :]])
    return _fitted_call(appended_call(node, keyword_argument(_KEYWORDS, cst.Dict(pairs))), around)


def with_backref(node: cst.Arg, lazy: str, function: str, depth: int = 0) -> cst.Arg:
    """``backref="posts"`` → ``backref=backref("posts", lazy="raise")``.

    ``depth`` is its ``join_depth``, 0 for none.
    """
    name = cst.Arg(node.value)
    quote = _quoted_string(cst.Call(node.value, [name]), lazy)
    keyword = keyword_argument("lazy", cst.SimpleString(quote))
    arguments = [name, keyword]
    if depth:
        arguments.append(keyword_argument("join_depth", cst.Integer(str(depth))))
    return node.with_changes(value=cst.Call(cst.parse_expression(function), arguments))


def _pair(key: str, value: cst.BaseExpression) -> cst.DictElement:
    return cst.DictElement(cst.SimpleString(key), value)


def _fitted_call(call: cst.Call, around: Surroundings) -> cst.Call:
    # Part of a line that is broken as a whole.
    return call if around.breaks_around else fit_arguments(call, around)


def _with_pair(held: cst.Dict, pair: cst.DictElement) -> cst.Dict:
    """Return a dictionary with one more pair, or with another value for the same key."""
    for index, element in enumerate(held.elements):
        if isinstance(element, cst.DictElement) and _text(element.key) == _text(pair.key):
            changed = element.with_changes(value=pair.value)
            rest = held.elements[index + 1 :]
            return held.with_changes(elements=[*held.elements[:index], changed, *rest])
    if not held.elements:
        return held.with_changes(elements=[pair])
    *before, last = held.elements
    if isinstance(last.comma, cst.Comma):
        between = last.comma.whitespace_after
        if isinstance(between, cst.ParenthesizedWhitespace) and before:
            first = before[0].comma
            between = first.whitespace_after if isinstance(first, cst.Comma) else between
        kept = last.with_changes(comma=last.comma.with_changes(whitespace_after=between))
        return held.with_changes(elements=[*before, kept, pair.with_changes(comma=last.comma)])
    kept = last.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return held.with_changes(elements=[*before, kept, pair])


def _text(node: cst.BaseExpression) -> object:
    return node.evaluated_value if isinstance(node, cst.SimpleString) else None


def _quoted_string(node: cst.Call, value: str) -> str:
    """Return a string in the quotes that the call has most of."""
    quotes = [
        argument.value.value[:1]
        for argument in node.args
        if isinstance(argument.value, cst.SimpleString) and _is_plain(argument.value)
    ]
    quote = "'" if quotes and quotes.count("'") > quotes.count(_DOUBLE) else _DOUBLE
    return f"{quote}{value}{quote}"


def _is_plain(node: cst.SimpleString) -> bool:
    return node.value[0] in {"'", '"'} and node.value[:3] not in {"'''", '"""'}
