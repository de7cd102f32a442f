"""One site of a rule: its identity, its finding, and the edits that are made for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Generic, Literal, ParamSpec, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import (
    Edit,
    Finding,
    InsertStatements,
    Level,
    NeedImport,
    NodeEdit,
    Place,
    Reason,
    ReleaseImport,
    SiteId,
    Span,
    TextEdit,
)
from awaken.kit.payloads import (
    ADD_KEYWORD,
    REMOVE_ARGUMENT,
    REMOVE_STATEMENT,
    WRITE_STATEMENTS,
    Argument,
    Keyword,
    Statements,
)
from awaken.project.source.lines.site_ids import site_id
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.graph.call_paths import CallPath

SHOWN = 3  # places that a reader looks up before the help says what to do
Node_co = TypeVar("Node_co", bound=ast.AST, covariant=True)
Arguments = ParamSpec("Arguments")
Outcome = TypeVar("Outcome")


class Refused(Exception):
    """An outcome, raised deep below and caught once: this site cannot be rewritten.

    ``detail`` fills the ``{}`` of the reason's message; ``help`` is what to do here, where the
    site says more than the reason knows; ``because`` are the places that it comes from.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        help: str = "",  # noqa: A002  the word of linters and compilers
        because: tuple[Place, ...] = (),
    ) -> None:
        super().__init__(reason.message.format(detail))
        self.reason = reason
        self.message = reason.message.format(detail)
        self.help = help or reason.help
        self.because = because
        self.answers: tuple[str, ...] = ()

    def answered_by(self, *answers: str) -> Refused:
        """Return this refusal; ``answers`` are the settings, as TOML, that take it back."""
        self.answers = answers
        return self


