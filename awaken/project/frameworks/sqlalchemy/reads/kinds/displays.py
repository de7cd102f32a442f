"""The items of lists, tuples and mappings that are written out somewhere, as far as names lead.

Followed through variables, through parameters to the arguments of callers, through ``**fields`` by
their names, and through attributes that classes of the program set in their bodies.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.shapes.pydantic_models import PydanticModels
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, variadic
from awaken.project.values.domain import ClassOf, InstanceOf, NoneValue

# Of a table or a mapper these are columns alone, as `column_attrs` of a mapper is.
_COLUMNS = {"c", "columns"}
_VIEWS = name_list("views_of_dictionaries")
_SAME_ITEMS = {"dict", "frozenset", "iter", "list", "reversed", "set", "sorted", "tuple"}
_FIELDS = {"__fields__", "__fields_set__", "model_fields", "model_fields_set"}


def is_of_columns(module: Module, node: ast.expr | None) -> bool:
    """Whether ``node`` gives columns or their names: ``cls.__table__.columns.keys()``."""
    match node:
        case ast.Call(func=ast.Name(id="list" | "set" | "sorted" | "tuple"), args=[inner, *_]):
            return is_of_columns(module, inner)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _VIEWS:
            return is_of_columns(module, inner)
        case ast.Attribute():
            is_own = node.attr in _COLUMNS and _is_of_mapping(module, node.value)
            return is_own or node.attr == "column_attrs"
    return False


def _is_of_mapping(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is the table or the mapper of a class, by how it is written."""
    match module.scopes.only_value(node) or node:
        case ast.Attribute(attr="__table__" | "__mapper__" | "mapper"):
            return True
        case ast.Call(func=func):
            return _imported_name(module, func) in {"class_mapper", "inspect", "object_mapper"}
    return False


def _imported_name(module: Module, func: ast.expr) -> str:
    """Return the name of a function in the file that it is imported from."""
    binding = module.scopes.only_binding(func, "import")
    if binding is not None and isinstance(binding.node, ast.alias):
        return binding.node.name.rpartition(".")[2]
    return last_name(func)


class Parts(Struct):
    """Expressions with their files; there are invisible ones unless ``is_whole``."""

    nodes: list[tuple[Module, ast.expr]] = field(default_factory=list)
    is_whole: bool = True

    @classmethod
    def unknown(cls) -> Parts:
        """Return a placeholder for an unknown display."""
        return cls([], is_whole=False)

    @classmethod
    def join(cls, parts: Iterable[Parts]) -> Parts:
        """Return all of them in one."""
        known = [*parts]
        nodes = dict.fromkeys(node for part in known for node in part.nodes)
        return cls([*nodes], all(part.is_whole for part in known))

    def items_at(self, index: int) -> Parts:
        """Return that item of each list or tuple."""
        parts = Parts([], self.is_whole)
        for module, node in self.nodes:
            items = node.elts if isinstance(node, ast.List | ast.Tuple) else []
            if -len(items) <= index < len(items) and not isinstance(items[index], ast.Starred):
                parts.nodes.append((module, items[index]))
            else:
                parts.is_whole = False
        return parts


