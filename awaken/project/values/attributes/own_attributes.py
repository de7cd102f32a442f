"""The attributes that classes of the program set: in their body, and on ``self``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence

from awaken.project.names.functions.decorators import PROPERTIES, method_kind
from awaken.project.names.functions.generated_init import generated_init
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.made_classes import OPEN, made_fields
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.replacing import Put, puts_in
from awaken.project.source.trees import (
    Function,
    first_parameter,
    is_overload,
    item_at,
    last_name,
    methods_named,
    parameters_of,
    walk_statements,
    without_arguments,
)
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.attributes.made_bases import made_bases
from awaken.project.values.domain import (
    NOWHERE,
    ClassOf,
    DeclarativeBase,
    FunctionOf,
    InstanceOf,
    NoneValue,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.library.promises import holds_own, narrowed_by_value, narrower
from awaken.project.values.library_types.solving import has_variables, solved_values
from awaken.project.values.questions import EvaluatorPart, Given, Questions

_ENUMERATIONS = {f"enum.{kind}" for kind in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")}
_ENUMERATIONS |= {"enum.ReprEnum"}
# None of their classes is one.
_PLAIN = {"aiohttp", "anyio", "fastapi", "flask", "flask_sqlalchemy", "httpx", "requests"}
_PLAIN |= {"starlette", "yarl"}
_PROPERTY = InstanceOf("builtins.property")
_ONLY_NONE = (NoneValue(),)
_LOOKUP = "__getattribute__"
_SETTING = {"__setattr__", "setattr", "update"}
_REPLACING = {"__replace__", "_replace", "replace"}


class OwnAttributes:
    """Follows what classes of the program say themselves."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator
        self._fields = _GeneratedFields(evaluator)

    def nearest_values(
        self, owner: InstanceOf | ClassOf, name: str, without: set[str] | None = None
    ) -> Values | None:
        """Return what the nearest class gives that sets ``name``; those in ``without`` do not.

        Classes that do not set it are added there.
        """
        known = set[str]() if without is None else without
        for facts in self._evaluator.classes.line(owner.qualified):
            if facts.qualified in known:
                continue
            node = self._evaluator.classes.node(facts.qualified)
            values = None if node is None else self.of_class(owner, name, *node)
            if node is None and not facts.members.isdisjoint((name, OPEN)):
                values = self._field_of_call(facts.qualified, name)
            if values is not None:
                return values
            known.add(facts.qualified)
        return None

    def has_own_lookup(self, qualified: str, name: str) -> bool:
        """Whether code of the program may give other attributes to instances of a class.

        A `__getattribute__` that returns what another one gives for the name changes nothing.
        """
        classes = self._evaluator.classes
        if name[:2] == "__" or not any(_LOOKUP in x.members for x in classes.line(qualified)):
            return False
        methods = (
            (home, method)
            for _, home, body in classes.bodies(qualified)
            for method in methods_named(body, _LOOKUP)
        )
        return not all(_passes_lookup(home, method) for home, method in methods)

    def of_made_bases(self, owner: InstanceOf | ClassOf, name: str) -> Values | None:
        """Return what a class gives that ``declarative_base(cls=...)`` makes a base of."""
        classes = self._evaluator.classes
        ancestors = classes.ancestors(owner.qualified)
        for facts, index in ancestors.unresolved if ancestors is not None else ():
            for base in made_bases(self._evaluator, facts, index):
                parent = base.parent if isinstance(base, DeclarativeBase) else None
                for _, home, body in classes.bodies(parent or ""):
                    values = self.of_class(owner, name, home, body)
                    if values is not None:
                        return values
        return None

    def of_class(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.ClassDef
    ) -> Values | None:
        """Return what the class ``node`` itself sets: in its body, and on ``self`` anywhere."""
        scope = module.scopes.scope_made_by(node)
        bindings = scope.bindings_of(name)
        bindings = [binding for binding in bindings if not is_overload(binding.node)] or bindings
        made = self._fields.values_of(owner, module, node, name) if bindings else None
        if made is not None:
            return made
        in_body = union(*(self._bound_values(owner, module, binding) for binding in bindings))
        declared = any(binding.annotation is not None for binding in bindings)
        # The declaration in the body holds for all assignments of methods.
        if in_body and declared and not _is_unknown(in_body):
            written = next(x.annotation for x in bindings if x.annotation is not None)
            solved = self._by_declaration(owner, module, node, written)
            return solved or self._seen_values(in_body, module, node, name, bindings)
        if all(binding.kind == "annotation" for binding in bindings):
            in_body = ()  # ``session: Any`` says no more than what is assigned below
            bindings = []
        on_self = _assignments(module, node).get(name, [])
        if not bindings and not on_self:
            return self._made_field(module, node, name)
        assigned = (
            self._by_type_parameter(owner, module, node, *item[1:])
            or self._assigned_values(module, *item)
            for item in on_self
        )
        if not on_self:
            # The returned value of a property is the result: only an attribute of a class may be a
            # descriptor.
            if any(not isinstance(binding.node, Function) for binding in bindings):
                in_body = tuple(self._read(value, name) for value in in_body)
            if self._is_member(owner, bindings):
                in_body = (InstanceOf(owner.qualified),)
        result = union(in_body, *assigned)
        if result == _ONLY_NONE:
            # Others set it: a subclass, or who is given the object.
            result = self._promised_values(module, on_self) or result
        return self._evaluator.with_later_additions(result, module, name)

    def _made_field(self, module: Module, node: ast.ClassDef, name: str) -> Values | None:
        """Return a field of a base that a call makes, as its annotation says; None for others."""
        for base in node.bases:
            fields = made_fields(base) or {}
            if name in fields:
                return self._declared_field(module, fields[name], name)
        return None

    def _field_of_call(self, qualified: str, name: str) -> Values | None:
        """Return the same of a class that is what a call makes; None for others."""
        module, made = self._evaluator.classes.made_class(qualified) or (None, None)
        if module is None or made is None:
            return None
        return self._declared_field(module, made.fields.get(name), name)

    def _declared_field(self, module: Module, written: ast.expr | None, name: str) -> Values:
        known = () if written is None else self._evaluator.declared_values(module, written)
        return known or (Unknown(f"nothing says what the field `{name}` is", NOWHERE),)

    def _promised_values(self, module: Module, on_self: Sequence[_Assignment]) -> Values:
        """Return what is annotated where methods assign an attribute."""
        written = (node for _, _, node in on_self if node is not None)
        result = union(*(self._evaluator.declared_values(module, node) for node in written))
        return () if _is_unknown(result) else result

    def _assigned_values(
        self, module: Module, target: ast.expr, value: ast.expr | None, annotation: ast.expr | None
    ) -> Values:
        """Return what a method assigns to an attribute; it may say more than an annotation."""
        result = self._evaluator.assigned_values(module, target, value, annotation, ())
        if annotation is None:
            return result
        return narrowed_by_value(self._evaluator, result, module, value)

    def _by_type_parameter(
        self,
        owner: InstanceOf | ClassOf,
        module: Module,
        node: ast.ClassDef,
        value: ast.expr | None,
        annotation: ast.expr | None,
    ) -> Values:
        """Return what the type parameters of ``owner`` say of a parameter that a method keeps.

        So ``self.model`` is of `type[M]` another class for each instance of a generic class. And
        ``self.items`` of ``items(model)`` is an instance of it. Empty where they do not say it.
        """
        if isinstance(value, ast.Call) and annotation is None:
            result = self._by_type_parameter(owner, module, node, value.func, None)
            are_classes = all(isinstance(alternative, ClassOf) for alternative in result)
            made = tuple(InstanceOf(item.qualified) for item in result if isinstance(item, ClassOf))
            return made if are_classes else ()
        if not isinstance(value, ast.Name):
            return ()
        binding = module.scopes.only_binding(value)
        kept = None if binding is None else binding.node
        written = annotation or (kept.annotation if isinstance(kept, ast.arg) else None)
        return self._by_declaration(owner, module, node, written)

    def _by_declaration(
        self,
        owner: InstanceOf | ClassOf,
        module: Module,
        node: ast.ClassDef,
        written: ast.expr | None,
    ) -> Values:
        """Return what an annotation says by the type parameters of ``owner``, if they say it."""
        declared = () if written is None else self._evaluator.declared_unsolved(module, written)
        if not isinstance(owner, InstanceOf) or not has_variables(declared):
            return ()
        qualified = module.full_name(node)
        result = solved_values(declared, self._evaluator.library.solution_of(owner, qualified))
        return () if has_variables(result) or _is_unknown(result) else result

    def _seen_values(
        self,
        declared: Values,
        module: Module,
        node: ast.ClassDef,
        name: str,
        bindings: Sequence[Binding],
    ) -> Values:
        """Return what methods assign to an attribute that the body of its class declares.

        Only where an initialiser of the class itself does, without which one is made of what the
        body declares.
        """
        on_self = _assignments(module, node).get(name, [])
        makes = [module.enclosing_function(target) for target, _, _ in on_self]
        is_made_here = any(isinstance(x, Function) and x.name == "__init__" for x in makes)
        is_declared_only = all(binding.kind == "annotation" for binding in bindings)
        if not (is_made_here and is_declared_only and holds_own(self._evaluator, declared)):
            return declared
        assigned = union(*(self._assigned_values(module, *item) for item in on_self))
        return declared if assigned == _ONLY_NONE else narrower(self._evaluator, declared, assigned)

    def _is_member(self, owner: InstanceOf | ClassOf, bindings: list[Binding]) -> bool:
        """Whether a name that a class assigns in its body is a member of an enumeration."""
        if not bindings or any(binding.kind != "assignment" for binding in bindings):
            return False
        is_enumeration = bool(
            _ENUMERATIONS & set(self._evaluator.classes.library_ancestors(owner.qualified))
        )
        return is_enumeration and not bindings[0].name.startswith("_")

    def _read(self, value: Value, name: str) -> Value:
        """Return the value of an attribute of a class: a descriptor gives something else."""
        if not isinstance(value, InstanceOf) or value.made is not None:
            return value
        facts = self._evaluator.classes.facts(value.qualified)
        top = value.qualified.partition(".")[0]
        is_plain = top == "builtins" or top in sys.stdlib_module_names or top in _PLAIN
        # No session, factory or engine is a descriptor.
        is_plain = is_plain or value.qualified in self._evaluator.knowledge.types
        if facts is None and not is_plain:
            return Unknown(f"`{name}` may be a descriptor, a `{value.qualified}`", NOWHERE)
        if facts is not None and self.nearest_values(value, "__get__") is not None:
            return Unknown(f"`{name}` is a descriptor, a `{value.qualified}`", NOWHERE)
        return value

    def given_to(
        self, module: Module, node: ast.ClassDef, name: str
    ) -> list[tuple[ast.expr | None, ast.expr | None]]:
        """Return what the class ``node`` gives to its attribute ``name``: values, annotations.

        Augmented assignments are left out.
        """
        scope = module.scopes.scope_made_by(node)
        bindings = scope.bindings_of(name)
        result = [(binding.value, binding.annotation) for binding in bindings]
        for target, value, annotation in _assignments(module, node).get(name, []):
            if not isinstance(module.parent(target), ast.AugAssign):
                result.append((value, annotation))
        return result

    def _bound_values(
        self, owner: InstanceOf | ClassOf, module: Module, binding: Binding
    ) -> Values:
        node = binding.node
        if not isinstance(node, Function):
            return self._evaluator.binding(module, binding, ())
        names = {self.decorator(module, decorator) for decorator in node.decorator_list}
        kind = method_kind(names)
        if kind == "static":
            return (FunctionOf(module, node),)
        if kind == "class":
            return (FunctionOf(module, node, (), ClassOf(owner.qualified)),)
        method = FunctionOf(module, node, (), owner)
        if names & PROPERTIES or any(name and name.endswith(".setter") for name in names):
            # On the class itself it is the property object.
            is_read = isinstance(owner, InstanceOf)
            return self._evaluator.results_of(method) if is_read else (_PROPERTY,)
        return (method,)

    def decorator(self, module: Module, node: ast.expr) -> str | None:
        """Return the name of a decorator; `.setter` for those of a property."""
        if isinstance(node, ast.Attribute) and node.attr in {"setter", "getter", "deleter"}:
            return ".setter"
        return self._evaluator.names.qualified_name(module, without_arguments(node))


