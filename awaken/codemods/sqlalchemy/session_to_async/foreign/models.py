"""Models of installed packages: which of their attributes load when they are read is not known.

Nothing outside of the project is read. Who loads such objects has to say that all that is read of
them is loaded before.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.foreign.evidence import read_as_relationships
from awaken.codemods.sqlalchemy.session_to_async.foreign.executed_queries import executed_queries
from awaken.codemods.sqlalchemy.session_to_async.reasons import FOREIGN_MODEL
from awaken.contract import Place
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
    # What is kept of a file would keep its tree: each is asked again.
    loaded = {
        name
        for module in _modules(project)
        for calls in _loaded(project, module, said).values()
        for name in calls
    }
    read = read_as_relationships(project, loaded)
    for module in _modules(project) if loaded else ():
        for models in _loaded(project, module, said).values():
            site: Site[ast.AST] = Site(rule, module, next(iter(models.values())))
            yield Member(site, _why(models, read), _shown(models))


def _modules(project: Project) -> Iterator[Module]:
    for module in modules_with(project, _WORDS):
        if not is_revision(module) and not is_environment(module):
            yield module


def _loaded(
    project: Project, module: Module, said: Collection[str]
) -> dict[ast.AST | None, dict[str, ast.Call]]:
    """Return the calls that load such objects, by the function around them and their class."""
    found: defaultdict[ast.AST | None, dict[str, ast.Call]] = defaultdict(dict)
    for node in module.walk():
        if isinstance(node, ast.Call) and last_name(node.func) in _LOADING:
            for name in _models(project, module, node):
                if name not in said and name.partition(".")[0] not in said:
                    found[module.enclosing_function(node)].setdefault(name, node)
    return found


def _shown(models: Iterable[str]) -> str:
    return " and ".join(f"`{one.rpartition('.')[2]}`" for one in sorted(models))


def _why(models: Collection[str], read: Mapping[str, Mapping[str, Place]]) -> Refused:
    packages = " and ".join(sorted({f"`{one.partition('.')[0]}`" for one in models}))
    seen = [
        (f"{one}.{name}", at) for one in sorted(models) for name, at in read.get(one, {}).items()
    ]
    help_text = FOREIGN_MODEL.help
    if seen:
        names = ", ".join(f"`{'.'.join(one.rsplit('.', 2)[1:])}`" for one, _ in seen)
        help_text = f"It looks as if {names} were read so. {help_text}"
    because = tuple(at for _, at in seen)
    return Refused(
        FOREIGN_MODEL, f"{_shown(models)} are declared in {packages}", help_text, because
    )


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
