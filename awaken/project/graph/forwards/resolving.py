"""Resolved calls: what each call of a file refers to, without the tree it was read from.

A call is resolved in two steps. While its file is parsed, the receiver is evaluated, and what is
called is written down as a ``Referent``: a function, a method of a class, a class, a library. After
all files are read, ``Resolution`` says which functions a call may run: for a method, its whole
override set.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.injection import injection
from awaken.project.names.classes import ClassFacts
from awaken.project.names.functions.definitions import Functions
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, is_overload
from awaken.project.values.attributes.made_bases import hidden_base
from awaken.project.values.calls.decoding import decodes
from awaken.project.values.domain import (
    UNKNOWN_MODULE,
    ClassOf,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    Producer,
    Unknown,
    Value,
    Values,
)
from awaken.project.values.evaluation import Evaluator

_RUNNING = boundaries().tasks.running

ReferentKind = Literal[
    "function", "method", "exact", "above", "class", "below", "library", "lambda", "unknown"
]


class Referent(NamedTuple):
    """The target of a call.

    ``function``: ``text`` is its file and ``start`` the byte of its ``def``; ``method``: ``name``
    of an instance or subclass of the class ``text``; ``exact``: ``name`` of the class ``text``
    itself, as in ``Base.load(self)``; ``above``: ``name`` of what that class
    inherits; ``class``: ``text`` is made; ``below``: it or one of its subclasses is; ``library``:
    the name ``text``; ``unknown``: ``text`` says why.
    """

    kind: ReferentKind
    text: str
    name: str = ""
    start: int = -1


class Referents:
    """Reads what calls refer to, one parsed file after the other."""

    def __init__(self, evaluator: Evaluator, functions: Functions) -> None:
        self._evaluator = evaluator
        self._functions = functions

    def referents_of(self, module: Module, func: ast.expr) -> tuple[Referent, ...]:
        """Return what ``func``, which is called, may refer to; never empty."""
        referent = tuple(dict.fromkeys(self._referents_of(module, func)))
        return referent or (Referent("library", "builtins.None"),)

    def _referents_of(self, module: Module, func: ast.expr) -> Iterator[Referent]:
        if isinstance(func, ast.Name):
            bindings = module.scopes.bindings_of(func)
            asked = asked_attributes(module, func)
            if bindings and all(binding.kind == "function" for binding in bindings):
                plain = [binding for binding in bindings if not is_overload(binding.node)]
                yield from (self._function(module, binding) for binding in plain)
                return
            if asked is not None:
                for method in asked:
                    yield from self._asked_referents(module, method)
                return
        elif not isinstance(func, ast.Attribute):
            yield from self._of_values(module, func)
            return
        qualified = self._evaluator.names.qualified_name(module, func)
        if qualified is not None:
            referent = self._named_referent(qualified)
            if referent is not None:
                yield referent
                return
        if isinstance(func, ast.Attribute):
            yield from self._attribute(module, func)
        else:
            yield from self._of_values(module, func)

    def _asked_referents(self, module: Module, asked: Asked) -> Iterator[Referent]:
        for owner in self._evaluator.values(module, asked.owner):
            yield from self._of_owner(owner, module, asked.attribute)
        if asked.otherwise is not None:
            yield from self._of_values(module, asked.otherwise)

    def _function(self, module: Module, binding: Binding) -> Referent:
        return Referent("function", module.path, "", module.span(binding.node).start)

    def _named_referent(self, qualified: str) -> Referent | None:
        """Return what a name is that needs no value: a function or class, of a library as well."""
        evaluator = self._evaluator
        located = evaluator.names.locate(qualified)
        if located is None:
            return Referent("library", qualified)
        if evaluator.classes.facts(qualified) is not None:
            return Referent("class", qualified)
        if len(located.rest) == 1:
            known = self._functions.functions_called(qualified)
            if known is not None and len(known.functions) == 1 and known.functions[0].alone:
                return Referent("function", known.path, "", known.functions[0].start)
        owner, _, name = qualified.rpartition(".")
        if len(located.rest) > 1 and evaluator.classes.facts(owner) is not None:
            referent = self._method(owner, name)
            return None if referent is None else referent._replace(kind="exact")
        return None

    def _private(self, module: Module, func: ast.Attribute) -> Referent | None:
        """Return the method that ``self.__load`` names: only the class around it has that name."""
        scope = module.scopes.scope_of(func)
        stored = scope.mangled_name(func.attr)
        around = next((candidate for candidate in scope.chain() if candidate.kind == "class"), None)
        if stored == func.attr or around is None:
            return None
        bindings = around.bindings.get(stored, [])
        is_method = len(bindings) == 1 and bindings[0].kind == "function"
        return self._function(module, bindings[0]) if is_method else None

    def _attribute(self, module: Module, func: ast.Attribute) -> Iterator[Referent]:
        private = self._private(module, func)
        if private is not None:
            yield private
            return
        if _is_super(func.value):
            around = module.enclosing_class(func)
            if around is not None:
                yield Referent("above", module.full_name(around), func.attr)
                return
        for owner in self._evaluator.values(module, func.value):
            yield from self._of_owner(owner, module, func)

    def _of_owner(self, owner: Value, module: Module, func: ast.Attribute) -> Iterator[Referent]:
        match owner:
            case InstanceOf() if owner == UNKNOWN_MODULE:
                yield Referent("unknown", "the module is unknown")
            case InstanceOf() | ClassOf():
                if self._evaluator.classes.facts(owner.qualified) is None:
                    # A class of the program that inherits it may have its own.
                    yield Referent("method", owner.qualified, func.attr)
                else:
                    found = self._method(owner.qualified, func.attr)
                    yield from (found,) if found is not None else self._member(owner, module, func)
            # A task calls the function that it was made of.
            case FunctionOf() if func.attr in _RUNNING:
                start = owner.module.span(owner.node).start
                yield Referent("function", owner.module.path, "", start)
            case ModuleOf():
                name = self._evaluator.names.attribute(owner.path, func.attr)
                named = None if name is None else self._named_referent(name)
                yield from (named,) if named is not None else self._of_values(module, func)
            # Plain data has the methods of Python's own types, and so have its items.
            case Unknown() if is_decoded(self._evaluator, owner):
                yield Referent("library", func.attr)
            case Unknown():
                yield Referent("unknown", owner.why)
            case NoneValue():
                return
            case External():
                yield Referent("library", f"{owner.qualified}.{func.attr}")
            # Sessions, generators, constants, containers: of a library or of Python itself.
            case _:
                yield Referent("library", func.attr)

    def _method(self, owner: str, name: str) -> Referent | None:
        """Return the method of a class of the project; None if it is no plain method."""
        for facts in self._evaluator.classes.line(owner):
            if name in facts.assigned:
                return None
            if name in facts.members:
                functions = self._functions.functions_called(f"{facts.qualified}.{name}")
                alone = functions is not None and all(item.alone for item in functions.functions)
                return Referent("method", owner, name) if alone else None
        return None

    def _member(
        self, owner: InstanceOf | ClassOf, module: Module, func: ast.Attribute
    ) -> Iterator[Referent]:
        """Yield what an attribute holds that is no method of its class."""
        evaluator = self._evaluator
        ancestors = evaluator.classes.ancestors(owner.qualified)
        inside = () if ancestors is None else ancestors.inside
        if any(func.attr in item.members or func.attr in item.assigned for item in inside):
            provided = list(self._provided_referents(inside, func.attr))
            values = () if provided else evaluator.attribute(owner, func.attr, module, func)
            yield from provided or self._from_values(values)
        elif ancestors is not None and (hidden := hidden_base(evaluator, ancestors, func.attr)):
            yield Referent("unknown", f"the base class `{hidden}` is unknown")
        elif any("__getattr__" in candidate.members for candidate in inside):
            yield Referent("unknown", f"`{owner.qualified}` has a `__getattr__`")
        else:
            # Methods from libraries, or of subclasses only.
            yield Referent("method", owner.qualified, func.attr)

    def _provided_referents(self, inside: Iterable[ClassFacts], name: str) -> Iterator[Referent]:
        """Yield what a provider calls that a container has under ``name``."""
        evaluator = self._evaluator
        holder = next((facts for facts in inside if name in facts.members), None)
        home = None if holder is None else evaluator.classes.node(holder.qualified)
        for value, _ in () if home is None else evaluator.members.given_to(*home, name):
            if home is None or not isinstance(value, ast.Call) or not value.args:
                return
            provider = evaluator.names.qualified_name(home[0], value.func)
            if provider in injection().calling | injection().resources:
                yield from self.referents_of(home[0], value.args[0])

    def _of_values(self, module: Module, func: ast.expr) -> Iterator[Referent]:
        yield from self._from_values(self._evaluator.values(module, func))

    def _from_values(self, values: Values) -> Iterator[Referent]:
        for value in values:
            match value:
                case FunctionOf(node=ast.Lambda()):
                    yield Referent("lambda", value.module.path)
                case FunctionOf():
                    start = value.module.span(value.node).start
                    yield Referent("function", value.module.path, "", start)
                case ClassOf():
                    known = self._evaluator.classes.facts(value.qualified) is not None
                    yield Referent("below" if known else "library", value.qualified)
                case InstanceOf():
                    known = self._evaluator.classes.facts(value.qualified) is not None
                    called = Referent("method", value.qualified, "__call__")
                    yield called if known else Referent("library", value.qualified)
                case External():
                    yield Referent("library", value.qualified)
                case Unknown():
                    yield Referent("unknown", value.why)
                case Producer(how="factory"):
                    yield Referent("library", "sqlalchemy.orm.sessionmaker.__call__")
                case NoneValue():
                    continue
                case _:
                    yield Referent("unknown", "it is a function that is passed on")


def is_decoded(evaluator: Evaluator, value: Unknown) -> bool:
    """Whether an unknown value is plain data, which has the methods of Python's own types."""
    return any(decodes(evaluator, *pair) for pair in evaluator.calls_at(value.place))


