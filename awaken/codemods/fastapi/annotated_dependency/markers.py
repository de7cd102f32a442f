"""The markers of FastAPI that are defaults of parameters."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.fastapi.annotated_dependency import reasons
from awaken.codemods.fastapi.annotated_dependency.payload import ParameterRewrite
from awaken.editing.comments import comments_in
from awaken.kit.sites import Refused
from awaken.knowledge.injection import injection
from awaken.project.source.trees import Function, last_name, parameters_of, unpacks

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module


DEPENDENCIES = injection().dependencies
_VALUES = {"Body", "Cookie", "File", "Form", "Header", "Path", "Query"}
MARKERS = DEPENDENCIES | {f"fastapi.{name}" for name in _VALUES}
_PATH = "fastapi.Path"
_DEFAULT = "default"


class Marked(Struct, frozen=True):
    """A parameter with a marker as its default; ``kind`` is the marker's qualified name."""

    parameter: ast.arg
    marker: ast.Call
    kind: str

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.arg

    @property
    def is_free(self) -> bool:
        """Whether FastAPI ignores its position, except among parameters of its own kind.

        Dependencies and path parameters never have a default, so that their order stays.
        """
        return self.kind in DEPENDENCIES or self.kind == _PATH


def functions(project: Project, module: Module) -> Iterator[tuple[Function, list[Marked]]]:
    """Yield the functions of one file that have marked parameters."""
    for node in module.walk():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marked = [
                Marked(parameter, default, kind)
                for parameter, default in parameters_of(node.args)
                if isinstance(default, ast.Call)
                and (kind := project.qualified_name(module, default.func)) in MARKERS
                and kind is not None
            ]
            if marked:
                yield node, marked


def read(project: Project, module: Module, marked: Marked) -> ParameterRewrite:
    """Return the rewrite of one parameter. Raises Refused."""
    _check_annotation(project, module, marked)
    if has_lazy_annotations(module):
        _check_names(module, marked)
    removed, value = _default(module, marked)
    if value is None:
        return ParameterRewrite(marked.name)
    _check_comments(module, marked.marker, removed)
    # `...` is FastAPI's word for required, which no default says as well.
    required = isinstance(value, ast.Constant) and value.value is ...
    _check_none(project, module, marked, value)
    return ParameterRewrite(marked.name, removed, kept=not required)


def _check_annotation(project: Project, module: Module, marked: Marked) -> None:
    annotation = marked.parameter.annotation
    # FastAPI reads no type next to `Depends(dependency)`; `Depends()` calls the type itself.
    is_typed = marked.kind not in DEPENDENCIES or not _says_what(marked.marker)
    if annotation is None:
        # FastAPI treats such a parameter as Any.
        if marked.kind in DEPENDENCIES and is_typed:
            raise Refused(reasons.NO_TYPE, marked.name)
        return
    if is_typed and isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        raise Refused(reasons.TEXT_ANNOTATION, marked.name)
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    name = project.qualified_name(module, outer)
    if name is not None and name.rpartition(".")[2] == "Annotated":
        raise Refused(reasons.ANNOTATED_ALREADY, marked.name)


def _check_none(project: Project, module: Module, marked: Marked, default: ast.expr) -> None:
    """Raise Refused where a type checker would ask for another type: a marker is of any."""
    annotation = marked.parameter.annotation
    is_none = isinstance(default, ast.Constant) and default.value is None
    if annotation is None or not is_none or not project.is_type_checked:
        return
    generic = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    name = project.qualified_name(module, generic) or ""
    if project.class_facts(name) is not None or name.startswith("builtins."):
        raise Refused(reasons.NOT_NONE, marked.name)


def _says_what(marker: ast.Call) -> bool:
    """Whether a ``Depends`` or ``Security`` names its dependency itself."""
    names = {keyword.arg for keyword in marker.keywords}
    return bool(marker.args) or bool(names & {"dependency", None})


