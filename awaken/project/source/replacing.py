"""Code that puts something in the place of an attribute, by its form: assignments and patches.

``session.execute = fake``, ``setattr``, ``patch``, ``patch.object``, ``patch.multiple``,
``patch.dict``, ``monkeypatch.setattr``, ``mocker.spy``, ``exec`` and whatever else takes an object
with the name of an attribute, or a dotted name. The evaluator knows the value of an owner.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter

from msgspec import Struct

from awaken.knowledge.library_names import name_list
from awaken.project.source.f_strings import is_literal, text_parts
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_super, last_name
from awaken.project.source.worklist import groups_of
from awaken.workspace.parsing import Unparsable, parse_text

UNTOLD = "?"
"""The module of a dotted name that the visible text does not say."""
_READING = name_list("logging_methods") | name_list("replacing_nothing")
_PATCHING = ("mock", "object", "patch", "setattr", "spy", "stub")
"""What the name of a call holds whose names are looked up; others have to write them as texts."""
_OPTIONS = {"autospec", "create", "new_callable", "spec", "spec_set"}  # of ``patch.multiple``
_GIVEN = {"new", "value"}  # the parameters that say what is put there
_MOCKING = {"expects", "should_receive", "stub"}  # ``flexmock(owner).should_receive("name")``
_COMPUTED = re.compile(
    rb"setattr|\bobject(?:\(| as\b)|spy|__dict__|\bvars\b|\bmultiple\b|\bglobals\b|\bmodules\b"
    rb"|(?<![.\w])exec\("
)
"""What a file holds that puts an attribute whose name it computes, or writes as a keyword."""
_DOTTED = re.compile(r"(?=.*\w)[\w.:?]*\.[\w.:?]*")
_PUT = (
    rb"\.NAME[\"']|(?:[,=({]|(?<![\w)\]])\[)[ \t\n]*[\"']NAME[\"']"  # as a text
    rb"|[\"']NAME[\"'][ \t]*\][ \t]*=(?!=)"
    rb"|\.NAME ?=(?!=)|(?:^[ \t]*+|;[ \t]*+|\bas[ \t]++)[\w.()\[\]\"']{0,200}\.NAME:"
    rb"|\.NAME,(?:[ \t]*+(?:#.*)?$|.{0,200}(?:=|\bin\b)|.{200})"  # among targets
)
"""What a file holds that puts ``NAME`` somewhere, by its text."""
_NAMESPACE = "__dict__"
_MAY_PUT = {ast.Attribute, ast.Subscript, ast.Call}
_Items = list[tuple[ast.expr, ast.expr | None]]
"""What is put into a namespace: keys, with values where these are known, or whole mappings."""


class Put(Struct, frozen=True):
    """One place ``node`` that puts something in the place of the attribute ``name`` of ``owner``.

    Without an owner ``name`` is dotted from a module on; an empty one may be any that ``key`` may
    be. ``value`` is what is put there, None where a patch makes a mock by itself.
    """

    node: ast.Call | ast.Attribute | ast.Subscript
    owner: ast.expr | None
    name: str
    value: ast.expr | None = None
    key: ast.expr | None = None

    @property
    def last(self) -> str:
        """The name of the attribute."""
        return self.name.rpartition(".")[2]

    @property
    def is_of_self(self) -> bool:
        """Whether it is an assignment ``self.name = value``."""
        is_assigned = isinstance(self.node, ast.Attribute)
        return is_assigned and isinstance(self.owner, ast.Name) and self.owner.id == "self"


@cached_in_file
def puts_in(module: Module) -> Mapping[str, Sequence[Put]]:
    """Return all that a file puts in the place of attributes, by their names."""
    nodes = (node for node in module.walk() if type(node) in _MAY_PUT)
    puts = (put for node in nodes for put in _puts(module, node))
    return groups_of(
        (each for put in puts for each in _with_items(module, put)), attrgetter("last")
    )


def puts_of(module: Module, names: Collection[str] | None) -> list[Put]:
    """Return what a file puts in the place of attributes of these names, in source order.

    None means attributes of any name.
    """
    puts = puts_in(module)
    named = [
        put for name in (puts if names is None else {"", *names}) for put in puts.get(name, ())
    ]
    return sorted(
        (put for put in named if put.owner is not None or "." in put.name),
        key=lambda put: module.span(put.node),
    )


def words_of(name: str) -> list[bytes]:
    """Return what a file holds, one of it at least, that replaces an attribute ``name``."""
    ends = ('"', "'", " =", "=", ":", ",")
    return [f"{name}{end}".encode() for end in ends[:2]] + [
        f".{name}{end}".encode() for end in ends[2:]
    ]


def may_put(text: bytes, name: str, *, on_self: bool) -> bool:
    """Whether a file may replace ``name``; ``self.name = value`` counts with ``on_self``."""
    word = re.escape(name.encode())
    rest = text if on_self else re.sub(rb"(?<![\w.])self\.%s\b" % word, b"", text)
    pattern = _PUT.replace(b"NAME", word)
    return re.search(pattern, rest, re.MULTILINE) is not None or _COMPUTED.search(text) is not None


def _puts(module: Module, node: ast.AST) -> Iterator[Put]:
    match node:
        case ast.Attribute(value=owner, attr=name, ctx=ast.Store()):
            yield Put(node, owner, name, _assigned_node(module, node))
        case ast.Subscript(value=owner, slice=key, ctx=ast.Store()):
            yield from _of_items(module, node, owner, [(key, _assigned_node(module, node))])
        case ast.Call() if last_name(node.func) not in _READING:
            yield from _by_call(module, node)


def _with_items(module: Module, put: Put) -> Iterator[Put]:
    """Yield a put, and those of all items of a mapping that is put in the place of `__dict__`."""
    yield put
    if put.name == _NAMESPACE and put.owner is not None:
        above = module.parent(put.node)
        # `self.__dict__ |= given`
        value = above.value if isinstance(above, ast.AugAssign) else put.value
        items = [] if value is None else _mapped_items(value)
        yield from _items_of_owner(module, put.node, put.owner, items)


def _assigned_node(module: Module, target: ast.expr) -> ast.expr | None:
    above = module.parent(target)
    match above:
        case ast.Assign(value=value) | ast.AnnAssign(value=value):
            return value
    return None


def _by_call(module: Module, call: ast.Call) -> Iterator[Put]:
    function, last = call.func, last_name(call.func)
    if last == "__setattr__" and isinstance(function, ast.Attribute) and len(call.args) == 2:  # noqa: PLR2004  name, value
        if not is_super(function.value):
            yield from _of_named(module, call, function.value, call.args[0], call.args)
        return
    if module.scopes.builtin_called(call) == "exec" and call.args:
        yield from _by_code(module, call)
        return
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    # ``fixtures.MonkeyPatch("module.name", value)`` has it in a call as well.
    first = call.args[0] if call.args else keywords.get("target", keywords.get("owner"))
    if last == "update":
        yield from _by_items(module, call, call.func)
    if first is None or last == "update":
        return
    rest = call.args[1:]
    if last == "multiple":
        yield from (
            _of_owner(module, call, first, name, value)
            for name, value in keywords.items()
            if name not in {*_OPTIONS, "target"}
        )
    elif last in {"dict", "setitem"}:
        yield from _by_items(module, call, first)
    elif last in _MOCKING:
        made = function.value if isinstance(function, ast.Attribute) else None
        name = text_of(module, first)
        if isinstance(made, ast.Call) and made.args and name is not None:
            yield Put(call, made.args[0], name)
    else:
        named = rest[0] if rest else keywords.get("attribute", keywords.get("name"))
        yield from _of_named(module, call, first, named, rest)


def _by_code(module: Module, call: ast.Call) -> Iterator[Put]:
    """Yield what ``exec`` assigns to names of its file, where its text is constant."""
    try:
        body = parse_text((text_of(module, call.args[0]) or "").encode()).body
    except (Unparsable, UnicodeEncodeError):
        return
    for statement in body:
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            if isinstance(target, ast.Name):
                yield Put(call, None, f"{module.name}.{target.id}", call.args[0])


def _of_named(
    module: Module,
    call: ast.Call,
    first: ast.expr,
    named: ast.expr | None,
    rest: Sequence[ast.expr],
) -> Iterator[Put]:
    last = last_name(call.func)
    last = _renamed_values(module).get(last, last)
    given = next((keyword.value for keyword in call.keywords if keyword.arg in _GIVEN), None)
    is_patch = any(word in last.lower() for word in _PATCHING)
    dotted = dotted_text(module, first) if is_patch or isinstance(first, ast.Constant) else None
    if dotted is not None:
        if _DOTTED.fullmatch(dotted):
            yield Put(call, None, dotted, rest[0] if rest else given)
        return
    if is_literal(first):
        return
    if named is None:
        # The text of a parameter, or of an item, is written elsewhere in the file.
        dotted_names = sorted(_dotted_texts(module)) if is_patch else []
        yield from (Put(call, None, name, given) for name in dotted_names)
        return
    names = texts_of(module, named) if is_patch or isinstance(named, ast.Constant) else []
    value = rest[1] if len(rest) > 1 else given
    if names is not None:
        names = [name for name in names if name.isidentifier()]
        yield from (Put(call, first, name, value, named) for name in _names_as_texts(module, names))
    elif last in {"__setattr__", "object", "setattr", "spy"}:
        yield Put(call, first, "", value, named)


@cached_in_file
def _dotted_texts(module: Module) -> frozenset[str]:
    """Return the texts of a file that may be dotted names."""
    texts = {node.value for node in module.nodes(ast.Constant) if isinstance(node.value, str)}
    return frozenset(text for text in texts if _DOTTED.fullmatch(text))


@cached_in_file
def _renamed_values(module: Module) -> Mapping[str, str]:
    """Return what imports call by another name in a file."""
    aliases = module.nodes(ast.alias)
    return {alias.asname: alias.name for alias in aliases if alias.asname is not None}


def _of_owner(
    module: Module, call: ast.Call, owner: ast.expr, name: str, value: ast.expr | None
) -> Put:
    dotted = dotted_text(module, owner)
    # ``DEFAULT`` asks for a mock.
    put = None if value is None or last_name(value) == "DEFAULT" else value
    if dotted is None:
        return Put(call, owner, name, put)
    return Put(call, None, f"{dotted}.{name}", put)


def _by_items(module: Module, call: ast.Call, first: ast.expr) -> Iterator[Put]:
    """Yield what ``patch.dict``, ``setitem`` and ``update`` put into a namespace."""
    function, rest = call.func, call.args[1:]
    items: _Items = []
    if last_name(function) == "update":
        if not isinstance(function, ast.Attribute):
            return
        first, rest = function.value, call.args
    if last_name(function) == "setitem":
        items = [(rest[0], rest[1] if len(rest) > 1 else None)] if rest else []
    else:
        items += [item for node in rest[:1] for item in _mapped_items(node)]
        items += [
            (ast.Constant(part.arg), part.value) if part.arg else (part.value, part.value)
            for part in call.keywords
        ]
    dotted = dotted_text(module, first)
    if dotted is not None and dotted.endswith(f".{_NAMESPACE}"):
        yield from _of_names(module, call, dotted.removesuffix(_NAMESPACE), items)
    elif dotted == "sys.modules":
        yield from _of_names(module, call, "", items)
    else:
        yield from _of_items(module, call, first, items)


def _mapped_items(node: ast.expr) -> _Items:
    """Return the items of a mapping; of an unread one it is both key and value."""
    if not isinstance(node, ast.Dict):
        return [(node, node)]
    pairs = zip(node.keys, node.values, strict=True)
    return [(value if key is None else key, value) for key, value in pairs]


def _of_items(
    module: Module, node: ast.Call | ast.Subscript, namespace: ast.expr, items: _Items
) -> Iterator[Put]:
    """Yield what is put into the attributes of an object, or into ``sys.modules``."""
    match namespace:
        case ast.Attribute(value=owner, attr=name) if name == _NAMESPACE:
            pass
        case ast.Call(func=ast.Name(id="vars"), args=[owner]):
            pass
        case ast.Call(func=ast.Name(id="globals" | "vars"), args=[]):
            yield from _of_names(module, node, f"{module.name}.", items)
            return
        case ast.Name() if isinstance(held := module.scopes.only_value(namespace), ast.Call):
            yield from _of_items(module, node, held, items)
            return
        case ast.Attribute(attr="modules"):
            yield from _of_names(module, node, "", items)
            return
        case _:
            return
    yield from _items_of_owner(module, node, owner, items)


def _items_of_owner(
    module: Module, node: ast.Call | ast.Attribute | ast.Subscript, owner: ast.expr, items: _Items
) -> Iterator[Put]:
    for key, value in items:
        names = _names_as_texts(module, texts_of(module, key) or [""])
        yield from (Put(node, owner, name, value, key) for name in names)


def _of_names(
    module: Module, node: ast.Call | ast.Subscript, start: str, items: _Items
) -> Iterator[Put]:
    for key, value in items:
        # Of an unknown key only the file is known that gets the name.
        for name in _names_as_texts(module, texts_of(module, key) or ([""] if start else [])):
            yield Put(node, None, f"{start}{name}", value, key)


def _names_as_texts(module: Module, names: list[str]) -> list[str]:
    """Return names that a file has as texts or keywords; an empty one for all others together."""
    text = module.source.text
    written = (any(f"{name}{end}".encode() in text for end in "\"'=") for name in names)
    return list(
        dict.fromkeys(x if is_text else "" for x, is_text in zip(names, written, strict=True))
    )


# ------------------------------------------------------------------------------------------ texts
def dotted_text(module: Module, node: ast.expr) -> str | None:
    """Return the text that ``node`` is; with ``UNTOLD`` where only its last name is visible."""
    return text_of(module, node) or _with_open_beginning(node)


def text_of(module: Module, node: ast.expr) -> str | None:
    """Return the text that ``node`` is: constants of the file are put into f-strings."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.FormattedValue():
            return text_of(module, node.value)
        case ast.Name(id="__name__"):
            return module.name
        case ast.Name():
            value = module.scopes.only_value(node)
            return text_of(module, value) if isinstance(value, ast.Constant) else None
        case ast.Attribute(value=ast.Name()):
            return _text_of_class(module, node)
        case _:
            parts = [text_of(module, part) for part in text_parts(node)]
            return None if not parts or None in parts else "".join(part or "" for part in parts)