def _is_super(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def is_worth_resolving(module: Module, call: ast.Call, names: frozenset[str]) -> bool:
    """Whether ``call`` may reach a function of a program that gives its own ``names`` to things.

    ``response.json()`` reaches none where no file defines or assigns a ``json``.
    """
    match call.func:
        case ast.Attribute(attr=name):
            return name in names or name in _RUNNING or not name.isascii()
        case ast.Name(id=name) as func:
            bindings = module.scopes.bindings_of(func)
            if not bindings:
                return name in names or not name.isascii()
            return any(
                name in names or item.kind != "import" or _is_renamed(item) for item in bindings
            )
    return True


def _is_renamed(binding: Binding) -> bool:
    return isinstance(binding.node, ast.alias) and binding.node.asname is not None


def function_around(module: Module, node: ast.AST) -> Function | None:
    """Return the function that runs ``node``: lambdas and comprehensions count to theirs."""
    for scope in module.scopes.scope_of(node).chain():
        if scope.kind == "function" and isinstance(scope.node, Function):
            return scope.node
    return None


def is_use(module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is a name or an attribute that is read, and not called."""
    if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return False
    return module.call_of(node) is None


class Asked(NamedTuple):
    """``getattr(owner, "name", otherwise)``; ``otherwise`` is None where it is not given."""

    owner: ast.expr
    attribute: ast.Attribute
    otherwise: ast.expr | None = None


def asked_attributes(module: Module, function: ast.Name) -> list[Asked] | None:
    """Return what the variable ``function`` was asked of objects for; None if it is anything else.

    ``load = getattr(data, "load_all", None) or getattr(data, "load", None)``: one of these, if only
    calls and tests read the variable.
    """
    bindings = module.scopes.bindings_of(function)
    value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assignment" else None
    if value is None or not isinstance(bindings[0].node, ast.Name):
        return None
    methods = _asked_methods(module, value)
    if methods is None:
        return None
    reads = bindings[0].scope.reads.get(function.id, [])
    return methods if all(_is_called_or_tested(module, read) for read in reads) else None


def _asked_methods(module: Module, value: ast.expr) -> list[Asked] | None:
    match value:
        case ast.BoolOp(op=ast.Or(), values=values):
            methods = [_asked_methods(module, node) for node in values]
            if any(candidate is None for candidate in methods):
                return None
            return [each for candidate in methods if candidate is not None for each in candidate]
        case ast.Call(args=[owner, ast.Constant(value=str(name)), *rest], keywords=[]) if (
            module.scopes.builtin_called(value) == "getattr" and name.isidentifier()
        ):
            attribute = ast.copy_location(ast.Attribute(owner, name, ast.Load()), value)
            return [Asked(owner, attribute, rest[0] if rest else None)]
    return None


def _is_called_or_tested(module: Module, read: ast.Name) -> bool:
    match module.parent(read):
        case ast.Call(func=func):
            return func is read
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
    return is_tested(module, read)