def _passes_lookup(module: Module, method: Function) -> bool:
    """Whether a `__getattribute__` returns what another one gives for the same name."""
    results = module.outputs_of(method)
    return bool(results) and all(
        isinstance(x, ast.Call)
        and last_name(x.func) == _LOOKUP
        and bool(x.args)
        and module.scopes.parameter_of(x.args[-1]) is not None
        for x in results
    )


def _is_unknown(values: Values) -> bool:
    return any(isinstance(value, Unknown) for value in values)


_Assignment = tuple[ast.expr, ast.expr | None, ast.expr | None]


@cached_in_file
def _assignments(_module: Module, node: ast.ClassDef) -> dict[str, list[_Assignment]]:
    """Return what the methods of a class assign to attributes of their first parameter."""
    assignments: dict[str, list[_Assignment]] = {}
    for method in (part for part in node.body if isinstance(part, Function)):
        own = first_parameter(method)
        for inner in walk_statements(method):
            for target, value, annotation in _targets(inner):
                if isinstance(target.value, ast.Name) and target.value.id == own:
                    assignments.setdefault(target.attr, []).append((target, value, annotation))
    return assignments


def _targets(node: ast.AST) -> list[tuple[ast.Attribute, ast.expr | None, ast.expr | None]]:
    match node:
        case ast.Assign():
            whole = [(target, node.value) for target in node.targets]
        case ast.AnnAssign(target=ast.Attribute()):
            return [(node.target, node.value, node.annotation)]  # type: ignore[list-item]
        case ast.For() | ast.AsyncFor():
            whole = [(node.target, None)]  # type: ignore[list-item]
        case ast.withitem() if node.optional_vars is not None:
            whole = [(node.optional_vars, None)]  # type: ignore[list-item]
        case ast.AugAssign():
            whole = [(node.target, None)]  # type: ignore[list-item]
        case _:
            return []
    targets: list[tuple[ast.Attribute, ast.expr | None, ast.expr | None]] = []
    for place, value in whole:
        if isinstance(place, ast.Attribute):
            targets.append((place, value, None))
        elif isinstance(place, ast.Tuple | ast.List):
            parts: list[ast.expr | None] = [None] * len(place.elts)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(place.elts):
                parts = list(value.elts)
            targets += [
                (item, part, None)
                for item, part in zip(place.elts, parts, strict=True)
                if isinstance(item, ast.Attribute)
            ]
    return targets