def outcome_of(
    work: Callable[Arguments, Outcome], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Outcome | Refused:
    """Return what ``work`` returns for the other arguments, or how it refuses."""
    try:
        return work(*arguments, **named)
    except Refused as refused:
        return refused


class Rewrite(Struct, frozen=True):
    """The rewrite of a site: the sentence that describes it, and its edits.

    ``caveats`` are clauses that say what may change; a rewrite that has some is unsafe.
    ``related`` are other places that matter to the reader.
    """

    message: str
    edits: Sequence[Edit]
    caveats: Sequence[str] = ()
    related: tuple[Place, ...] = ()

    @property
    def level(self) -> Level:
        """What the rewrite promises."""
        return Level.UNSAFE if self.caveats else Level.SAFE

    @property
    def full_message(self) -> str:
        """The whole message, caveats included."""
        return with_caveats(self.message, self.caveats)


class Site(Generic[Node_co]):
    """The place ``node`` of ``module``, at which ``rule`` says something."""

    def __init__(self, rule: str, module: Module, node: Node_co) -> None:
        self.rule = rule
        self.module = module
        self.node = node
        self.id = site_id(rule, module, node)

    @property
    def place(self) -> Place:
        """The place of the site."""
        return self.module.place(self.node)

    # --------------------------------------------------------------------------------- findings
    def refusal(self, refused: Refused) -> Finding:
        """Return the finding of a site that is left alone."""
        return Finding(
            site=self.id,
            rule=self.rule,
            level=Level.MANUAL,
            place=self.place,
            scope=self.module.scope_name(self.node),
            message=refused.message,
            reason=refused.reason.full_code(self.rule),
            help=refused.help,
            related=refused.because,
            answers=refused.answers,
        )

    def advice(self, message: str, help_text: str, related: tuple[Place, ...] = ()) -> Finding:
        """Return the finding of a site of an advice rule; ``related`` are places that say why."""
        return Finding(
            site=self.id,
            rule=self.rule,
            level=Level.ADVICE,
            place=self.place,
            scope=self.module.scope_name(self.node),
            message=message,
            help=help_text,
            related=related,
        )

    # ------------------------------------------------------------------------------------ edits
    def replace(self, node: ast.AST, text: str) -> TextEdit:
        """Return the edit that writes ``text`` in the place of ``node``."""
        return self.write(self.module.span(node), text)

    def rename(self, node: ast.Name | ast.Attribute, name: str) -> TextEdit:
        """Return the edit that writes ``name`` as the last word of ``node``: ``c`` of ``a.b.c``."""
        # Spaces and line breaks may be around the dot.
        words = re.split(r"\b(?=\w+\Z)", self.module.text_of(node))
        span = self.module.span(node)
        # Spans count bytes, and a name may have more of them than letters.
        return self.write(Span(span.end - len(words[-1].encode()), span.end), name)

    def insert_before(self, node: ast.AST, text: str) -> TextEdit:
        """Return the edit that writes ``text`` directly in front of ``node``."""
        start = self.module.span(node).start
        return self.write(Span(start, start), text)

    def insert_behind(self, node: ast.AST, text: str) -> TextEdit:
        """Return the edit that writes ``text`` directly after ``node``."""
        end = self.module.span(node).end
        return self.write(Span(end, end), text)

    def write(self, anchor: Span, text: str) -> TextEdit:
        """Return the edit that writes ``text`` in the place of some bytes of the file."""
        return TextEdit(path=self.module.path, anchor=anchor, text=text, site=self.id)

    def rewrite(self, node: ast.AST, rewriter: str, data: Struct | None = None) -> NodeEdit:
        """Return the edit that lets ``rewriter``, one of the rule's, write ``node`` again.

        ``data`` is passed to the rewriter.
        """
        return node_edit(self.module, node, rewriter, data, self.id)

    def rewrite_header(
        self, statement: ast.stmt, rewriter: str, data: Struct | None = None
    ) -> NodeEdit:
        """Return the edit that lets ``rewriter`` write ``statement`` again, without its blocks."""
        return replace(self.rewrite(statement, rewriter, data), part="header")

    def add_keyword(self, call: ast.Call, name: str, value: str) -> NodeEdit:
        """Return the edit that gives ``call`` one more argument, the code ``name=value``."""
        return self.rewrite(call, ADD_KEYWORD, Keyword(name, value))

    def remove_argument(self, call: ast.Call, argument: ast.expr | ast.keyword) -> NodeEdit:
        """Return the edit that removes one of the arguments of ``call``, with its comma."""
        written = sorted((*call.args, *call.keywords), key=self.module.span)
        return self.rewrite(call, REMOVE_ARGUMENT, Argument(written.index(argument)))

    def remove_statement(self, statement: ast.stmt) -> NodeEdit:
        """Return the edit that takes ``statement`` away."""
        return self.rewrite(statement, REMOVE_STATEMENT)

    def insert_statements(
        self,
        place: Place,
        where: Literal["before", "after", "body-start", "after-imports"],
        code: str,
    ) -> InsertStatements:
        """Return the edit that writes statements ``code`` next to the statement at ``place``."""
        return InsertStatements(
            path=place.path,
            at=place.span,
            where=where,
            rewriter=WRITE_STATEMENTS,
            data=Statements(code),
            site=self.id,
        )

    def insert_after_imports(self, code: str) -> InsertStatements:
        """Return the edit that writes the statements ``code`` below the imports of the file."""
        return self.insert_statements(self.place, "after-imports", code)

    def need_import(self, module: str, name: str | None = None, *, path: str = "") -> NeedImport:
        """Return the edit that imports ``name`` from ``module``, or the module itself.

        ``path`` is the file that imports it, if it is not the file of the site.
        """
        path = path or self.module.path
        return NeedImport(path=path, module=module, name=name, site=self.id)

    def release_import(self, module: str, name: str | None = None) -> ReleaseImport:
        """Return the edit that removes an import, if nothing uses it any more."""
        return ReleaseImport(path=self.module.path, module=module, name=name, site=self.id)


def node_edit(
    module: Module, node: ast.AST, rewriter: str, data: Struct | None, site: SiteId
) -> NodeEdit:
    """Return the edit that lets a rewriter write ``node`` of any file again, for a site."""
    return NodeEdit(
        path=module.path,
        anchor=module.span(node),
        node=type(node).__name__,
        rewriter=rewriter,
        data=data,
        site=site,
    )


def with_caveats(message: str, caveats: Iterable[str]) -> str:
    """Return ``message`` with its caveats, a clause each, on the same line."""
    return "; ".join([message, *caveats])


def shown_place(project: Project, place: Place) -> str:
    """Return file and line of a place."""
    source = project.snapshot.get(place.path)
    line = 0 if source is None else source.text.count(b"\n", 0, place.span.start)
    return f"{place.path}:{line + 1}"


def rewrite_through(site: Site[ast.Call], reason: Reason, call_path: CallPath) -> Rewrite:
    """Raise Refused for a call from which other functions lead to what is refused."""
    shown = f"`{site.module.excerpt(site.node.func)}()` leads to `{call_path.name}()`"
    raise Refused(reason, shown, because=call_path.places)


def joined_words(words: Iterable[str]) -> str:
    """Return words in one list: "a, b and c"."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def listed_names(names: Sequence[str]) -> str:
    """Return names as code in one list: "`a`, `b` and `c`"."""
    return joined_words(f"`{name}`" for name in names)


def shown_places(project: Project, places: Sequence[Place]) -> str:
    """Return the first of some places, and how many there are more."""
    lines = list(dict.fromkeys(shown_place(project, place) for place in places))
    more = len(lines) - SHOWN
    return ", ".join(lines[:SHOWN]) + (f" and {more} more" if more > 0 else "")
