"""Decorators for which a function is opaque: they call it, and read nothing of its signature.

Each use of the function must be a known one: a new signature then changes nothing for them. The
same reader tells which decorators keep the function to themselves, and may read its signature.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterable

from msgspec import Struct, field

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.names.functions.decorator_code import decorators_in, local_functions
from awaken.project.names.resolution import Names
from awaken.project.names.usages import CALLING
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.expressions.attribute_texts import readers_of_names
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    Loop,
    arguments_of,
    first_parameter,
    last_name,
    parameter_getting,
    variadic,
    without_arguments,
)
from awaken.project.source.worklist import Queue, preorder

_LIBRARY = library_names()
_LOOKING = _LIBRARY.looking - _LIBRARY.reading_signatures
_PLAIN = {"__doc__", "__module__", "__name__", "__qualname__"}
"""Attributes of a function that say nothing about its parameters."""
_FRAMES = {"_getframe", "currentframe", "stack"}
"""Functions by which a frame is reached, with all its variables."""
_READING = name_list("views_of_dictionaries") | {"copy", "get", "setdefault", "update"}
_READERS = {"bool", "dict", "enumerate", "len", "list", "repr", "set", "sorted", "str", "tuple"}


class OpaqueUse(Struct):
    """The effects of a decorator that reads no signature of its function.

    Its wrappers pass on all that they get. Up to ``positional`` arguments have a place of their
    own, and parameters named in ``consumed`` do not arrive. ``wrapping`` are the files of wrappers
    with `functools.wraps`, ``signing`` those of wrappers with a `__signature__` alone. It calls the
    function if ``calls``. It returns the function or a wrapper if ``returns``, with the signature
    of the function if ``carries``.
    """

    positional: int = 0
    consumed: set[str] = field(default_factory=set)
    wrapping: set[str] = field(default_factory=set)
    signing: set[str] = field(default_factory=set)
    calls: bool = False
    returns: bool = False
    carries: bool = True

    def join(self, other: OpaqueUse) -> None:
        """Add the effects of another decorator, except on what is returned."""
        self.positional = max(self.positional, other.positional)
        self.consumed |= other.consumed
        self.wrapping |= other.wrapping
        self.signing |= other.signing
        self.calls |= other.calls


class Opaque:
    """Reads decorators; ``definition`` finds the only function with a qualified name.

    With ``may_read``, they may read the signature and change arguments, but hand on nothing that
    calls the function.
    """

    def __init__(
        self,
        names: Names,
        definition: Callable[[str], tuple[Module, Function] | None],
        *,
        may_read: bool = False,
    ) -> None:
        self.names = names
        self.definition = definition
        self.may_read = may_read

    @recursive()
    def uses(
        self, module: Module, function: Function, parameters: frozenset[str]
    ) -> OpaqueUse | None:
        """Return what ``function`` does with a function, and its wrappers, in ``parameters``."""
        is_plain = not function.decorator_list and not module.is_generator(function)
        if not is_plain or not parameters:
            return None
        return _Uses(self, module, function, parameters).read()

    def decorates(self, module: Module, function: Function) -> OpaqueUse | None:
        """Return what ``function`` does with the function that it decorates; None if unknown."""
        return self.uses(module, function, _first(function))

    @recursive()
    def makes(self, module: Module, maker: Function, passed: Collection[str]) -> OpaqueUse | None:
        """Return what the decorators do that ``maker`` returns.

        ``passed`` are the names of its arguments, `*` for those without one.
        """
        is_plain = isinstance(maker, ast.FunctionDef) and not maker.decorator_list
        returned = _parts(module.returned_by(maker)) if is_plain else []
        first = _first(maker)
        # Where it is given the function at once, it returns no decorator.
        if first.isdisjoint(passed) and "*" not in passed:
            uses = _Uses(self, module, maker, first)
            returned = [node for node in returned if uses.read() is None or not uses.holds(node)]
        return _join_uses(self.made_by(module, node, maker) for node in returned)

    def is_looked_at(self, module: Module, call: ast.Call, given: ast.expr) -> bool:
        """Whether what ``call`` calls only looks at the function ``given``, its argument."""
        name = self.names.qualified_name(module, call.func) or f"builtins.{last_name(call.func)}"
        home, function = self.definition(name) or (module, None)
        if function is None:
            return name in _LIBRARY.looking | _LIBRARY.casts
        parameter = parameter_getting(call, function, given, 0)
        names = frozenset[str]() if parameter is None else frozenset({parameter.arg})
        use = self.uses(home, function, names)
        return use is not None and not use.calls and not use.returns

    def made_by(
        self, module: Module, node: ast.expr, maker: Function | None = None
    ) -> OpaqueUse | None:
        """Return what a decorator does that ``node`` is, as what ``maker`` returns."""
        if decorators := decorators_in(self.names, module, node, maker):
            return _join_uses(
                OpaqueUse(returns=True)
                if isinstance(item, ast.Lambda)
                else self.decorates(module, item)
                for item in decorators
            )
        if not isinstance(node, ast.Call):
            return None
        pair = self.definition(self.names.qualified_name(module, node.func) or "")
        return None if pair is None else self.makes(*pair, passed_names(node))


def passed_names(call: ast.Call) -> frozenset[str]:
    """Return the names of the arguments of ``call``, `*` for those without one."""
    names = {keyword.arg or "*" for keyword in call.keywords}
    return frozenset(names | {"*"} if call.args else names)


def _first(function: Function) -> frozenset[str]:
    return frozenset({first_parameter(function)} - {""})


def _parts(nodes: Iterable[ast.expr]) -> list[ast.expr]:
    return [node for node in preorder(nodes, alternatives) if not alternatives(node)]


def _join_uses(uses: Iterable[OpaqueUse | None]) -> OpaqueUse | None:
    known = list(uses)
    result = OpaqueUse()
    for use in known:
        if use is None:
            return None
        result.join(use)
        result.returns |= use.returns
        result.carries &= use.carries
    return result if known else None


class _Uses:
    """Follows a function through a decorator, with the wrappers and variables that hold it."""

    def __init__(
        self,
        opaque: Opaque,
        module: Module,
        function: Function,
        parameters: frozenset[str],
    ) -> None:
        self._opaque = opaque
        self._may_read = opaque.may_read
        self._module = module
        self._scopes = module.scopes
        self._function = function
        self._parameters = parameters
        self._use = OpaqueUse()
        self._held = Queue[ast.expr](())
        self._handed: dict[ast.Call, int] = {}  # calls that get it, and how often
        self._wrappers: set[FunctionOrLambda] = set()
        self._carrying: set[ast.AST] = set()  # functions and calls that have its signature
        # Attributes to which signatures are given, and calls that return signatures.
        self._signed: set[ast.AST] = set()
        self._signing: set[ast.AST] = set()
        self._asked: set[ast.expr] = set()

    def read(self) -> OpaqueUse | None:
        """Return what is done with the function; None if any use is not known."""
        module, function = self._module, self._function
        scope = self._scopes.scope_made_by(function)
        calls = module.nodes_below(function, ast.Call)
        reads_frames = any(last_name(call.func) in _FRAMES for call in calls)
        if not self._may_read and (reads_frames or any(readers_of_names(module, scope))):
            return None
        if any(len(scope.bindings_of(name)) != 1 for name in self._parameters):
            return None
        for name in sorted(self._parameters):
            self._held += self._scopes.reads_in(scope, name)
        if not self._are_known():
            return None
        # Signatures are read of what holds the function, and set from nothing else.
        is_read = self._signed != self._signing or not all(map(self.holds, self._asked))
        if is_read and not self._may_read:
            return None
        returned = _parts(module.returned_by(function))
        results = [node for node in returned if not self._is_decorator(node)]
        self._use.returns = any(map(self.holds, returned))
        self._use.carries = bool(results) and self._carry(results)
        return self._use

    def holds(self, node: ast.expr) -> bool:
        """Whether ``node`` is the function, or a wrapper of it."""
        return node in self._held.seen

    # ----------------------------------------------------------------------------------- uses
    def _are_known(self) -> bool:
        """Whether all uses of the function are known, also in the functions that get it."""
        is_done = False
        while not is_done:
            if not all(map(self._is_known, self._held)):
                return False
            is_done = True
            for call, known in list(self._handed.items()):
                held = [node for node in arguments_of(call) if self.holds(node)]
                self._handed[call] = len(held)
                is_done &= len(held) == known
                if len(held) > known and not self._is_passed_on(call, held):
                    return False
        return True

    def _is_known(self, node: ast.expr) -> bool:
        way, above = use_of(self._module, node)
        match way:
            case "called":
                self._use.calls = True
                return self._passes_all(above, above.args)
            case "argument":
                return self._is_known_argument(above, node)
            case "attribute":
                return self._is_known_attribute(above)
            case "same":
                self._held += [above]
                return not isinstance(above, ast.NamedExpr) or self._is_alias(above)
            case "bound":
                return self._is_alias(above)
            case "returned":
                return self._module.enclosing_function(node) is self._function
        return way in {"compared", "dropped", "formatted", "tested"}

    def _is_known_attribute(self, node: ast.Attribute) -> bool:
        if self._may_read:
            return node.attr not in CALLING
        if node.attr == "__signature__" and isinstance(node.ctx, ast.Store):
            self._signed.add(node)
            self._sign(node)
            return True
        is_plain = not node.attr.startswith("__") or node.attr in _PLAIN
        return is_plain and not isinstance(node.ctx, ast.Del)

    def _is_known_argument(self, call: ast.Call, node: ast.expr) -> bool:
        name = self._name(call.func) or f"builtins.{self._scopes.builtin_called(call)}"
        match name, call:
            case "functools.wraps", ast.Call(args=[_], keywords=[]):
                return self._is_wraps(call)
            case _ if self._may_read and name in _LIBRARY.looking:
                return True
            case "functools.partial", _ if self._may_read:
                self._held += [call]
                return True
            case "functools.wraps" | "functools.update_wrapper", _:
                return False
            case "inspect.signature", _:
                return self._is_signature(call) and self._is_set_again(call)
            case "builtins.getattr" | "builtins.hasattr" | "builtins.setattr", _:
                word = call.args[1] if call.args[1:] else None
                text = str(word.value) if isinstance(word, ast.Constant) else "__"
                is_plain = not text.startswith("__") or text in _PLAIN
                return is_plain and call.args[0] is node
        if name in _LIBRARY.casts:
            self._held += [call]
        elif name in _LIBRARY.in_threads:
            self._use.calls, at = True, _LIBRARY.in_threads[name]
            return call.args[at : at + 1] == [node] and self._passes_all(call, call.args[at + 1 :])
        elif name not in _LOOKING:
            self._handed.setdefault(call, 0)
        return True

    def _is_wraps(self, call: ast.Call) -> bool:
        """Whether `functools.wraps` alone decorates a wrapper of the function."""
        above = self._module.parent(call)
        if not isinstance(above, Function) or above.decorator_list != [call]:
            return self._may_read
        self._carrying.add(above)
        self._use.wrapping.add(self._module.path)
        return self._is_wrapper(above)

    def _is_passed_on(self, call: ast.Call, held: list[ast.expr]) -> bool:
        """Whether a function of the program that ``call`` gives the function leaves it opaque."""
        opaque, module = self._opaque, self._module
        if isinstance(call.func, ast.Call):
            is_decorated = len(held) == len(arguments_of(call)) == 1
            use = opaque.made_by(module, call.func) if is_decorated else None
        else:
            pair = opaque.definition(self._name(call.func) or "")
            local = [(module, function) for function in local_functions(module, call.func)]
            functions = local if pair is None else [pair]
            use = _join_uses(self._use_by(*pair, call, held) for pair in functions)
        if use is None:
            return False
        self._use.join(use)
        if use.carries:
            self._carrying.add(call)
        if use.returns:
            self._held += [call]
        return True

    def _use_by(
        self, module: Module, function: Function, call: ast.Call, held: list[ast.expr]
    ) -> OpaqueUse | None:
        parameters = [parameter_getting(call, function, node, 0) for node in held]
        names = frozenset(parameter.arg for parameter in parameters if parameter is not None)
        is_whole = len(names) == len(held)
        return self._opaque.uses(module, function, names) if is_whole else None

    def _is_alias(self, statement: ast.AST) -> bool:
        reads = list(map(self._reads_of, targets_of(statement)))
        for nodes in reads:
            self._held += nodes or ()
        return None not in reads

    def _reads_of(self, target: ast.expr) -> list[ast.Name] | None:
        """Return the reads of the variable ``target`` of a function; None for other targets."""
        name = target.id if isinstance(target, ast.Name) else ""
        owner = self._scopes.owner(name, self._scopes.scope_of(target))
        is_local = owner is not None and owner.kind == "function"
        return self._scopes.reads_in(owner, name) if owner is not None and is_local else None

    def _name(self, node: ast.expr) -> str | None:
        return self._opaque.names.qualified_name(self._module, node)

    # ------------------------------------------------------------------------------ signatures
    def _is_signature(self, node: ast.expr | None) -> bool:
        """Whether ``node`` is the signature of what holds the function, as is checked later."""
        if not isinstance(node, ast.Call) or len(node.args) != 1:
            return False
        self._asked.update(node.args)
        return self._name(node.func) == "inspect.signature"

    def _is_set_again(self, call: ast.Call) -> bool:
        """Whether a signature is only set again, or asked for the name of a parameter."""
        nodes = Queue[ast.expr]([call])
        for node in nodes:
            way, above = use_of(self._module, node)
            match way, targets_of(above):
                case "bound", [ast.Attribute(attr="__signature__") as target]:
                    self._signing.add(target)
                case "bound", [target]:
                    reads = self._reads_of(target)
                    bindings = self._scopes.bindings_of(next(iter(reads or ()), None))
                    if reads is None or not all(self._is_signature(one.value) for one in bindings):
                        return False
                    nodes += reads
                case "attribute", _ if above.attr == "parameters":
                    match use_of(self._module, above).above:
                        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[asked]):
                            if asked is not above:
                                return False
                        case _:
                            return False
                case _:
                    return False
        return True

    def _sign(self, node: ast.Attribute) -> None:
        """Note the function of this block to which a statement gives a signature."""
        module = self._module
        for function in local_functions(module, node.value):
            returns = module.returns_of(self._function)
            is_early = any(function.lineno < item.lineno < node.lineno for item in returns)
            if module.statement_of(node) in module.block_of(function) and not is_early:
                self._carrying.add(function)
                self._use.signing.add(module.path)

    def _carry(self, results: list[ast.expr]) -> bool:
        """Whether all that is returned has the signature of the function."""
        nodes = Queue[ast.expr](results)
        for node in nodes:
            if node in self._carrying:
                continue
            if isinstance(node, ast.Call):
                if self._name(node.func) not in _LIBRARY.casts or not self.holds(node):
                    return False
                nodes += _parts(node.args[-1:])
                continue
            bindings = self._scopes.bindings_of(node)
            values = [item.value for item in bindings if item.value is not None]
            ends = [item for item in bindings if item.value is None]
            if not bindings or not all(
                item.node in self._carrying
                or (item.kind == "parameter" and item.name in self._parameters)
                for item in ends
            ):
                return False
            nodes += _parts(values)
        return True

    def _is_decorator(self, node: ast.expr) -> bool:
        """Whether ``node`` is returned where no function is given yet."""
        args = self._function.args
        is_optional = len(args.defaults) == len(args.posonlyargs) + len(args.args)
        if self.holds(node) or not is_optional:
            return False
        function, opaque = self._function, self._opaque
        is_itself = decorators_in(opaque.names, self._module, node, function) == [function]
        return is_itself or opaque.made_by(self._module, node) is not None

    # -------------------------------------------------------------------------------- wrappers
    def _passes_all(self, call: ast.Call, passed: list[ast.expr]) -> bool:
        """Whether ``call`` passes on all that the function around it gets, in its places."""
        if self._may_read:
            around = self._module.enclosing_function(call)
            return around is self._function or (around is not None and self._is_wrapper(around))
        unpacked = [keyword.value for keyword in call.keywords if keyword.arg is None]
        starred = [node.value for node in passed if isinstance(node, ast.Starred)]
        names = [*passed[: len(passed) - len(starred)], *starred, *unpacked]
        parameters = [self._scopes.parameter_of(name) for name in names]
        owners = {None if item is None else item.scope.node for item in parameters}
        wrapper = owners.pop() if owners else self._module.enclosing_function(call)
        if owners or not isinstance(wrapper, FunctionOrLambda):
            return False
        args = wrapper.args
        stars = [part.arg for part in variadic(args)]
        places = [part.arg for part in (*args.posonlyargs, *args.args)]
        if [last_name(name) for name in names] != [*places, *stars]:
            return False
        self._use.positional = max(self._use.positional, len(places))
        named = {keyword.arg for keyword in call.keywords}
        self._use.consumed |= {part.arg for part in args.kwonlyargs} - named
        return self._is_wrapper(wrapper)

    def _is_wrapper(self, wrapper: FunctionOrLambda) -> bool:
        """Whether a function that may call the followed one is used like that one itself."""
        if wrapper in self._wrappers:
            return True
        self._wrappers.add(wrapper)
        around = list(self._module.ancestors(wrapper))
        is_inner = self._function in around and not isinstance(around[0], ast.ClassDef)
        if not is_inner or not (self._may_read or self._is_whole(wrapper)):
            return False
        if isinstance(wrapper, ast.Lambda):
            self._held += [wrapper]
            return True
        names = [self._name(without_arguments(node)) for node in wrapper.decorator_list]
        owner = self._scopes.scope_of(wrapper)
        self._held += self._scopes.reads_in(owner, wrapper.name)
        return names in ([], ["functools.wraps"]) and wrapper.name in owner.bindings

    def _is_whole(self, wrapper: FunctionOrLambda) -> bool:
        """Whether nothing takes an argument out of those that ``wrapper`` unpacks again."""
        args = wrapper.args
        scope = self._scopes.scope_made_by(wrapper)
        stars = [part.arg for part in variadic(args)]
        if any(len(scope.bindings_of(name)) != 1 for name in stars):
            return False
        reads = [] if args.kwarg is None else self._scopes.reads_in(scope, args.kwarg.arg)
        passing = [read for read in reads if use_of(self._module, read).way == "unpacked"]
        # An inner function passes them on whenever it is called.
        is_direct = all(self._module.enclosing_function(read) is wrapper for read in passing)
        last = max((read.lineno for read in passing), default=0) if is_direct else math.inf
        return all(self._is_left(read, wrapper, last) for read in reads)

    def _is_left(self, node: ast.Name, wrapper: FunctionOrLambda, last: float) -> bool:
        """Whether a use of ``kwargs`` leaves all in it, or comes after the calls at line ``last``.

        A parameter that is taken out by its name is consumed.
        """
        module = self._module
        way, above = use_of(module, node)
        call = module.call_of(above)
        key: ast.expr | None = None
        match way:
            case "item":
                key = above.slice
                if not isinstance(above.ctx, ast.Del):
                    return True
            case "attribute" if call is not None:
                key = call.args[0] if above.attr == "pop" and call.args else None
                if above.attr in _READING:
                    return True
            case "argument" if self._scopes.builtin_called(above) in _READERS:
                return True
            case "argument" | "bound" | "element":
                inside = list(module.ancestors(node))
                is_once = not any(
                    isinstance(part, Loop) for part in inside[: inside.index(wrapper)]
                )
                return is_once and node.lineno > last and module.enclosing_function(node) is wrapper
            case "compared" | "formatted" | "iterated" | "tested" | "unpacked":
                return True
        if not isinstance(key, ast.Constant):
            return False
        self._use.consumed.add(str(key.value))
        return True
