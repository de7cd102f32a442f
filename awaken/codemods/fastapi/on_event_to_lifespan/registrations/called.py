"""The call of a handler that is registered as a value, as the lifespan writes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.contract import Reason
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.handlers import Manner
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import arguments_of, parameters_of
from awaken.project.values.domain import Unknown

_PARTIAL = "functools.partial"


class Called(Struct, frozen=True):
    """The statement that calls a handler, and the expressions of the program that it repeats.

    ``kept`` is what must still be evaluated where it was registered: ``code`` then has ``{}`` for
    the variable that holds it.
    """

    code: str
    reads: tuple[ast.Name, ...]
    kept: str = ""


class Caller:
    """Writes the calls of one module's handlers."""

    def __init__(self, project: Project, module: Module) -> None:
        self._project = project
        self._module = module

    def call_of(self, handler: ast.expr, *, may_keep: bool) -> Called:
        """Return how to call ``handler``; ``may_keep``: its place can keep a value.

        Raises Refused.
        """
        match handler:
            case ast.Lambda():
                return self._lambda(handler)
            case ast.Name() | ast.Attribute():
                return self._named_callee(handler)
            case ast.Call():
                return self._made_callee(handler, may_keep=may_keep)
            case _:
                raise self._refusal(reasons.HANDLER_EXPRESSION, handler)

    def _refusal(self, reason: Reason, node: ast.expr) -> Refused:
        place = self._module.place(node)
        return Refused(reason, self._module.excerpt(node), because=(place,))

    def _manner(self, node: ast.expr) -> Manner:
        manner = self._project.web.handlers.manner(self._module, node)
        if manner is None:
            raise self._refusal(reasons.ASYNC_UNKNOWN, node)
        return manner

    def _named_callee(self, node: ast.Name | ast.Attribute) -> Called:
        manner = self._manner(node)
        # FastAPI calls handlers without arguments.
        if self._project.web.handlers.cannot_be_called(self._module, node):
            raise self._refusal(reasons.HANDLER_PARAMETERS, node)
        # The registration holds the function; the lifespan looks it up when it starts.
        replacements = self._project.replaced_names.anywhere(self._module, node)
        replaced = tuple(replacement.place for replacement in replacements)
        if isinstance(node, ast.Name):
            # Tests that replace the name of a function are a caveat, for all forms of handlers.
            replaced = tuple(place for place in replaced if not is_around_tests(place.path))
        if replaced:
            raise Refused(reasons.REBOUND, self._module.excerpt(node), because=replaced)
        reads = tuple(self._steady(node))
        return Called(f"{_await_prefix(manner)}{self._module.text_of(node)}()", reads)

    def _lambda(self, node: ast.Lambda) -> Called:
        inside = list(self._module.walk(node.body))
        # These bind or suspend in the lambda's scope, which goes away.
        if any(isinstance(part, ast.NamedExpr | ast.Yield | ast.YieldFrom) for part in inside):
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        if parameters_of(node.args):
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        if isinstance(node.body, ast.Call):
            called = self._project.web.handlers.manner(self._module, node.body.func)
            # FastAPI drops the coroutine that a lambda returns; awaiting it would start it.
            if called == "async":
                raise self._refusal(reasons.NEVER_AWAITED, node)
        reads = tuple(part for part in inside if isinstance(part, ast.Name))
        return Called(self._statement(node.body), reads)

    def _statement(self, node: ast.expr) -> str:
        """Return the source of ``node`` as a statement of its own, its lines moved to the left."""
        text = self._module.text_of(node)
        first, *rest = text.splitlines(keepends=True)
        # The lines of a string that spans several must keep their indentation.
        spread = any(
            isinstance(part, ast.Constant) and part.lineno != part.end_lineno
            for part in self._module.walk(node)
        )
        if rest and not spread:
            widths = [len(line) - len(line.lstrip(" \t")) for line in rest if line.strip()]
            text = first + "".join(line[min(widths, default=0) :] for line in rest)
        try:
            ast.parse(text, filename="")
        except SyntaxError:
            # Lines that only the lambda's parentheses held together need their own.
            return f"({text})"
        return text

    def _made_callee(self, node: ast.Call, *, may_keep: bool) -> Called:
        arguments = arguments_of(node)
        steady = all(isinstance(argument, ast.Name | ast.Constant) for argument in arguments)
        text = self._module.text_of(node)
        if self._project.qualified_name(self._module, node.func) == _PARTIAL:
            # `partial` evaluates its arguments once, at the registration.
            if not steady or not node.args or not isinstance(node.args[0], ast.Name):
                raise self._refusal(reasons.HANDLER_EXPRESSION, node)
            rest = [self._module.text_of(argument) for argument in node.args[1:]]
            rest += [f"{part.arg}={self._module.text_of(part.value)}" for part in node.keywords]
            manner = self._manner(node.args[0])
            code = f"{_await_prefix(manner)}{self._module.text_of(node.args[0])}({', '.join(rest)})"
            return Called(code, tuple(self._steady(*arguments)))
        manner = self._manner(node)
        # Without side effects it makes no difference when the maker is called.
        if steady and "\n" not in text and self._only_defines(node):
            return self.of_result(node, manner)
        if not may_keep:
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        return Called(f"{_await_prefix(manner)}{{}}()", (), text)

    def of_result(self, node: ast.Call, manner: Manner) -> Called:
        """Return how to call what the call ``node`` returns. Raises Refused."""
        arguments = arguments_of(node)
        text = self._module.text_of(node)
        if "\n" in text or not all(isinstance(part, ast.Name | ast.Constant) for part in arguments):
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        return Called(
            f"{_await_prefix(manner)}{text}()", tuple(self._steady(node.func, *arguments))
        )

    def _only_defines(self, node: ast.Call) -> bool:
        """Whether the function that ``node`` calls only defines another one and returns it."""
        called = self._project.calls.function_called(self._module, node)
        if isinstance(called, Unknown):
            return False
        *others, last = called.function.body
        plain = all(
            isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            for statement in others
        )
        decorated = any(part.decorator_list for part in others if hasattr(part, "decorator_list"))
        return plain and not decorated and isinstance(last, ast.Return)

    def _steady(self, *nodes: ast.expr) -> Iterator[ast.Name]:
        """Yield the names in ``nodes``, which all mean the same when the application starts."""
        for node in nodes:
            for part in self._module.nodes_below(node, ast.Name):
                bindings = self._module.scopes.bindings_of(part)
                # `try: import a` / `except ImportError` binds one name twice, before the start.
                if len(bindings) > 1 and any(b.kind != "import" for b in bindings):
                    raise self._refusal(reasons.REBOUND, part)
                yield part


def _await_prefix(manner: Manner) -> str:
    return "await " if manner == "async" else ""
