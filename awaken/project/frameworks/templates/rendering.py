"""The calls that render templates, and what they give to them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge.library_names import name_list
from awaken.knowledge.templates import library_templates
from awaken.project.frameworks.sqlalchemy.reads.read_facts import BY_KEY
from awaken.project.frameworks.templates.template_files import MOST_TEMPLATES
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.f_strings import is_literal, text_parts
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import (
    Function,
    argument_of,
    keyword_of,
    last_name,
    named_parameters,
)
from awaken.project.source.worklist import LONGEST_TEXT
from awaken.project.values.domain import DEEPEST, MOST_CALLS, InstanceOf

# Methods that leave a dictionary as it is.
_READING = name_list("views_of_dictionaries") | {"copy", "get"}
_RENDERING = {"TemplateResponse", "render", "render_async", "render_to_string", "render_template"}


class Expression(Struct, frozen=True):
    """An expression of the program, and what of it is meant: ``path`` leads on from there."""

    module: Module
    node: ast.expr
    path: tuple[str, ...] = ()


class Context(Struct):
    """The arguments of a template.

    ``named`` are the expressions that a name may mean, ``spread`` dictionaries of further names.
    """

    named: dict[str, list[Expression]] = field(default_factory=dict)
    spread: list[Expression] = field(default_factory=list)

    def copy(self) -> Context:
        """Return the same, to be added to."""
        named = {name: list(expressions) for name, expressions in self.named.items()}
        return Context(named, list(self.spread))

    def join(self, other: Context) -> None:
        """Add the values of another one to these."""
        for name, expressions in other.named.items():
            self.named.setdefault(name, []).extend(expressions)
        self.spread += other.spread

    def everything(self) -> Iterator[Expression]:
        """Yield all that some name may mean."""
        for expressions in self.named.values():
            yield from expressions
        yield from (replace(item, path=(*item.path, BY_KEY)) for item in self.spread)

    def meanings_of(self, name: str) -> list[Expression]:
        """Return what a name may mean, if a dictionary with further names holds it as well."""
        further = [replace(expression, path=(*expression.path, name)) for expression in self.spread]
        return [*self.named.get(name, []), *further]

    def add(self, name: str, module: Module, node: ast.expr) -> None:
        """Add what a name may mean."""
        self.named.setdefault(name, []).append(Expression(module, node))

    def add_keywords(self, module: Module, keywords: Sequence[ast.keyword]) -> None:
        """Add the keywords of a call, of which no two have the same name."""
        for keyword in keywords:
            if keyword.arg is not None:
                self.add(keyword.arg, module, keyword.value)
        for keyword in keywords:
            if keyword.arg is None:
                self._add(module, keyword.value, DEEPEST, replaces=False)

    def add_dictionary(self, module: Module, node: ast.expr) -> None:
        """Add what a dictionary holds, which may replace what is there."""
        self._add(module, node, DEEPEST, replaces=True)

    def _add(self, module: Module, node: ast.expr, deep: int, *, replaces: bool) -> None:
        match node:
            case ast.Dict() if deep:
                self._add_display(module, node, deep)
            case ast.Call(func=ast.Name(id="dict"), args=args) if deep:
                for argument in args:
                    self._add(module, argument, deep - 1, replaces=True)
                self.add_keywords(module, node.keywords)
            case ast.BinOp(op=ast.BitOr()) if deep:
                self._add(module, node.left, deep - 1, replaces=replaces)
                self._add(module, node.right, deep - 1, replaces=True)
            case ast.Name() if deep and (parts := _parts_of(module, node)) is not None:
                for name, value in parts:
                    if name:
                        self.add(name, module, value)
                    else:
                        self._add(module, value, deep - 1, replaces=True)
            case _:
                self._add_unseen(module, node, replaces=replaces)

    def _add_display(self, module: Module, node: ast.Dict, deep: int) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            match key:
                case ast.Constant(value=str(name)):
                    self.add(name, module, value)
                case None:
                    self._add(module, value, deep - 1, replaces=True)
                case _:
                    self._add_unseen(module, node, replaces=False)

    def _add_unseen(self, module: Module, node: ast.expr, *, replaces: bool) -> None:
        """Add a dictionary of which the names are not seen."""
        for name, expressions in self.named.items() if replaces else ():
            expressions.append(Expression(module, node, (name,)))
        self.spread.append(Expression(module, node))


def _parts_of(module: Module, name: ast.Name) -> list[tuple[str, ast.expr]] | None:
    """Return what is put into the dictionary of a variable, each with its key.

    The key is empty where the value is a dictionary of several. None if it may hold more.
    """
    scope = module.scopes.owner(name.id, module.scopes.scope_of(name))
    # Another file may put something into one of a module.
    inside = scope is not None and isinstance(scope.node, Function)
    bindings = scope.bindings_of(name.id) if scope is not None and inside else []
    result: list[tuple[str, ast.expr]] = []
    for binding in bindings:
        if binding.kind != "assignment" or not isinstance(binding.value, ast.Dict | ast.Call):
            return None
        if isinstance(binding.value, ast.Call) and last_name(binding.value.func) != "dict":
            return None
        result.append(("", binding.value))
    for read in module.scopes.reads_of(name) if result else ():
        parts = _put_in(module, read)
        if parts is None:
            return None
        result += parts
    return result or None


def _put_in(module: Module, read: ast.Name) -> list[tuple[str, ast.expr]] | None:
    """Return what one mention of a dictionary puts into it; None if that is not seen."""
    parent = module.parent(read)
    match parent:
        case ast.Subscript(value=owner, ctx=ast.Load()) if owner is read:
            # A method of what it holds may put something into that.
            return None if isinstance(module.parent(parent), ast.Attribute) else []
        case ast.Subscript(ctx=ast.Store(), slice=ast.Constant(value=str(key))):
            statement = module.parent(parent)
            return [(key, statement.value)] if isinstance(statement, ast.Assign) else None
        case ast.Attribute(attr=method):
            call = module.call_of(parent)
            if call is None:
                return None
            return (
                _update_arguments(call)
                if method == "update"
                else ([] if method in _READING else None)
            )
        case ast.keyword(arg=None) | ast.Dict() | ast.Compare() | ast.Return():
            return []
        case ast.Call() if last_name(parent.func) in _RENDERING:
            return []
    return None


def _update_arguments(call: ast.Call) -> list[tuple[str, ast.expr]]:
    return [
        *(("", argument) for argument in call.args),
        *((keyword.arg or "", keyword.value) for keyword in call.keywords),
    ]


_DECORATING = b"aiohttp_jinja2"
_WORDS = (b"render", b"stream_template", b"TemplateResponse", _DECORATING)
_OF_TEMPLATE = {"render", "render_async", "render_unicode", "generate", "generate_async", "stream"}
_LOADING = {"get_template", "select_template", "get_or_select_template"}
_MAKING = {"from_string", "Template", "NativeTemplate"}
_FOREIGN = {"render_to_string", "render_to_response"}
_NAME_KEYWORDS = ("template_name_or_list", "template_name", "template", "name")
_ANYTHING = "*"
"""The mark for a computed part of a text."""

_PERCENT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*[0-9*]*(?:\.[0-9*]+)?[diouxXeEfFgGcrsa]")
_BRACES = re.compile(r"\{[^{}]*\}")


class Rendering(Struct, frozen=True):
    """A call that renders a template.

    ``names`` are those that the template may have, ``sources`` the texts that it may be itself;
    both are None where that is computed. ``language`` is empty for Jinja. ``unknown`` are sentences
    about other possible arguments; ``in_flask`` says whether it gets the context of every Flask
    template.
    """

    place: Place
    module: Module
    names: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    context: Context = field(default_factory=Context)
    language: str = ""
    unknown: tuple[str, ...] = ()
    in_flask: bool = False


class _Form(Struct, frozen=True):
    """How a call is written: which of its arguments is what."""

    name: ast.expr | None = None
    source: ast.expr | None = None
    keywords: Sequence[ast.keyword] = ()
    context: ast.expr | None = None
    language: str = ""
    in_flask: bool = False


class Renderings:
    """Finds the calls of one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._known = known = library_templates()
        functions = (*known.by_name, *known.by_source, *known.with_request)
        self._functions = {function.rpartition(".")[2] for function in functions}
        self._methods = {method.rpartition(".")[2] for method in known.methods}

    def all(self) -> Iterator[Rendering]:
        """Yield all visible calls, file by file."""
        for module, node in nodes_in(self._evaluator.modules_at(self._files()), ast.AST):
            if isinstance(node, ast.Call):
                form = self._form(module, node)
                if form is not None:
                    yield from self._renderings(module, node, form)
            elif isinstance(node, Function):
                yield from self._decorated_renderings(module, node)

    def _files(self) -> list[str]:
        """Return the files that may have such a call: the words alone are in many."""
        calling = self._evaluator.callers.words.calling
        by_name = calling({"TemplateResponse", *self._functions, *self._methods, *_FOREIGN})
        # The template that has the method is loaded, or made, in the same file.
        of_template = calling(_OF_TEMPLATE) & calling(_LOADING | _MAKING)
        decorated = self._evaluator.files_with([_DECORATING])
        paths = by_name | of_template | frozenset(decorated)
        return [path for path in self._evaluator.files_with(_WORDS) if path in paths]

    # What a call is

    def _form(self, module: Module, call: ast.Call) -> _Form | None:
        name = last_name(call.func)
        if name == "TemplateResponse":
            return _response(call)
        if name in self._functions:
            form = self._of_function(module, call)
            if form is not None:
                return form
        if isinstance(call.func, ast.Attribute) and name in self._methods:
            form = self._of_method(module, call, call.func)
            if form is not None:
                return form
        if isinstance(call.func, ast.Attribute) and name in _OF_TEMPLATE:
            return self._of_template(module, call, call.func)
        return self._foreign(module, call) if name in _FOREIGN else None

    def _of_function(self, module: Module, call: ast.Call) -> _Form | None:
        qualified = self._evaluator.names.qualified_name(module, call.func)
        if qualified in self._known.by_name:
            return _Form(_first(call, _NAME_KEYWORDS), None, call.keywords, in_flask=True)
        if qualified in self._known.by_source:
            return _Form(None, _first(call, ("source",)), call.keywords, in_flask=True)
        if qualified in self._known.with_request:
            context = call.args[2] if len(call.args) > 2 else keyword_of(call, "context")  # noqa: PLR2004
            return _Form(name=_first(call, _NAME_KEYWORDS), context=context)
        return None

    def _of_method(self, module: Module, call: ast.Call, func: ast.Attribute) -> _Form | None:
        """Return a method of a class of the program that inherits it from a library."""
        for value in self._evaluator.values(module, func.value):
            qualified = value.qualified if isinstance(value, InstanceOf) else ""
            for above in self._evaluator.classes.library_ancestors(qualified):
                if f"{above}.{func.attr}" in self._known.methods:
                    return _Form(_first(call, _NAME_KEYWORDS), None, call.keywords, in_flask=True)
                language = self._known.foreign.get(above.partition(".")[0])
                if language is not None:
                    return _Form(keywords=call.keywords, language=language)
        return None

    def _of_template(self, module: Module, call: ast.Call, func: ast.Attribute) -> _Form | None:
        """Return the rendering of a template that visible code loads or makes."""
        made = func.value
        if isinstance(made, ast.Name):
            made = next((node for node in _assigned_nodes(module, made) if node is not None), made)
        made = made.value if isinstance(made, ast.Await) else made
        if not isinstance(made, ast.Call) or last_name(made.func) not in _LOADING | _MAKING:
            return None
        language = self._language(module, made)
        if language is None:
            return None
        context = call.args[0] if call.args else None
        first = _first(made, _NAME_KEYWORDS if last_name(made.func) in _LOADING else ("source",))
        if last_name(made.func) in _LOADING:
            return _Form(first, None, call.keywords, context, language)
        return _Form(None, first, call.keywords, context, language)

    def _language(self, module: Module, made: ast.Call) -> str | None:
        """Return the language of a template, empty for Jinja; None if it is no template."""
        packages = self._packages(module, made)
        result = next(
            (self._known.foreign[name] for name in packages if name in self._known.foreign), ""
        )
        is_class = last_name(made.func) in {"Template", "NativeTemplate"}
        # `string.Template` renders nothing; any other may be a class of the program.
        return None if is_class and not result and "jinja2" not in packages else result

    def _packages(self, module: Module, made: ast.Call) -> list[str]:
        """Return the packages that the function or method ``made`` calls may come from."""
        names = [self._evaluator.names.qualified_name(module, made.func) or ""]
        if isinstance(made.func, ast.Attribute):
            owners = self._evaluator.values(module, made.func.value)
            names += [owner.qualified for owner in owners if isinstance(owner, InstanceOf)]
        return [name.partition(".")[0] for name in names]

    def _foreign(self, module: Module, call: ast.Call) -> _Form | None:
        qualified = self._evaluator.names.qualified_name(module, call.func) or ""
        language = self._known.foreign.get(qualified.partition(".")[0])
        if language is None:
            return None
        return _Form(
            keywords=call.keywords,
            context=call.args[-1] if len(call.args) > 1 else None,
            language=language,
        )

    # What it is given

    def _renderings(self, module: Module, call: ast.Call, form: _Form) -> Iterator[Rendering]:
        context = Context()
        own = (form.name, form.source)
        context.add_keywords(module, [node for node in form.keywords if node.value not in own])
        if form.context is not None:
            context.add_dictionary(module, form.context)
        sources = None if form.source is None else _sources(module, form.source)
        names = None if form.name is None else _texts_of(module, form.name)
        rendering = Rendering(
            module.place(call),
            module,
            names,
            sources,
            context,
            form.language,
            in_flask=form.in_flask,
        )
        yield from self._through_wrappers(rendering, call, form.name, MOST_CALLS)

    def _through_wrappers(
        self, found: Rendering, call: ast.AST, name: ast.expr | None, deep: int
    ) -> Iterator[Rendering]:
        """Yield a rendering as the callers of the function around it make it.

        Where the function hands on the ``**context`` that it is given.
        """
        function = found.module.enclosing_function(call)
        handed = function.args.kwarg if isinstance(function, Function) else None
        inside = [
            item
            for item in found.context.spread
            if isinstance(item.node, ast.Name) and handed is not None and item.node.id == handed.arg
        ]
        if not inside or not isinstance(function, Function):
            yield found
            return
        found = replace(found, context=found.context.copy())
        found.context.spread = [item for item in found.context.spread if item not in inside]
        callers = self._evaluator.callers_of(found.module, function)
        unknown = tuple(obstacle.why for obstacle in callers.obstacles)
        if unknown or not deep:
            why = unknown or ("too many functions pass its arguments on",)
            yield replace(found, unknown=(*found.unknown, *why))
        for site in callers.sites if deep else ():
            for module, outer in self._evaluator.calls_at(site.place):
                passed = _as_passed(found, module, outer, function)
                named = _passed_name(found, name, outer, function, site.bound)
                if named is not None:
                    passed = replace(passed, names=_texts_of(module, named))
                yield from self._through_wrappers(passed, outer, named, deep - 1)

    def _decorated_renderings(self, module: Module, function: Function) -> Iterator[Rendering]:
        """Yield the rendering of what a function returns to its decorator."""
        for decorator in function.decorator_list:
            if not isinstance(decorator, ast.Call):
                continue
            qualified = self._evaluator.names.qualified_name(module, decorator.func)
            if qualified not in self._known.decorators:
                continue
            context = Context()
            for node in module.returned_by(function):
                context.add_dictionary(module, node)
            names = _texts_of(module, _first(decorator, _NAME_KEYWORDS))
            place = module.place(decorator)
            yield Rendering(place, module, names, None, context)


