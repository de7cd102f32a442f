"""The places that read attributes by a text: ``getattr``, ``attrgetter``, ``format`` and the like.

If no visible code calls a getter, its object is unknown; the attribute that it reads is known
anyway.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from string import Formatter

from awaken.knowledge.library_names import name_table
from awaken.project.frameworks.sqlalchemy.reads.kinds.assignments import Assignments
from awaken.project.frameworks.sqlalchemy.reads.kinds.named import NamedByText, Names
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ALL, How, Sight, Wanted
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of, last_name
from awaken.project.values.domain import Unknown
from awaken.project.values.library.higher_order import items_called_with
from awaken.workspace.parsing import Unparsable, parse_text

READING: dict[str, How] = name_table("readers_by_text")
BY_NAME = (*READING, "attrgetter")
"""Words of files that read attributes by a name, which may be imported."""
WORDS = (*BY_NAME, "__getattribute__", "attrs", "eval", "exec")
"""Words of files that may name an attribute without a dot in front of it."""
_RUNNING = {"eval", "exec"}
_BEGIN = re.compile(r"[.\[]")
_ATTRIBUTES = re.compile(r"\.([^.\[\]]+)")
# Attributes of what `inspect(user).attrs.posts` gives that load the relationship.
LOADING = {"load_history", "value"}


class TextSights:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, assignments: Assignments) -> None:
        self._evaluator = evaluator
        self._assignments = assignments
        self._named = NamedByText(evaluator)
        self._named_whole = NamedByText(evaluator, whole_only=True)

    def sights_of(
        self, module: Module, node: ast.AST, names: Collection[str], wanted: Wanted = ALL
    ) -> Iterator[Sight]:
        """Yield the sights at a node that read an attribute of one of ``names``.

        Where a text is not plain, those that are not ``wanted`` are left out.
        """
        for sight in self._all(module, node, wanted):
            if any(name in names for name in sight.path):
                yield sight

    def _all(self, module: Module, node: ast.AST, wanted: Wanted) -> Iterator[Sight]:
        match node:
            case ast.Constant(value=str() as text):
                yield from _formatted_sights(module, node, text)
            case ast.Call(func=func, args=[owner, named, *_]) if last_name(func) in READING:
                how, is_plain = READING[last_name(func)], isinstance(named, ast.Constant)
                if is_plain or (
                    wanted.holds(how, module.place(node))
                    and self._assignments.may_have_relationships(module, owner)
                ):
                    yield from self._got_sights(module, node, owner, named, how)
            case ast.Call(func=ast.Attribute(value=owner, attr="__getattribute__")):
                arguments = node.args if len(node.args) > 1 else [owner, *node.args]
                if len(arguments) > 1:
                    yield from self._got_sights(module, node, arguments[0], arguments[1], "getattr")
            case ast.Call(func=func) if last_name(func) == "attrgetter":
                yield from self._getter(module, node)
            case ast.Call(func=ast.Name(id=name), args=[text, *_]) if name in _RUNNING:
                yield from self._run(module, node, text)
            case ast.Subscript() | ast.Call(func=ast.Attribute(attr="get")):
                yield from self._of_state(module, node)

    def _got_sights(
        self, module: Module, node: ast.Call, owner: ast.expr, named: ast.expr, how: How
    ) -> Iterator[Sight]:
        for name in self._whole(module, named):
            if how != "assigned" or self._assignments.may_load(module, owner, name):
                yield Sight(module, owner, (name,), module.place(node), how)

    @cached_by(Module.place)
    def _whole(self, module: Module, node: ast.expr) -> Iterable[str]:
        return self._named_whole.names_of(module, node) or ()

    @cached_by(Module.place)
    def _known_names(self, module: Module, node: ast.expr) -> Names:
        """Return the names that an expression may be; a file is asked for others each time."""
        return self._named.visible_names(module, node)

    def _getter(self, module: Module, node: ast.Call) -> Iterator[Sight]:
        """Yield what ``attrgetter("author.name")`` reads of the objects that it is given."""
        receiver, of_items = self._given_to(module, node)
        for argument in node.args:
            for name in self._known_names(module, argument).known:
                path = tuple(name.split("."))
                if receiver is not None:
                    yield Sight(module, receiver, path, module.place(node), "getattr", of_items)
                else:
                    yield _of_unknown(module, node, path)

    def _given_to(self, module: Module, node: ast.Call) -> tuple[ast.expr | None, bool]:
        """Return what a getter is called with, and whether it is called with each item of it."""
        above, keyword = module.parent(node), ""
        if isinstance(above, ast.keyword):
            keyword, above = above.arg or "", module.parent(above)
        if not isinstance(above, ast.Call):
            return None, False
        if above.func is node:
            return (above.args[0] if above.args else None), False
        name = self._evaluator.names.qualified_name(module, above.func)
        return items_called_with(name, above, node, keyword or None, 0), True

    def _run(self, module: Module, node: ast.Call, text: ast.expr) -> Iterator[Sight]:
        """Yield what code in a text reads: its variables are those of whoever runs it."""
        for line in self._known_names(module, text).known:
            try:
                code = parse_text(line.strip().encode(errors="replace"))
            except Unparsable:
                continue
            for read in ast.walk(code):
                if isinstance(read, ast.Attribute):
                    yield _of_unknown(module, node, (read.attr,))

    def _of_state(self, module: Module, node: ast.Subscript | ast.Call) -> Iterator[Sight]:
        """Yield what ``inspect(user).attrs["posts"].value`` reads."""
        held = node.value if isinstance(node, ast.Subscript) else node.func
        held = held.value if isinstance(held, ast.Attribute) and held.attr == "get" else held
        named = node.slice if isinstance(node, ast.Subscript) else next(iter(node.args), None)
        above = module.parent(node)
        is_read = not isinstance(above, ast.Attribute) or above.attr in LOADING
        if not isinstance(held, ast.Attribute) or held.attr != "attrs" or not is_read:
            return
        for name in () if named is None else self._known_names(module, named).known:
            match held.value:
                case ast.Call(args=[owner]):
                    yield Sight(module, owner, (name,), module.place(node), "getattr")
                case _:
                    yield _of_unknown(module, node, (name,))


def may_read(node: ast.AST) -> bool:
    """Whether ``node`` may read an attribute by a text, by how it looks."""
    match node:
        case ast.Constant(value=str() as text):
            return "{" in text and "." in text
        case ast.Call(func=ast.Name() as func):
            name = last_name(func)
            return name in READING or name in _RUNNING or name == "attrgetter"
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            is_state = name == "get" and getattr(value, "attr", "") == "attrs"
            return is_state or name in READING or name in {"__getattribute__", "attrgetter"}
        case ast.Subscript(value=ast.Attribute(attr="attrs")):
            return True
    return False


def _of_unknown(module: Module, node: ast.expr, path: tuple[str, ...]) -> Sight:
    place = module.place(node)
    why = Unknown(f"the objects of `{module.excerpt(node)}` are unknown", place)
    return Sight(module, why, path, place, "getattr")


# ------------------------------------------------------------------------------------ texts
def _formatted_sights(module: Module, node: ast.Constant, text: str) -> Iterator[Sight]:
    """Yield what ``"{0.posts}".format(user)`` reads, be it formatted there or elsewhere."""
    if module.in_fstring(node):
        return
    for number, field in enumerate(_fields(text)):
        first = _BEGIN.split(field, maxsplit=1)[0]
        path = tuple(_ATTRIBUTES.findall(field))
        argument = _argument(module, node, first or str(number))
        if argument is not None and "[" not in field and path:
            yield Sight(module, argument, path, module.place(node), "attribute")
        else:
            yield from (_of_unknown(module, node, (item,)) for item in path)


def _argument(module: Module, node: ast.Constant, name: str) -> ast.expr | None:
    """Return what ``"...".format(...)`` is given under a name or number."""
    call = module.method_call_on(node)
    if call is None or last_name(call.func) != "format":
        return None
    if name.isdecimal() and int(name) < len(call.args):
        argument = call.args[int(name)]
        return None if isinstance(argument, ast.Starred) else argument
    return keyword_of(call, name)


def _fields(text: str) -> list[str]:
    try:
        return [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    except ValueError:
        return []  # Python would not format it either
