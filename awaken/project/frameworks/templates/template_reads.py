"""A template read from top to bottom: which attributes it reads of what it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from jinja2 import nodes
from msgspec import Struct, field

from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY
from awaken.project.frameworks.templates.record import (
    EVERYTHING,
    NOTHING,
    ImportOf,
    LoopOf,
    MacroOf,
    NamespaceOf,
    Record,
    Scope,
    TemplateRead,
    TooLargeError,
    Unseen,
    Value,
    held_value,
    union_of,
)
from awaken.project.frameworks.templates.template_expressions import Expressions
from awaken.workspace.parsing import deep_recursion


class Source(Struct, frozen=True):
    """A template that is read, and its place."""

    path: str
    tree: nodes.Template


class Sources(Protocol):
    """Where a template finds others."""

    def templates_called(self, name: str) -> tuple[tuple[Source, ...], str]:
        """Return the templates that a name may mean; ``*`` in it matches anything.

        A clause says why there may be others, empty if not.
        """


class _Inheritance(Struct):
    """A template with all that it extends: its blocks, the most derived first."""

    top: Scope
    paths: set[str] = field(default_factory=set)
    blocks: dict[str, list[tuple[Source, nodes.Block]]] = field(default_factory=dict)


class _Place(Struct, frozen=True):
    """The place of a body."""

    source: Source
    inheritance: _Inheritance


class _Macro(Struct, frozen=True):
    node: nodes.Macro | nodes.CallBlock
    name: str
    place: _Place
    scope: Scope


class _Loop(Struct, frozen=True):
    node: nodes.For
    place: _Place
    scope: Scope
    item: Value


def reads_of(source: Source, sources: Sources) -> frozenset[TemplateRead]:
    """Return what rendering a template reads, with those that it includes and extends.

    Values in lists and namespaces are read again until nothing is new.
    """
    record = Record()
    try:
        with deep_recursion():
            while True:
                before = record.signature()
                _Reader(sources, record).render(source)
                if record.signature() == before:
                    return frozenset(record.reads)
    except TooLargeError:
        why = "it takes too many steps to read"
    except RecursionError:
        why = "it is nested too deeply"
    return frozenset({*record.reads, TemplateRead(source.path, 1, EVERYTHING, (ANY,), why)})


class _Reader(Expressions):
    """Reads one template, and what that leads to."""

    def __init__(self, sources: Sources, record: Record) -> None:
        super().__init__(record)
        self._sources = sources
        self._macros: list[_Macro] = []
        self._loops: list[_Loop] = []
        self._imports: list[Scope] = []
        self._active: list[object] = []
        self._numbers: dict[object, int] = {}
        self._results: set[object] = set()
        self._by_statement: dict[type, Callable[[Any, _Place, Scope], None]] = {
            nodes.Assign: self._set,
            nodes.AssignBlock: self._set_block,
            nodes.Block: self._blocks,
            nodes.CallBlock: self._call_block,
            nodes.Extends: self._extend,
            nodes.FilterBlock: self._filter_block,
            nodes.For: self._visit_for,
            nodes.FromImport: self._import,
            nodes.If: self._if,
            nodes.Import: self._import,
            nodes.Include: self._include,
            nodes.Macro: self._define,
            nodes.Output: self._output,
            nodes.Scope: self._inner_scope,
            nodes.ScopedEvalContextModifier: self._inner_scope,
            nodes.With: self._visit_with,
        }

    def render(self, source: Source) -> None:
        """Read a template as if it were rendered."""
        self._read_extended(source, _Inheritance(Scope()))

    # Templates

    def _read_extended(self, source: Source, inheritance: _Inheritance) -> None:
        """Read a template of which others may have overridden blocks."""
        inheritance.paths.add(source.path)
        for block in source.tree.find_all(nodes.Block):
            inheritance.blocks.setdefault(block.name, []).append((source, block))
        self._active.append(source)
        outer, self.record.template = self.record.template, source.path
        self._body(source.tree.body, _Place(source, inheritance), inheritance.top)
        self.record.template = outer
        self._active.pop()

    def _extend(self, node: nodes.Extends, place: _Place, scope: Scope) -> None:
        parents, why = self._named_templates(node.template, scope)
        inheritance = place.inheritance
        # One that extends its own name means the other template of that name.
        others = [candidate for candidate in parents if candidate.path not in inheritance.paths]
        if parents and not others:
            why = why or "templates extend each other without end"
        for parent in others:
            self._read_extended(parent, inheritance)
        if why:
            self.record.line = node.lineno
            self._note_unseen(scope, why)
        if parents and not why:
            return
        # A template that is not read may render any block.
        for definitions in [*inheritance.blocks.values()]:
            for source, block in definitions:
                self._block(block, _Place(source, inheritance), Scope(inheritance.top))

    def _include(self, node: nodes.Include, _place: _Place, scope: Scope) -> None:
        result, why = self._named_templates(node.template, scope)
        inner = Scope(scope) if node.with_context else Scope()
        for source in result:
            key = ("include", source.path, inner.visible())
            if key not in self._results:
                self._results.add(key)
                # Its own blocks are not those of this template.
                self._read_extended(source, _Inheritance(inner))
        if why and node.with_context:
            self.record.line = node.lineno
            self._note_unseen(scope, why)

    def _import(self, node: nodes.Import | nodes.FromImport, _place: _Place, scope: Scope) -> None:
        result, why = self._named_templates(node.template, scope)
        values: list[Value] = [frozenset({Unseen(why)})] if why else []
        for source in result:
            inner = Scope(scope) if node.with_context else Scope()
            key = ("import", source.path)
            if key not in self._active:
                self._active.append(key)
                self._read_extended(source, _Inheritance(inner))
                self._active.pop()
            known = (*key, inner.context_names())
            if known not in self._numbers:
                self._numbers[known] = len(self._imports)
                self._imports.append(inner)
            values.append(frozenset({ImportOf(self._numbers[known])}))
        whole = union_of(values)
        if isinstance(node, nodes.Import):
            scope.names[node.target] = whole
            return
        for name in node.names:
            original, alias = (name, name) if isinstance(name, str) else name
            scope.names[alias] = self.attribute(whole, original)

    def imported_name(self, number: int, name: str) -> Value:
        """Return a name of an imported template."""
        return self._imports[number].names.get(name, NOTHING)

    def _named_templates(self, node: nodes.Expr, scope: Scope) -> tuple[list[Source], str]:
        """Return the templates that an expression names, and why there may be others."""
        self.value(node, scope)
        names = _constants(node)
        if names is None:
            return [], "it goes on with a template by a computed name"
        result: list[Source] = []
        reasons: list[str] = []
        for name in names:
            sources, why = self._sources.templates_called(name)
            result += sources
            reasons += [why] if why else []
        # Of several names the first that exists is taken.
        if isinstance(node, nodes.List | nodes.Tuple) and result:
            reasons = []
        return result, "; ".join(reasons)

    def _note_unseen(self, scope: Scope, why: str) -> None:
        """Note that what is not read is given all names of a place."""
        self.record.note(EVERYTHING, (ANY,), why)
        for _, value in scope.visible():
            self.note_escape(value, why)

    # Statements

    def _body(self, body: Sequence[nodes.Node], place: _Place, scope: Scope) -> None:
        extends = [statement for statement in body if isinstance(statement, nodes.Extends)]
        for node in body:
            # A template that extends another renders nothing itself except through its blocks.
            if isinstance(node, nodes.Extends) or (extends and isinstance(node, nodes.Block)):
                continue
            self._statement(node, place, scope)
        for extend in extends:
            self._extend(extend, place, scope)

    def _statement(self, node: nodes.Node, place: _Place, scope: Scope) -> None:
        self.record.step(node.lineno or self.record.line)
        if isinstance(node, nodes.Expr):
            self.value(node, scope)
            return
        self._by_statement.get(type(node), self._statements_alone)(node, place, scope)

    def _statements_alone(self, node: nodes.Node, place: _Place, scope: Scope) -> None:
        for child in node.iter_child_nodes():
            self._statement(child, place, scope)

    def _inner_scope(self, node: Any, place: _Place, scope: Scope) -> None:
        self._body(node.body, place, Scope(scope))

    def _output(self, node: nodes.Output, _place: _Place, scope: Scope) -> None:
        for item in node.nodes:
            self.note_printed(self.value(item, scope))

    def _set(self, node: nodes.Assign, _place: _Place, scope: Scope) -> None:
        self._assign(node.target, self.value(node.node, scope), scope)

    def _set_block(self, node: nodes.AssignBlock, place: _Place, scope: Scope) -> None:
        self._body(node.body, place, Scope(scope))
        self._assign(node.target, NOTHING, scope)

    def _visit_with(self, node: nodes.With, place: _Place, scope: Scope) -> None:
        inner = Scope(scope)
        for target, value in zip(node.targets, node.values, strict=True):
            self._assign(target, self.value(value, scope), inner)
        self._body(node.body, place, inner)

    def _filter_block(self, node: nodes.FilterBlock, place: _Place, scope: Scope) -> None:
        self._body(node.body, place, Scope(scope))
        self.filter_result(node.filter, NOTHING, scope)

    def _blocks(self, node: nodes.Block, place: _Place, scope: Scope) -> None:
        """Read a block, and what overrides it."""
        for source, block in place.inheritance.blocks.get(node.name, []):
            within = Scope(scope if node.scoped else place.inheritance.top)
            self._block(block, _Place(source, place.inheritance), within)

    def _block(self, block: nodes.Block, place: _Place, scope: Scope) -> None:
        key = ("block", id(block), scope.visible())
        if key in self._results:
            return
        self._results.add(key)
        outer, self.record.template = self.record.template, place.source.path
        self._body(block.body, place, scope)
        self.record.template = outer

    def _visit_for(self, node: nodes.For, place: _Place, scope: Scope) -> None:
        self._run_loop(node, place, scope, self.value(node.iter, scope))
        self._body(node.else_, place, Scope(scope))

    def _run_loop(self, node: nodes.For, place: _Place, scope: Scope, items: Value) -> None:
        inner = Scope(scope)
        item = self.items_of(items)
        self._assign(node.target, item, inner)
        self.value(node.test, inner)
        self._loops.append(_Loop(node, place, scope, item))
        inner.names["loop"] = frozenset({LoopOf(len(self._loops) - 1)})
        self._body(node.body, place, inner)

    def loop_attribute(self, number: int, name: str) -> Value:
        """Return what an attribute of ``loop`` is."""
        return self._loops[number].item if name in {"previtem", "nextitem"} else NOTHING

    def loop_again(self, number: int, items: Value) -> None:
        """Run the body of a recursive loop for other items."""
        loop = self._loops[number]
        key = ("loop", id(loop.node), loop.scope.visible(), items)
        if items and key not in self._results:
            self._results.add(key)
            self._run_loop(loop.node, loop.place, loop.scope, items)

    def _if(self, node: nodes.If, place: _Place, scope: Scope) -> None:
        self.value(node.test, scope)
        for item in node.elif_:
            self.value(item.test, scope)
        bodies = [node.body, *(entry.body for entry in node.elif_), node.else_]
        branches = []
        for body in bodies:
            branch = Scope(scope)
            self._body(body, place, branch)
            branches.append(branch)
        for name in dict.fromkeys(name for entry in branches for name in entry.names):
            scope.names[name] = union_of([self.value_of_name(name, entry) for entry in branches])

    def _assign(self, target: nodes.Node, value: Value, scope: Scope) -> None:
        match target:
            case nodes.Name():
                scope.names[target.name] = value
            case nodes.NSRef():
                for item in scope.get(target.name) or NOTHING:
                    if isinstance(item, NamespaceOf):
                        self.put(item, target.attr, value)
            case nodes.Tuple():
                for position, inner in enumerate(target.items):
                    self._assign(inner, self.item_at(value, position), scope)

    # Macros

    def _new_macro(
        self, node: nodes.Macro | nodes.CallBlock, name: str, place: _Place, scope: Scope
    ) -> Value:
        # The same where the same is given: a circle of templates defines it again each time.
        key = (id(node), scope.context_names())
        if key not in self._numbers:
            self._numbers[key] = len(self._macros)
            self._macros.append(_Macro(node, name, place, scope))
        return frozenset({MacroOf(self._numbers[key])})

    def _define(self, node: nodes.Macro, place: _Place, scope: Scope) -> None:
        scope.names[node.name] = self._new_macro(node, node.name, place, scope)

    def _call_block(self, node: nodes.CallBlock, place: _Place, outer: Scope) -> None:
        """Call a macro that may call ``caller``."""
        scope = Scope(outer)
        scope.names["caller"] = self._new_macro(node, "caller", place, scope)
        callee = self.value(node.call.node, scope)
        arguments = [self.value(argument, scope) for argument in node.call.args]
        keywords = {keyword.key: self.value(keyword.value, scope) for keyword in node.call.kwargs}
        keywords["caller"] = scope.names["caller"]
        seen = [candidate for candidate in callee if isinstance(candidate, MacroOf)]
        for item in seen:
            self.macro(item.number, arguments, keywords)
        if not seen:
            self.value(node.call, scope)
            # A template that is not read may pass anything to it.
            for own in scope.names["caller"]:
                if isinstance(own, MacroOf):
                    self.macro(own.number, [], {})

    def macro(self, number: int, arguments: Sequence[Value], keywords: dict[str, Value]) -> Value:
        """Read the body of a macro for these arguments."""
        macro = self._macros[number]
        key = (id(macro.node), macro.scope.visible(), tuple(arguments), tuple(keywords.items()))
        if key in self._results:
            return NOTHING
        self._results.add(key)
        line, outer = self.record.line, self.record.template
        self.record.template = macro.place.source.path
        inner = self._with_arguments(macro, arguments, dict(keywords))
        self._body(macro.node.body, macro.place, inner)
        self.record.template, self.record.line = outer, line
        return NOTHING

    def _with_arguments(
        self, macro: _Macro, arguments: Sequence[Value], keywords: dict[str, Value]
    ) -> Scope:
        inner = Scope(macro.scope)
        names = [argument.name for argument in macro.node.args]
        defaults = macro.node.defaults
        # Parameters without defaults precede the others.
        bare = len(names) - len(defaults)
        for position, name in enumerate(names):
            if position < len(arguments):
                inner.names[name] = arguments[position]
            elif name in keywords:
                inner.names[name] = keywords.pop(name)
            elif position >= bare:
                inner.names[name] = self.value(defaults[position - bare], inner)
            else:
                inner.names[name] = NOTHING
        caller = keywords.pop("caller", NOTHING)
        if macro.name != "caller":
            inner.names["caller"] = caller
            inner.names["varargs"] = held_value(arguments[len(names) :])
            inner.names["kwargs"] = held_value(keywords.values())
        return inner


def _constants(node: nodes.Node) -> list[str] | None:
    """Return the texts that an expression may be, ``*`` for what is computed; None if any."""
    match node:
        case nodes.Const(value=str(text)):
            return [text]
        case nodes.CondExpr():
            return _all([node.expr1, *([node.expr2] if node.expr2 is not None else [])])
        case nodes.Or() | nodes.And():
            return _all([node.left, node.right])
        case nodes.List() | nodes.Tuple():
            return _all(node.items)
        case nodes.Add():
            return _names_together([node.left, node.right])
        case nodes.Concat():
            return _names_together(node.nodes)
    return None


def _all(parts: Sequence[nodes.Node]) -> list[str] | None:
    result = [_constants(part) for part in parts]
    known = [name for each in result if each is not None for name in each]
    return known if None not in result else None


def _names_together(parts: Sequence[nodes.Node]) -> list[str] | None:
    texts = [(_constants(part) or ["*"])[0] for part in parts]
    return ["".join(texts)] if any(text != "*" for text in texts) else None
