"""The names of a file that several of its statements bind, where each moves into a function."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.codemods.sqlalchemy.session_to_async.reads.covered import dominates
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import Region
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module

_OF_BODY = {"except", "for", "with"}
"""Bindings of names that the body below them surely sees."""
_LASTING = {"assignment", "class", "function", "import", "with"}
"""Those that what comes after their statement sees as well."""


def share_names(module: Module, regions: Sequence[Region]) -> bool:
    """Whether a statement of one region may read the value that another one gives a name."""
    for name, bindings in module.scopes.module.bindings.items():
        own = {
            region: [item for item in bindings if region.holds(module.place(item.node))]
            for region in regions
        }
        binding = [region for region in regions if own[region]]
        for read in module.scopes.reads_in(module.scopes.module, name) if binding else ():
            home = next((item for item in binding if item.holds(module.place(read))), None)
            is_alone = home is not None and len(binding) == 1
            if home is None or not (is_alone or any(_sees(module, read, x) for x in own[home])):
                return True
    return False


def _sees(module: Module, read: ast.Name, binding: Binding) -> bool:
    """Whether a binding surely gives a name its value before ``read``."""
    made = module.statement_of(binding.node)
    around = binding.node if binding.kind == "except" else made
    if binding.kind in _OF_BODY and any(
        above is around and below in getattr(above, "body", ())
        for below, above in module.steps_up(read)
    ):
        return True
    statement = module.statement_of(read)
    return (
        binding.kind in _LASTING
        and made is not None
        and statement is not None
        and module.span(made).end <= module.span(read).start
        and dominates(module, made, statement)
    )
