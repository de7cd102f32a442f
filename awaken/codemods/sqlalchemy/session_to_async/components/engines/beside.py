"""Asynchronous engines and factories next to synchronous ones, for the code that converts."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import (
    Shared,
    assigned_alone,
    urls_in,
    with_bases,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.payload import (
    FORWARD,
    REPLACE,
    WRAP,
    Bridged,
    Forwarded,
    Postponed,
    Replaced,
    Wrapped,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import TWO_ENGINES
from awaken.contract import (
    Edit,
    InsertStatements,
    NeedImport,
    NodeEdit,
    Place,
    ReleaseImport,
    SiteId,
    Span,
    TextEdit,
)
from awaken.kit.changes import Member
from awaken.kit.imports import name_from_same_module, release_imports
from awaken.kit.payloads import ADD_KEYWORD, REMOVE_STATEMENT, Statements
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Url

_CAVEAT = "it has its own connection pool"
_IN_MEMORY = f"{_CAVEAT}: with an in-memory database, each engine has another database"
_WRITTEN = {ADD_KEYWORD, FORWARD, WRAP}


class Beside:
    """Writes the asynchronous ones of ``resources``, and their names where they are used.

    ``twins`` are the names of those that there are already.
    """

    def __init__(
        self, project: Project, rule: str, resources: Iterable[Shared], twins: Mapping[str, str]
    ) -> None:
        self._project = project
        self._rule = rule
        self._resources = {resource.qualified: resource for resource in resources}
        self._twins = twins
        self._names = {name: self._name(resource) for name, resource in self._resources.items()}

    def _name(self, shared: Shared) -> str:
        if shared.qualified in self._twins:
            return self._twins[shared.qualified]
        module = self._project.module(shared.piece.path)
        name = shared.name
        wanted = f"Async{name}" if name[:1].isupper() else f"async_{name}"
        return wanted if module is None else module.scopes.fresh_name(wanted)

    def with_rewrites(
        self,
        members: Iterable[Member],
        using: Iterable[Piece],
        writes: Mapping[str, Sequence[Member]],
        rebound: Iterable[Shared] = (),
    ) -> list[Member]:
        """Return ``members``, with the rewrites of the places in ``using`` that name one of them.

        The first carries the statements that make them: ``writes`` are the members of each
        statement as it is. Others that are ``rebound`` to them may be all that names them.
        """
        result, pieces = [self._renamed_member(member) for member in members], frozenset(using)
        uses = [
            (item, site, node)
            for item in self._resources.values()
            for place, piece in item.uses
            if piece in pieces
            for site, node in self._pairs_at(place)
        ]
        built_on = [name for item in rebound for name in item.built_on if name in self._resources]
        names = with_bases(self._resources, [*(item.qualified for item, _, _ in uses), *built_on])
        if not uses and not names <= self._twins.keys():
            result = self._carried_members(result, names, writes)
        for number, (resource, site, node) in enumerate(uses):
            written, edits = self._renamed_name(site, node, resource.qualified)
            result, is_rewritten = _with_other_name(result, site, node, written)
            if not is_rewritten:
                edits.append(site.replace(node, written))
            caveats, related = list[str](), tuple[Place, ...]()
            if number == 0 and not names <= self._twins.keys():
                edits = [*self._statements(site.id, names, writes), *edits]
                caveats = [self._caveat(names)]
                related = tuple(self._resources[name].statement for name in sorted(names))
            message = f"`{written}` is added next to `{site.module.text_of(node)}`"
            result.append(Member(site, Rewrite(message, edits, caveats, related), f"`{written}`"))
        return result

    def _carried_members(
        self,
        members: Iterable[Member],
        names: Collection[str],
        writes: Mapping[str, Sequence[Member]],
    ) -> list[Member]:
        """Return ``members``, of which the first that changes anything carries the statements."""
        result = list(members)
        for number, member in enumerate(result):
            if isinstance(member.outcome, Rewrite):
                edits = [*self._statements(member.site.id, names, writes), *member.outcome.edits]
                caveats = [*member.outcome.caveats, self._caveat(names)]
                outcome = structs.replace(member.outcome, edits=edits, caveats=caveats)
                result[number] = structs.replace(member, outcome=outcome)
                break
        return result

    def _caveat(self, names: Iterable[str]) -> str:
        """Return what may change with engines that are made next to those of these names."""
        resources = (self._resources[name] for name in sorted(names))
        modules = ((self._project.module(each.piece.path), each) for each in resources)
        return beside_caveat(
            url
            for module, resource in modules
            if module is not None
            for url in urls_in(self._project, module, resource.statement)
        )

    def _renamed_member(self, member: Member) -> Member:
        """Return a member whose code for entry points names the asynchronous engines."""
        if not isinstance(member.outcome, Rewrite):
            return member
        edits: list[Edit] = []
        for edit in member.outcome.edits:
            changed = edit
            for resource in self._resources.values():
                home, name = resource.qualified.rpartition(".")[0], self._names[resource.qualified]
                data = changed.data if isinstance(changed, NodeEdit) else None
                if isinstance(changed, NeedImport) and changed.module == home:
                    is_meant = changed.name == resource.name
                    changed = structs.replace(changed, name=name) if is_meant else changed
                elif isinstance(data, Bridged) and isinstance(changed, NodeEdit):
                    if data.engine == resource.qualified:
                        refused = Refused(TWO_ENGINES, resource.name)
                        return structs.replace(member, outcome=refused)
                    begin = _word(resource.name).sub(name, data.begin)
                    changed = structs.replace(changed, data=structs.replace(data, begin=begin))
            edits.append(changed)
        return structs.replace(member, outcome=structs.replace(member.outcome, edits=edits))

    def rebound(self, shared: Shared) -> list[Edit]:
        """Return what binds one that becomes asynchronous in its place to these."""
        edits: list[Edit] = []
        for name, place in shared.built_on.items():
            for site, node in self._pairs_at(place) if name in self._names else ():
                written, imports = self._renamed_name(site, node, name)
                edits += [site.replace(node, written), *imports]
        return edits

    def _pairs_at(self, place: Place) -> Iterator[tuple[Site[ast.AST], ast.expr]]:
        for module, node in self._project.expressions_at(place):
            if isinstance(node, ast.Name | ast.Attribute):
                yield Site(self._rule, module, node), node

    def _renamed_name(
        self, site: Site[ast.AST], node: ast.expr, qualified: str
    ) -> tuple[str, list[Edit]]:
        """Return the name that replaces a name, and the edits that import it."""
        home, name = self._resources[qualified].piece.path, self._names[qualified]
        if isinstance(node, ast.Attribute):
            return f"{site.module.text_of(node.value)}.{name}", []
        if site.module.path == home:
            return name, []
        package = qualified.rpartition(".")[0]
        written, edits = name_from_same_module(self._project, site, node, f"{package}.{name}")
        return written, [*edits, *release_imports(site, node)]

    # --------------------------------------------------------------------------------- statements
    def _statements(
        self, site: SiteId, names: Collection[str], writes: Mapping[str, Sequence[Member]]
    ) -> Iterator[Edit]:
        for name, item in self._resources.items():
            if name not in names or name in self._twins:
                continue
            module = self._project.module(item.piece.path)
            if module is None:
                continue
            edits = edits_of(writes.get(name, ()))
            code = asynchronous_code(module, item, edits, self._names)
            code = f"\n{code}" if "\n" in code and code.startswith("if ") else code
            made: Site[ast.AST] = Site(self._rule, module, module.tree)
            made.id = site
            yield made.insert_statements(item.statement, "after", f"{code}\n")
            for edit in edits:
                inside = isinstance(edit, TextEdit) and (
                    item.statement.span.contains(edit.anchor) or of_variables(module, item, edit)
                )
                is_written = isinstance(edit, NodeEdit) and edit.rewriter in _WRITTEN
                if inside or is_written or isinstance(edit, ReleaseImport):
                    continue
                if isinstance(edit, InsertStatements) and edit.where == "after":
                    written = _word(item.name).sub(self._names[name], edit.data.code)
                    data = structs.replace(edit.data, code=written)
                    yield structs.replace(edit, data=data, site=site)
                else:
                    yield structs.replace(edit, site=site)


def beside_caveat(urls: Iterable[Url]) -> str:
    """Return what may change with an engine next to another of one of these URLs."""
    return _IN_MEMORY if any(url.may_be_in_memory for url in urls) else _CAVEAT


def _with_other_name(
    members: Iterable[Member], site: Site[ast.AST], node: ast.expr, written: str
) -> tuple[list[Member], bool]:
    """Return the members, with another name in the code that they write in the place of ``node``.

    The other value says whether there is such code: the name itself is gone then.
    """
    module, place = site.module, site.module.place(node)
    word = _word(module.text_of(node))
    result: list[Member] = []
    is_rewritten = False
    for member in members:
        edits: list[Edit] = []
        for edit in member.outcome.edits if isinstance(member.outcome, Rewrite) else ():
            is_here = getattr(edit, "path", "") == module.path
            anchor = getattr(edit, "anchor", None)
            data = getattr(edit, "data", None)
            is_anew = (
                isinstance(edit, TextEdit)
                or (isinstance(edit, NodeEdit) and edit.rewriter in {REMOVE_STATEMENT, REPLACE})
                or (isinstance(data, Postponed) and bool(data.code))
            )
            if is_here and is_anew and anchor is not None and anchor.contains(place.span):
                is_rewritten = True
            if is_here and isinstance(data, Postponed | Replaced | Statements):
                code = word.sub(written, data.code)
                edits.append(structs.replace(edit, data=structs.replace(data, code=code)))
            else:
                edits.append(edit)
        if isinstance(member.outcome, Rewrite):
            outcome = structs.replace(member.outcome, edits=edits)
            result.append(structs.replace(member, outcome=outcome))
        else:
            result.append(member)
    return result, is_rewritten


def _word(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(text)}(?!\w)")


def asynchronous_code(
    module: Module, shared: Shared, edits: Iterable[Edit], names: Mapping[str, str]
) -> str:
    """Return the statement that makes the asynchronous one, of the text of the other.

    ``edits`` are those that make it asynchronous in its place; ``names`` are the asynchronous ones,
    by those of the others.
    """
    start, text = shared.statement.span.start, module.source.text
    pieces = [piece for edit in edits for piece in _pieces_of(module, shared, edit)]
    for name, place in shared.built_on.items():
        if name in names:
            end = place.span.end
            last = name.rpartition(".")[2].encode()
            begin = end - len(last)
            pieces.append((begin, end, names[name]))
    for variable in assigned_alone(shared.made_in(module)):
        span = module.span(variable)
        pieces.append((span.start, span.end, names[shared.qualified]))
    written_text = text
    for begin, end, code in sorted(pieces, reverse=True):
        written_text = written_text[:begin] + code.encode() + written_text[end:]
    more = len(written_text) - len(text)
    made = written_text[start : shared.statement.span.end + more].decode()
    return "\n".join(made.splitlines())


def _pieces_of(module: Module, shared: Shared, edit: Edit) -> Iterator[tuple[int, int, str]]:
    """Yield the bytes that an edit replaces in the text of the statement, with the new text."""
    match edit:
        case TextEdit(anchor=anchor) if shared.statement.span.contains(anchor):
            yield anchor.start, anchor.end, edit.text
        case TextEdit():
            yield from of_variables(module, shared, edit)
        case NodeEdit(anchor=anchor, data=data) if edit.rewriter == ADD_KEYWORD:
            written = f"{data.name}={data.value}"
            yield _argument(module.source.text, anchor.start, anchor.end, written)
        case NodeEdit(data=Wrapped() as data, anchor=anchor):
            span = module.span(_wrapped_argument(module, anchor, data))
            yield span.end, span.end, ")"
            yield span.start, span.start, f"{data.function}("
        case NodeEdit(data=Forwarded() as data, anchor=anchor):
            yield anchor.end, anchor.end, ")"
            yield anchor.start, anchor.start, f"{data.function}("


def of_variables(module: Module, shared: Shared, edit: TextEdit) -> list[tuple[int, int, str]]:
    """Return where a statement names a variable whose text an edit changes, with the new text.

    The other engine goes on with the variable as it is.
    """
    result: list[tuple[int, int, str]] = []
    for node in module.nodes(ast.Name):
        if not shared.statement.span.contains(module.span(node)):
            continue
        value = module.scopes.only_value(node)
        span = None if value is None else module.span(value)
        if span is None or edit.path != module.path or not span.contains(edit.anchor):
            continue
        text, use = module.source.text, module.span(node)
        before, behind = text[span.start : edit.anchor.start], text[edit.anchor.end : span.end]
        result.append((use.start, use.end, before.decode() + edit.text + behind.decode()))
    return result


def _wrapped_argument(module: Module, call: Span, data: Wrapped) -> ast.expr:
    """Return the argument of a call that becomes one of a function."""
    [node, *_] = module.calls_at(call)
    named = (keyword.value for keyword in node.keywords if keyword.arg == data.keyword)
    return next(named) if data.keyword else node.args[0]


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


def edits_of(members: Iterable[Member]) -> list[Edit]:
    """Return the edits of those of some members that are rewritten."""
    return [
        edit for item in members if isinstance(item.outcome, Rewrite) for edit in item.outcome.edits
    ]


def twins_of(
    project: Project, shared: Mapping[str, Shared], made: Mapping[str, Sequence[Member]]
) -> dict[str, str]:
    """Return the names of asynchronous engines and factories that exist next to others already.

    They are made by the very code that would be written for them, as by an earlier run.
    """
    names: dict[str, str] = {}
    waiting = list(shared.values())
    while waiting:
        # Bases come before their subclasses.
        left = {each.qualified for each in waiting}
        ready = [candidate for candidate in waiting if not candidate.built_on.keys() & left]
        if not ready:
            return names
        for resource in ready:
            waiting.remove(resource)
            module = project.module(resource.piece.path)
            members = [each for each in made.get(resource.qualified, ()) if not each.along]
            is_written = members and all(isinstance(each.outcome, Rewrite) for each in members)
            if module is None or not is_written or not resource.built_on.keys() <= names.keys():
                continue
            name = next(_made_alike(module, resource, edits_of(members), names), None)
            if name is not None:
                names[resource.qualified] = name
    return names


def _made_alike(
    module: Module, shared: Shared, edits: Iterable[Edit], found: Mapping[str, str]
) -> Iterator[str]:
    """Yield the variables of a file that the asynchronous one would be equal to."""
    code = asynchronous_code(module, shared, edits, {**found, shared.qualified: shared.name})
    wanted = _value_of(ast.parse(code, filename="").body[0])
    for statement in module.tree.body:
        variables = [*assigned_alone(statement)] if wanted else []
        if variables and _value_of(statement) == wanted:
            (name,) = {variable.id for variable in variables}
            start = module.span(statement).start
            uses = [place.span.start for place, _ in shared.uses if place.path == module.path]
            is_alone = len(module.scopes.module.bindings.get(name, ())) == len(variables)
            # A name of the other one above would refer to this one before it exists.
            if is_alone and all(start < use for use in uses):
                yield name


def _value_of(statement: ast.stmt) -> str:
    """Return what a statement does, without the name of its one variable; empty without."""
    names = {variable.id for variable in assigned_alone(statement)}
    if len(names) != 1:
        return ""
    values = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else statement
    return "" if values is None else ast.dump(values).replace(repr(names.pop()), "''")
