"""The results of the functions of libraries."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.knowledge.injection import injection
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.names.functions.decorators import MANAGERS
from awaken.project.source.expressions.made_classes import MADE_LIKE, made_classes
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of
from awaken.project.values.domain import (
    ClassOf,
    DeclarativeBase,
    Environment,
    External,
    FunctionOf,
    How,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    Unknown,
    UnknownResult,
    Value,
    Values,
    are_instances,
    union,
)
from awaken.project.values.library.automap_classes import AUTOMAP_CLASS, are_automap
from awaken.project.values.library.of_requests import page_of_route
from awaken.project.values.library.promises import narrower
from awaken.project.values.library_types.declared_types import session_of_role
from awaken.project.values.questions import EvaluatorPart, Questions

if TYPE_CHECKING:
    from awaken.knowledge import Role
from awaken.project.values.calls.loaded_files import MAKING, NAMING, imported_module, loaded_module
from awaken.project.values.calls.new_instances import Making

NOT_ITERABLE = name_list("not_iterable")
_CAPITAL_FUNCTIONS = name_list("functions_like_classes")
_INSPECTED = library_names().engines
"""What `inspect` tells the tables of; of an object it tells the state."""
_COLLECTIONS = name_list("collections_of_objects")
_ENTERING = name_list("entering")
_TAKE_CLASSES = {"get", "query"}  # methods of a session
_TAKE_STATEMENTS = library_names().executing_methods


class Uses(EvaluatorPart):
    """Follows what values give when they are used in another way than by a call."""

    def results_of_use(self, how: How, values: Values, module: Module, node: ast.AST) -> Values:
        """Return what ``values`` give when used in the way ``how`` (see ``Producer``)."""
        if not values:
            return ()
        result: Values = ()
        for value in values:
            match value:
                case Producer() if value.is_used(how):
                    result = union(result, value.inner)
                case Unknown() | NotRelevant(mock=True):
                    result = union(result, (value,))
                case NoneValue():
                    pass
                case _:
                    used = self._evaluator.library.results_of_use(how, value, module, node)
                    why = f"this is no {how} that can be followed"
                    nothing = (self._evaluator.unknown(module, node, why),)
                    result = union(result, nothing if used is None else used)
        return result

    def awaited_values(self, module: Module, node: ast.Await, known: Environment) -> Values:
        """Return what ``await`` gives."""
        values = self._evaluator.values(module, node.value, known)
        return self.results_of_use("coroutine", values, module, node)

    def enter(self, values: Values, module: Module, node: ast.AST) -> Values:
        """Return what ``with`` binds for each of ``values``."""
        result: Values = ()
        for value in self._enterable(values, module, node):
            match value:
                case Session(kind="session" | "async") | NotRelevant(mock=True) | Unknown():
                    result = union(result, (value,))
                case Producer(how="manager"):
                    result = union(result, value.inner)
                case InstanceOf():
                    result = union(result, self._entered_values(value, module, node))
                case NoneValue():
                    pass
                case _:
                    why = "the value that `with` binds here is unknown"
                    result = union(result, (self._evaluator.unknown(module, node, why),))
        return result

    def _enterable(self, values: Values, module: Module, node: ast.AST) -> Values:
        """Return ``values`` without those of which entering is proved to raise, if any is left."""
        if len(values) == 1:
            return values
        method = _entering_method(module, node)
        left = tuple(
            value
            for value in values
            if not isinstance(value, InstanceOf)
            or not self._evaluator.lacks(value, method, module, node)
        )
        return left or values

    def _entered_values(self, value: InstanceOf, module: Module, node: ast.AST) -> Values:
        session = self._evaluator.as_session(value)
        if isinstance(session, Session):
            return (session,)
        # They return themselves; their items are entered one by one later.
        if value.qualified in {"contextlib.ExitStack", "contextlib.AsyncExitStack"}:
            return (value,)
        method = _entering_method(module, node)
        through = self.method_results(value, method, module, node)
        is_async = method == "__aenter__"
        return self.results_of_use("coroutine", through, module, node) if is_async else through

    def method_results(
        self, value: InstanceOf, method: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what calling ``method`` of an instance gives."""
        known = self._evaluator.knowledge.instances.get(f"{value.qualified}.{method}")
        if known is not None:
            return (InstanceOf(known),)
        result: Values = ()
        for alternative in self._evaluator.attribute(value, method, module, node):
            given: Values | None = None
            if isinstance(alternative, FunctionOf):
                given = self._evaluator.results_of(alternative)
            elif isinstance(alternative, External):
                empty = ast.copy_location(ast.Call(ast.Name(method), [], []), node)
                is_call = method == "__call__" and isinstance(node, ast.Call)
                call = node if is_call and isinstance(node, ast.Call) else empty
                given = self._evaluator.library.call_results(alternative, module, call, ())
            if given is not None:
                result = union(result, given)
            else:
                why = f"`{value.qualified}` has no visible `{method}`"
                result = union(result, (self._evaluator.unknown(module, node, why),))
        return result


