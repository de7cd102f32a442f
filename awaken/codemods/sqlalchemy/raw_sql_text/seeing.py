"""Code that notices a rewritten call: it catches today's failure, or passes a mock as session.

SQLAlchemy 2.0 raises for strings. Only two kinds of code can rely on such a call: code that catches
the error, here or in a caller, and a test whose mock takes strings.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.caveats.failures import HIDDEN, caught_above, caught_around
from awaken.kit.caveats.replaced_names import caveats_of, doubles_passed
from awaken.kit.sites import Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project

_CATCHING = {None, "sqlalchemy.exc.ObjectNotExecutableError"} | library_names().catching_all
_CATCHING |= name_list("errors_of_sqlalchemy")
_IN_LAMBDA = "it fails today, and the caller of this lambda may hide that"


def who_sees(project: Project, site: Site[ast.Call]) -> tuple[list[str], tuple[Place, ...]]:
    """Return the clauses that say who relies on the string, and the places that do."""
    module, call = site.module, site.node
    replaced = project.replaced_names.replacements_of(module, call.func)
    clauses, places = caveats_of(module, call.func, replaced)
    clauses += [HIDDEN for _ in caught_around(project, module, call, _CATCHING)][:1]
    function = module.enclosing_function(call)
    if isinstance(function, ast.Lambda):
        clauses.append(_IN_LAMBDA)
        function = module.enclosing_def(call)
    if function is None:
        return clauses, places
    leading = project.calls.leading_to(module, function)
    if HIDDEN not in clauses:
        caught = next(caught_above(project, leading, _CATCHING), None)
        clauses += [] if caught is None else [HIDDEN]
        places += () if caught is None else (caught,)
    double = next(doubles_passed(project, module, {last_name(call.func)}, function), None)
    if double is not None and not replaced:
        clauses.append(f"{double.path} passes a mock of it, which may look at the string")
        places += (double,)
    return clauses, places
