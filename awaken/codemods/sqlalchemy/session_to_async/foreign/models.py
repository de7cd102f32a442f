"""Models of installed packages: which of their attributes load when they are read is not known.

Nothing outside of the project is read. Who loads such objects has to say that all that is read of
them is loaded before.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.foreign.executed_queries import executed_queries
from awaken.codemods.sqlalchemy.session_to_async.reasons import FOREIGN_MODEL
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Site
from awaken.project.source.migrations import is_environment, is_revision
from awaken.project.source.trees import last_name
from awaken.project.values.domain import External

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_LOADING = {"get", "get_one", "query", "select"}
_WORDS = tuple(f"{one}(".encode() for one in sorted(_LOADING))
_SESSIONS = {"scoped", "session"}
_LIBRARIES = {"sqlalchemy", "sqlmodel"}


def foreign_models(project: Project, rule: str, said: Collection[str]) -> Iterator[Member]:
    """Yield the models of packages out of sight whose objects are loaded.

    Not those of packages, or the classes, that are ``said`` to be loaded with all that is read; but
    collections that are queries load nothing before.
    """
    yield from executed_queries(project, rule)
    for module in modules_with(project, _WORDS):
        if is_revision(module) or is_environment(module):
            continue
        found: defaultdict[ast.AST | None, dict[str, ast.Call]] = defaultdict(dict)
        for node in module.walk():
            if isinstance(node, ast.Call) and last_name(node.func) in _LOADING:
                for name in _models(project, module, node):
                    if name not in said and name.partition(".")[0] not in said:
                        found[module.enclosing_function(node)].setdefault(name, node)
        for models in found.values():
            names = " and ".join(f"`{one.rpartition('.')[2]}`" for one in sorted(models))
            packages = " and ".join(sorted({f"`{one.partition('.')[0]}`" for one in models}))
            site: Site[ast.AST] = Site(rule, module, next(iter(models.values())))
            why = Refused(FOREIGN_MODEL, f"{names} are declared in {packages}")
            yield Member(site, why, names)


def _models(project: Project, module: Module, call: ast.Call) -> Iterator[str]:
    """Yield the classes of packages out of sight whose objects a call loads."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    is_method = owner is not None and last_name(call.func) != "select"
    if is_method and owner is not None and project.orm.resource_of(module, owner) not in _SESSIONS:
        return
    for node in call.args:
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        for value in project.values.of(module, node).alternatives:
            if isinstance(value, External) and _is_model(project, value.qualified):
                yield value.qualified


def _is_model(project: Project, qualified: str) -> bool:
    """Whether a name is that of a class of a package that is not of this program."""
    package, _, rest = qualified.partition(".")
    is_class = rest.rpartition(".")[2][:1].isupper() and not rest.rpartition(".")[0][-1:].isupper()
    if not is_class or package in _LIBRARIES or package in sys.stdlib_module_names:
        return False
    return not any(
        part in {package, f"{package}.py"}
        for path in project.snapshot
        for part in path.split("/")[:3]
    )
