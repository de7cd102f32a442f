"""The exceptions that code may raise, through calls; only provably quiet shapes raise none.

Only subclasses of Exception count: cancellation, ``SystemExit``, ``KeyboardInterrupt`` and running
out of memory or stack may come from anywhere. Taken for granted is what holds in any code that has
ever run: calls pass what the signature asks for, imported and module-level names exist, and
``str``, ``==`` and truth of a value raise nothing. All else that is not proven is unknown.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from awaken.project.effects.attributes import Attributes, is_error
from awaken.project.effects.callees import Callees
from awaken.project.effects.exceptions import (
    NOT_ERRORS,
    NOTHING,
    Hierarchy,
    Raised,
    Raises,
    together,
)
from awaken.project.effects.guards import caught_by
from awaken.project.effects.operations import Operations
from awaken.project.effects.own import own_nodes, what_runs
from awaken.project.graph.dispatch import Called, function_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.stubs import is_stub
from awaken.project.names.functions.decorators import MANAGERS
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of
from awaken.project.values.domain import External, FunctionOf, InstanceOf, Unknown
from awaken.project.values.local.flow import local_flow
from awaken.workspace.parsing import deep_recursion

_Key = tuple[str, int]
_DEEPEST = 12  # calls inside of calls, well below Python's own stack of 1,000 frames
_MOST_FUNCTIONS = 150  # bodies of one question; half of it loses no finding (benchmarks/limits.md)
_MOST_LEVELS = 1000  # of all trees on the way together; each takes up to five calls
_QUIET = (
    ast.Break
    | ast.Constant
    | ast.Continue
    | ast.Global
    | ast.Nonlocal
    | ast.Pass
    | ast.expr_context
    | ast.operator
    | ast.boolop
    | ast.unaryop
    | ast.cmpop
)


class Raising:
    """Answers what may leave a piece of code of one project; keeps the answers for functions."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self.evaluator = evaluator
        self.callees = Callees(evaluator)
        self.attributes = Attributes(evaluator)
        self.operations = Operations(self.callees)
        self.hierarchy = Hierarchy(evaluator.classes)
        self._kept: dict[_Key, Raises] = {}
        self._active: dict[_Key, bool] = {}
        self._entered = 0
        self.depth = 0

    def of(self, module: Module, node: ast.AST, *, awaited: bool = False) -> Raises:
        """Return what may leave ``node`` when it runs; of a function, when its body does.

        With ``awaited`` the coroutine that ``node`` gives is awaited at once.
        """
        self._entered = 0
        with deep_recursion(), self.evaluator.without_callers():
            if isinstance(node, Function):
                return self.summary(module, node)
            if awaited and isinstance(node, ast.expr):
                return _Run(self, module).awaiting(node)
            return _Run(self, module).all(what_runs(node))

    def summary(self, module: Module, function: Function) -> Raises:
        """Return what may leave a call of ``function``, its arguments aside."""
        key = (module.path, module.span(function).start)
        if key in self._kept:
            return self._kept[key]
        if key in self._active:  # what a call of itself adds is what is being found out
            self._mark_after(key)
            return NOTHING
        self._entered += 1
        if len(self._active) >= _DEEPEST or self._entered > _MOST_FUNCTIONS:
            self._mark_after(None)
            return self.unknown(module, function, "too much has to be followed to tell")
        self._active[key] = False
        found = _Run(self, module).all(function.body)
        is_part = self._active.pop(key)
        if not is_part or not self._active:
            # Of a circle only what was asked first has all of it.
            self._kept[key] = found
        return found

    def _mark_after(self, key: _Key | None) -> None:
        """Note that what is found for the functions called since ``key`` is only a part."""
        keys = list(self._active)
        first = 0 if key is None else keys.index(key) + 1
        for one in keys[first:]:
            self._active[one] = True

    def unknown(self, module: Module, node: ast.AST, why: str) -> Raises:
        """Return that anything may leave ``node``, and why."""
        return Raises(unknown=(self.evaluator.unknown(module, node, why),))


