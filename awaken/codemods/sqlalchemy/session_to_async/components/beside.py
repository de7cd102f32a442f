"""Asynchronous engines and factories beside synchronous ones, for those who become asynchronous."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.components.pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.components.shared import Shared
from awaken.contract import Edit, NodeEdit, Place, ReleaseImport, SiteId, TextEdit
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.payloads import ADD_KEYWORD
from awaken.kit.sites import Rewrite, Site
from awaken.project.names.origins import imported_from
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_CAVEAT = "it has a pool of its own: a database in memory would be another one for each of them"


class Beside:
    """Writes the asynchronous ones of ``resources``, and their names where they are used."""

    def __init__(self, project: Project, rule: str, resources: Iterable[Shared]) -> None:
        self._project = project
        self._rule = rule
        self._resources = {one.qualified: one for one in resources}
        self._names = {name: self._name(one) for name, one in self._resources.items()}

    def _name(self, shared: Shared) -> str:
        module = self._project.module(shared.piece.path)
        name = shared.name
        wanted = f"Async{name}" if name[:1].isupper() else f"async_{name}"
        return wanted if module is None else module.scopes.fresh_name(wanted)

    def members(
        self, using: Iterable[Piece], writes: Mapping[str, Sequence[Member]]
    ) -> Iterator[Member]:
        """Yield what becomes of the places in ``using`` that name one of them.

        The first carries the statements that make them: ``writes`` are the members of each
        statement as it is.
        """
        pieces = frozenset(using)
        statements: list[Edit] = []
        for one in self._resources.values():
            for place, piece in one.uses:
                if piece not in pieces:
                    continue
                site, node = self._at(place)
                if site is None or node is None:
                    continue
                edits, caveats = self._renamed(site, node, one.qualified), list[str]()
                if not statements:
                    statements = list(self._statements(site.id, writes))
                    edits, caveats = [*statements, *edits], [_CAVEAT]
                name = self._names[one.qualified]
                message = f"`{one.name}` becomes `{name}`, which stands beside it"
                yield Member(site, Rewrite(message, edits, caveats), f"`{name}`")

    def rebound(self, shared: Shared) -> list[Edit]:
        """Return what binds one that becomes asynchronous in its place to these."""
        edits: list[Edit] = []
        for name, place in shared.built_on.items():
            site, node = self._at(place)
            if name in self._names and site is not None and node is not None:
                edits += self._renamed(site, node, name)
        return edits

    def _at(self, place: Place) -> tuple[Site[ast.AST] | None, ast.expr | None]:
        module = self._project.module(place.path)
        if module is None:
            return None, None
        for node in module.walk():
            if isinstance(node, ast.Name | ast.Attribute) and module.span(node) == place.span:
                return Site(self._rule, module, node), node
        return None, None

    def _renamed(self, site: Site[ast.AST], node: ast.expr, qualified: str) -> list[Edit]:
        home, name = self._resources[qualified].piece.path, self._names[qualified]
        if isinstance(node, ast.Attribute):
            return [site.rename(node, name)]
        if site.module.path == home:
            return [site.replace(node, name)]
        written, imports = name_beside(
            self._project, site, None, f"{qualified.rpartition('.')[0]}.{name}"
        )
        imported = imported_from(site.module, node)
        released = [] if imported is None else [site.release_import(*imported)]
        return [site.replace(node, written), *imports, *released]

    # --------------------------------------------------------------------------------- statements
    def _statements(self, site: SiteId, writes: Mapping[str, Sequence[Member]]) -> Iterator[Edit]:
        for name, one in self._resources.items():
            module = self._project.module(one.piece.path)
            if module is None:
                continue
            edits = [
                edit
                for member in writes.get(name, ())
                if isinstance(member.outcome, Rewrite)
                for edit in member.outcome.edits
            ]
            code = self._code(module, one, edits)
            made: Site[ast.AST] = Site(self._rule, module, module.tree)
            made.id = site
            yield made.insert_statements(one.statement, "after", f"{code}\n")
            for edit in edits:
                inside = isinstance(edit, TextEdit) and one.statement.span.contains(edit.anchor)
                is_keyword = isinstance(edit, NodeEdit) and edit.rewriter == ADD_KEYWORD
                if not inside and not is_keyword and not isinstance(edit, ReleaseImport):
                    yield _of(edit, site)

    def _code(self, module: Module, shared: Shared, edits: Iterable[Edit]) -> str:
        """Return the statement that makes the asynchronous one, of the text of the other."""
        start = shared.statement.span.start
        text = module.source.text
        pieces: list[tuple[int, int, str]] = []
        for edit in edits:
            if isinstance(edit, TextEdit) and shared.statement.span.contains(edit.anchor):
                pieces.append((edit.anchor.start, edit.anchor.end, edit.text))
            elif isinstance(edit, NodeEdit) and edit.rewriter == ADD_KEYWORD:
                written = f"{edit.data.name}={edit.data.value}"
                pieces.append(_argument(text, edit.anchor.start, edit.anchor.end, written))
        for name, place in shared.built_on.items():
            if name in self._names:
                end = place.span.end
                last = name.rpartition(".")[2].encode()
                begin = end - len(last)
                pieces.append((begin, end, self._names[name]))
        pieces.append((start, start + len(shared.name.encode()), self._names[shared.qualified]))
        written_text = text
        for begin, end, code in sorted(pieces, reverse=True):
            written_text = written_text[:begin] + code.encode() + written_text[end:]
        more = len(written_text) - len(text)
        return written_text[start : shared.statement.span.end + more].decode()


def _argument(text: bytes, start: int, end: int, written: str) -> tuple[int, int, str]:
    """Return where an argument goes into a call, and how: before the bracket that closes it."""
    inside = text[start : end - 1].rstrip()
    at, behind = start + len(inside), text[start + len(inside) : end - 1]
    if inside.endswith(b"("):
        return at, at, written
    line = inside.rpartition(b"\n")[2]
    space = " "
    if b"\n" in behind:
        space = "\n" + line[: len(line) - len(line.lstrip())].decode()
    comma = "" if inside.endswith(b",") else ","
    end_comma = "," if b"\n" in behind else ""
    return at, at, f"{comma}{space}{written}{end_comma}"


def _of(edit: Edit, site: SiteId) -> Edit:
    """Return an edit as one that is made for another site."""
    return structs.replace(edit, site=site)
