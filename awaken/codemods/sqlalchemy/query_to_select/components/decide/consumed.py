"""Queries that a function returns, and of which each caller reads the rows once.

The function executes such a query itself: its callers need no session, and stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment
from awaken.codemods.sqlalchemy.query_to_select.components.decide.query_annotations import (
    imported_modules,
    may_name_query,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import decide_loading
from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Part, Rewrite, Root
from awaken.codemods.sqlalchemy.query_to_select.payload import QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import read_links
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader, sqlalchemy_name
from awaken.contract import Edit, ReleaseImport, SiteId, TextEdit
from awaken.project.graph.call_edges import CallEdges
from awaken.project.graph.holders import Holders
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Loop
from awaken.project.values.domain import Unknown

_LOOPS = Loop | ast.comprehension


def rewrite_consumed(reader: Reader, member: Recognised) -> Rewrite | None:
    """Return the rewrite of the query ``member``, if a function returns it for such callers."""
    project, module = reader.project, reader.module
    links, node = read_links(module, member.root)
    edges = CallEdges(project.calls, project.module, module)
    context = edges.context_around(module, member.root)
    if context is None or [each.value for each in module.returns_of(context.function)] != [node]:
        return None
    holders = Holders(edges, lambda *_: False)
    held = holders.holding(context, node)
    reads = holders.reads_of(held[0]) if isinstance(held, tuple) and len(held) == 1 else ()
    if isinstance(reads, Unknown) or not isinstance(reads, list) or not reads:
        return None
    if not all(_is_read_once(reader, inside.module, read) for inside, read in reads):
        return None
    fragment = ChainFragment(context, member.root, links, node, "iterated", "for", member)
    decision = decide_loading(reader, fragment.chain(fragment.receiver))
    data, note = decision.data, context.function.returns
    if not isinstance(data, QueryRewrite) or data.runs != "scalars" or member.begin is not None:
        return None
    generic = note.value if isinstance(note, ast.Subscript) else note
    named = isinstance(generic, ast.Name | ast.Attribute) and (
        reader.library_name(generic) == "Query"
    )
    # Results of 1.4 are no generic classes.
    if project.targets.admits("sqlalchemy", "<2.0") or (
        note is not None and not named and may_name_query(reader, note)
    ):
        return None
    result = sqlalchemy_name(reader, note or node, "ScalarResult")

    def others(site: SiteId) -> Iterator[Edit]:
        if named and generic is not None:
            anchor = module.span(generic)
            yield TextEdit(path=module.path, anchor=anchor, text=result.text, site=site)
            for home, name in sorted(set(imported_modules(reader, generic))):
                yield ReleaseImport(path=module.path, module=home, name=name, site=site)

    name = context.function.name
    sentence = f"the query that `{name}` returns becomes `select(...)`, which `{name}` executes"
    caveats = [f"`{name}` executes the query, and its callers can read the rows once"]
    related = (module.place(generic),) if named and generic is not None else ()
    return Rewrite(
        roots=[Root(module, member.root, node, sentence, related, fragment.receiver)],
        parts=[Part(module, node, data, None)],
        caveats=[*decision.caveats, *([member.caveat] if member.caveat else []), *caveats],
        needs=[(module.path, need) for need in (*decision.needs, *([result] if named else []))],
        others=others,
        requires=[(module, other) for other in decision.requires],
    )


def _is_read_once(reader: Reader, module: Module, node: ast.expr) -> bool:
    """Whether the rows of a query are read at once, and by nothing else: a list, or a response."""
    way, above = use_of(module, node)
    match way:
        case "attribute":
            return above.attr == "all" and module.call_of(above) is not None
        case "iterated":
            return True
        case "bound":
            scope = module.scopes
            targets = above.targets if isinstance(above, ast.Assign) else [above.target]
            reads = scope.reads_of(targets[0]) if isinstance(targets[0], ast.Name) else []
            return (
                len(targets) == len(reads) == 1
                and not any(isinstance(part, _LOOPS) for part in module.ancestors(reads[0]))
                and _is_read_once(reader, module, reads[0])
            )
    while isinstance(above, ast.Dict | ast.List | ast.Tuple) and node is not above:
        node, above = above, module.parent(above) or module.tree
    function = module.enclosing_function(node)
    return isinstance(above, ast.Return) and any(
        endpoint.function is function and endpoint.model is not None
        for endpoint in reader.project.web.responses.all
    )
