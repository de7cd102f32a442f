"""Writes the decided rewrite into the tree: nodes move, with their comments and line breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.rewriting.enclosing import (
    in_call,
    in_parentheses,
    inside_parentheses,
)
from awaken.codemods.sqlalchemy.query_to_select.rewriting.set_operation_rewrite import (
    operated_call,
    renamed_call,
)
from awaken.contract import Surroundings
from awaken.editing.call_arguments import bare_argument, code, fits_line, line_break
from awaken.editing.chains import chain_lines
from awaken.editing.chains.alignment import realigned_call
from awaken.editing.chains.chain_layout import (
    Space,
    can_be_laid_out,
    keeps_lines,
    lay_out,
    without_inner_parentheses,
)
from awaken.editing.parentheses import needs_parentheses, parenthesise


class _Parts(Struct, frozen=True):
    """An old chain taken apart: ``ended`` is the attribute of its terminator, if it has one.

    ``continued`` says that the terminator stays on the line of the bracket before it. ``leading``
    is the text, with comments, after brackets that open before the query.
    """

    root: cst.Call
    links: Sequence[cst.Call]
    ended: cst.Attribute | None
    continued: bool = False
    leading: Sequence[cst.ParenthesizedWhitespace] = ()

    @property
    def dots(self) -> list[cst.Dot]:
        """The dots in front of the builders and of the terminator."""
        return [*map(chain_lines.dot_of, self.links), *([self.ended.dot] if self.ended else [])]

    @property
    def query_dot(self) -> cst.Dot:
        """The dot in front of ``query``."""
        return self.root.func.dot if isinstance(self.root.func, cst.Attribute) else cst.Dot()

    @property
    def line_break(self) -> cst.Dot:
        """A dot as the chain breaks its lines, plain if it does not."""
        broken = (dot for dot in self.dots if chain_lines.has_break(dot))
        return chain_lines.clean_break(next(broken, cst.Dot()))


def rewrite_query(node: Any, data: QueryRewrite, around: Surroundings) -> cst.BaseExpression:
    """Rewrite one chain from ``session.query(...)`` to its terminator as ``data`` says."""
    if not data.given_to:
        return _rewritten(node, data, around)
    bare = node.with_changes(lpar=[], rpar=[])
    call = in_call(data.given_to, (), lambda room: _rewritten(bare, data, room), around)
    return call.with_changes(lpar=node.lpar, rpar=node.rpar)


def _rewritten(node: Any, data: QueryRewrite, around: Surroundings) -> cst.BaseExpression:
    parts = _take_apart(node, data)
    if data.runs is not None or data.wrap is not None:
        parts = _in_brackets(parts, around)
    if data.runs is not None:
        parts = _with_comments_of_brackets(parts)
    if data.runs is not None:
        statement = _statement(parts, data)
        new = _run(node, parts, statement, data, around)
        if chain_lines.has_break(new) and _may_be_wrapped(node, parts, statement, data, around):
            free = replace(parts, continued=False)
            new = _run(node, free, statement, data, inside_parentheses(around))
            return in_parentheses(new, around)
    elif data.wrap == "exists":
        new = _wrap_exists(parts, _statement(parts, data), data, around)
    else:
        return _embedded_statement(node, parts, data, around)
    return new.with_changes(lpar=node.lpar, rpar=node.rpar)


def _embedded_statement(
    node: Any, parts: _Parts, data: QueryRewrite, around: Surroundings
) -> cst.BaseExpression:
    """Return a statement that is not executed here, on its lines or on one that now takes it."""
    statement = _statement(parts, data, around.column)
    new = statement
    if data.last is not None:
        ended = cst.ensure_type(parts.ended, cst.Attribute)
        new = ended.with_changes(value=statement, attr=cst.Name(data.last))
        if data.ended != "attribute":
            new = cst.ensure_type(node, cst.Call).with_changes(func=new)
    elif data.ended != "not":
        new = new.with_changes(lpar=node.lpar, rpar=node.rpar)
    # Builders on a variable are as long as they were: their lines need not change.
    if data.shape == "held" or not can_be_laid_out(new) or keeps_lines(new, len(parts.links)):
        return new
    whole = chain_lines.one_line(without_inner_parentheses(new))
    return whole if fits_line(code(whole), around) else new


def _take_apart(node: Any, data: QueryRewrite) -> _Parts:
    ended = None
    if data.ended != "not":
        ended = cst.ensure_type(node if data.ended == "attribute" else node.func, cst.Attribute)
    current = node if ended is None else ended.value
    links: list[cst.Call] = []
    for _ in data.links:
        call = cst.ensure_type(current, cst.Call)
        links.append(call)
        current = cst.ensure_type(call.func, cst.Attribute).value
    # A variable is taken for a call of it, so that every chain starts with a call.
    root = cst.Call(current) if data.shape == "held" else cst.ensure_type(current, cst.Call)
    return _Parts(root, links[::-1], ended)


def _in_brackets(parts: _Parts, around: Surroundings) -> _Parts:
    """Return ``parts`` without backslashes: the statement gets brackets of its own."""
    indent = chain_lines.line_indent(parts.query_dot, around)
    links = [
        chain_lines.with_dot(link, chain_lines.in_brackets(chain_lines.dot_of(link), indent))
        for link in parts.links
    ]
    if parts.ended is None:
        return replace(parts, links=links)
    dot = chain_lines.in_brackets(parts.ended.dot, indent)
    continued = chain_lines.is_continued(parts.ended.dot)
    return replace(parts, links=links, ended=parts.ended.with_changes(dot=dot), continued=continued)


def _with_comments_of_brackets(parts: _Parts) -> _Parts:
    """Return ``parts`` with the comments of brackets around a part of the chain elsewhere.

    These brackets are left out. A comment after an opening bracket goes before the statement. One
    before a closing bracket goes before the code that follows the bracket.
    """
    calls = [parts.root, *parts.links]
    bracketed = calls if parts.ended is not None else calls[:-1]
    leading = [
        bracket.whitespace_after
        for call in reversed(bracketed)
        for bracket in call.lpar
        if isinstance(bracket.whitespace_after, cst.ParenthesizedWhitespace)
        and chain_lines.has_comment(bracket.whitespace_after)
    ]
    dots = parts.dots
    for position, call in enumerate(bracketed):
        for bracket in call.rpar:
            space = bracket.whitespace_before
            if isinstance(space, cst.ParenthesizedWhitespace) and chain_lines.has_comment(space):
                dots[position] = chain_lines.dot_behind(space, dots[position], parts.line_break)
    links = [chain_lines.with_dot(link, dot) for link, dot in zip(parts.links, dots, strict=False)]
    ended, continued = parts.ended, parts.continued
    if ended is not None:
        continued = continued or (
            dots[-1] is not ended.dot and not chain_lines.has_break(ended.dot)
        )
        ended = ended.with_changes(dot=dots[-1])
    return replace(parts, links=links, ended=ended, continued=continued, leading=leading)


# --------------------------------------------------------------------------------- the statement
def _statement(parts: _Parts, data: QueryRewrite, column: int | None = None) -> cst.BaseExpression:
    """Return the statement, with arguments below each other if it still starts at ``column``."""
    statement = _start(parts, data)
    if column is not None and isinstance(statement, cst.Call) and data.shape == "items":
        statement = realigned_call(parts.root, statement, column)
    bare = data.runs is not None
    names: Sequence[tuple[str, str]] = ()
    for link, edit in zip(parts.links, data.links, strict=True):
        if edit.operation is not None:
            statement = operated_call(statement, link, edit.operation)
            names = edit.operation.renamed
        else:
            ours = renamed_call(link, names, is_option=edit.call == "options")
            statement = _link(ours, edit, statement, bare)
            if column is not None and isinstance(statement, cst.Call):
                statement = realigned_call(link, statement, column)
    for source in data.extra:
        call = cst.ensure_type(cst.parse_expression(source), cst.Call)
        dot = parts.line_break
        # Additions take the place of the terminator, with its line break.
        if parts.ended is not None and chain_lines.has_break(parts.ended.dot):
            dot = parts.ended.dot
        name = cst.ensure_type(call.func, cst.Name)
        statement = call.with_changes(func=cst.Attribute(statement, name, dot=dot))
    return statement


def _start(parts: _Parts, data: QueryRewrite) -> cst.BaseExpression:
    """Return ``select(...)`` with the items of ``query(...)``, or with what counts them."""
    root = parts.root
    if data.shape == "held":
        return root.func if data.source is None else _name(data.source)
    start = root.with_changes(func=_name(data.select), args=items_of(root))
    if data.runs is not None:
        start = start.with_changes(lpar=[], rpar=[])
    if data.shape == "items":
        return start
    first = cst.Call(cst.Attribute(_name(data.func), cst.Name("count"))) if data.func else None
    counted = cst.Call(_name(data.select), [cst.Arg(first or cst.Integer("1"))])
    if data.shape == "one" and data.source is None:
        return counted
    dot = parts.line_break if parts.links else cst.Dot()
    func = cst.Attribute(counted, cst.Name("select_from"), dot=dot)
    if data.shape == "count" and data.source is None:
        return start.with_changes(func=func)
    return cst.Call(func, [cst.Arg(_name(data.source or ""))])


def items_of(root: cst.Call) -> Sequence[cst.Arg]:
    """Return what ``query(...)`` or ``Query(...)`` asks for, as arguments."""
    return root.args if _is_method(root) else _constructor_items(root)


def _is_method(root: cst.Call) -> bool:
    return isinstance(root.func, cst.Attribute) and root.func.attr.value == "query"


def _constructor_items(root: cst.Call) -> Sequence[cst.Arg]:
    """The items of ``Query(Model, session)`` or ``Query([Model.a, Model.b])``."""
    first = root.args[0]
    # Unlike query() and select(), the class takes several items as one list.
    if isinstance(first.value, cst.List | cst.Tuple):
        return [
            cst.Arg(
                element.value,
                star="*" if isinstance(element, cst.StarredElement) else "",
                comma=element.comma,
            )
            for element in first.value.elements
        ]
    return [bare_argument(first)]


def _link(
    link: cst.Call, edit: LinkEdit, statement: cst.BaseExpression, bare: bool
) -> cst.BaseExpression:
    if edit.call is None:
        return statement
    func = cst.ensure_type(link.func, cst.Attribute)
    func = func.with_changes(value=statement, attr=cst.Name(edit.call))
    changed = link.with_changes(func=func)
    # Execution puts the chain into brackets, so that those around its parts can go.
    if bare:
        changed = changed.with_changes(lpar=[], rpar=[])
    if edit.arguments is not None:
        arguments = cst.ensure_type(cst.parse_expression(f"f({edit.arguments})"), cst.Call).args
        space = cst.SimpleWhitespace("")
        return changed.with_changes(args=arguments, whitespace_before_args=space)
    if edit.keyword is not None:
        return changed.with_changes(args=[_keyword(link.args[0], edit.keyword)])
    if edit.target is not None:
        return changed.with_changes(args=[_comparison(a, edit.target) for a in link.args])
    if edit.parent is not None:
        call = cst.Call(_name(edit.parent), _with_argument(link.args, edit.relationship))
        return changed.with_changes(args=[cst.Arg(call)])
    return changed


def _with_argument(given: Sequence[cst.Arg], text: str | None) -> Sequence[cst.Arg]:
    """Return the arguments ``given``, with one more that is written ``text``."""
    if text is None:
        return given
    last = given[-1]
    if not isinstance(last.comma, cst.Comma):
        last = last.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return [*given[:-1], last, cst.Arg(cst.parse_expression(text))]


def _keyword(argument: cst.Arg, keyword: str) -> cst.Arg:
    space = cst.SimpleWhitespace("")
    return argument.with_changes(keyword=cst.Name(keyword), equal=cst.AssignEqual(space, space))


def _comparison(argument: cst.Arg, target: str) -> cst.Arg:
    """``key=value`` → ``target.key == value``; ``**values`` → one comparison for each of them."""
    if argument.star == "**":
        # Which keys there are is known only when the program runs.
        text = f"[getattr({target}, key) == value for key, value in x.items()]"
        many = cst.ensure_type(cst.parse_expression(text), cst.ListComp)
        pairs = cst.Call(cst.Attribute(_owner(argument.value), cst.Name("items")))
        value = many.with_changes(for_in=many.for_in.with_changes(iter=pairs))
        return argument.with_changes(star="*", value=value)
    if argument.keyword is None:
        return argument
    comparison = cst.Comparison(
        cst.Attribute(_name(target), argument.keyword),
        [cst.ComparisonTarget(cst.Equal(), _operand(argument.value))],
    )
    return argument.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT, value=comparison)


def _operand(value: cst.BaseExpression) -> cst.BaseExpression:
    target = cst.ComparisonTarget(cst.Equal(), value)
    return parenthesise(value) if needs_parentheses(target, "comparator", value) else value


def _owner(value: cst.BaseExpression) -> cst.BaseExpression:
    attribute = cst.Attribute(value, cst.Name("x"))
    return parenthesise(value) if needs_parentheses(attribute, "value", value) else value


def with_owner(value: cst.BaseExpression, name: str) -> cst.Attribute:
    """Return ``value.name``, in parentheses where an attribute needs them."""
    return cst.Attribute(_owner(value), cst.Name(name))


def _name(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


# ---------------------------------------------------------------------------------- its enclosure
def _wrap_exists(
    parts: _Parts, statement: cst.BaseExpression, data: QueryRewrite, around: Surroundings
) -> cst.BaseExpression:
    indent = chain_lines.line_indent(parts.query_dot, around)
    function = _name(data.exists)
    ending = parts.ended.dot.whitespace_before if parts.ended else None
    moved = chain_lines.move(statement, parts.line_break, indent + around.indent, around.indent)
    return chain_lines.enclose(function, moved, indent, around.indent, ending)


def _run(
    node: Any,
    parts: _Parts,
    statement: cst.BaseExpression,
    data: QueryRewrite,
    around: Surroundings,
) -> cst.BaseExpression:
    """Return ``session.scalars(statement).unique().all()``, on one line if its author had it so."""
    fluent = _is_fluent(parts, data, around)
    call = _session_method(parts, data)
    if not fluent and not chain_lines.has_comment(call.dot.whitespace_before):
        call = call.with_changes(dot=cst.Dot())
    indent = chain_lines.line_indent(call.dot, around)
    room = Space(indent, around.indent, _length(around, fluent=fluent))
    dot = cst.Dot(whitespace_before=line_break(indent)) if fluent else cst.Dot()
    if parts.leading or _trailing_comment(parts, data) or not can_be_laid_out(statement):
        executed = _as_it_was(call, parts, statement, data, room)
        return _tail(node, executed, data, dot)
    whole = chain_lines.one_line(statement)
    whole = _count_inline(whole, data) if data.wrap == "count" else whole
    stays = keeps_lines(statement, len(parts.links))
    inline = _tail(node, cst.Call(call, [cst.Arg(whole)]), data, cst.Dot())
    if not stays and (around.breaks_around or fits_line(code(inline), around, fluent=fluent)):
        return inline
    executed = cst.Call(call, [cst.Arg(whole)])
    if not (fluent and room.fits(executed) and not stays) and not isinstance(whole, cst.Name):
        inner = _broken_statement(statement, whole, parts, data, room.inner())
        executed = chain_lines.broken_call(call, inner, indent, around.indent)
    return _tail(node, executed, data, dot)


def _is_fluent(parts: _Parts, data: QueryRewrite, around: Surroundings) -> bool:
    """Whether each call on the result gets a line: of several, where lines may be broken freely."""
    starts_line = around.column == len(around.line_indent)
    is_free = around.parentheses is not None or (around.bracketed and starts_line)
    return _calls_on_result(data) > 1 and is_free and not parts.continued


def _calls_on_result(data: QueryRewrite) -> int:
    return len(data.then) + (data.last is not None)


def _may_be_wrapped(
    node: Any,
    parts: _Parts,
    statement: cst.BaseExpression,
    data: QueryRewrite,
    around: Surroundings,
) -> bool:
    """Whether a value of several lines reads better in parentheses, as black has it.

    It does with more than one call on the result. Comments stay where they are.
    """
    has_comments = parts.leading or _trailing_comment(parts, data)
    return (
        around.is_value
        and not (around.bracketed or around.breaks_around or around.parentheses or node.lpar)
        and _calls_on_result(data) > 1
        and not has_comments
        and can_be_laid_out(statement)
    )


def _length(around: Surroundings, *, fluent: bool) -> int:
    """The longest line at the place of the code, while the parentheses are still around it."""
    if fluent or around.parentheses is None:
        return around.line_length
    return around.line_length + around.parentheses.outdent


def _as_it_was(
    call: cst.Attribute,
    parts: _Parts,
    statement: cst.BaseExpression,
    data: QueryRewrite,
    room: Space,
) -> cst.Call:
    """Return the execution of a statement with comments, which keeps its lines."""
    indent, step = room.indent, room.step
    ending = None if data.extra or parts.ended is None else parts.ended.dot.whitespace_before
    if data.wrap == "count":
        moved: cst.BaseExpression = _count_broken(statement, parts, data, indent + step, step)
        ending = None
    else:
        moved = chain_lines.move(statement, parts.line_break, indent + step, step)
    executed = chain_lines.broken_call(call, moved, indent, step, ending)
    return chain_lines.with_leading(executed, parts.leading, indent + step)


def _broken_statement(
    statement: cst.BaseExpression,
    whole: cst.BaseExpression,
    parts: _Parts,
    data: QueryRewrite,
    room: Space,
) -> cst.BaseExpression:
    """Return a statement on lines of its own; ``whole`` is what is executed of it, on one line."""
    if data.wrap != "count":
        return lay_out(statement, len(parts.links), room)
    if room.fits(whole) and not keeps_lines(statement, len(parts.links)):
        return whole
    counted = cst.Attribute(_select_count(data), cst.Name("select_from"))
    inner = room.inner()
    moved = lay_out(_subquery(statement, cst.Dot()), len(parts.links), inner)
    return chain_lines.broken_call(counted, moved, room.indent, room.step)


def _trailing_comment(parts: _Parts, data: QueryRewrite) -> bool:
    return (
        not data.extra
        and parts.ended is not None
        and chain_lines.has_comment(parts.ended.dot.whitespace_before)
    )


def _session_method(parts: _Parts, data: QueryRewrite) -> cst.Attribute:
    method = cst.Name(data.runs or "")
    # A statement in a variable says nothing of its session.
    if data.given:
        return cst.Attribute(_name(data.given), method)
    if data.session == "receiver":
        func = cst.ensure_type(parts.root.func, cst.Attribute).with_changes(attr=method)
        is_wrapped = parts.root.lpar or any(link.lpar for link in parts.links)
        # The line break before `query` was in brackets that are gone.
        return func.with_changes(dot=cst.Dot()) if is_wrapped else func
    if data.session == "argument":
        session = parts.root.args[1].value
    else:
        session = parts.links[int(data.session)].args[0].value
    return with_owner(session, data.runs or "")


def _count_broken(
    statement: cst.BaseExpression, parts: _Parts, data: QueryRewrite, indent: str, step: str
) -> cst.Call:
    """The count of a subquery of several lines; a comment before ``.count()`` stays after it."""
    counted = cst.Attribute(_select_count(data), cst.Name("select_from"))
    dot = parts.ended.dot if parts.ended is not None else parts.line_break
    whole = _subquery(statement, dot)
    moved = chain_lines.move(whole, parts.line_break, indent + step, step + step)
    return chain_lines.broken_call(counted, moved, indent, step)


def _select_count(data: QueryRewrite) -> cst.Call:
    count = cst.Call(cst.Attribute(_name(data.func), cst.Name("count")))
    return cst.Call(_name(data.select), [cst.Arg(count)])


def _subquery(statement: cst.BaseExpression, dot: cst.Dot) -> cst.Call:
    return cst.Call(cst.Attribute(statement, cst.Name("subquery"), dot=dot))


def _count_inline(statement: cst.BaseExpression, data: QueryRewrite) -> cst.Call:
    func = cst.Attribute(_select_count(data), cst.Name("select_from"))
    return cst.Call(func, [cst.Arg(_subquery(statement, cst.Dot()))])


def _tail(
    node: Any, executed: cst.BaseExpression, data: QueryRewrite, dot: cst.Dot
) -> cst.BaseExpression:
    """Call on ``executed`` what comes after the execution."""
    result = executed
    for name in data.then:
        result = cst.Call(cst.Attribute(result, cst.Name(name), dot=dot))
    if data.last is None:
        return result
    attribute = cst.Attribute(result, cst.Name(data.last), dot=dot)
    # The brackets around the old query are put around the whole in the end.
    return cst.ensure_type(node, cst.Call).with_changes(func=attribute, lpar=[], rpar=[])