def texts_of(module: Module, node: ast.expr) -> list[str] | None:
    """Return the texts that ``node`` is, one in each round of a loop; None if unknown."""
    binding = module.scopes.only_binding(node)
    above = None if binding is None else module.parent(binding.node)
    match above:
        case (
            ast.For(target=ast.Name(), iter=looped)
            | ast.comprehension(target=ast.Name(), iter=looped)
        ) if binding is not None and binding.kind == "for":
            texts = [text_of(module, item) for item in _items_of(module, looped)]
        case _:
            texts = [text_of(module, node)]
    known = [text for text in texts if text is not None]
    return known if known and len(known) == len(texts) else None


def _items_of(module: Module, node: ast.expr) -> list[ast.expr]:
    """Return the items that a display writes out, or the tuple that a name is bound to."""
    if isinstance(node, ast.Name):
        value = module.scopes.only_value(node)
        return value.elts if isinstance(value, ast.Tuple) else []
    return node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []


def _with_open_beginning(node: ast.expr) -> str | None:
    """Return the dotted name of which the visible text says the last name alone."""
    match text_parts(node):
        case [*_, ast.Constant(value=str(text))] if "." in text:
            return f"{UNTOLD}.{text.rpartition('.')[2]}"
    return None


def _text_of_class(module: Module, node: ast.Attribute) -> str | None:
    """Return the text that an attribute of the class around ``node`` is, where nothing sets it."""
    owner = module.enclosing_class(node)
    if owner is None or not isinstance(node.value, ast.Name):
        return None
    if node.value.id not in {"self", "cls", owner.name}:
        return None
    bindings = module.scopes.scope_made_by(owner).bindings_of(node.attr)
    value = bindings[0].value if len(bindings) == 1 else None
    is_said = isinstance(value, ast.Constant) and not _is_set_elsewhere(module, owner, node.attr)
    return text_of(module, value) if is_said and value is not None else None


def _is_set_elsewhere(module: Module, owner: ast.ClassDef, name: str) -> bool:
    """Whether something gives an attribute of a class another value: a method, a class below it."""
    for node in module.walk():
        match node:
            case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute == name:
                return True
            case ast.ClassDef() if node is not owner:
                if name in module.scopes.scope_made_by(node).bindings:
                    return True
    return False
