"""The engines of a program: the calls that make one, and what each is given.

The reader of engine URLs: what one begins with, and where else it comes from.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge import knowledge
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine, Outside, Url, UrlText
from awaken.project.frameworks.sqlalchemy.engines.url_sources import (
    builds_from_driver,
    gives_the_same,
    setting_read,
    settings_written,
)
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.names.functions.decorators import decorator_names
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.f_strings import text_parts
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    is_none,
    last_name,
    parameters_of,
)
from awaken.project.source.worklist import MOST_STEPS
from awaken.project.values.domain import ClassOf, InstanceOf, Unknown
from awaken.project.values.local.flow import local_flow

_SCHEME_END = "://"
_PROPERTY = "builtins.property"
_COMPUTED = [[{_PROPERTY}], [{_PROPERTY, "pydantic.computed_field"}]]
"""The decorators of the one function that gives an attribute which no instance can set."""
ENGINE_WORDS = (b"_engine", b"engine_from_config")
"""Of these one stands in every file that makes an engine."""
_ENVIRONMENT_WORDS = (b"environ", b"putenv", b"setenv")
_ASYNC_ENGINE = "sqlalchemy.ext.asyncio.AsyncEngine"
_FROM_CONFIG = "engine_from_config"


class _Reading(Struct):
    """The remaining steps for one URL; ``active`` are those in progress, where a circle ends."""

    steps: int = MOST_STEPS
    active: list[tuple[str, int]] = field(default_factory=list)


class UrlReader(ProgramFacts):
    """Follows URLs through variables, settings and functions of one program."""

    def url_of(self, module: Module, node: ast.expr) -> Url:
        """Return all that the URL ``node`` may be; parameters are not followed to the callers."""
        with self._evaluator.without_callers():
            return self._read(module, node, _Reading())

    def _read(self, module: Module, node: ast.expr, reading: _Reading) -> Url:
        reading.steps -= 1
        if reading.steps < 0:
            return self._unseen_url(module, node)
        inner = _unwrapped_expression(node)
        if inner is not None:
            return self._read(module, inner, reading)
        others = alternatives(node)
        if others:
            return _either(self._read(module, part, reading) for part in others)
        parts = text_parts(node)
        if parts:
            return self._joined_url(module, parts, reading)
        return self._one(module, node, reading)

    def _one(self, module: Module, node: ast.expr, reading: _Reading) -> Url:
        match node:
            case ast.Constant(value=str() as text):
                return Url((UrlText(text, is_whole=True, place=module.place(node)),))
            case ast.Constant(value=None):
                return Url()
            case ast.BinOp(left=left, op=ast.Mod()):
                return _cut(self._read(module, left, reading), "%")
            case ast.Call():
                return self._called_url(module, node, reading)
            case ast.Subscript():
                return self._setting(module, node, reading) or self._unseen_url(module, node)
            case ast.Name():
                return self._named_url(module, node, reading)
            case ast.Attribute():
                return self._attribute(module, node, reading)
        return self._unseen_url(module, node)

    def _unseen_url(self, module: Module, node: ast.AST) -> Url:
        return Url(outside=(Outside("unseen", module.excerpt(node), module.place(node)),))

    # ----------------------------------------------------------------------- putting together
    def _joined_url(self, module: Module, parts: list[ast.expr], reading: _Reading) -> Url:
        """Return the joined parts of a text, as far as all is constant."""
        url = self._read(module, parts[0], reading)
        for part in parts[1:]:
            # The driver is known: the rest does not matter.
            open_ones = [text for text in url.texts if text.is_whole]
            if not open_ones:
                return url
            match part:
                case ast.Constant(value=str() as more):
                    texts = tuple(_with_more(text, more) for text in url.texts)
                case _:
                    texts = tuple(replace(text, is_whole=False) for text in url.texts)
            url = replace(url, texts=texts)
        return url

    # ------------------------------------------------------------------------ what calls give
    def _called_url(self, module: Module, call: ast.Call, reading: _Reading) -> Url:
        setting = self._setting(module, call, reading)
        if setting is not None:
            return setting
        name = self._evaluator.names.qualified_name(module, call.func) or ""
        driver = builds_from_driver(call)
        if driver is not None:
            return _as_driver(self._read(module, driver, reading))
        same = gives_the_same(call, name)
        if same is not None:
            return self._read(module, same, reading)
        match call:
            case ast.Call(func=ast.Attribute(value=value, attr="format")):
                return _cut(self._read(module, value, reading), "{")
            case ast.Call(
                func=ast.Attribute(value=value, attr="replace"),
                args=[
                    ast.Constant(value=str() as old),
                    ast.Constant(value=str() as new) as written,
                    *_,
                ],
            ):
                url = self._read(module, value, reading)
                return _replaced_url(url, old, UrlText(new, False, module.place(written)))
        return self._returned_url(module, call, reading)

    def _returned_url(self, module: Module, call: ast.Call, reading: _Reading) -> Url:
        callees = functions_called(self._evaluator, module, call)
        if isinstance(callees, Unknown):
            return self._unseen_url(module, call)
        return _either(self._result(callee.module, callee.function, reading) for callee in callees)

    def _result(self, module: Module, function: Function, reading: _Reading) -> Url:
        """Return what a function returns, at any of its ends."""
        values = [node.value for node in module.returns_of(function)]
        if not values or module.is_generator(function):
            return self._unseen_url(module, function)
        given = [node for node in values if node is not None]
        return self._all(module, function, given, reading)

    def _all(
        self, module: Module, holder: ast.AST, values: list[ast.expr], reading: _Reading
    ) -> Url:
        """Return what all of ``values`` may be, which ``holder`` binds or returns."""
        key = module.key_of(holder)
        # ``url = url.replace(...)``: the other bindings give all its possible beginnings.
        if key in reading.active:
            return Url()
        reading.active.append(key)
        url = _either([self._read(module, node, reading) for node in values])
        reading.active.pop()
        return url

    def _setting(
        self, module: Module, node: ast.Call | ast.Subscript, reading: _Reading
    ) -> Url | None:
        """Return what an environment or a mapping of settings gives; None of anything else."""
        read = setting_read(self._evaluator.names, module, node)
        if read is None:
            return None
        outside = Url(outside=(Outside(read.kind, read.name, module.place(node)),))
        if read.default is None or is_none(read.default):
            return outside
        return _either((outside, self._read(module, read.default, reading)))

    # ---------------------------------------------------------------------------------- names
    def _named_url(self, module: Module, node: ast.Name, reading: _Reading) -> Url:
        bindings = module.scopes.bindings_of(node)
        if bindings and all(binding.kind != "import" for binding in bindings):
            return self._bound_url(module, _reaching(module, node) or bindings, reading)
        return self._global(module, node, reading) or self._unseen_url(module, node)

    def _global(
        self, module: Module, node: ast.Name | ast.Attribute, reading: _Reading
    ) -> Url | None:
        """Return the value of a variable at the top of a file; None if unknown."""
        name = self._evaluator.names.qualified_name(module, node)
        home, bindings = self._evaluator.names.bindings_at(name) or (None, [])
        if home is None or not bindings or any(binding.kind == "import" for binding in bindings):
            return None
        return self._bound_url(home, bindings, reading)

    def _bound_url(self, module: Module, bindings: list[Binding], reading: _Reading) -> Url:
        return _either(self._binding(module, binding, reading) for binding in bindings)

    def _binding(self, module: Module, binding: Binding, reading: _Reading) -> Url:
        match binding.kind:
            case "assignment" | "walrus" if binding.value is not None:
                url = self._all(module, binding.node, [binding.value], reading)
                return _url_through(url, module.place(binding.node))
            # Additions to a URL are at its end; an annotation alone binds nothing.
            case "augmented" | "annotation":
                return Url()
            case "parameter" if isinstance(binding.node, ast.arg):
                return self._parameter(module, binding.node, reading)
        return self._unseen_url(module, binding.node)

    def _parameter(self, module: Module, parameter: ast.arg, reading: _Reading) -> Url:
        outside = Url(outside=(Outside("parameter", parameter.arg, module.place(parameter)),))
        function = module.parent(module.parent(parameter) or parameter)
        default = _default_of(function, parameter)
        if default is None or is_none(default):
            return outside
        return _either((outside, self._read(module, default, reading)))

    # ----------------------------------------------------------------------------------- attributes
    def _attribute(self, module: Module, node: ast.Attribute, reading: _Reading) -> Url:
        url = self._global(module, node, reading)
        if url is not None:
            return url
        owners = self._evaluator.values(module, node.value)
        classes = [owner.qualified for owner in owners if isinstance(owner, InstanceOf | ClassOf)]
        members = [self._member(class_, node.attr, reading) for class_ in classes]
        if all(isinstance(item, InstanceOf) and self._computes(item, node.attr) for item in owners):
            return _either(members)
        name = module.excerpt(node)
        outside = Url(outside=(Outside("settings", name, module.place(node)),))
        # The creator of an object may set its attributes.
        return _either((outside, *members))

    def _computes(self, owner: InstanceOf, attribute: str) -> bool:
        """Whether an attribute is a property that nothing sets, and that no class replaces."""
        facts = self._evaluator.classes
        home, class_ = facts.node(owner.qualified) or (None, None)
        if home is None or class_ is None or facts.subclasses(owner.qualified):
            return False
        bindings = home.scopes.scope_made_by(class_).bindings_of(attribute)
        functions = [binding.node for binding in bindings if isinstance(binding.node, Function)]
        names = [decorator_names(self._evaluator.names, home, function) for function in functions]
        return len(bindings) == 1 and names in _COMPUTED

    def _member(self, qualified: str, attribute: str, reading: _Reading) -> Url:
        """Return what a class of the program gives its attribute, in its body and its methods."""
        for facts in self._evaluator.classes.line(qualified):
            if attribute not in facts.attributes:
                continue
            module, owner = self._evaluator.classes.node(facts.qualified) or (None, None)
            if module is None or owner is None:
                return Url()
            bindings = module.scopes.scope_made_by(owner).bindings_of(attribute)
            given = [self._of_class(module, binding, reading) for binding in bindings]
            given += [
                self._read(module, node, reading)
                for node in _assigned_values(module, owner, attribute)
            ]
            return _either(given)
        return Url()

    def _of_class(self, module: Module, binding: Binding, reading: _Reading) -> Url:
        if isinstance(binding.node, Function):  # a property
            return self._result(module, binding.node, reading)
        return self._binding(module, binding, reading)


def _reaching(module: Module, node: ast.Name) -> list[Binding]:
    """Return the bindings that a read may see; none where code after them extends the value."""
    flow = local_flow(module, node)
    reaching = None if flow is None else flow.reaching(node)
    if not isinstance(reaching, tuple):
        return []
    return [] if any(binding.kind == "augmented" for binding in reaching) else [*reaching]


def _unwrapped_expression(node: ast.expr) -> ast.expr | None:
    """Return the expression whose value ``node`` has."""
    match node:
        case ast.FormattedValue(value=value, format_spec=None):
            return value
        case ast.Await(value=value):
            return value
    return None


def _assigned_values(module: Module, owner: ast.ClassDef, attribute: str) -> Iterator[ast.expr]:
    """Yield what methods of a class assign to an attribute of ``self``."""
    for node in module.walk(owner):
        match node:
            case (
                ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)])
                | ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name))
            ) if name == attribute and node.value is not None:
                yield node.value


def _default_of(function: ast.AST | None, parameter: ast.arg) -> ast.expr | None:
    if not isinstance(function, FunctionOrLambda):
        return None
    return dict(parameters_of(function.args)).get(parameter)


# ------------------------------------------------------------------------------------ sums of URLs
def _either(urls: Iterable[Url]) -> Url:
    """Return all that one of several URLs may be."""
    result = list(urls)
    return Url(
        tuple(dict.fromkeys(text for url in result for text in url.texts)),
        tuple(dict.fromkeys(text for url in result for text in url.outside)),
    )


def _url_through(url: Url, place: Place) -> Url:
    texts = (replace(text, through=(place, *text.through)) for text in url.texts)
    return replace(url, texts=tuple(texts))


def _with_more(text: UrlText, more: str) -> UrlText:
    return replace(text, text=text.text + more) if text.is_whole else text


def _cut(url: Url, sign: str) -> Url:
    """Return a template as far as nothing is put into it."""
    texts = (replace(text, text=text.text.partition(sign)[0], is_whole=False) for text in url.texts)
    return replace(url, texts=tuple(texts))


def _as_driver(url: Url) -> Url:
    """Return the URLs that are built from the names of drivers."""
    texts = (replace(text, text=text.text + _SCHEME_END, is_whole=False) for text in url.texts)
    return replace(url, texts=tuple(texts))


def _replaced_url(url: Url, old: str, new: UrlText) -> Url:
    """Return URLs with ``old`` replaced; a URL from outside may be adapted by that."""
    texts = [_with_replaced(text, old, new) for text in url.texts]
    outside = tuple(replace(item, is_adapted=True) for item in url.outside)
    return Url(tuple(texts), outside)


def _with_replaced(text: UrlText, old: str, new: UrlText) -> UrlText:
    if old not in text.text:
        return text
    written = text.text.replace(old, new.text)
    begins = text.text.startswith(old)
    # The driver is then in the inserted string.
    return replace(text, text=written, place=new.place if begins else text.place)


class Engines:
    """Answers for one program; keeps nothing between questions."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._urls = UrlReader(evaluator)

    def all(self) -> Iterator[Engine]:
        """Yield every engine that the program makes, file by file; tests are files, too."""
        for module in self._evaluator.modules_with(ENGINE_WORDS):
            yield from self.in_file(module)

    def in_file(self, module: Module) -> Iterator[Engine]:
        """Yield the engines that a file makes, in the order of the source."""
        known = knowledge().opens
        for node in module.nodes(ast.Call):
            # Resolving a name costs more than reading it: most calls are of something else.
            if "engine" not in last_name(node.func):
                continue
            name = self._evaluator.names.qualified_name(module, node.func) or ""
            resource = known.get(name)
            if resource in {"async-engine", "engine"}:
                is_async = resource == "async-engine" or self._is_wrapped(module, node)
                yield Engine(module, node, name, is_async, name.endswith(_FROM_CONFIG))

    def url_of(self, engine: Engine) -> Url | None:
        """Return the URL of an engine; None where the call does not show it."""
        if engine.url is None:
            return None
        url = self._urls.url_of(engine.module, engine.url)
        said = UrlText("sqlite://", is_whole=False, place=engine.module.place(engine.url))
        may_be = all(text.text.startswith("sqlite") for text in url.texts) and not engine.is_async
        is_sqlite = bool(url.outside) and may_be and _has_argument_of_sqlite(engine)
        return Url((*url.texts, said)) if is_sqlite else url

    def _set_in_memory(self) -> set[str]:
        """Return the environment variables that the program sets to a database in memory."""
        return {
            name
            for module in self._evaluator.modules_with(_ENVIRONMENT_WORDS)
            for node in module.walk()
            for name, value in settings_written(self._evaluator.names, module, node)
            if any(text.is_in_memory for text in self._urls.url_of(module, value).texts)
        }

    def is_in_memory(self, engine: Engine) -> bool:
        """Whether the database of an engine is in memory, also where tests set a variable to that.

        The field of settings is the environment variable of that name.
        """
        if engine.url is None:
            return False
        url = self._urls.url_of(engine.module, engine.url)
        if any(text.is_in_memory for text in url.texts):
            return True
        outside = {source.name.rpartition(".")[2].upper() for source in url.outside}
        return bool(outside) and not outside.isdisjoint(self._set_in_memory())

    def pool_of(self, engine: Engine) -> str | None:
        """Return the name of the class of pools that an engine is given.

        Empty if it has none, None if it is unknown.
        """
        given = engine.options.get("poolclass")
        if given is None or is_none(given):
            return ""
        name = self._evaluator.names.qualified_name(engine.module, given)
        return None if name is None else name.rpartition(".")[2]

    def _is_wrapped(self, module: Module, call: ast.Call) -> bool:
        """Whether it is in ``AsyncEngine(create_engine(...))``."""
        above = module.parent(call)
        if not isinstance(above, ast.Call) or call not in above.args:
            return False
        return self._evaluator.names.qualified_name(module, above.func) == _ASYNC_ENGINE


def _has_argument_of_sqlite(engine: Engine) -> bool:
    """Whether an engine has an argument that only the driver of SQLite knows."""
    arguments = engine.options.get("connect_args")
    keys = arguments.keys if isinstance(arguments, ast.Dict) else ()
    return any(isinstance(key, ast.Constant) and key.value == "check_same_thread" for key in keys)
