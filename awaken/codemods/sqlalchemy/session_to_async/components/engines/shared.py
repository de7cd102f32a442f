"""Engines and factories that a file makes once, under a name: they join nobody who uses them.

Two parts of a program that share nothing else may use one each. That is so only where every use is
visible: nobody assigns to the name, replaces it in a test, or listens to what the factory makes. A
factory whose engine a function makes changes with that function, and so do its users.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import (
    Piece,
    piece_around,
)
from awaken.codemods.sqlalchemy.session_to_async.find.idle import (
    mentions_of,
    texts_naming,
)
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import (
    is_factory_by_another_name,
    targets,
)
from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.kit.sites import Site
from awaken.knowledge.library_names import library_names
from awaken.project.source.f_strings import is_literal
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import variable_of
from awaken.project.source.worklist import groups_of, reachable

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine, Url

_MAKERS = {
    "sqlalchemy.create_engine", "sqlalchemy.orm.scoped_session", "sqlalchemy.orm.sessionmaker",
    "sqlmodel.create_engine",
}  # fmt: skip
_BINDS = {"bind", "binds"}
"""The arguments of a factory that give it engines."""
_CHANGING = {"configure", "remove", "update_execution_options"}
"""Methods of engines and factories that change them for all who use them."""
_VARYING = tuple(f"{name}." for name in library_names().varying)


class Shared(Struct, frozen=True):
    """One engine or factory: its name, the statement that makes it, and who uses it.

    The statement may be an ``if`` that makes one in each of its branches, and does nothing else.

    ``uses`` are the places that name it, with their pieces. ``built_on`` are the others that its
    own statement uses, by their names, with the place. ``kept`` are places that use it and stay
    synchronous whatever happens, as in the environment of Alembic. Of an unread file that uses it,
    the place is that of the statement.
    """

    qualified: str
    piece: Piece
    statement: Place
    is_engine: bool
    uses: list[tuple[Place, Piece]] = field(default_factory=list)
    built_on: dict[str, Place] = field(default_factory=dict)
    kept: list[Place] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name in its file."""
        return self.qualified.rpartition(".")[2]

    def made_in(self, module: Module) -> ast.stmt:
        """Return the statement, in its file."""
        span = self.statement.span
        return next(part for part in module.tree.body if module.span(part) == span)


def shared_resources(
    project: Project, sites: Iterable[tuple[Site[ast.expr], str]]
) -> dict[str, Shared]:
    """Return the engines and factories of a program that join nobody, by their names.

    ``sites`` are the names of the synchronous side, each with what it names.
    """
    resources, in_memory = _made_resources(project, sites)
    joining = in_memory | {name for name, _, _ in texts_naming(project, resources)}
    joining |= set(_assigned_names(project, resources)) | set(_of_other_engines(project, resources))
    joining |= {name for name, resource in resources.items() if _varies(project, resource)}
    if any(is_factory_by_another_name(project, *target) for target in targets(project)):
        joining |= resources.keys()
    for mention in mentions_of(project, resources):
        module, node = mention.module, mention.node
        piece = piece_around(module, node)
        above = module.parent(node)
        is_changed = isinstance(above, ast.Attribute) and above.attr in _CHANGING
        if is_changed or _listens(project, module, node):
            joining.add(mention.qualified)
        user = next((resource for resource in resources.values() if resource.piece == piece), None)
        if user is not None:
            user.built_on[mention.qualified] = module.place(node)
        elif is_of_alembic(module):
            resources[mention.qualified].kept.append(module.place(node))
        else:
            resources[mention.qualified].uses.append((module.place(node), piece))
    _join(resources, joining)
    for resource in resources.values():
        if project.outside.uses_of(resource.piece.path, resource.name) is not None:
            resource.kept.append(resource.statement)
    return resources


def _made_resources(
    project: Project, sites: Iterable[tuple[Site[ast.expr], str]]
) -> tuple[dict[str, Shared], set[str]]:
    """Return those that statements of files make, and the names of those in memory."""
    resources: dict[str, Shared] = {}
    in_memory: set[str] = set()
    for site, qualified in sites:
        made = _made_statement(site.module, site.node) if qualified in _MAKERS else None
        if made is not None:
            statement, variable = made
            name, place = f"{site.module.name}.{variable}", site.module.place(statement)
            piece = piece_around(site.module, statement)
            is_engine = qualified.endswith(".create_engine")
            resources.setdefault(name, Shared(name, piece, place, is_engine))
            # Another engine would see none of what it keeps in memory.
            made_here = _engines_in(project, site.module, place)
            if any(project.orm.engines.is_in_memory(engine) for engine in made_here):
                in_memory.add(name)
    return resources, in_memory


def _join(found: dict[str, Shared], joining: set[str]) -> None:
    """Leave out those that join their users: their own engines are used by these statements."""
    for name in _with_users(found, joining):
        gone = found.pop(name)
        for base, place in gone.built_on.items():
            if base in found:
                found[base].uses.append((place, gone.piece))


def _assigned_names(project: Project, names: Iterable[str]) -> Iterator[str]:
    """Yield those of some variables that may be assigned to from afar: ``db.engine = other``."""
    by_word = groups_of(names, lambda name: name.rpartition(".")[2])
    for _, node in nodes_with(project, [word.encode() for word in sorted(by_word)], ast.Attribute):
        if not isinstance(node.ctx, ast.Load):
            is_own = isinstance(node.value, ast.Name) and node.value.id in {"cls", "self"}
            yield from () if is_own else by_word.get(node.attr, ())


