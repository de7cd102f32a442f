"""The name by which an object is reached at a place: in scope, by an import, or across a call."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from awaken.knowledge import knowledge
from awaken.project import Project
from awaken.project.graph.call_edges import CallEdge, FunctionContext
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.source.trees import parameters_of, receivers, root_of
from awaken.project.source.worklist import reachable

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Written(Struct, frozen=True):
    """A name as it is to be written, and the import it needs (module, name, alias), if any."""

    text: str
    needs: tuple[str, str, str | None] | None = None


def name_here(
    module: Module, site: ast.AST, wanted: str, homes: Sequence[str], prefix: str
) -> Written:
    """Return how to write ``wanted``, which each of the modules ``homes`` exports, at ``site``.

    The file's own style decides: a name that is already imported, else an attribute of the imported
    first home (``sa.select``), else a new import from that; with ``prefix`` in front of it where
    the obvious one means something else.
    """
    scopes = module.scopes
    for name, bindings in _visible(module, site):
        if all(_imports(module, binding, wanted, homes) for binding in bindings):
            return Written(name)
    for name, bindings in _visible(module, site):
        if all(_imports_package(module, binding, homes[0]) for binding in bindings):
            return Written(f"{name}.{wanted}")
    taken = scopes.is_bound(wanted, site) or wanted in scopes.module.bindings
    # A star import may bind the wanted name to something else.
    if not taken and not scopes.import_stars:
        return Written(wanted, (homes[0], wanted, None))
    alias = scopes.fresh_name(f"{prefix}{wanted}")
    return Written(alias, (homes[0], wanted, alias))


def binds(module: Module, statement: ast.stmt) -> bool:
    """Whether ``statement`` binds a name that would go with it: ``(app := make()).run()``."""
    here = module.scopes.scope_of(statement)
    for node in module.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            scope = module.scopes.scope_of(node)
            # ``:=`` in a comprehension binds outside of it.
            while isinstance(module.parent(node), ast.NamedExpr) and scope.kind == "comprehension":
                scope = scope.parent or here
            if scope is here:
                return True
    return False


def value_behind(module: Module, node: ast.expr) -> ast.expr:
    """Return the only value of a variable, or the expression itself."""
    value = module.scopes.only_value(node)
    return node if value is None else value


def values_behind(module: Module, node: ast.expr) -> set[ast.expr]:
    """Return an expression, and all that the variables are given that it begins with."""

    def bound_values(part: ast.expr) -> list[ast.expr]:
        *_, root = receivers(part)
        return [item.value for item in module.scopes.bindings_of(root) if item.value is not None]

    return reachable({node}, bound_values)


def is_dotted(node: ast.expr) -> bool:
    """Whether ``node`` is a name, or an attribute of one over any number of steps."""
    return isinstance(root_of(node), ast.Name)


def _visible(module: Module, site: ast.AST) -> Iterator[tuple[str, list[Binding]]]:
    """Yield the imported names seen from ``site`` that are bound by imports alone."""
    scopes = module.scopes
    here = scopes.scope_of(site)
    for scope in here.chain():
        for name, bindings in scopes.imported_names(scope).items():
            # A nearer scope hides the import.
            if scopes.owner(name, here) is not scope:
                continue
            if all(_is_live(module, binding, site) for binding in bindings):
                yield name, bindings


def _is_live(module: Module, binding: Binding, site: ast.AST) -> bool:
    """Whether an import binding holds at ``site``: not only for the type checker, and above it."""
    # `if TYPE_CHECKING:` imports nothing when the program runs.
    if any(isinstance(above, ast.If) for above in module.ancestors(binding.node)):
        return False
    # Functions run after the imports at the top, wherever these are.
    if module.enclosing_function(binding.node) is None:
        return True
    return bool(getattr(binding.node, "lineno", 0) <= getattr(site, "lineno", 0))


def _imports(module: Module, binding: Binding, wanted: str, homes: Collection[str]) -> bool:
    home, name = _source(module, binding)
    return name == wanted and home in homes


def _imports_package(module: Module, binding: Binding, package: str) -> bool:
    home, name = _source(module, binding)
    return (home if name is None else f"{home}.{name}") == package


def _source(module: Module, binding: Binding) -> tuple[str, str | None]:
    """Return ``(module, name)`` of a from-import; ``(module, None)`` where a module is bound."""
    alias, statement = binding.node, module.parent(binding.node)
    if not isinstance(alias, ast.alias):
        return "", None
    if isinstance(statement, ast.ImportFrom):
        # The homes are absolute names of libraries.
        return "" if statement.level else statement.module or "", alias.name
    # ``import sqlalchemy.orm`` binds ``sqlalchemy``, ``import sqlalchemy.orm as orm`` the module.
    return (alias.name if alias.asname else alias.name.partition(".")[0]), None


# --------------------------------------------------------------------------------- across a call
def written_by_caller(project: Project, edge: CallEdge, written: Written) -> Written | None:
    """Return how the caller of ``edge`` writes what the called function knows as ``written``.

    None where the function alone knows it: a local variable, or what is passed by no name.
    """
    into, caller = edge.into, edge.context
    name, _, rest = written.text.partition(".")
    if not name.isidentifier():
        return None
    # Python mangles `__name` inside a class.
    own = into.flow.scope.bindings_of(name)
    if not own:
        return _of_module(project, into, written, caller, edge.call.func)
    parameter = own[0].node
    if len(own) != 1 or own[0].kind != "parameter" or not isinstance(parameter, ast.arg):
        return None
    given = edge.argument_for(parameter)
    # Any other expression would be evaluated a second time.
    if given is None or not is_dotted(given):
        return None
    text = ast.unparse(given)
    return Written(f"{text}.{rest}" if rest else text)


def written_by_called(
    project: Project, edge: CallEdge, written: Written, site: ast.expr
) -> Written | None:
    """Return how the called function of ``edge`` writes at ``site`` what its caller writes so.

    None where it is not given it.
    """
    into, caller = edge.into, edge.context
    for parameter, _ in parameters_of(into.function.args):
        given = edge.argument_for(parameter)
        text = None if given is None else ast.unparse(given)
        # The dot keeps `app` from matching `application`.
        if text is not None and f"{written.text}.".startswith(f"{text}."):
            return Written(f"{parameter.arg}{written.text.removeprefix(text)}")
    name = written.text.partition(".")[0]
    if caller.flow.scope.mangled_name(name) in caller.flow.scope.bindings:
        return None
    return _of_module(project, caller, written, into, site)


def _of_module(
    project: Project,
    source: FunctionContext,
    written: Written,
    target: FunctionContext,
    site: ast.expr,
) -> Written | None:
    """Return how ``target`` writes at ``site`` a name at the top of a file for ``source``."""
    if not all(part.isidentifier() for part in written.text.split(".")):
        return None
    name = written.text.partition(".")[0]
    scopes = target.module.scopes
    if source.path == target.path:
        is_top = scopes.owner(name, scopes.scope_of(site)) is scopes.module
        return written if is_top else None
    node: ast.expr = ast.parse(written.text, mode="eval").body
    rest = ""
    while True:
        owner = project.qualified_name(source.module, node)
        if owner is not None and _is_variable(project, owner):
            result = _in_scope(project, target, owner, site)
            return None if result is None else Written(f"{result.text}{rest}", result.needs)
        if not isinstance(node, ast.Attribute):
            return None
        rest = f".{node.attr}{rest}"
        node = node.value


def _is_variable(project: Project, owner: str) -> bool:
    """Whether ``owner`` is the name of a variable at the top of a file, or of a known library's."""
    definition = project.definition(owner)
    if definition is None:
        return owner in knowledge().instance_attributes
    return definition.kind == "assignment"


def _in_scope(
    project: Project, target: FunctionContext, owner: str, site: ast.expr
) -> Written | None:
    """Return how ``target`` writes ``owner``, a variable of another file, at ``site``."""
    module = target.module
    seen = {
        ast.unparse(node.value): node
        for node in module.nodes_below(target.function, ast.Attribute)
        if isinstance(node.value, ast.Name)
    }
    for beside in (site, *seen.values()):
        way = project.name_in_scope(module, site, owner, beside)
        if not isinstance(way, str):
            needs = None if way.module is None else (way.module, way.text.partition(".")[0], None)
            return Written(way.text, needs)
    return None


def snake_case(name: str) -> str:
    """Return `user_role` for `UserRole`."""
    return _WORD.sub("_", name).lower()