class _GeneratedFields(EvaluatorPart):
    """Follows the fields of which only the calls of their class tell what they are.

    ``client: object`` has the arguments that calls of the class pass for it, its default, and
    everything that visible code assigns to an attribute of that name, on any object.
    """

    def values_of(
        self, owner: InstanceOf | ClassOf, module: Module, node: ast.ClassDef, name: str
    ) -> Values | None:
        """Return what instances of the class ``node`` get for a field; None where it is no such."""
        evaluator = self._evaluator
        if not isinstance(owner, InstanceOf):
            return None
        qualified = module.full_name(node)
        made = generated_init(evaluator.names, evaluator.classes, qualified)
        if made is None:
            return None
        field = next((part for part, _ in parameters_of(made.args) if part.arg == name), None)
        declared = None if field is None else field.annotation
        if field is None or declared is None or not evaluator.says_nothing(module, declared):
            return None
        paths = evaluator.files_naming(name)
        if paths is None or len(paths) > MOST_FILES:
            return (Unknown(f"`{name}` is annotated with no particular type", NOWHERE),)
        result = evaluator.received_values(module, made, field)
        for other in evaluator.modules_at(paths):
            for _, given in set_later(other, name):
                result = union(result, self._given_values(given, name))
        return evaluator.with_later_additions(result, module, name)

    def _given_values(self, given: Given | None, name: str) -> Values:
        if given is None:
            return (Unknown(f"`{name}` is set in a way that is not followed", NOWHERE),)
        return self._evaluator.values(given.module, given.node)


def set_later(module: Module, name: str) -> Iterator[tuple[ast.expr | None, Given | None]]:
    """Yield what a file gives to attributes called ``name``, with the objects that have them.

    An object is None where a copy is made of it, a value where it cannot be followed.
    """
    for put in (*puts_in(module).get(name, ()), *puts_in(module).get("", ())):
        if put.owner is None or not _sets(put):
            continue
        # All items of a mapping are put in: `vars(self).update(settings)`.
        value = put.value if put.name else put.value and item_at(put.value, name)
        if value is not None or not isinstance(module.parent(put.node), ast.AnnAssign):
            yield put.owner, None if value is None else Given(module, value)
    for call in module.nodes(ast.Call):
        if last_name(call.func) in _REPLACING:
            yield from ((None, Given(module, x.value)) for x in call.keywords if x.arg == name)


def _sets(put: Put) -> bool:
    """Whether it sets an attribute of a known name, or all that a mapping holds."""
    is_set = not isinstance(put.node, ast.Call) or last_name(put.node.func) in _SETTING
    return is_set if put.name else put.value is not None and put.value is put.key
