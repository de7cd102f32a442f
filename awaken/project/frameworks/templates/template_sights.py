"""The lines of templates that read attributes, with the expressions that give the objects."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from awaken.contract import Place, Span
from awaken.knowledge.templates import library_templates
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, BY_KEY, Sight
from awaken.project.frameworks.templates.rendering import Context, Expression, Rendering, Renderings
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.memo import cached_by, cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.values.domain import Unknown
from awaken.workspace.text_files import Texts

if TYPE_CHECKING:
    from awaken.project.frameworks.templates.record import TemplateRead
    from awaken.project.frameworks.templates.template_files import TemplateFiles
    from awaken.project.frameworks.templates.template_reads import Source

TEMPLATE_READS = ("**/templates/**", "*.jinja2", "*.jinja", "*.j2")
"""What a rule declares in ``reads`` to know what templates read."""

_PRINTING = "__str__"
_PRINTED = {_PRINTING, "__repr__", "__html__", "__format__"}
_EVERYTHING = "*"
_FILTER = "|"
_WORDS = (b"context_processor", b".globals", b"user_loader", b"request_loader")
_PROCESSORS = {"context_processor", "app_context_processor"}
_LOADERS = {"user_loader", "request_loader"}


class TemplateSights:
    """The templates of one program; they are parsed when it is first asked.

    ``texts`` are the templates in the snapshot, None where no rule that runs declares
    ``TEMPLATE_READS``.
    """

    def __init__(self, evaluator: ProgramEvaluator, texts: Callable[[], Texts | None]) -> None:
        self._texts = texts
        self._renderings = Renderings(evaluator)
        self._given = _Given(evaluator)

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, call by call.

        Also those that may read any attribute, and those of objects that no call gives.
        """
        names = frozenset(names)
        given: set[str] = set()
        open_sights: dict[tuple[str, Place, tuple[str, ...]], Sight] = {}
        for rendering in self._renderings.all():
            given |= rendering.context.named.keys()
            for root, sight in self._pairs_of(rendering, names):
                if isinstance(sight.node, Unknown):
                    # Of a name that nothing gives, once is enough for all calls.
                    open_sights.setdefault((root, sight.place, sight.path), sight)
                else:
                    yield sight
        for (root, _, _), sight in open_sights.items():
            # A name that another call passes and this one does not is undefined here: no object is
            # read.
            if root not in given:
                yield sight

    @cached_property
    def _files(self) -> TemplateFiles:
        # Jinja takes a tenth of a second to load, which only a program with templates pays.
        from awaken.project.frameworks.templates.template_files import TemplateFiles  # noqa: PLC0415

        return TemplateFiles(self._texts)

    def _pairs_of(self, rendering: Rendering, names: frozenset[str]) -> Iterator[tuple[str, Sight]]:
        reads, reasons = self._read_by(rendering)
        for why in reasons:
            unseen = Unknown(why, rendering.place)
            for expression in self._everything(rendering):
                yield _EVERYTHING, _sight(expression, (ANY,), rendering.place, unseen)
        for read in sorted(reads):
            for path in _wanted_paths(read.path, names):
                for sight in self._sights(rendering, replace(read, path=path)):
                    yield read.root, sight

    def _read_by(self, rendering: Rendering) -> tuple[set[TemplateRead], list[str]]:
        """Return what the templates of a call read, and why there may be more."""
        if rendering.language:
            return set(), [f"templates of {rendering.language} are not read"]
        if rendering.names is None and rendering.sources is None:
            return set(), ["which template is rendered is computed"]
        template_reads: set[TemplateRead] = set()
        reasons: list[str] = []
        for name in rendering.names or ():
            sources, why = self._files.templates_called(name)
            reasons += [why] if why else []
            for source in sources:
                template_reads |= self._reads_of(source.path, source)
        for text in rendering.sources or ():
            written = self._files.template_of_text(str(rendering.place), text)
            if isinstance(written, str):
                reasons.append(written)
            else:
                template_reads |= self._reads_of(written.path + text, written)
        return template_reads, reasons

    @cached_by(lambda key, _source: key)
    def _reads_of(self, _key: str, source: Source) -> frozenset[TemplateRead]:
        from awaken.project.frameworks.templates.template_reads import reads_of  # noqa: PLC0415

        return reads_of(source, self._files)

    def _sights(self, rendering: Rendering, read: TemplateRead) -> Iterator[Sight]:
        place = self._place(rendering, read)
        unseen = Unknown(read.why, place) if read.why else None
        if read.root == _EVERYTHING:
            for expression in self._everything(rendering):
                yield _sight(expression, read.path, place, unseen)
            return
        expressions, rest = self._meant_expressions(rendering, read)
        for expression in expressions:
            yield _sight(expression, rest, place, unseen)
        for why in self._open(rendering, read, expressions):
            begin = len(read.path) - 1
            node = Unknown(why, place)
            yield Sight(
                rendering.module, node, read.path, place, "template", begin=begin, unseen=unseen
            )

    def _meant_expressions(
        self, rendering: Rendering, read: TemplateRead
    ) -> tuple[Sequence[Expression], tuple[str, ...]]:
        """Return the expressions that a name may mean, and the rest of the path from there."""
        given = rendering.context.named.get(read.root)
        if given is not None:
            return given, read.path
        if read.root == "g":
            # Of `g` itself nothing is mapped.
            known = self._given.attributes_of_g(read.path[0]) if read.path[1:] else ()
            return known, read.path[1:]
        if read.root in library_templates().plain_names:
            return (), read.path
        return [
            expression
            for each in self._contexts(rendering)
            for expression in each.meanings_of(read.root)
        ], read.path

    def _contexts(self, rendering: Rendering) -> tuple[Context, ...]:
        return (rendering.context, *self._given.contexts(in_flask=rendering.in_flask))

    def _open(
        self, rendering: Rendering, read: TemplateRead, expressions: Sequence[Expression]
    ) -> Iterator[str]:
        """Yield why a name may mean something else, in a sentence each."""
        root, path = read.root, read.path
        if root in rendering.context.named or root in library_templates().plain_names:
            return
        yield from rendering.unknown
        if root.startswith(_FILTER):
            yield f"awaken does not follow the result of the filter `{root.removeprefix(_FILTER)}`"
        elif not expressions and (root != "g" or len(path) > 1):
            yield f"no visible call passes `{root}` to the template"

    def _everything(self, rendering: Rendering) -> Iterator[Expression]:
        """Yield all that the templates of a call are given."""
        for context in self._contexts(rendering):
            yield from context.everything()

    def _place(self, rendering: Rendering, read: TemplateRead) -> Place:
        span = self._files.line(read.template, read.line)
        return rendering.place if span is None else Place(read.template, Span(*span))


