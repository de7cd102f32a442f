"""Writes ``query(Model)...get(key)`` as ``session.get(Model, key, ...)``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from awaken.codemods.sqlalchemy.query_to_select.payload import GetRewrite, GetSetting
from awaken.codemods.sqlalchemy.query_to_select.rewriting.rewrite import items_of, with_owner
from awaken.contract import Surroundings
from awaken.editing.call_arguments import bare_argument, fit_arguments, keyword_argument

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
        _setting(name, arguments)
        for name, arguments in _arguments_by_setting(links, data.settings).items()
    ]
    args = map(bare_argument, [model, *node.args, *settings])
    return fit_arguments(cst.Call(func, [*args]), around, stays=False)


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


def _arguments_by_setting(
    links: Sequence[cst.Call], settings: Sequence[GetSetting]
) -> dict[GetSetting, list[cst.Arg]]:
    """Return the arguments of all builders of each kind, in the order of the chain."""
    result: dict[GetSetting, list[cst.Arg]] = {}
    for link, setting in zip(links, settings, strict=True):
        if setting != "dropped":
            result.setdefault(setting, []).extend(map(bare_argument, link.args))
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
    return keyword_argument(name, value)


def _element(argument: cst.Arg) -> cst.BaseElement:
    starred = argument.star == "*"
    return cst.StarredElement(argument.value) if starred else cst.Element(argument.value)


def _entries(arguments: Sequence[cst.Arg]) -> Iterator[cst.BaseDictElement]:
    for argument in arguments:
        if argument.keyword is None:
            yield cst.StarredDictElement(argument.value)
        else:
            yield cst.DictElement(cst.SimpleString(f'"{argument.keyword.value}"'), argument.value)
