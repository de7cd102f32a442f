"""The calls that make sessions, or what makes them, and what each says of expiry."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.kit.search import argument, modules_with
from awaken.knowledge import knowledge
from awaken.knowledge.sessions import session_configurations
from awaken.project.source.trees import Function, is_constant, keyword_of, last_name, variable_of
from awaken.project.values.domain import Producer, Session

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

OPTION = "expire_on_commit"
WORDS = (
    *(b"Session(", b"Session)", b"Session as ", b"sessionmaker"),
    *(b"partial", b"SessionConfig", b"AsyncConfig"),
)
"""Every file that makes a session has one of these."""

_PARTIAL = "functools.partial"
_ASYNC_ROLES = {"async", "async-factory"}
_ROLES = {"async", "async-factory", "factory", "session"}
_CLASS = "class_"


class Maker(Struct, frozen=True):
    """A call that makes sessions, or what makes them.

    ``shown`` is what makes them, as it is written. ``own_class`` is the program's own class of the
    sessions, if any, ``configured_by`` the argument that configures an extension.
    """

    module: Module
    call: ast.Call
    shown: str
    is_async: bool
    is_factory: bool
    own_class: str = ""
    configured_by: str = ""

    @property
    def expiry_argument(self) -> ast.expr | None:
        """The value that the call gives for expiry; None without one."""
        return argument(self.call, len(self.call.args), OPTION)

    @property
    def unpacked_mappings(self) -> list[ast.expr]:
        """The mappings that are unpacked into keyword arguments."""
        return [keyword.value for keyword in self.call.keywords if keyword.arg is None]


def makers_in(project: Project, module: Module) -> Iterator[Maker]:
    """Yield the calls of a file that make sessions, in the order of the source."""
    for node in module.nodes(ast.Call):
        made = _plain(node.func)
        # ``partial(AsyncSession, engine)`` makes what it is given.
        if last_name(made) == "partial" and node.args:
            if project.qualified_name(module, made) != _PARTIAL:
                continue
            made = _plain(node.args[0])
        maker = _maker(project, module, node, made)
        if maker is not None:
            yield maker


def _plain(node: ast.expr) -> ast.expr:
    """Return ``async_sessionmaker`` of ``async_sessionmaker[AsyncSession]``."""
    return node.value if isinstance(node, ast.Subscript) else node


def _maker(project: Project, module: Module, call: ast.Call, made: ast.expr) -> Maker | None:
    if not isinstance(made, ast.Name | ast.Attribute):
        return None
    role, own = _role_of(project, module, made)
    if role not in _ROLES:
        return _of_extension(project, module, call, made)
    is_async = role in _ASYNC_ROLES
    given = keyword_of(call, _CLASS)
    if given is not None and role.endswith("factory"):
        given_role, own = _role_of(project, module, given)
        is_async = is_async or given_role == "async"
    is_factory = role.endswith("factory") or made is not _plain(call.func)
    return Maker(module, call, module.excerpt(made), is_async, is_factory, own)


def _of_extension(
    project: Project, module: Module, call: ast.Call, made: ast.Name | ast.Attribute
) -> Maker | None:
    # Only names that look like it are resolved.
    if not last_name(made).endswith(("AsyncConfig", "SessionConfig")):
        return None
    known = session_configurations()
    name = project.qualified_name(module, made) or ""
    told_by = known.configured_by.get(name, "")
    if name not in known.sessions and not told_by:
        return None
    return Maker(
        module, call, module.excerpt(made), is_async=True, is_factory=True, configured_by=told_by
    )


def _role_of(project: Project, module: Module, node: ast.expr) -> tuple[str, str]:
    """Return what a class or function is to sessions, and its name if it is the program's own."""
    if isinstance(node, ast.Name) and not _may_be_class(module, node):
        return "", ""
    name = project.qualified_name(module, _plain(node))
    if name is None:
        return "", ""
    known = knowledge().types
    role = known.get(name, "")
    if role or project.class_facts(name) is None:
        return role, ""
    above = {known.get(word, "") for word in project.library_ancestors(name)} & _ROLES
    return (above.pop(), name) if len(above) == 1 else ("", "")