class Displays:
    """Answers for one program; with ``whole_only`` parts that are not all count as none.

    Then what classes set is followed up to the first that says that there are others.
    """

    def __init__(self, evaluator: ProgramEvaluator, *, whole_only: bool = False) -> None:
        self._evaluator = evaluator
        self._models = PydanticModels(evaluator)
        self._whole_only = whole_only

    def items(self, module: Module, node: ast.expr, index: int | None = None) -> Parts:
        """Return what a loop over ``node`` goes through; the part ``index`` of each, if given."""
        match node:
            case ast.Call(func=ast.Attribute(value=held, attr="items"), args=[]):
                return self._keys(module, held) if index == 0 else self.values(module, held)
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]) if index == 1:
                return self._items(module, inner)
            case _:
                parts = self._items(module, node)
                return parts if index is None else parts.items_at(index)

    def items_at(self, module: Module, node: ast.expr, index: int) -> Parts:
        """Return what ``node[index]`` may be."""
        return self._written(module, node).items_at(index)

    def values(self, module: Module, node: ast.expr) -> Parts:
        """Return the values of a mapping."""
        parts = self._written(module, node)
        return Parts.join([Parts([], parts.is_whole), *map(_values, parts.nodes)])

    def _keys(self, module: Module, node: ast.expr) -> Parts:
        named = self._named_arguments(module, node)
        return self._items(module, node) if named is None else named

    @recursive(lambda *_: Parts.unknown())
    def _items(self, module: Module, node: ast.expr) -> Parts:
        match node:
            case ast.Call(func=ast.Attribute(value=held, attr="keys"), args=[]):
                return self._keys(module, held)
            case ast.Call(func=ast.Attribute(value=held, attr="values"), args=[]):
                return self.values(module, held)
            case ast.BinOp(op=ast.Add() | ast.BitOr(), left=left, right=right):
                return Parts.join(self._items(module, part) for part in (left, right))
            case _:
                parts = self._written(module, node)
                inner = (self._items_inside(home, part) for home, part in parts.nodes)
                return Parts.join([Parts([], parts.is_whole), *inner])

    def _items_inside(self, module: Module, node: ast.expr) -> Parts:
        """Return the items of one display."""
        items: Sequence[ast.expr]
        match node:
            case ast.DictComp(key=key):
                return Parts([(module, key)])
            case ast.ListComp(elt=item) | ast.SetComp(elt=item) | ast.GeneratorExp(elt=item):
                return Parts([(module, item)])
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                items = [ast.Starred(value) if key is None else key for key, value in pairs]
            case _:
                items = getattr(node, "elts", ())
        return Parts.join(self._item(module, part) for part in items)

    def _item(self, module: Module, node: ast.expr) -> Parts:
        match node:
            case ast.Starred(value=inner):
                return self._items(module, inner)
        return Parts([(module, node)])

    # ------------------------------------------------------------------------ where it is written
    @recursive(lambda *_: Parts.unknown())
    def _written(self, module: Module, node: ast.expr) -> Parts:
        """Return the displays and comprehensions that ``node`` may be; none are of columns."""
        if is_of_columns(module, node):
            return Parts()
        match node:
            case ast.List() | ast.Set() | ast.Tuple() | ast.Dict():
                return Parts([(module, node)])
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return Parts([(module, node)])
            case ast.Constant(value=None):
                return Parts()
            case ast.Call():
                return self._made_parts(module, node)
            case ast.Attribute(value=model, attr=name) if name in _FIELDS:
                return self._field_names(module, model, ())
            case ast.Name() | ast.Attribute():
                return self._parts_behind(module, node)
            case _:
                parts = [self._written(module, part) for part in alternatives(node)]
                return Parts.join(parts) if parts else Parts.unknown()

    def _made_parts(self, module: Module, call: ast.Call) -> Parts:
        match call.func:
            case ast.Name(id="dict") if not call.args:
                return Parts([(module, _as_display(call, call.keywords))])
            case ast.Name(id=name) if name in _SAME_ITEMS and call.args:
                return self._written(module, call.args[0])
            case ast.Attribute(value=model, attr="dict" | "model_dump") if not call.args:
                return self._field_names(module, model, call.keywords)
        return Parts.unknown()

    def _field_names(
        self, module: Module, node: ast.expr, keywords: Sequence[ast.keyword]
    ) -> Parts:
        """Return the names of the fields of a model, as a set of constants."""
        names: set[str] = set()
        for value in self._evaluator.values(module, node):
            match value:
                case NoneValue():
                    continue
                case InstanceOf(qualified=model) | ClassOf(qualified=model) if (
                    self._models.is_model(model)
                ):
                    fields = self._models.names(model)
                case _:
                    fields = None
            if fields is None:
                return Parts.unknown()
            names |= fields
        for keyword in keywords:
            if keyword.arg in {None, "by_alias"}:
                return Parts.unknown()
            if keyword.arg == "exclude" and isinstance(keyword.value, ast.Set):
                names -= {one.value for one in keyword.value.elts if isinstance(one, ast.Constant)}
        written = ast.Set([ast.Constant(name) for name in sorted(names)])
        return Parts([(module, written)]) if names else Parts.unknown()

    def _parts_behind(self, module: Module, node: ast.Name | ast.Attribute) -> Parts:
        if isinstance(node, ast.Attribute) and node.attr == "_fields":
            return self._fields(module, node.value)
        parameter = module.scopes.parameter_of(node)
        if parameter is not None:
            return self._passed_parts(module, parameter)
        constant = self.constant(module, node)
        if constant is not None:
            added = _added_items(*constant)
            if not added.is_whole:
                return added
            return Parts.join([self._written(*constant[:2]), added])
        return self._of_bodies(node)

    def _passed_parts(self, module: Module, binding: Binding) -> Parts:
        passed = self.passed_displays(module, binding)
        given = (self._written(home, node) for home, node in passed.nodes)
        return Parts.join([Parts([], passed.is_whole), *given])

    def passed_displays(self, module: Module, binding: Binding) -> Parts:
        """Return what callers pass to a parameter, whatever it is annotated with."""
        function, parameter = binding.parameter or (None, None)
        if function is None or parameter is None or parameter in variadic(function.args):
            return Parts.unknown()
        passed = self._evaluator.passed_to(module, function, parameter)
        is_whole = not passed.doubts and bool(passed.given)
        return Parts([(argument.module, argument.node) for argument in passed.given], is_whole)

    def _of_bodies(self, node: ast.expr) -> Parts:
        """Return what classes set an attribute to in their bodies, as ``self.fields`` may give."""
        if not isinstance(node, ast.Attribute):
            return Parts.unknown()
        parts = Parts()
        written_in = self._evaluator.classes.written_in
        paths = (
            path
            for path in self._evaluator.callers.words.files_with(node.attr)
            if any(node.attr in written.members for written in written_in(path).values())
        )
        for module in self._evaluator.modules_at(paths):
            for scope in module.scopes.scopes:
                bindings = scope.bindings_of(node.attr) if scope.kind == "class" else []
                for binding in bindings:
                    inner = Parts.unknown()
                    if binding.value is not None:
                        inner = self._written(module, binding.value)
                    parts = Parts.join([parts, inner])
            if self._whole_only and not parts.is_whole:
                break
        return parts if parts.nodes else Parts.unknown()

    def _fields(self, module: Module, node: ast.expr) -> Parts:
        """Return the names that ``namedtuple("Point", [...])`` is given."""
        match self.constant(module, node):
            case home, ast.Call(func=ast.Name() as func, args=[_, names, *_]), _ if (
                last_name(func) == "namedtuple"
            ):
                return self._written(home, names)
        return Parts.unknown()

    def _named_arguments(self, module: Module, node: ast.expr) -> Parts | None:
        """Return the names that callers give to ``**fields``, as constants; None for all else."""
        binding = module.scopes.only_binding(node)
        function = None if binding is None else binding.scope.node
        if binding is None or not isinstance(function, Function):
            return None
        if binding.node is not function.args.kwarg:
            return None
        callers = self._evaluator.callers_of(module, function)
        is_hidden = any(item.kind != "outside" for item in callers.obstacles) or not callers.sites
        is_whole = not is_hidden and not _is_changed(module, node, binding.name)
        own = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
        parts = Parts([], is_whole)
        for site in callers.sites:
            for _, call in self._evaluator.calls_at(site.place)[:1]:
                names = [keyword.arg for keyword in call.keywords if keyword.arg not in own]
                parts.is_whole = parts.is_whole and None not in names
                parts.nodes += [(module, ast.Constant(name)) for name in names if name]
        return parts

    def constant(
        self, module: Module, node: ast.AST, name: str = ""
    ) -> tuple[Module, ast.expr, str] | None:
        """Return the only value of a variable of a module, with that module and its name."""
        names = self._evaluator.names
        if isinstance(node, ast.expr):
            binding = module.scopes.only_binding(node, "assignment")
            if binding is not None and binding.value:
                return module, binding.value, binding.name
            qualified = names.qualified_name(module, node)
        else:
            qualified = names.attribute(module.path, name)
        pair = names.value_at(qualified)
        return None if pair is None else (*pair, (qualified or "").rpartition(".")[2])


