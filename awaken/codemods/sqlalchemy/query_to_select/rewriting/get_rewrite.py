"""Writes ``query(Model)...get(key)`` as ``session.get(Model, key, ...)``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from awaken.codemods.sqlalchemy.query_to_select.payload import GetRewrite, GetSetting
from awaken.codemods.sqlalchemy.query_to_select.rewriting.rewrite import items_of, with_owner
from awaken.contract import Surroundings
from awaken.editing.arguments import code, line_break

_NO_SPACE = cst.SimpleWhitespace("")


def rewrite_get(node: cst.Call, data: GetRewrite, around: Surroundings) -> cst.Call:
    """``session.query(Model).options(x).get(key)`` → ``session.get(Model, key, options=[x])``."""
    links, root = _take_apart(node, len(data.settings))
    model = items_of(root)[0].with_changes(
        comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")), whitespace_after_arg=_NO_SPACE
    )
    # The key keeps its place between the brackets, with its line breaks and comments.
    if not data.settings:
        func = _session_get(root, links, data)
        return node.with_changes(func=func, args=[model, *node.args])
    # The call is formatted again, so a line break before `query` goes.
    func = _session_get(root, links, data).with_changes(dot=cst.Dot())
    settings = [
        _setting(name, arguments) for name, arguments in _gathered(links, data.settings).items()
    ]
    return _call(func, [model, *map(_bare, node.args), *settings], around)


def _take_apart(node: cst.Call, count: int) -> tuple[list[cst.Call], cst.Call]:
    links: list[cst.Call] = []
    current = _called_on(node)
    for _ in range(count):
        links.append(current)
        current = _called_on(current)
    return links[::-1], current


def _called_on(call: cst.Call) -> cst.Call:
    return cst.ensure_type(cst.ensure_type(call.func, cst.Attribute).value, cst.Call)


def _session_get(root: cst.Call, links: Sequence[cst.Call], data: GetRewrite) -> cst.Attribute:
    if data.session == "receiver":
        return cst.ensure_type(root.func, cst.Attribute).with_changes(attr=cst.Name("get"))
    # `Query(User, session)` has it after the class, `with_session(session)` alone.
    call, position = (root, 1) if data.session == "argument" else (links[data.session], 0)
    return with_owner(call.args[position].value, "get")


def _gathered(
    links: Sequence[cst.Call], settings: Sequence[GetSetting]
) -> dict[GetSetting, list[cst.Arg]]:
    """Return the arguments of all builders of each kind, in the order of the chain."""
    result: dict[GetSetting, list[cst.Arg]] = {}
    for link, setting in zip(links, settings, strict=True):
        if setting != "dropped":
            result.setdefault(setting, []).extend(map(_bare, link.args))
    return result


def _setting(name: GetSetting, arguments: Sequence[cst.Arg]) -> cst.Arg:
    value: cst.BaseExpression
    if name == "options":
        value = cst.List([_element(argument) for argument in arguments])
    elif name == "populate_existing" or not arguments:
        # with_for_update() without arguments is `with_for_update=True` there.
        value = cst.Name("True")
    else:
        value = cst.Dict(list(_entries(arguments)))
    return cst.Arg(value, keyword=cst.Name(name), equal=cst.AssignEqual(_NO_SPACE, _NO_SPACE))


def _element(argument: cst.Arg) -> cst.BaseElement:
    starred = argument.star == "*"
    return cst.StarredElement(argument.value) if starred else cst.Element(argument.value)


def _entries(arguments: Sequence[cst.Arg]) -> Iterator[cst.BaseDictElement]:
    for argument in arguments:
        if argument.keyword is None:
            yield cst.StarredDictElement(argument.value)
        else:
            yield cst.DictElement(cst.SimpleString(f'"{argument.keyword.value}"'), argument.value)


def _bare(argument: cst.Arg) -> cst.Arg:
    """Return ``argument`` without what separates it from the next one."""
    return argument.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=_NO_SPACE)


def _call(func: cst.Attribute, args: Sequence[cst.Arg], around: Surroundings) -> cst.Call:
    """Return the call on one line; else with its arguments on one line, or on one each."""
    args = [_bare(argument) for argument in args]
    call = cst.Call(func, args)
    text = code(call)
    if around.column + len(text) + around.trailing <= around.line_length and "\n" not in text:
        return call
    indent = around.line_indent
    inner = line_break(indent + around.indent)
    width = len(indent + around.indent) + len(text) - len(code(func)) - len("()")
    separator = inner
    last = args[-1].with_changes(comma=cst.Comma(whitespace_after=line_break(indent)))
    if width <= around.line_length and "\n" not in text:
        separator = cst.SimpleWhitespace(" ")  # type: ignore[assignment]
        last = args[-1].with_changes(whitespace_after_arg=line_break(indent))
    first = [item.with_changes(comma=cst.Comma(whitespace_after=separator)) for item in args[:-1]]
    return cst.Call(func, [*first, last], whitespace_before_args=inner)
