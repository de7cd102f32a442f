"""Constructors of applications, and the statement of one, above which its lifespan is written."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.kit.rule import ProjectFacts
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.web.applications import Application
from awaken.project.source.bindings import Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameter_names, variable_of
from awaken.project.source.worklist import reachable

_OWN = name_list("of_applications")
_KEYWORDS = frozenset({"lifespan", "on_startup", "on_shutdown"})
_KEYWORD_WORDS = tuple(sorted(name.encode() for name in _KEYWORDS))


class Constructors(ProjectFacts):
    """Looks at the calls that make applications, and at the classes of these."""

    def look_at(self, home: Home) -> None:
        """Refuse a constructor that does more than is seen."""
        facts = self._project.class_facts(home.application.qualified)
        if facts is not None:
            self._look_at_class(home)
        for keyword in home.call.keywords if home.call is not None else ():
            if keyword.arg is None and self._may_hold_handlers(keyword.value):
                text = home.module.excerpt(keyword.value)
                place = home.module.place(keyword.value)
                raise Refused(reasons.KEYWORDS, f"**{text}", because=(place,))
        function = _of_callers(home)
        if function is not None:
            self._look_at_callers(home, function)

    def _look_at_callers(self, home: Home, function: Function) -> None:
        """Refuse keywords with which a visible call gives handlers or a lifespan."""
        for site in self._project.calls.callers_of(home.module, function).sites:
            for _, call in self._project.calls_at(site.place):
                for keyword in call.keywords:
                    unpacked = keyword.arg is None and self._may_hold_handlers(keyword.value)
                    if keyword.arg in _KEYWORDS or unpacked:
                        raise Refused(reasons.KEYWORDS, ast.unparse(call), because=(site.place,))

    def _look_at_class(self, home: Home) -> None:
        for name in (home.application.qualified, *self._bases(home.application.qualified)):
            module, node = self._project.class_definition(name) or (None, None)
            # An overridden method may not do what FastAPI's own does.
            if module and node and _OWN & module.scopes.scope_made_by(node).bindings.keys():
                raise Refused(reasons.OWN_CLASS, node.name, because=(module.place(node),))

    def _bases(self, qualified: str) -> Iterator[str]:
        facts = self._project.class_facts(qualified)
        for base in facts.bases if facts is not None else ():
            if base is not None and self._project.class_facts(base) is not None:
                yield base
                yield from self._bases(base)

    def _may_hold_handlers(self, node: ast.expr) -> bool:
        """Whether unpacked keywords may name handlers: some file has the words as keys."""
        if isinstance(node, ast.Dict):
            keys = {key.value if isinstance(key, ast.Constant) else None for key in node.keys}
            # `None` is a computed key, or a mapping unpacked inside: either may name a list.
            return None in keys or not keys.isdisjoint(_KEYWORDS)
        for path in self._project.files_with(_KEYWORD_WORDS):
            module = self._project.module(path)
            # A file that cannot be read may hold the key as well.
            if module is None or any(_is_key(part) for part in module.walk()):
                return True
        return False

    def caveats(self, home: Home) -> list[str]:
        """Return what may change for callers outside the project that pass keywords.

        Servers, tests and scripts that nobody sees call what makes an application.
        """
        function = _of_callers(home)
        if function is None:
            return []
        complete = self._project.calls.callers_of(home.module, function).complete
        if complete and not _takes_keywords(home, function):
            return []
        hidden = f"a call of `{function.name}` outside the project"
        lost = "its `on_startup` and `on_shutdown` handlers do not run"
        return [f"{hidden} fails if it passes a `lifespan`, and {lost}"]


def _of_callers(home: Home) -> Function | None:
    """Return the function whose callers may give the constructor keywords; None if none can.

    ``FastAPI(**options)`` where ``options`` is a parameter, or made of one.
    """
    function = home.function
    if function is None or home.call is None:
        return None
    parameters = parameter_names(function.args)
    return function if _unpacked_names(home, _names_in) & parameters else None


def _takes_keywords(home: Home, function: Function) -> bool:
    """Whether a parameter is unpacked itself, and no attribute of the settings that it is."""
    parameters = parameter_names(function.args)
    return bool(_unpacked_names(home, _mappings_in) & parameters)


def _unpacked_names(home: Home, names_in: Callable[[ast.AST], set[str]]) -> set[str]:
    """Return the names of which the unpacked keywords are made, over variables of the function."""
    keywords = home.call.keywords if home.call is not None else []
    names = {name for node in keywords if node.arg is None for name in names_in(node.value)}

    def names_for(name: str) -> Iterator[str]:
        for binding in home.scope.bindings_of(name):
            yield from names_in(binding.value) if binding.value is not None else ()

    return reachable(names, names_for)


def _names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _mappings_in(node: ast.AST) -> set[str]:
    """Return the names in ``node`` of which no attribute is read; calls of methods do not count."""
    called = {part.func for part in ast.walk(node) if isinstance(part, ast.Call)}
    read = {
        one.value for one in ast.walk(node) if isinstance(one, ast.Attribute) and one not in called
    }
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and part not in read}


def _is_key(node: ast.AST) -> bool:
    """Whether a node names a list of handlers as a key: of a dictionary, or a keyword."""
    words = _KEYWORDS
    match node:
        case ast.Dict(keys=keys):
            return any(isinstance(key, ast.Constant) and key.value in words for key in keys)
        case ast.Subscript(slice=ast.Constant(value=value), ctx=ast.Store()):
            return value in words
        # A field of a TypedDict or a dataclass becomes a key as well.
        case ast.AnnAssign(target=ast.Name(id=name)):
            return name in words
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            return any(keyword.arg in words for keyword in keywords)
    return False


_COMPOUND = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.While, ast.For, ast.AsyncFor,
    ast.With, ast.AsyncWith, ast.Match, ast.Try,
)  # fmt: skip


class Home(Struct, frozen=True):
    """The call that makes an application, its statement, and the scope of these.

    ``variable`` is the plain name that the application is given, empty if it has none. Where a
    function only registers on applications that it is given, there is no ``call``: ``receiver`` is
    what it calls the application, and ``annotation`` how that is annotated.
    """

    application: Application
    module: Module
    call: ast.Call | None
    statement: ast.stmt
    scope: Scope
    variable: str
    receiver: str = ""
    annotation: str = ""

    @property
    def function(self) -> Function | None:
        """The function that makes the application, if one does."""
        node = self.scope.node
        return node if isinstance(node, Function) else None

    @property
    def scope_name(self) -> str:
        """The name of the function or file around the statement."""
        return self.module.scope_name(self.statement)

    @property
    def outermost(self) -> ast.stmt:
        """The statement of the module in which the application is made."""
        statement = self.statement
        for above in self.module.ancestors(self.statement):
            if isinstance(above, ast.stmt):
                statement = above
        return statement


def home_of(application: Application, module: Module) -> Home:
    """Return where ``application`` is made in ``module``. Raises Refused."""
    calls = module.calls_at(application.made.span)
    # Before Python 3.12 nodes inside an f-string have no reliable positions.
    if not calls:
        raise Refused(reasons.NO_PLACE, "inside an f-string")
    call = calls[0]
    scope = module.scopes.scope_of(call)
    # A function in a class body cannot see its names; a lambda has no room for one.
    if scope.kind not in {"module", "function"}:
        raise Refused(reasons.NO_PLACE, f"in a {scope.kind}", because=(application.made,))
    statement = module.statement_of(call)
    if statement is None or isinstance(statement, _COMPOUND):
        raise Refused(reasons.NO_PLACE, "in the head of a block", because=(application.made,))
    variable = last_name(variable_of(module.parent(call)))
    written = module.text_of(call.func)
    return Home(application, module, call, statement, scope, variable, annotation=written)


def registrar_of(
    application: Application, module: Module, statement: ast.stmt, receiver: ast.expr
) -> Home:
    """Return the function in which ``statement`` registers on ``receiver``, that it is given."""
    scope = module.scopes.scope_of(statement)
    annotation, variable = "", ""
    if isinstance(receiver, ast.Name):
        variable = receiver.id
        # Several bindings may be annotated differently.
        binding = module.scopes.only_binding(receiver)
        declared = None if binding is None else binding.annotation
        annotation = module.text_of(declared) if declared is not None else ""
    text = module.text_of(receiver)
    if not annotation and application.made.path == module.path:
        calls = module.calls_at(application.made.span)
        annotation = module.text_of(calls[0].func) if calls else ""
    return Home(application, module, None, statement, scope, variable, text, annotation)