def _values(written: tuple[Module, ast.expr]) -> Parts:
    module, node = written
    if not isinstance(node, ast.Dict):
        return Parts.unknown()
    pairs = zip(node.keys, node.values, strict=True)
    return Parts(
        [(module, value) for key, value in pairs if key is not None], None not in node.keys
    )


def _as_display(node: ast.expr, given: Sequence[ast.keyword]) -> ast.Dict:
    """Return ``dict(name="posts")`` as a display."""
    keys = [None if argument.arg is None else ast.Constant(argument.arg) for argument in given]
    return ast.copy_location(ast.Dict([*keys], [argument.value for argument in given]), node)


def _is_changed(module: Module, node: ast.expr, name: str) -> bool:
    """Whether the file that makes a list, set or mapping changes it later."""
    added = _added_items(module, node, name)
    return bool(added.nodes) or not added.is_whole


def _added_items(module: Module, node: ast.expr, name: str) -> Parts:
    """Return the keys that the file which makes a mapping puts into it later, as a set."""
    keys: list[ast.expr] = []
    for mention in module.mentions(name) if not isinstance(node, ast.Tuple) else ():
        match module.parent(mention):
            case ast.Subscript(slice=ast.Constant(value=str()) as key, ctx=ast.Store() | ast.Del()):
                keys.append(key)
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                return Parts.unknown()
            case ast.Attribute(attr=method) if method in library_names().growing_methods:
                return Parts.unknown()
    return Parts([(module, ast.Set(keys))] if keys else [])
