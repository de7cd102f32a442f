"""The expressions of a template: their values and their reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jinja2 import nodes

from awaken.knowledge.library_names import library_names
from awaken.knowledge.templates import library_templates
from awaken.project.frameworks.sqlalchemy.reads.read_facts import BY_KEY, CALL, ITEM
from awaken.project.frameworks.templates.record import (
    NOTHING,
    Atom,
    Holder,
    ImportOf,
    LoopOf,
    MacroOf,
    NamespaceOf,
    Record,
    Scope,
    Unseen,
    Value,
    Way,
    held_value,
    union_of,
)

PRINTED = "__str__"
"""The attribute that stands for whatever makes text of an object."""

_KEEPING = {"list", "reject", "rejectattr", "reverse", "safe", "select", "selectattr", "sort"}
_KEEPING |= {"unique"}
_TAKING = {"first", "last", "random", "min", "max", "sum"}
_ATTRIBUTE_AT = library_templates().attribute_at
_SILENT = {"count", "length"}
_PLAIN = {"abs", "capitalize", "center", "e", "escape", "filesizeformat", "float", "forceescape"}
_PLAIN |= {"format", "indent", "int", "join", "lower", "pprint", "replace", "round", "string"}
_PLAIN |= {"striptags", "title", "tojson", "trim", "truncate", "upper", "urlencode", "urlize"}
_PLAIN |= {"wordcount", "wordwrap", "xmlattr", *_SILENT}
_TRANSLATING = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
FILTER_ROOT = "|"  # what a filter of the program gives stands under its name behind this


class Expressions(ABC):
    """Follows expressions; ``template_reads`` knows macros and loops."""

    def __init__(self, record: Record) -> None:
        self.record = record
        # By class, because reads of one of them say nothing about another.
        self._by_type: dict[type, Callable[[Any, Scope], Value]] = {
            nodes.Add: self._either,
            nodes.And: self._either,
            nodes.Call: self._call,
            nodes.Concat: self._text,
            nodes.CondExpr: self._choice,
            nodes.Dict: self._dictionary,
            nodes.Filter: self._filter,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._item,
            nodes.List: self._display,
            nodes.Mod: self._text,
            nodes.Mul: self._either,
            nodes.Name: self._variable,
            nodes.Or: self._either,
            nodes.Tuple: self._display,
        }

    @abstractmethod
    def macro(self, number: int, arguments: Sequence[Value], keywords: dict[str, Value]) -> Value:
        """Return what a call of a macro gives."""

    @abstractmethod
    def loop_attribute(self, number: int, name: str) -> Value:
        """Return what an attribute of ``loop`` is."""

    @abstractmethod
    def loop_again(self, number: int, items: Value) -> None:
        """Run the body of a recursive loop for other items."""

    @abstractmethod
    def imported_name(self, number: int, name: str) -> Value:
        """Return a name of an imported template."""

    def value(self, node: nodes.Node | None, scope: Scope) -> Value:
        """Return what an expression may be, after noting what it reads."""
        if node is None:
            return NOTHING
        self.record.step(node.lineno or self.record.line)
        return self._by_type.get(type(node), self._parts_alone)(node, scope)

    def _parts_alone(self, node: nodes.Node, scope: Scope) -> Value:
        """Read the parts of what gives no object."""
        for child in node.iter_child_nodes():
            self.value(child, scope)
        return NOTHING

    def _text(self, node: nodes.Node, scope: Scope) -> Value:
        """Read the parts of what makes a text of them."""
        for child in node.iter_child_nodes():
            self.note_printed(self.value(child, scope))
        return NOTHING

    def _variable(self, node: nodes.Name, scope: Scope) -> Value:
        return self.value_of_name(node.name, scope)

    def _getattr(self, node: nodes.Getattr, scope: Scope) -> Value:
        return self.attribute(self.value(node.node, scope), node.attr)

    def _filter(self, node: nodes.Filter, scope: Scope) -> Value:
        return self.filter_result(node, self.value(node.node, scope), scope)

    def _choice(self, node: nodes.CondExpr, scope: Scope) -> Value:
        self.value(node.test, scope)
        return self.value(node.expr1, scope) | self.value(node.expr2, scope)

    def _either(self, node: nodes.BinExpr, scope: Scope) -> Value:
        return self.value(node.left, scope) | self.value(node.right, scope)

    def _display(self, node: nodes.List | nodes.Tuple, scope: Scope) -> Value:
        return held_value([self.value(item, scope) for item in node.items])

    def _dictionary(self, node: nodes.Dict, scope: Scope) -> Value:
        return held_value([self.value(item.value, scope) for item in node.items])

    def note_printed(self, value: Value) -> None:
        """Note that text is made of a value."""
        for item in value:
            match item:
                case Way():
                    self.record.note(item.root, (*item.path, PRINTED))
                case Holder():
                    self.note_printed(item.inner)

    def items_of(self, value: Value) -> Value:
        """Return what a loop gives of a value."""
        return union_of(self._iterated_value(item) for item in value)

    def _iterated_value(self, atom: Atom) -> Value:
        match atom:
            case Way():
                return self.record.follow(atom, ITEM)
            case Holder():
                return atom.inner
        return NOTHING

    def item_at(self, value: Value, position: int) -> Value:
        """Return the value at one place of a value that is taken apart."""
        return union_of(
            self.record.follow(one, f"[{position}]") if isinstance(one, Way) else self._parts(one)
            for one in value
        )

    def _parts(self, atom: Atom) -> Value:
        # Of a pair that the template made it is not known which is which.
        return atom.inner if isinstance(atom, Holder) else NOTHING

    def value_of_name(self, name: str, scope: Scope) -> Value:
        """Return what a name is, in a scope."""
        result = scope.get(name)
        known = frozenset({Way(name)}) if result is None else result
        added = self.record.added.get(name)
        return known if added is None else known | {Holder(added)}

    def attribute(self, owner: Value, name: str) -> Value:
        """Return an attribute of a value, after noting that it is read."""
        return union_of(self._attribute(item, name) for item in owner)

    def _attribute(self, atom: Atom, name: str) -> Value:
        match atom:
            case Way():
                return self.record.read(atom, name)
            case Holder():
                return atom.inner
            case NamespaceOf():
                return self.record.spaces.get((atom, name), NOTHING)
            case ImportOf():
                return self.imported_name(atom.number, name)
            case LoopOf():
                return self.loop_attribute(atom.number, name)
            case Unseen():
                return frozenset({atom})
            case MacroOf():
                return NOTHING

    def _item(self, node: nodes.Getitem, scope: Scope) -> Value:
        owner = self.value(node.node, scope)
        match node.arg:
            case nodes.Const(value=str(name)):
                return self.attribute(owner, name)
            case nodes.Const(value=int(position)) if position >= 0:
                return self.item_at(owner, position)
            case nodes.Slice():
                self.value(node.arg, scope)
                return owner
            case nodes.Const():
                return self.items_of(owner)
            case _:
                self.value(node.arg, scope)
                return union_of(
                    self.record.read(item, BY_KEY) if isinstance(item, Way) else self._parts(item)
                    for item in owner
                )

    def _call(self, node: nodes.Call, scope: Scope) -> Value:
        arguments = [self.value(argument, scope) for argument in node.args]
        keywords = {keyword.key: self.value(keyword.value, scope) for keyword in node.kwargs}
        unpacked = [self.value(item, scope) for item in (node.dyn_args, node.dyn_kwargs)]
        given = [*arguments, *keywords.values(), *unpacked]
        rest: Iterable[Value] = ()
        if isinstance(node.node, nodes.Name) and scope.get(node.node.name) is None:
            if node.node.name in _TRANSLATING:
                self.note_printed(union_of(given))
            made = self._made_value(node, node.node.name, keywords, given)
            if made is not None:
                return made
        if isinstance(node.node, nodes.Getattr):
            owner = self.value(node.node.node, scope)
            own = self._own_method(node.node, owner, given)
            callee = self.attribute(owner - own.keys(), node.node.attr)
            rest = own.values()
        else:
            callee = self.value(node.node, scope)
        return union_of(
            [*rest, *(self._call_result(item, arguments, keywords, given) for item in callee)]
        )

    def _made_value(
        self, node: nodes.Call, name: str, keywords: dict[str, Value], given: list[Value]
    ) -> Value | None:
        """Return the value of a function of Jinja, or None."""
        match name:
            case "namespace":
                space = NamespaceOf(self.record.template, node.lineno)
                for key, value in keywords.items():
                    self.put(space, key, value)
                return frozenset({space})
            case "dict" | "cycler":
                return held_value(given)
            case "range" | "lipsum" | "joiner" | "super":
                return NOTHING
        return None

    def put(self, space: NamespaceOf, name: str, value: Value) -> None:
        """Note what a namespace holds under a name."""
        key = (space, name)
        self.record.spaces[key] = self.record.spaces.get(key, NOTHING) | value

    def _own_method(
        self, node: nodes.Getattr, owner: Value, given: list[Value]
    ) -> dict[Atom, Value]:
        """Return what a method gives of each container among ``owner`` that the template made."""
        if isinstance(node.node, nodes.Name) and node.attr in library_names().growing_methods:
            inner = (entry.inner for entry in union_of(given) if isinstance(entry, Holder))
            name, known = node.node.name, self.record.added
            known[name] = union_of([known.get(name, NOTHING), *given, *inner])
        inners: dict[Atom, Value] = {}
        for item in owner:
            match item, node.attr:
                case Holder(), "items":
                    inners[item] = held_value([frozenset({item})])
                case Holder(), "values" | "copy":
                    inners[item] = frozenset({item})
                case Holder(), _:
                    inners[item] = item.inner
        return inners

    def _call_result(
        self, atom: Atom, arguments: Sequence[Value], keywords: dict[str, Value], given: list[Value]
    ) -> Value:
        match atom:
            case Way():
                return self.record.follow(atom, CALL)
            case MacroOf():
                return self.macro(atom.number, arguments, keywords)
            case LoopOf():
                for argument in arguments:
                    self.loop_again(atom.number, argument)
                return NOTHING
            case Unseen():
                self.note_escape(union_of(given), atom.why)
                return NOTHING
            case Holder():  # `list.pop()`, `cycler.next()`
                return atom.inner
        return NOTHING

    def note_escape(self, value: Value, why: str) -> None:
        """Note that any attribute of a value may be read by unread code."""
        for item in value:
            match item:
                case Way():
                    self.record.any_of(item, why)
                case Holder():
                    self.note_escape(item.inner, why)

    def filter_result(self, node: nodes.Filter, value: Value, scope: Scope) -> Value:
        """Return what a filter gives of a value."""
        arguments = [self.value(argument, scope) for argument in node.args]
        keywords = {pair.key: self.value(pair.value, scope) for pair in node.kwargs}
        special = self._special(node, value, arguments)
        if special is not None:
            return special
        self._by_filter(node, value)
        if node.name in _KEEPING:
            return value
        if node.name in _TAKING:
            return self.items_of(value)
        if node.name not in _SILENT:
            self.note_printed(value)
        given = union_of([value, *arguments, *keywords.values()])
        if node.name in _PLAIN or not given:
            return NOTHING
        return self.record.follow(Way(FILTER_ROOT + node.name), CALL)

    def _special(
        self, node: nodes.Filter, value: Value, arguments: Sequence[Value]
    ) -> Value | None:
        """Return what a filter gives that makes something else of a value; None of others."""
        match node.name:
            case "default" | "d":
                return union_of([value, *arguments])
            case "map":
                return self._mapped_value(node, value)
            case "attr":
                return self._by_attribute(_argument(node, 0), value)
            case "groupby":
                keys = self._by_filter(node, value)
                return held_value([held_value([keys, held_value([self.items_of(value)])])])
            case "slice" | "batch":
                return held_value([value])
            case "items" | "dictsort":
                return union_of(self._pairs(item) for item in value)
        return None

    def _pairs(self, atom: Atom) -> Value:
        """Return the keys and values of a dictionary."""
        if not isinstance(atom, Way):
            return frozenset({atom})
        methods = self.record.follow(atom, "items")
        return union_of(self._call_result(method, (), {}, []) for method in methods)

    def _mapped_value(self, node: nodes.Filter, value: Value) -> Value:
        items = self.items_of(value)
        attribute = _keyword(node, "attribute")
        if attribute is not None:
            return held_value([self._by_attribute(attribute, items)])
        match node.args:
            case [nodes.Const(value="attr"), name, *_]:
                return held_value([self._by_attribute(name, items)])
            case [nodes.Const(value=str(name)), *_]:
                inner = nodes.Filter(None, name, node.args[1:], [], None, None, lineno=node.lineno)
                return held_value([self.filter_result(inner, items, Scope())])
            case _:
                self.note_escape(items, "a filter by a computed name is used")
                return NOTHING

    def _by_filter(self, node: nodes.Filter, value: Value) -> Value:
        """Return the values that a filter reads of each item, by the attribute that it names."""
        at = _ATTRIBUTE_AT.get(node.name)
        if at is None:
            return NOTHING
        argument = _keyword(node, "attribute") or _argument(node, at)
        return NOTHING if argument is None else self._by_attribute(argument, self.items_of(value))

    def _by_attribute(self, argument: nodes.Expr | None, items: Value) -> Value:
        """Return what a dotted name in an argument gives of each of ``items``."""
        match argument:
            case nodes.Const(value=str(dotted)):
                result = NOTHING
                for name in dotted.split(","):
                    result |= self._by_dotted(name, items)
                return result
            case nodes.Const():
                return self.items_of(items)
            case _:
                self.note_escape(items, "an attribute by a computed name is read")
                return NOTHING

    def _by_dotted(self, dotted: str, items: Value) -> Value:
        result = items
        for name in dotted.split("."):
            result = self.items_of(result) if name.isdigit() else self.attribute(result, name)
        return result


def _argument(node: nodes.Filter, at: int) -> nodes.Expr | None:
    return node.args[at] if at < len(node.args) else None


def _keyword(node: nodes.Filter, name: str) -> nodes.Expr | None:
    return next((pair.value for pair in node.kwargs if pair.key == name), None)
