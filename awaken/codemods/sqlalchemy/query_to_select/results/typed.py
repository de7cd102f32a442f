"""Requirements of annotations on a result: a list, or a number that is never None.

``Query`` promises ``list[User]`` and ``int`` where a result promises ``Sequence[User]`` and
``int | None``. At run time they are the same. Where the code around is annotated, a type checker
reads it, so what it is to be is written as well.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.knowledge.library_names import library_names
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import types_in
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import recursive
from awaken.project.source.trees import Function, is_none, last_name, parameter_at, parameters_of

_OF_LISTS = library_names().changing_methods | {"copy", "reverse", "sort"}

Step = int | str
"""A way into a type: the place in a tuple, or a word for what a dict or a list holds."""


def _is_annotated(reader: Reader, node: ast.AST) -> bool:
    """Whether a type checker looks at the code around ``node``.

    A program that annotates its return types has one; where one is set up, any annotation counts.
    """
    for above in reader.module.ancestors(node):
        if isinstance(above, Function):
            arguments = [argument for argument, _ in parameters_of(above.args)]
            is_partly = any(argument.annotation is not None for argument in arguments)
            return above.returns is not None or (is_partly and reader.project.is_type_checked)
    return False


def is_typed(reader: Reader, node: ast.AST, session: ast.expr | None) -> bool:
    """Whether a type checker knows the results of the ``session`` at ``node``."""
    if not reader.project.targets.admits("sqlalchemy", ">=2.0"):
        return False
    if not _is_annotated(reader, node):
        return False
    if not isinstance(session, ast.Name):
        return True
    bindings = reader.bindings(session)
    return not any(item.kind == "parameter" and item.annotation is None for item in bindings)


def asks_list(reader: Reader, node: ast.expr) -> bool:
    """Whether the value of ``node`` must be a list for a type checker, not just a sequence."""
    if reader.module.scopes.is_shadowed("list", node):
        return False
    return _Asked(reader).asks_list(node, ())


class _Asked(Struct, frozen=True):
    """Follows an expression to the annotations that it has to keep to."""

    reader: Reader

    @recursive(lambda *_: False)
    def asks_list(self, node: ast.expr, way: tuple[Step, ...]) -> bool:
        """Whether a list is required at the path ``way`` into the value of ``node``."""
        use = use_of(self.reader.module, node)
        if use.way in {"awaited", "same"}:
            return self.asks_list(use.above, way)
        parent = self.reader.module.parent(node)
        match parent:
            case ast.Tuple(elts=elements):
                return self.asks_list(parent, (elements.index(node), *way))
            case ast.Dict():
                return self.asks_list(parent, ("value", *way))
            # A sequence is added to nothing, and has no methods that change it.
            case ast.BinOp(op=ast.Add()):
                return not way
            case ast.Attribute(attr=name):
                return not way and name in _OF_LISTS
            case ast.Assign(targets=[target]):
                return self._target(target, way)
        return self._is_list(self._annotation(parent, node), way)

    def _annotation(self, parent: ast.AST | None, node: ast.expr) -> ast.expr | None:
        """Return how what takes the value of ``node`` is annotated."""
        module = self.reader.module
        match parent:
            case ast.Return():
                function = module.enclosing_function(node)
                return function.returns if isinstance(function, Function) else None
            case ast.AnnAssign(annotation=annotation):
                return annotation
            case ast.Call(args=arguments) if node in arguments:
                return self._parameter(parent, arguments.index(node))
            case ast.keyword(arg=str(name)):
                call = module.parent(parent)
                return self._parameter(call, name) if isinstance(call, ast.Call) else None
        return None

    def _target(self, target: ast.expr, way: tuple[Step, ...]) -> bool:
        if isinstance(target, ast.Tuple) and way and isinstance(way[0], int):
            inner = target.elts[way[0]] if way[0] < len(target.elts) else None
            return inner is not None and self._target(inner, way[1:])
        if isinstance(target, ast.Attribute):
            return self._is_list(self._declared_node(target), way)
        if not isinstance(target, ast.Name):
            return False
        scopes = self.reader.module.scopes
        owner = scopes.owner(target.id, scopes.scope_of(target))
        if owner is None or owner.kind in {"module", "class"}:
            return False
        bindings = owner.bindings_of(target.id)
        if not way and any(_makes_list(item) for item in bindings if item.node is not target):
            return True
        if any(self._is_list(binding.annotation, way) for binding in bindings):
            return True
        reads = scopes.reads_in(owner, target.id)
        return any(self._read(read, way) for read in reads)

    def _read(self, read: ast.Name, way: tuple[Step, ...]) -> bool:
        parent = self.reader.module.parent(read)
        # Only a list can have its items replaced.
        if isinstance(parent, ast.Subscript) and parent.value is read:
            return not way and not isinstance(parent.ctx, ast.Load)
        return self.asks_list(read, way)

    def _declared_node(self, target: ast.Attribute) -> ast.expr | None:
        """Return how the attribute of ``self`` is annotated in its class."""
        own = self.reader.module.enclosing_class(target)
        if own is None or not isinstance(target.value, ast.Name):
            return None
        return _annotation_in(own.body, target.attr)

    def _parameter(self, call: ast.Call, key: int | str) -> ast.expr | None:
        """Return the annotation of what takes an argument of ``call``, at a place or by name."""
        project = self.reader.project
        qualified = self.reader.qualified_name(call.func)
        defined = None if qualified is None else project.class_definition(qualified)
        if defined is not None:
            return _field(defined[1], key)
        pair = project.function_definition(qualified)
        return None if pair is None else _annotation_at(pair[1], key, 0)

    def _is_list(self, annotation: ast.expr | None, way: Sequence[Step]) -> bool:
        """Whether an annotation says that a list is found on ``way`` into it, and nothing else."""
        types = types_in(self.reader.module, annotation)
        choices = [node for node in types if not is_none(node)]
        return bool(choices) and all(self._choice_is_list(choice, way) for choice in choices)

    def _choice_is_list(self, annotation: ast.expr, way: Sequence[Step]) -> bool:
        generic = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        name = last_name(generic)
        if not way:
            return name in {"list", "List"}
        if not isinstance(annotation, ast.Subscript):
            return False
        inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
        step, rest = way[0], way[1:]
        if isinstance(step, int) and name in {"tuple", "Tuple"}:
            return step < len(inner) and self._is_list(inner[step], rest)
        if step == "value" and name in {"dict", "Dict", "Mapping", "MutableMapping"}:
            return bool(inner) and self._is_list(inner[-1], rest)
        return False


def _makes_list(binding: Binding) -> bool:
    """Whether a variable is given a list elsewhere, which is its type from there on."""
    value = binding.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in {"list", "sorted"}
    return isinstance(value, ast.List | ast.ListComp)


def _field(definition: ast.ClassDef, key: int | str) -> ast.expr | None:
    """Return the annotation of what a class is made with, at a place or by name."""
    for statement in definition.body:
        if isinstance(statement, Function) and statement.name == "__init__":
            return _annotation_at(statement, key, 1)
    return _annotation_in(definition.body, key) if isinstance(key, str) else None


def _annotation_at(function: Function, key: int | str, bound: int) -> ast.expr | None:
    parameter = parameter_at(function, key, bound)
    return None if parameter is None else parameter.annotation


def _annotation_in(body: Sequence[ast.stmt], name: str) -> ast.expr | None:
    """Return the annotation that a class gives one of its attributes."""
    for statement in body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=declared)) if declared == name:
                return statement.annotation
    return None