def _entering_method(module: Module, node: ast.AST) -> str:
    is_async = isinstance(module.statement_of(node), ast.AsyncWith)
    return "__aenter__" if is_async else "__enter__"


class LibraryCalls:
    """Follows calls of invisible functions."""

    def __init__(self, evaluator: Questions, making: Making, uses: Uses) -> None:
        self._evaluator = evaluator
        self._making = making
        self._uses = uses

    def external(
        self, function: External, module: Module, node: ast.Call, known: Environment
    ) -> Values:
        """Return what a call of a library's function gives."""
        evaluator, name = self._evaluator, function.qualified
        facts, place = evaluator.knowledge, module.place(node, "returned here")
        known_result = self._by_table(name, module, node) or self._made_class(name, module, node)
        if known_result is not None:
            return (known_result,)
        first = node.args[0] if node.args else None
        if first is not None:
            of_argument = self._of_argument(name, first, module, node, known)
            if of_argument is not None:
                return of_argument
        if name == "builtins.getattr":
            return self._named_attribute(module, node, known)
        given = self._by_stub(function, module, node, known)
        if given is not None:
            return given
        if name in facts.instances:
            return (InstanceOf(self._inspected_class(name, first, module, known)),)
        page = page_of_route(evaluator, name, module, node)
        if page is not None:
            return page
        if name.startswith("builtins."):
            return (NotRelevant(f"the result of `{name}`"),)
        # By convention it is a class, and calling one makes an instance.
        if name not in _CAPITAL_FUNCTIONS and name.rpartition(".")[2][:1].isupper():
            return (InstanceOf(name, made=self._making.told_apart(name, place)),)
        return (
            UnknownResult(f"the return value of `{name}` is unknown", module.place(node), name),
        )

    def _inspected_class(
        self, name: str, first: ast.expr | None, module: Module, known: Environment
    ) -> str:
        """Return the class of what a call gives: `inspect` of an engine tells of its tables."""
        if name == "sqlalchemy.inspect" and first is not None:
            given = self._evaluator.values(module, first, known)
            if are_instances(given, _INSPECTED.__contains__):
                return "sqlalchemy.Inspector"
        return self._evaluator.knowledge.instances[name]

    def _named_attribute(self, module: Module, node: ast.Call, known: Environment) -> Values:
        """Return the value of ``getattr(owner, "name")``, or its default."""
        evaluator = self._evaluator
        match node.args:
            case [owner, ast.Constant(value=str() as name), *defaults] if name.isidentifier():
                read = ast.copy_location(ast.Attribute(owner, name, ast.Load()), node)
                given = [evaluator.values(module, default, known) for default in (read, *defaults)]
                return union(*given)
            case [owner, _] if are_automap(evaluator.values(module, owner, known)):
                return (ClassOf(AUTOMAP_CLASS),)
        return (evaluator.unknown(module, node, "`getattr` is not followed"),)

    def _by_table(self, name: str, module: Module, node: ast.Call) -> Value | None:
        """Return what the tables of libraries say that a call gives."""
        facts, place = self._evaluator.knowledge, module.place(node, "returned here")
        if name in facts.calls:
            return of_role(facts.calls[name], name, place)
        if name in facts.managers:
            return Producer("manager", (of_role(facts.managers[name], name, place),))
        if name in facts.classes:
            return ClassOf(facts.classes[name])
        if name in facts.declarative_factories:
            return self._declarative(name, module, node)
        if name == MAKING:
            return loaded_module(self._evaluator, module, node)
        if name in NAMING:
            return imported_module(self._evaluator, module, node, name)
        return None

    def _made_class(self, name: str, module: Module, node: ast.Call) -> Value | None:
        """Return the class with certain fields that a call makes; None for other calls."""
        made = made_classes(module).get(node) if name in MADE_LIKE else None
        qualified = "" if made is None else f"{module.name}.{made.qualname}"
        return ClassOf(qualified) if self._evaluator.classes.facts(qualified) else None

    def _by_stub(
        self, function: External, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what the stub of its library says that a call gives; None where there is none."""
        name, library = function.qualified, self._evaluator.library
        # Only the place of the call knows its reads: see `Members.super_attribute`.
        if name == "builtins.super":
            return (InstanceOf(name),)
        if function.receiver is None:
            made = library.instance_of(name, module, node, known)
            if made is not None:
                return made
        return library.call_results(function, module, node, known)

    def _of_argument(
        self, name: str, first: ast.expr, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return the result of library functions whose result follows from their argument."""
        evaluator = self._evaluator
        provided = self._provided_values(name, first, module, node, known)
        if provided is not None:
            return provided
        if name in {"typing.cast", "typing_extensions.cast"}:
            given = evaluator.values(module, node.args[-1], known)
            declared = evaluator.declared_values(module, first)
            # ``cast`` gives what it is given, and `Any` promises nothing of it.
            is_open = all(isinstance(value, Unknown) for value in declared)
            return given if is_open else narrower(evaluator, declared, given)
        if name in {"contextlib.closing", "contextlib.nullcontext", "contextlib.aclosing"}:
            return (Producer("manager", evaluator.values(module, first, known)),)
        if name in {"builtins.next", "builtins.anext"}:
            given = evaluator.values(module, first, known)
            # Without a default it raises where nothing is left.
            default = (evaluator.values(module, argument, known) for argument in node.args[1:2])
            item = union(self._uses.results_of_use("generator", given, module, node), *default)
            return item if name == "builtins.next" else (Producer("awaitable", item),)
        if name == "builtins.iter":
            given = evaluator.values(module, first, known)
            return tuple(
                Producer("generator", value.parameters[-1])
                if isinstance(value, InstanceOf)
                and value.qualified in _COLLECTIONS
                and value.parameters
                else value
                for value in given
            )
        if name == "builtins.type" and len(node.args) == 1:
            return _classes_of(evaluator.values(module, first, known))
        if name in _ENTERING:
            entered = self._uses.enter(evaluator.values(module, first, known), module, node)
            is_awaited = name.endswith(".enter_async_context")
            return (Producer("awaitable", entered),) if is_awaited else entered
        if name in MANAGERS:
            called = union(
                *(
                    evaluator.call_results((value,), module, _empty_call(node), known)
                    for value in evaluator.values(module, first, known)
                )
            )
            inner = self._uses.results_of_use("generator", called, module, node)
            return (Producer("callable", (Producer("manager", inner),)),)
        if name in {"functools.partial", "werkzeug.local.LocalProxy"}:
            functions = evaluator.values(module, first, known)
            made = union(
                *(
                    evaluator.call_results((one,), module, _empty_call(node), known)
                    for one in functions
                )
            )
            return (Producer("callable", made),) if name == "functools.partial" else made
        return None

    def _provided_values(
        self, name: str, first: ast.expr, module: Module, node: ast.Call, known: Environment
    ) -> Values | None:
        """Return what a provider of a container is; None for everything else."""
        facts = injection()
        if name not in facts.calling | facts.resources | facts.containers:
            return None
        made: Values = ()
        for alternative in self._evaluator.values(module, first, known):
            for value in self._evaluator.call_results(
                (alternative,), module, _empty_call(node), known
            ):
                yields = isinstance(value, Producer) and value.how == "generator"
                is_resource = yields and name in facts.resources
                inner = value.inner if isinstance(value, Producer) and is_resource else (value,)
                made = union(made, inner)
        return made if name in facts.containers else (Producer("callable", made),)

    def _declarative(self, name: str, module: Module, node: ast.Call) -> Value:
        parent = keyword_of(node, "cls")
        qualified = None if parent is None else self._evaluator.names.qualified_name(module, parent)
        automap = name.endswith("automap_base")
        complete = not automap and not any(keyword.arg is None for keyword in node.keywords)
        complete = complete and (parent is None or qualified is not None)
        return DeclarativeBase(qualified, complete, automap)

    def as_of_session(self, module: Module, node: ast.Call, known: Environment) -> Values:
        """Return what a method of something unknown gives if that is a session.

        As what it is given says: a mapped class, or a statement. That it may be something else is
        for the caller to add.
        """
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        if name not in _TAKE_CLASSES | _TAKE_STATEMENTS or not node.args:
            return ()
        given = self._evaluator.values(module, node.args[0], known)
        wanted = self._is_mapped if name in _TAKE_CLASSES else _is_select
        if not any(map(wanted, given)):
            return ()
        is_async = isinstance(module.parent(node), ast.Await)
        home = "sqlalchemy.ext.asyncio.AsyncSession" if is_async else "sqlalchemy.orm.Session"
        session = Session("async" if is_async else "session")
        external = self.external(External(f"{home}.{name}", session), module, node, known)
        return tuple(value for value in external if not isinstance(value, Unknown))

    def _is_mapped(self, value: Value) -> bool:
        return isinstance(value, ClassOf) and self._evaluator.mapping.is_mapped(value.qualified)


def _classes_of(values: Values) -> Values | None:
    """Return the classes of instances; None where not all are known to be such."""
    classes = [ClassOf(value.qualified) for value in values if isinstance(value, InstanceOf)]
    return tuple(classes) if len(classes) == len(values) else None


def _empty_call(node: ast.Call) -> ast.Call:
    return ast.copy_location(ast.Call(node.func, [], []), node)


def of_role(role: Role, name: str, place: Place | None = None) -> Value:
    """Return the value that the library files describe by ``role``, seen at ``place``."""
    return session_of_role(role, place) or NotRelevant(f"the result of `{name}`")


def _is_select(value: Value) -> bool:
    return isinstance(value, InstanceOf) and value.qualified.endswith(".Select")
