"""The rewrite of a component: one change for all queries that share something."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.decide.component_decision import (
    ComponentDecision,
    decide_component,
)
from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Data, Part, Rewrite, Root
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.contract import Edit, InsertStatements, Place, ReleaseImport, SiteId, TextEdit
from awaken.kit.payloads import REMOVE_STATEMENT, WRITE_STATEMENTS, Statements
from awaken.kit.sites import joined_words, node_edit
from awaken.project.names.import_origins import imported_from

_NAMED = 100
"""Other places that a finding names; each of so many queries would name all of the others. No
component of the programs measured has more than 24."""


def rewrite_component(component: Component, members: Sequence[Recognised]) -> Rewrite:
    """Return the rewrite of the queries of ``component``; raises Refused.

    ``members`` are the same queries as each was recognised by itself.
    """
    _check_members(component, members)
    decision = decide_component(component)
    caveats = dict.fromkeys([*decision.caveats, *(item.caveat for item in members if item.caveat)])
    rewrite = Rewrite(
        roots=_roots(decision),
        parts=[_part(part.fragment, part.data) for part in decision.parts if part.data is not None],
        caveats=list(caveats),
        needs=[
            *((path, name) for path, names in decision.needs.items() for name in names),
            *(need for parameter in decision.parameters for need in parameter.needs()),
            *((note.context.path, note.needs) for note in decision.annotations),
        ],
        others=lambda site: _other_edits(decision, site),
    )
    return rewrite.with_mocks_by_hand(component.project, component.mocks)


def _check_members(component: Component, members: Sequence[Recognised]) -> None:
    """Raise Refused if one of the queries cannot be rewritten by itself."""
    writes = any(use.ending == "written" for use in component.uses)
    # It is not looked at which of the queries a method is called on.
    used = [
        name
        for fragment in component.fragments
        for name in (*(link.name for link in fragment.links), fragment.end)
    ]
    for root, member in zip(component.roots, members, strict=True):
        refused = member.refused
        if refused is not None:
            place = root.context.place(root.start, refused.message)
            raise Refused(refused.reason, help=refused.help, because=(place,))
        # None is rewritten without the others, so a listener to writes blocks all.
        if writes:
            member.raise_if_write_refused()
        for own in member.own:
            own.raise_if_used(used)


def _roots(decision: ComponentDecision) -> list[Root]:
    shared = (
        *_annotated_places(decision),
        *_given_places(decision),
        *(truth.place for truth in decision.component.truths),
    )
    lines = _lines_executed(decision)
    return [
        Root(
            root.context.module,
            root.start,
            root.node,
            _sentence(decision, root, lines),
            (*islice(_others(decision, root), _NAMED), *shared),
            root.receiver,
        )
        for root in decision.component.roots
    ]


def _part(fragment: ChainFragment, data: Data) -> Part:
    # Any name will do: a kept statement is written without its session.
    session = "session" if isinstance(fragment.start, ast.Attribute) else None
    return Part(fragment.context.module, fragment.node, data, session)


def _other_edits(decision: ComponentDecision, site: SiteId) -> Iterator[Edit]:
    """Yield the edits of annotations, parameters, truths, and what reads the session off."""
    for note in decision.annotations:
        path = note.context.path
        anchor = note.context.span(note.node)
        yield TextEdit(path=path, anchor=anchor, text=note.text, site=site)
        for home, name in sorted(note.released):
            yield ReleaseImport(path=path, module=home, name=name, site=site)
    for parameter in decision.parameters:
        for item in parameter.added.insertions():
            yield TextEdit(path=item.path, anchor=item.anchor, text=item.text, site=site)
    for made in decision.made:
        for statement in made.statements:
            yield InsertStatements(
                path=made.context.path,
                at=made.context.span(statement),
                where="before",
                rewriter=WRITE_STATEMENTS,
                data=Statements(made.code),
                site=site,
            )
    for truth in decision.component.truths:
        anchor = truth.context.span(truth.node)
        yield TextEdit(path=truth.context.path, anchor=anchor, text=truth.text, site=site)
    yield from _session_reads(decision, site)


def _session_reads(decision: ComponentDecision, site: SiteId) -> Iterator[Edit]:
    """Yield the edits of what reads the session off a query."""
    gone = {item.instead: item.context for item in decision.parameters if item.instead is not None}
    for statement, context in gone.items():
        yield node_edit(context.module, statement, REMOVE_STATEMENT, None, site)
    for read, session in decision.reads:
        asked = read.node.value if isinstance(read.node, ast.Attribute) else None
        inspect = asked.func if isinstance(asked, ast.Call) else None
        home = None if inspect is None else imported_from(read.context.module, inspect)
        if home is not None:
            yield ReleaseImport(path=read.context.path, module=home[0], name=home[1], site=site)
        # A statement that goes as a whole needs no other edit.
        if read.context.module.statement_of(read.node) not in gone:
            anchor = read.context.span(read.node)
            yield TextEdit(path=read.context.path, anchor=anchor, text=session.text, site=site)


def _annotated_places(decision: ComponentDecision) -> Iterator[Place]:
    for note in decision.annotations:
        yield note.context.place(note.node, "its annotation is changed as well")


def _given_places(decision: ComponentDecision) -> Iterator[Place]:
    for parameter in decision.parameters:
        yield from parameter.places()


def _others(decision: ComponentDecision, root: ChainFragment) -> Iterator[Place]:
    """Yield where else something is written with the query of ``root``."""
    for part in decision.parts:
        if part.data is not None and part.fragment is not root:
            yield part.fragment.place(
                "it is executed here" if part.runs else "it is changed with this"
            )


def _lines_executed(decision: ComponentDecision) -> dict[str, str]:
    """Return for each file in which statements are executed its lines, in words."""
    result: dict[str, set[int]] = {}
    for part in decision.parts:
        if part.runs:
            module = part.fragment.context.module
            line, _ = module.line_column(module.span(part.fragment.node))
            result.setdefault(module.path, set()).add(line)
    return {
        path: f"line{'s' if len(lines) > 1 else ''} {joined_words(map(str, sorted(lines)))}"
        for path, lines in result.items()
    }


def _sentence(decision: ComponentDecision, root: ChainFragment, lines: Mapping[str, str]) -> str:
    sentence = f"the query {_holder(decision, root)} becomes `{decision.becomes}(...)`"
    own = root.context.path
    places = [lines[own]] if own in lines else []
    places += [path for path in lines if path != own]
    if places:
        sentence += f", executed in {joined_words(dict.fromkeys(places))}"
    return sentence


def _holder(decision: ComponentDecision, root: ChainFragment) -> str:
    """Say what holds the query of ``root`` first."""
    for holder, fragments in decision.component.definitions.items():
        # Of many queries in one parameter, hardly any begins where this one does.
        if root in [fragment for fragment in fragments if fragment.start is root.start]:
            function = holder.context.function.name
            if holder.binding is None:
                return f"that `{function}` returns"
            is_passed = holder.binding.kind == "parameter"
            return f"passed to `{function}`" if is_passed else f"in `{holder.binding.name}`"
    return "here"