def _as_passed(found: Rendering, module: Module, call: ast.Call, function: Function) -> Rendering:
    """Return a rendering inside of ``function`` with what ``call`` passes to its ``**context``."""
    own = {argument.arg for argument in named_parameters(function)}
    context = found.context.copy()
    context.add_keywords(module, [keyword for keyword in call.keywords if keyword.arg not in own])
    return replace(found, place=module.place(call), module=module, context=context)


def _passed_name(
    found: Rendering, name: ast.expr | None, call: ast.Call, function: Function, bound: int
) -> ast.expr | None:
    """Return what a call passes as the name of the template; None if it does not choose it."""
    if found.names is not None or not isinstance(name, ast.Name):
        return None
    for argument in named_parameters(function):
        if argument.arg == name.id:
            return argument_of(call, function, argument, bound)
    return None


def _response(call: ast.Call) -> _Form:
    """Return what ``TemplateResponse`` is given, which takes the request in front, or did not."""
    name, context = keyword_of(call, "name"), keyword_of(call, "context")
    has_request = keyword_of(call, "request") is not None
    rest = list(call.args)
    if rest and not has_request and (name is not None or _is_request(rest)):
        rest.pop(0)
    if name is None and rest:
        name = rest.pop(0)
    if context is None and rest:
        context = rest.pop(0)
    return _Form(name=name, context=context)