def _may_be_class(module: Module, node: ast.Name) -> bool:
    """Whether a name is not a plain local variable: most calls are of those, or of builtins."""
    return bool(module.scopes.bindings_of(node))


def configured_node(project: Project, module: Module, node: ast.AST) -> ast.expr | None:
    """Return what ``maker.configure(expire_on_commit=...)`` says; None of anything else."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="configure")):
            said = argument(node, len(node.args), OPTION)
            values = () if said is None else project.values.of(module, owner).alternatives
            is_factory = any(isinstance(one, Producer) and one.how == "factory" for one in values)
            return said if is_factory or Session("async-scoped") in values else None
    return None


def kept_names(project: Project) -> frozenset[str]:
    """Return the names of the factories that ``configure(expire_on_commit=False)`` decides."""
    result: set[str] = set()
    for module in modules_with(project, (b".configure(",)):
        for node in module.walk() if OPTION.encode() in module.source.text else ():
            said = configured_node(project, module, node)
            if is_constant(said, value=False):
                owner = node.func.value  # type: ignore[attr-defined]  # as it is configured
                result.add(project.qualified_name(module, owner) or "")
    return frozenset(result - {""})


def name_of(maker: Maker) -> str:
    """Return the qualified name of the variable that a call is assigned to; else nothing."""
    module, call = maker.module, maker.call
    name = last_name(variable_of(module.parent(call)))
    return f"{module.name}.{name}" if name and module.enclosing_function(call) is None else ""


def own_init(project: Project, maker: Maker) -> str:
    """Return the class of the program whose own method makes the sessions; empty if none."""
    for facts in project.class_line(maker.own_class or ""):
        if facts.members & {"__call__", "__init__"}:
            return facts.qualified
    return ""


def keeps_by_init(project: Project, maker: Maker) -> bool:
    """Whether the ``__init__`` of the sessions' class says ``expire_on_commit=False`` itself."""
    owner = own_init(project, maker)
    home = project.class_definition(owner)
    body = [] if home is None else home[1].body
    inits = [part for part in body if getattr(part, "name", "") == "__init__"]
    match [inner for part in inits if isinstance(part, Function) for inner in part.body]:
        # A second statement may decide otherwise.
        case [ast.Expr(value=ast.Call(func=ast.Attribute(attr="__init__")) as call)]:
            return is_constant(keyword_of(call, OPTION), value=False)
    return False


def options_in(project: Project, module: Module, node: ast.expr) -> dict[str, ast.expr] | None:
    """Return the options in a mapping that is unpacked; None if they are not all visible."""
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            nodes = {
                key.value: value
                for key, value in pairs
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
            return nodes if len(nodes) == len(keys) else None
        case ast.Call(func=ast.Name(id="dict"), args=[]) if all(
            keyword.arg is not None for keyword in node.keywords
        ):
            return {part.arg: part.value for part in node.keywords if part.arg is not None}
        case ast.Name():
            return _named_options(project, module, node)
    return None


def _named_options(project: Project, module: Module, node: ast.Name) -> dict[str, ast.expr] | None:
    binding = module.scopes.only_binding(node)
    if binding is None or binding.kind != "assignment" or binding.value is None:
        return None
    # Other files may change what they can import.
    is_own = binding.scope.kind != "module"
    if not is_own and project.files_with((node.id.encode(),)) != [module.path]:
        return None
    reads = module.scopes.reads_of(node)
    if not all(isinstance(module.parent(read), ast.keyword) for read in reads):
        return None
    if isinstance(binding.value, ast.Name):
        return None
    return options_in(project, module, binding.value)
