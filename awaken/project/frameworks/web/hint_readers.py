"""Readers of hints: the markers that they react to.

Code that goes on for `isinstance(marker.dependency, C)` alone does nothing about other markers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.injection import injection
from awaken.project.graph.dispatch import function_called
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    Loop,
    is_none,
    parameters_of,
    position,
    positional_parameters,
)
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import (
    ClassOf,
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    Unknown,
    Value,
)
from awaken.project.values.local.narrowing import checks_before

HINTS = "typing.get_type_hints"
_DEPENDS = "fastapi.Depends"
_ASKING = {"typing.get_args", "typing.get_origin"}
_BUILTINS = {"isinstance", "len"}
_LOOPED = {"items", "values"}
_PARTS = {"__args__", "__metadata__", "__origin__", *_LOOPED}
_QUIET = (
    *(ast.BoolOp, ast.Compare, ast.Constant, ast.Continue, ast.For, ast.If, ast.Name, ast.Pass),
    *(ast.Try, ast.Tuple, ast.UnaryOp),
)
"""Nodes that do nothing by themselves."""
Classes = frozenset[str]
_Node = ast.expr | ast.stmt


class HintReaders(ProgramFacts):
    """Tells for which markers a reader of hints does anything, and which a function has."""

    def reactions(self, module: Module, reads: list[ast.expr]) -> tuple[Classes, ...]:
        """Return the classes that each effect needs among markers and dependencies.

        ``reads`` are the reads of the hints. An effect for any marker needs no class.
        """
        result = dict[Classes, None]()
        for read in reads:
            loop = _loop_over(module, read)
            if loop is None or module.enclosing_def(loop) is None or loop.orelse:
                return (frozenset(),)
            result |= dict.fromkeys(self._effects_in(module, loop))
        return tuple(result)

    def _effects_in(self, module: Module, loop: ast.For) -> Iterator[Classes]:
        for node in _parts_of(module, loop.body):
            if not self._is_quiet(module, node, None) or _keeps_hint(module, node):
                yield self._required_classes(module, node, None)
        if any(_keeps_hint(module, node) for node in module.walk(loop.target)):
            yield frozenset()

    def _is_quiet(self, module: Module, node: _Node, parameter: ast.arg | None) -> bool:
        """Whether a node has no effect itself; ``parameter`` is what gets a dependency."""
        match node:
            case ast.Assign(targets=[ast.Name()]) | ast.Subscript(slice=ast.Constant(value=0)):
                return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
            case ast.Return(value=value):
                return parameter is not None and is_none(value or ast.Constant(None))
            case ast.Expr(value=value):
                return isinstance(value, ast.Constant)
            case ast.Attribute(attr=name, ctx=ast.Load()):
                if name == "dependency":
                    return _DEPENDS in self._required_classes(module, node, parameter)
                return name in _PARTS or self._evaluator.qualified_name(module, node) is not None
            case ast.Call():
                return self._is_quiet_call(module, node, parameter)
        return isinstance(node, _QUIET)

    def _is_quiet_call(self, module: Module, call: ast.Call, parameter: ast.arg | None) -> bool:
        name = self._evaluator.qualified_name(module, call.func)
        if name == HINTS and parameter is not None:
            # It raises for an object without hints.
            return any(
                isinstance(above, ast.Try)
                and below in above.body
                and any(getattr(x.type, "id", "Exception") == "Exception" for x in above.handlers)
                for below, above in module.steps_up(call)
            )
        asks = name in _ASKING or getattr(call.func, "attr", "") in _LOOPED
        asks = asks or module.scopes.builtin_called(call) in _BUILTINS
        return asks or self._class_found_by(module, call) is not None

    @cached_by(lambda module, call: module.place(call), None)
    def _class_found_by(self, module: Module, call: ast.Call) -> Classes | None:
        """Return what a function looks for in a dependency, which gives None if there is none."""
        match call:
            case ast.Call(args=[ast.Attribute(attr="dependency")], keywords=[]):
                called = function_called(self._evaluator, module, call)
            case _:
                return None
        if isinstance(called, Unknown) or called.bound or called.function.decorator_list:
            return None
        home, function, results = called.module, called.function, list[Classes]()
        parameter = next(iter(positional_parameters(function)), None)
        if parameter is None:
            return None
        for node in _parts_of(home, function.body):
            if isinstance(node, ast.Return) and not self._is_quiet(home, node, parameter):
                results.append(self._required_classes(home, node, parameter))
            elif not self._is_quiet(home, node, parameter):
                return None
        is_plain = isinstance(function, ast.FunctionDef)
        return frozenset.intersection(*results) if is_plain and results else None

    def _required_classes(self, module: Module, node: _Node, parameter: ast.arg | None) -> Classes:
        """Return the classes of which markers or dependencies are wherever ``node`` runs."""
        result = set[str]()
        for check in checks_before(module, node):
            match check.test:
                case ast.Call(args=[checked, kind]) if (
                    check.is_true
                    and module.scopes.builtin_called(check.test) == "isinstance"
                    and _comes_of_hints(module, checked, parameter)
                ):
                    result.add(self._evaluator.qualified_name(module, kind) or "")
                case ast.Compare(
                    left=name, ops=[ast.Is() | ast.IsNot() as operator], comparators=[other]
                ) if is_none(other) and isinstance(operator, ast.IsNot) is check.is_true:
                    value = module.scopes.only_value(name)
                    if isinstance(value, ast.Call):
                        result |= self._class_found_by(module, value) or set()
        return frozenset(result) - {""}

    def reacts(
        self, reactions: tuple[Classes, ...], module: Module, markers: list[ast.Call]
    ) -> bool:
        """Whether a reader with ``reactions`` may do something for a parameter with a marker."""
        return any(
            all(self._may_have_class(name, module, markers) for name in classes)
            for classes in reactions
        )

    def _may_have_class(self, name: str, module: Module, markers: list[ast.Call]) -> bool:
        """Whether a marker, or what it depends on in the end, may be of the class ``name``."""
        kinds = [self._evaluator.qualified_name(module, marker.func) for marker in markers]
        if name == _DEPENDS:
            return not injection().dependencies.isdisjoint(kinds)
        ancestors = self._evaluator.classes.ancestors(name)
        # A type of a parameter may be an object of a metaclass.
        if ancestors is None or ancestors.unresolved or "builtins.type" in ancestors.outside:
            return True
        return any(self._may_be(value, name) for value in self._dependencies(module, markers))

    def _may_be(self, value: Value, name: str) -> bool:
        if not isinstance(value, InstanceOf):
            return not isinstance(value, ClassOf | External | FunctionOf | NoneValue)
        ancestors = self._evaluator.classes.ancestors(value.qualified)
        return ancestors is None or bool(
            ancestors.unresolved or name in {facts.qualified for facts in ancestors.inside}
        )

    def _dependencies(self, module: Module, markers: list[ast.Call]) -> Iterator[Value]:
        """Yield what markers depend on, directly or not; Unknown where some are not seen."""
        injections = self._evaluator.injections
        if any(word.arg in {None, "dependency"} for m in markers for word in m.keywords):
            yield self._evaluator.unknown(module, markers[0], "a keyword")
        below = (pair for marker in markers for pair in injections.providers_below(module, marker))
        providers = Worklist(below, lambda pair: pair[0].place(pair[1]))
        for home, provider in providers:
            for value in self._evaluator.values(home, provider):
                yield value
                if isinstance(value, FunctionOf) and isinstance(value.node, Function):
                    providers += injections.of_function(value.module, value.node)
                    for parameter, _ in parameters_of(value.node.args):
                        if self._hides_markers(value.module, parameter.annotation):
                            yield self._evaluator.unknown(value.module, parameter, "a type")
                if isinstance(value, ClassOf | InstanceOf):
                    for facts in self._evaluator.classes.line(value.qualified):
                        for inside in self._evaluator.modules_at([facts.path]):
                            written = inside.class_at(facts.span)
                            providers += injections.providers_below(inside, written or inside.tree)

    def _hides_markers(self, module: Module, annotation: ast.expr | None) -> bool:
        """Whether a type is made by a call, or has a part in quotes: it may have markers."""
        name = None if annotation is None else self._evaluator.qualified_name(module, annotation)
        home, node = self._evaluator.names.value_at(name) or (module, annotation)
        if isinstance(node, ast.Call):
            return self._evaluator.qualified_name(home, node.func) != "typing.NewType"
        return any(
            isinstance(part.value, str)
            and not any(isinstance(above, ast.Call) for above in home.ancestors_inside(part))
            for part in (home.nodes_below(node, ast.Constant) if node is not None else ())
        )


def _parts_of(module: Module, body: list[ast.stmt]) -> Iterator[ast.expr | ast.stmt]:
    for statement in body:
        for node in module.walk(statement):
            if isinstance(node, ast.expr | ast.stmt):
                yield node


def _loop_over(module: Module, hints: ast.expr) -> ast.For | None:
    """Return the loop over all ``hints``: `for hint in hints.values()`."""
    match module.parent(module.method_call_on(hints) or hints):
        case ast.For(iter=ast.Call(func=ast.Attribute(attr=name))) as loop if name in _LOOPED:
            return loop
    return None


def _keeps_hint(module: Module, node: ast.AST) -> bool:
    """Whether a name is read where it may have the value of an earlier hint."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Store):
        return False
    scope, statement = module.scopes.scope_of(node), module.statement_of(node) or node
    block = statement if isinstance(statement, Loop) else module.parent(statement)
    return node.id in scope.globals | scope.nonlocals or any(
        block not in {*module.ancestors(read)} or module.span(read).start < module.span(node).start
        for read in module.scopes.reads_in(scope, node.id)
    )


def _comes_of_hints(module: Module, node: ast.expr, parameter: ast.arg | None) -> bool:
    """Whether an expression is a part of a hint, or of the argument for ``parameter``."""
    if any(word.arg == "include_extras" for word in module.nodes_below(node, ast.keyword)):
        return True
    names = [name for name in module.nodes_below(node, ast.Name) if module.scopes.bindings_of(name)]
    return bool(names) and all(_is_of_hints(module, name, parameter) for name in names)


def _is_of_hints(module: Module, name: ast.Name, parameter: ast.arg | None) -> bool:
    binding = module.scopes.only_binding(name)
    if binding is None or binding.kind not in {"assignment", "for"}:
        return binding is not None and binding.node is parameter
    statement = module.statement_of(binding.node)
    value = statement.iter if isinstance(statement, ast.For) else binding.value
    # A name may be made of itself.
    is_before = statement is not None and position(statement) < position(
        module.statement_of(name) or name
    )
    return value is not None and is_before and _comes_of_hints(module, value, parameter)