def _is_request(arguments: list[ast.expr]) -> bool:
    """Whether the first of these arguments is the request, rather than the name."""
    texts = list(map(is_literal, arguments[:2]))
    return not texts[0] and (texts[1:] == [True] or last_name(arguments[0]).endswith("request"))


def _sources(module: Module, node: ast.expr) -> tuple[str, ...] | None:
    """Return the templates that an expression may be, each a whole text."""
    nodes = _assigned_nodes(module, node) if isinstance(node, ast.Name) else [node]
    result = [
        one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    return tuple(result) if len(result) == len(nodes) else None


def _first(call: ast.Call, names: Sequence[str]) -> ast.expr | None:
    if call.args:
        return call.args[0]
    return next((keyword.value for keyword in call.keywords if keyword.arg in names), None)


@recursive()
def _texts_of(module: Module, node: ast.expr | None) -> tuple[str, ...] | None:
    """Return the texts that ``node`` may be, with ``_ANYTHING`` in it; None if it may be any."""
    if node is None:
        return None
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.List() | ast.Tuple():
            return _any_of(module, node.elts)
        case ast.ListComp():
            return _texts_of(module, node.elt)
        case ast.Name():
            return _any_of(module, _assigned_nodes(module, node))
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return _names_together([_PERCENT.sub(_ANYTHING, text)])
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return _names_together([_BRACES.sub(_ANYTHING, text)])
        case _ if others := alternatives(node):
            return _any_of(module, others)
    return _names_together([_part(module, part) for part in text_parts(node)])


def _assigned_nodes(module: Module, name: ast.Name) -> list[ast.expr | None]:
    """Return all that a variable is assigned in its file; None for what is not told."""
    scope = module.scopes.owner(name.id, module.scopes.scope_of(name))
    bindings = [] if scope is None else scope.bindings_of(name.id)
    return [item.value if item.kind == "assignment" else None for item in bindings] or [None]


def _any_of(module: Module, nodes: Iterable[ast.expr | None]) -> tuple[str, ...] | None:
    result: dict[str, None] = {}
    for node in nodes:
        texts = _texts_of(module, node)
        if texts is None:
            return None
        result |= dict.fromkeys(texts)
    return tuple(result) if len(result) <= MOST_TEMPLATES else None


def _part(module: Module, node: ast.expr) -> str:
    texts = None
    if not isinstance(node, ast.FormattedValue):
        texts = _texts_of(module, node)
    elif node.conversion == -1 and node.format_spec is None:
        texts = _texts_of(module, node.value)
    return texts[0] if texts is not None and len(texts) == 1 else _ANYTHING


def _names_together(parts: list[str]) -> tuple[str, ...] | None:
    text = re.sub(r"\*+", _ANYTHING, "".join(parts))
    return (text,) if text.strip("*/") and len(text) <= LONGEST_TEXT else None