class _Run:
    """One piece of code, statement by statement."""

    def __init__(self, raising: Raising, module: Module) -> None:
        self._raising = raising
        self._evaluator = raising.evaluator
        self._callees = raising.callees
        self._attributes = raising.attributes
        self._operations = raising.operations
        self._hierarchy = raising.hierarchy
        self._module = module
        self._caught: list[tuple[str | None, Raises]] = []  # of the handlers around

    def all(self, nodes: Iterable[ast.AST | None]) -> Raises:
        """Return what may leave any of ``nodes``."""
        return together(self._one(node) for node in nodes if node is not None)

    def _may(self, node: ast.AST, why: str) -> Raises:
        text = self._module.excerpt(node)
        return self._raising.unknown(self._module, node, why.format(text))

    def _raised(self, node: ast.AST, exception: str) -> Raises:
        return Raises((Raised(exception, self._module.place(node)),))

    def _one(self, node: ast.AST) -> Raises:
        if isinstance(node, _QUIET):
            return NOTHING
        visit = self._VISITS.get(type(node))
        if visit is None or self._raising.depth > _MOST_LEVELS:
            return self._may(node, "`{}` may raise")
        self._raising.depth += 1
        found = visit(self, node)
        self._raising.depth -= 1
        return found

    def _children(self, node: ast.AST) -> Raises:
        return self.all(ast.iter_child_nodes(node))

    def _keyword(self, node: ast.keyword) -> Raises:
        if node.arg is None and self._callees.builtin_type(self._module, node.value) != "dict":
            return self._may(node.value, "unpacking `{}` may raise")
        return self._one(node.value)

    # ------------------------------------------------------------------------------ statements
    def _try(self, node: ast.Try) -> Raises:
        catches = [caught_by(self._evaluator, self._module, one) for one in node.handlers]
        raising_again = [_raises_again(one) for one in node.handlers]
        everything = [self._hierarchy.is_everything(one) for one in catches]
        stays = NOTHING
        # What is swallowed for good need not be looked at, which is most of the time saved.
        if not any(everything) or any(raising_again):
            stays = self.all(node.body)
        found: list[Raises] = []
        for handler, classes in zip(node.handlers, catches, strict=True):
            got, stays = self._hierarchy.split(stays, classes)
            self._caught.append((handler.name, got))
            found.append(self.all(handler.body))
            self._caught.pop()
        last = self.all(node.finalbody)
        if node.finalbody and isinstance(node.finalbody[-1], ast.Return | ast.Break | ast.Continue):
            return last  # which drops what was on its way
        return together([stays, *found, self.all(node.orelse), last])

    def _try_star(self, node: ast.Try) -> Raises:
        return self._may(node, "`except*` is not followed")

    def _raise(self, node: ast.Raise) -> Raises:
        name, got = self._caught[-1] if self._caught else (None, None)
        same = isinstance(node.exc, ast.Name) and node.exc.id == name
        if node.exc is None or same:
            return self._may(node, "what `{}` raises is not known") if got is None else got
        made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        exception = self._class_of(made)
        if exception is None:
            return self._may(node, "what `{}` raises is not known")
        here = NOTHING if exception in NOT_ERRORS else self._raised(node, exception)
        return together([self.all(getattr(node.exc, "args", ())), here])

    def _class_of(self, node: ast.expr) -> str | None:
        """Return the class of exceptions that an expression names."""
        name = self._evaluator.names.qualified(self._module, node)
        if name is None or self._evaluator.classes.facts(name) is not None:
            return name
        known = self._evaluator.names.locate(name) is None
        return name if known and name.rpartition(".")[2][:1].isupper() else None

    def _assertion(self, node: ast.Assert) -> Raises:
        here = self._raised(node, "builtins.AssertionError")
        return together([self.all([node.test, node.msg]), here])

    def _assign(self, node: ast.Assign) -> Raises:
        stores = [self._store(target, node.value) for target in node.targets]
        return together([self._one(node.value), *stores])

    def _ann_assign(self, node: ast.AnnAssign) -> Raises:
        if node.value is None:
            return NOTHING
        return together([self._one(node.value), self._store(node.target, node.value)])

    def _aug_assign(self, node: ast.AugAssign) -> Raises:
        reads = self._one(node.value)
        left = self._callees.builtin_type(self._module, node.target)
        if left is not None and self._operations.is_quiet(
            self._module, node.op, node.target, node.value
        ):
            return reads
        return together([reads, self._may(node, "`{}` may raise")])

    def _store(self, target: ast.expr, value: ast.expr | None) -> Raises:
        match target:
            case ast.Name():
                return NOTHING
            case ast.Tuple() | ast.List() if (
                isinstance(value, ast.Tuple | ast.List)
                and len(value.elts) == len(target.elts)
                and not any(isinstance(one, ast.Starred) for one in (*value.elts, *target.elts))
            ):
                return together(map(self._store, target.elts, value.elts))
            case ast.Attribute():
                if self._attributes.is_plain(self._module, target, stored=True):
                    return self._one(target.value)
            case ast.Subscript(value=base, slice=key):
                kind = self._callees.builtin_type(self._module, base)
                if kind == "dict" and self._operations.is_hashable(self._module, key):
                    return self.all([base, key])
        return self._may(target, "assigning to `{}` may raise")

    def _delete(self, node: ast.Delete) -> Raises:
        if all(isinstance(one, ast.Name) for one in node.targets):
            return NOTHING
        return self._may(node, "`{}` may raise")

    def _for(self, node: ast.For) -> Raises:
        return together([self._iterating(node), self.all([*node.body, *node.orelse])])

    def _async_for(self, node: ast.AsyncFor) -> Raises:
        return self._may(node.iter, "iterating over `{}` may raise")

    def _iterating(self, node: ast.For | ast.comprehension) -> Raises:
        known, read = self._operations.iterated(self._module, node)
        reads = self.all(read)
        if known:
            return reads
        return together([reads, self._may(node.iter, "iterating over `{}` may raise")])

    def _with(self, node: ast.With | ast.AsyncWith) -> Raises:
        swallows: list[tuple[str | None, ...]] = []
        found: list[Raises] = []
        for item in node.items:
            call = item.context_expr
            names = self._manager(call)
            if names == ("contextlib.suppress",) and isinstance(call, ast.Call):
                qualified = self._evaluator.names.qualified
                swallows.append(tuple(qualified(self._module, one) for one in call.args))
            elif names and all(one in self._evaluator.knowledge.quiet_managers for one in names):
                found.append(self.all(getattr(call, "args", [call])))
            else:
                found.append(self._entering(call))
            if item.optional_vars is not None:
                found.append(self._store(item.optional_vars, None))
        if any(self._hierarchy.is_everything(one) for one in swallows):
            return together(found)
        body = self.all(node.body)
        for classes in swallows:
            body = self._hierarchy.split(body, classes)[1]
        return together([*found, body])

    def _manager(self, node: ast.expr) -> tuple[str, ...]:
        """Return the library class or function that makes the context manager ``node``."""
        if isinstance(node, ast.Call):
            name = self._evaluator.names.qualified(self._module, node.func)
            if name is not None and self._evaluator.names.locate(name) is None:
                return (name,)
        values = self._evaluator.values(self._module, node)
        names = [one.qualified for one in values if isinstance(one, InstanceOf | External)]
        return tuple(names) if len(names) == len(values) else ()

    def _entering(self, node: ast.expr) -> Raises:
        """Return what making, entering and leaving a context manager of the program may raise."""
        made = node.func if isinstance(node, ast.Call) else None
        values = self._evaluator.values(self._module, made) if made is not None else ()
        function = values[0] if len(values) == 1 else None
        if isinstance(function, FunctionOf) and isinstance(function.node, Function):
            home, inner = function.module, function.node
            names = {self._evaluator.names.qualified(home, one) for one in inner.decorator_list}
            if names and names <= MANAGERS and isinstance(node, ast.Call):
                place = self._module.place(node)
                body = self._raising.summary(home, inner)
                return together([self._arguments(node), body.through(place)])
        return self._may(node, "entering or leaving `{}` may raise")

    def _import(self, node: ast.Import | ast.ImportFrom) -> Raises:
        names = [one.name for one in node.names]
        if isinstance(node, ast.ImportFrom):
            # A relative import runs a file of the program.
            names = ["?"] if node.level else [node.module or "?"]
        if all(name.partition(".")[0] in sys.stdlib_module_names for name in names):
            return NOTHING
        return self._may(node, "`{}` may raise")

    def _definition(self, node: Function | ast.Lambda) -> Raises:
        if getattr(node, "decorator_list", ()):
            return self._may(node, "the decorators of `{}` may raise")
        return self.all(default for _, default in parameters_of(node.args))

    # ----------------------------------------------------------------------------- expressions
    def _name(self, node: ast.Name) -> Raises:
        if not isinstance(node.ctx, ast.Load):
            return NOTHING
        if not self._module.scopes.bindings_of(node):
            name = self._evaluator.names.qualified(self._module, node)
            return NOTHING if name is not None else self._may(node, "`{}` is not defined in sight")
        flow = local_flow(self._module, node)
        reaching = flow.reaching(node) if flow is not None else None
        if reaching is None or isinstance(reaching, Unknown) or not reaching.unbound:
            return NOTHING
        return self._raised(node, "builtins.UnboundLocalError")

    def _attribute(self, node: ast.Attribute) -> Raises:
        read = self._attributes.read(self._module, node)
        if read is True:
            return self._one(node.value)
        if isinstance(read, Called):
            place = self._module.place(node)
            inner = self._raising.summary(read.module, read.function)
            return together([self._one(node.value), inner.through(place)])
        return self._may(node, "reading `{}` may raise")

    def _subscript(self, node: ast.Subscript) -> Raises:
        return together([self._children(node), self._may(node, "reading `{}` may raise")])

    def _starred(self, node: ast.Starred) -> Raises:
        if self._operations.is_container(self._module, node.value):
            return self._one(node.value)
        return self._may(node, "iterating over `{}` may raise")

    def _dict(self, node: ast.Dict) -> Raises:
        reads = self._children(node)
        for key, value in zip(node.keys, node.values, strict=True):
            kind = self._callees.builtin_type(self._module, value)
            if (
                kind != "dict"
                if key is None
                else not self._operations.is_hashable(self._module, key)
            ):
                return together([reads, self._may(node, "`{}` may raise")])
        return reads

    def _set(self, node: ast.Set) -> Raises:
        hashable = all(self._operations.is_hashable(self._module, one) for one in node.elts)
        return self._children(node) if hashable else self._may(node, "`{}` may raise")

    def _formatted_value(self, node: ast.FormattedValue) -> Raises:
        value = self._one(node.value)
        kind = self._callees.builtin_type(self._module, node.value)
        if node.format_spec is None or node.conversion != -1 or kind == "float":
            return value
        return together([value, self._may(node.value, "formatting `{}` may raise")])

    def _unary_op(self, node: ast.UnaryOp) -> Raises:
        reads = self._one(node.operand)
        quiet = isinstance(node.op, ast.Not)
        quiet = quiet or self._callees.builtin_type(self._module, node.operand) == "float"
        return reads if quiet else together([reads, self._may(node, "`{}` may raise")])

    def _bin_op(self, node: ast.BinOp) -> Raises:
        reads = self.all([node.left, node.right])
        if self._operations.is_quiet(self._module, node.op, node.left, node.right):
            return reads
        return together([reads, self._may(node, "`{}` may raise")])

    def _compare(self, node: ast.Compare) -> Raises:
        reads = self.all([node.left, *node.comparators])
        if self._operations.is_quiet_comparison(self._module, node):
            return reads
        return together([reads, self._may(node, "`{}` may raise")])

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> Raises:
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        found = [self._iterating(one) for one in node.generators]
        tests = [test for one in node.generators for test in one.ifs]
        if not isinstance(node, ast.ListComp) and not self._operations.is_hashable(
            self._module, parts[0]
        ):
            found.append(self._may(node, "`{}` may raise"))
        return together([*found, self.all([*tests, *parts])])

    def _generator(self, node: ast.GeneratorExp) -> Raises:
        return self._iterating(node.generators[0])  # the rest runs where it is iterated over

    def _await(self, node: ast.Await) -> Raises:
        return self.awaiting(node.value)

    # ----------------------------------------------------------------------------------- calls
    def awaiting(self, node: ast.expr) -> Raises:
        """Return what may leave ``await node``."""
        if isinstance(node, ast.Call):
            return self._call(node, awaited=True)
        return self._may(node, "what `{}` is that is awaited is not known")

    def _call_alone(self, node: ast.Call) -> Raises:
        return self._call(node, awaited=False)

    def _call(self, node: ast.Call, *, awaited: bool) -> Raises:
        names = self._callees.library_names(self._module, node.func)
        arguments = self._arguments(node)
        if names and not isinstance(names, Unknown):
            if all(self._is_quiet(name, node) for name in names):
                return together([self._receiver(node.func), arguments])
            return together([arguments, self._may(node, "`{}` may raise")])
        called = function_called(self._evaluator, self._module, node)
        if isinstance(called, Unknown):
            return together([arguments, self._made(node, called)])
        place = self._module.place(node)
        receiver = self._receiver(node.func)
        # Making a coroutine runs none of it.
        if isinstance(called.function, ast.AsyncFunctionDef) and not awaited:
            return together([receiver, arguments])
        if awaited and isinstance(called.function, ast.FunctionDef):
            return self._may(node, "what `{}` gives is awaited, and not known")
        if is_stub(self._evaluator, called.module, called.function):
            return self._may(node, "what implements `{}` is not in sight")
        inner = self._raising.summary(called.module, called.function)
        return together([receiver, arguments, inner.through(place)])

    def _is_quiet(self, name: str, call: ast.Call) -> bool:
        knowledge = self._evaluator.knowledge
        if name in knowledge.numbers_only:
            first = call.args[0] if call.args else None
            return first is not None and self._is_number(first)
        if self._is_overridden(name, call):
            return False
        return name in knowledge.never_raises or is_error(name)

    def _is_number(self, node: ast.expr) -> bool:
        return self._callees.builtin_type(self._module, node) == "float"

    def _is_overridden(self, name: str, call: ast.Call) -> bool:
        """Whether a class of the program may have the method of a builtin class its own way.

        What is written here, `[]`, is of the builtin class itself; what is passed need not be.
        """
        owner, _, method = name.rpartition(".")
        if not owner.startswith("builtins.") or not isinstance(call.func, ast.Attribute):
            return False
        heirs = self._evaluator.classes.all_subclasses(owner)
        found = [self._evaluator.classes.node(one) for one in heirs]
        return any(
            one is None or method in one[0].scopes.scope_made_by(one[1]).bindings for one in found
        )

    def _receiver(self, func: ast.expr) -> Raises:
        return self._one(func.value) if isinstance(func, ast.Attribute) else NOTHING

    def _arguments(self, node: ast.Call) -> Raises:
        return self.all([*node.args, *node.keywords])

    def _made(self, node: ast.Call, otherwise: Unknown) -> Raises:
        """Return what making an instance of a class of the project may raise, arguments aside."""
        made = self._attributes.initialiser(self._module, node)
        if not isinstance(made, Called):
            return NOTHING if made else Raises(unknown=(otherwise,))
        place = self._module.place(node)
        return self._raising.summary(made.module, made.function).through(place)

    _VISITS: ClassVar[dict[type[ast.AST], Callable[[_Run, Any], Raises]]] = {
        **dict.fromkeys(
            (
                ast.BoolOp, ast.Expr, ast.If, ast.IfExp, ast.JoinedStr, ast.List, ast.Match,
                ast.MatchAs, ast.MatchOr, ast.MatchSingleton, ast.MatchValue, ast.NamedExpr,
                ast.Return, ast.Slice, ast.Tuple, ast.While, ast.Yield, ast.match_case,
            ),
            _children,
        ),
        **dict.fromkeys((ast.With, ast.AsyncWith), _with),
        **dict.fromkeys((ast.Import, ast.ImportFrom), _import),
        **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda), _definition),
        **dict.fromkeys((ast.DictComp, ast.ListComp, ast.SetComp), _comprehension),
        ast.keyword: _keyword,
        ast.Try: _try,
        ast.TryStar: _try_star,
        ast.Raise: _raise,
        ast.Assert: _assertion,
        ast.Assign: _assign,
        ast.AnnAssign: _ann_assign,
        ast.AugAssign: _aug_assign,
        ast.Delete: _delete,
        ast.For: _for,
        ast.AsyncFor: _async_for,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.Starred: _starred,
        ast.Dict: _dict,
        ast.Set: _set,
        ast.FormattedValue: _formatted_value,
        ast.UnaryOp: _unary_op,
        ast.BinOp: _bin_op,
        ast.Compare: _compare,
        ast.GeneratorExp: _generator,
        ast.Await: _await,
        ast.Call: _call_alone,
    }  # fmt: skip


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether ``handler`` may raise what it caught."""
    return any(
        isinstance(one, ast.Raise)
        and (one.exc is None or (isinstance(one.exc, ast.Name) and one.exc.id == handler.name))
        for one in own_nodes(handler.body)
    )