def _of_other_engines(project: Project, found: dict[str, Shared]) -> Iterator[str]:
    """Yield the factories whose engine another statement or function makes."""
    for name, resource in found.items():
        for module, call in nodes_in(project.modules_at([resource.statement.path]), ast.Call):
            if not resource.statement.span.contains(module.span(call)):
                continue
            if project.qualified_name(module, call.func) != "sqlalchemy.orm.sessionmaker":
                continue
            binds = [*call.args[:1], *(key.value for key in call.keywords if key.arg in _BINDS)]
            # A mapping of more arguments may give the engine, unless it is given already.
            binds = binds or [key.value for key in call.keywords if key.arg is None]
            if not all(_is_own(project, module, bind, found) for bind in binds):
                yield name


def _varies(project: Project, shared: Shared) -> bool:
    module = project.module(shared.statement.path)
    return module is not None and varies(project, module, shared.made_in(module))


def varies(project: Project, module: Module, statement: ast.stmt) -> bool:
    """Whether ``statement`` may make something else when its code runs a second time.

    ``create_engine(f"sqlite:///{tempfile.mkdtemp()}/shop.db")`` is another database then.
    """
    nodes: list[ast.AST] = [statement]
    names = module.nodes_below(statement, ast.Name)
    values = (module.scopes.only_value(name) for name in names)
    # The text of a URL is written again, with another driver.
    nodes += [value for value in values if value is not None and is_literal(value)]
    parts = [*((module, node) for node in nodes), *project.calls.run_inside(module, nodes)]
    calls = (
        project.qualified_name(home, call.func) or ""
        for home, part in parts
        for call in home.nodes_below(part, ast.Call)
    )
    return any(f"{name}.".startswith(_VARYING) for name in calls)


def _is_own(project: Project, module: Module, bind: ast.expr, found: dict[str, Shared]) -> bool:
    """Whether an engine is a shared one, or made where it is given."""
    if isinstance(bind, ast.Call):
        return project.qualified_name(module, bind.func) in _MAKERS
    if isinstance(bind, ast.Name | ast.Attribute):
        return project.qualified_name(module, bind) in found
    return isinstance(bind, ast.Constant)  # None


def _with_users(found: dict[str, Shared], joining: set[str]) -> set[str]:
    """Return ``joining`` and what is built on it: who shares an engine in memory shares all."""

    def users_of(name: str) -> Iterator[str]:
        return (user for user, resource in found.items() if name in resource.built_on)

    return reachable(joining, users_of) & found.keys()


def _made_statement(module: Module, node: ast.expr) -> tuple[ast.stmt, str] | None:
    """Return the statement of a file that alone gives a variable its value, made by ``node``."""
    call: ast.AST | None = module.parent(node)
    statement = module.statement_of(node)
    variable = variable_of(statement)
    if not isinstance(call, ast.Call) or call.func is not node or variable is None:
        return None
    # `scoped_session(sessionmaker(engine))` is made by the outer call.
    if getattr(statement, "value", None) not in {call, module.parent(call)}:
        return None
    while statement is not None and isinstance(above := module.parent(statement), ast.If):
        statement = above
    bindings = module.scopes.module.bindings.get(variable.id, ())
    assigned = list(assigned_alone(statement))
    is_only = {target.id for target in assigned} == {variable.id} and len(assigned) == len(bindings)
    return (statement, variable.id) if statement in module.tree.body and is_only else None


def assigned_alone(statement: ast.AST | None) -> Iterator[ast.Name]:
    """Yield the variables that a statement assigns, in each branch of an ``if``.

    Nothing for any other statement, nor where a branch does more.
    """
    variable = variable_of(statement)
    if variable is not None:
        yield variable
    elif isinstance(statement, ast.If):
        branches = [statement.body, statement.orelse]
        names = [[*assigned_alone(branch[0])] if len(branch) == 1 else [] for branch in branches]
        if all(names):
            yield from (name for branch in names for name in branch)


def urls_in(project: Project, module: Module, statement: Place) -> Iterator[Url]:
    """Yield the URLs of the engines that a statement of a file makes."""
    for engine in _engines_in(project, module, statement):
        url = project.orm.engines.url_of(engine)
        if url is not None:
            yield url


def _engines_in(project: Project, module: Module, statement: Place) -> Iterator[Engine]:
    for engine in project.orm.engines.in_file(module):
        if statement.span.contains(module.span(engine.call)):
            yield engine


def _listens(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether events are listened to here: both sides would have to be."""
    call = module.call_taking(node)
    name = None if call is None else project.qualified_name(module, call.func)
    return (name or "").startswith("sqlalchemy.event.")


def pieces_using(shared: Iterable[Shared]) -> Iterator[Piece]:
    """Yield the pieces that use one of some engines and factories."""
    for resource in shared:
        for _, piece in resource.uses:
            yield piece


def with_bases(shared: dict[str, Shared], names: Iterable[str]) -> set[str]:
    """Return ``names`` and what they are built on, directly or not."""
    return reachable(
        (name for name in names if name in shared),
        lambda name: (base for base in shared[name].built_on if base in shared),
    )