def _check_names(module: Module, marked: Marked) -> None:
    """Raise Refused where an annotation would mean something else than the default does.

    With ``from __future__ import annotations`` FastAPI evaluates annotations itself, among the
    names at the top of the file.
    """
    for node in module.walk(marked.marker):
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        bindings = module.scopes.bindings_of(node)
        top = module.scopes.module.bindings.get(node.id, [])
        inside = any(binding.scope.kind in {"lambda", "comprehension"} for binding in bindings)
        # A local name is not found among those at the top of the file.
        if bindings != top and not inside:
            raise Refused(reasons.LOCAL_NAMES, node.id)
        # FastAPI evaluates the text later, when the name may have its other value.
        if len(top) > 1:
            raise Refused(reasons.REBOUND_NAMES, node.id)
    # Where there is a default, FastAPI ignores a type that it cannot evaluate.
    if marked.kind in DEPENDENCIES and marked.parameter.annotation is not None:
        for node in _names_in(module, marked.parameter.annotation):
            if not _is_there(module, node):
                raise Refused(reasons.UNBOUND_NAMES, node.id)


def _names_in(module: Module, node: ast.expr) -> Iterator[ast.Name]:
    """Yield the names that an expression reads, also in the types that it has in quotes."""
    for part in module.walk(node):
        match part:
            case ast.Name(ctx=ast.Load()):
                yield part
            case ast.Constant(value=str()):
                above = module.parent(part)
                is_type = (
                    not isinstance(above, ast.Subscript) or last_name(above.value) != "Literal"
                )
                quoted = module.parse_string(part) if is_type else None
                if quoted is not None:
                    yield from _names_in(module, quoted)


def _is_there(module: Module, node: ast.Name) -> bool:
    """Whether FastAPI finds the name ``node`` of a type: `if TYPE_CHECKING:` defines none."""
    scopes = module.scopes
    bindings = [
        binding
        for binding in scopes.module.bindings.get(node.id, ())
        if binding.kind not in {"annotation", "delete"}
        and getattr(binding.node, "lineno", 0) < node.lineno
    ]
    if not bindings:
        return hasattr(builtins, node.id) or bool(scopes.import_stars)
    conditions = [
        {
            (above, below in above.body)
            for below, above in module.steps_up(binding.node)
            if isinstance(above, ast.If)
        }
        for binding in bindings
    ]
    branches = set().union(*conditions)
    return set() in conditions or any((above, not side) in branches for above, side in branches)


def has_lazy_annotations(module: Module) -> bool:
    """Whether the file says ``from __future__ import annotations``."""
    return any(
        isinstance(statement, ast.ImportFrom)
        and statement.module == "__future__"
        and any(alias.name == "annotations" for alias in statement.names)
        for statement in module.tree.body
    )


def _default(module: Module, marked: Marked) -> tuple[int, ast.expr | None]:
    """Return index and value of the argument that holds the default. Raises Refused."""
    marker = marked.marker
    if marked.kind in DEPENDENCIES:
        return -1, None
    if unpacks(marker):
        raise Refused(reasons.UNREAD_MARKER, module.excerpt(marker))
    # The default is the first parameter of every marker that has one.
    if marker.args:
        return 0, marker.args[0]
    for index, keyword in enumerate(marker.keywords):
        if keyword.arg == _DEFAULT:
            return index, keyword.value
    return -1, None


def _check_comments(module: Module, marker: ast.Call, removed: int) -> None:
    """Raise Refused if a comment is next to the removed argument."""
    arguments: list[ast.AST] = [*marker.args, *marker.keywords]
    # A comment after the comma still belongs to the removed argument.
    before = arguments[removed - 1] if removed else marker.func
    start = module.span(before).end
    end = module.span(marker).end
    if removed + 1 < len(arguments):
        end = module.span(arguments[removed + 1]).start
    text = module.source.text[start:end].decode()
    for comment in comments_in(text):
        raise Refused(reasons.COMMENT_LOST, comment.text)