def _sight(one: Expression, path: tuple[str, ...], place: Place, unseen: Unknown | None) -> Sight:
    whole = (*one.path, *path)
    begin = len(whole) - 1
    return Sight(one.module, one.node, whole, place, "template", begin=begin, unseen=unseen)


def _wanted_paths(path: tuple[str, ...], names: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Yield a path if one of ``names`` is read at its end; of what is printed, for each name."""
    last = path[-1]
    if last == _PRINTING:
        yield from ((*path[:-1], name) for name in sorted(_PRINTED & names))
    elif last in names or last in {ANY, BY_KEY}:
        yield path


class _Names(Struct):
    """The meanings of names: in all templates, in Flask's, and as attributes of ``flask.g``."""

    everywhere: Context = field(default_factory=Context)
    in_flask: Context = field(default_factory=Context)
    of_g: Context = field(default_factory=Context)


class _Given(ProgramFacts):
    """The names that all templates of a program see, each with the expressions that it means."""

    def contexts(self, *, in_flask: bool) -> Sequence[Context]:
        """Return what every template is given, or every template that Flask renders."""
        names = self._names
        return (names.in_flask, names.everywhere) if in_flask else (names.everywhere,)

    def attributes_of_g(self, name: str) -> Sequence[Expression]:
        """Return what is assigned to an attribute of ``flask.g``."""
        return self._names.of_g.named.get(name, [])

    @cached_property
    def _names(self) -> _Names:
        names = _Names()
        # `flask.g` is known by its name alone; as bytes, `g.` is the end of many a word.
        paths = {
            *self._evaluator.files_with(_WORDS),
            *self._evaluator.callers.words.files_with("g"),
        }
        for module, node in nodes_in(self._evaluator.modules_at(sorted(paths)), ast.AST):
            _note(module, node, names)
        return names


def _note(module: Module, node: ast.AST, found: _Names) -> None:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            _note_function(module, node, found)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            for target in targets_of(node):
                _note_assigned(module, target, Expression(module, value), found)
        case ast.Call(func=ast.Attribute(attr="update", value=owner)) if _is_globals(owner):
            for argument in node.args:
                found.everywhere.add_dictionary(module, argument)
            found.everywhere.add_keywords(module, node.keywords)


def _note_function(module: Module, node: Function, found: _Names) -> None:
    for decorator in node.decorator_list:
        name = last_name(without_arguments(decorator))
        for part in module.returned_by(node) if name in _PROCESSORS else ():
            # Each is asked again, so none replaces the result of another.
            context = Context()
            context.add_dictionary(module, part)
            found.in_flask.join(context)
        for part in module.returned_by(node) if name in _LOADERS else ():
            found.in_flask.add("current_user", module, part)


def _note_assigned(module: Module, target: ast.expr, value: Expression, found: _Names) -> None:
    match target:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(name))):
            if _is_globals(owner):
                found.everywhere.add(name, module, value.node)
        case ast.Attribute(value=ast.Name(id="g"), attr=name):
            found.of_g.named.setdefault(name, []).append(value)
        case ast.Tuple(elts=targets):
            for position, node in enumerate(targets):
                part = replace(value, path=(*value.path, f"[{position}]"))
                _note_assigned(module, node, part, found)


def _is_globals(node: ast.expr) -> bool:
    """Whether an expression is the ``globals`` of an environment of Jinja, as it is written."""
    return isinstance(node, ast.Attribute) and node.attr == "globals"
