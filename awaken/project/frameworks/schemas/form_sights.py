"""The places that fill forms from objects, or objects from forms: ``UserForm(obj=user)``."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.schemas.declared import definitions_of
from awaken.project.frameworks.sqlalchemy.reads.kinds.assignments import Assignments
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, Sight
from awaken.project.frameworks.web.applications import argument_at
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.memo import cached_items, cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import keyword_of, last_name, methods_named, values_given
from awaken.project.source.worklist import LONGEST_PATH
from awaken.project.values.domain import ClassOf, InstanceOf, Unknown, Values, union

_KNOWN = schema_knowledge().forms
_WORDS = (b"obj=", b"obj =", *(name.encode() for name in (*_KNOWN.reading, *_KNOWN.writing)))
_OBJECT = "obj"
_Path = tuple[str, ...]


class FormSights:
    """A form reads the attribute of each of its fields; a field may be filled by another form."""

    def __init__(self, evaluator: ProgramEvaluator, assignments: Assignments) -> None:
        self._evaluator = evaluator
        self._assignments = assignments
        self._forms = _Forms(evaluator)

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield what forms read of objects, file by file; a program without forms has none."""
        forms = self._forms
        words = sorted({*_WORDS, *(name.encode() for name in forms.spellings)}) if forms.all else ()
        for module, node in nodes_in(self._evaluator.modules_with(words), ast.Call):
            yield from self._of_call(module, node, names)

    def _of_call(self, module: Module, call: ast.Call, names: Collection[str]) -> Iterator[Sight]:
        name = last_name(call.func)
        given = keyword_of(call, _OBJECT)
        match call.func:
            case ast.Attribute(value=owner) if name in _KNOWN.writing:
                filled = argument_at(call, 0, _OBJECT)
                if filled is not None:
                    yield from self._populated_sights(module, call, owner, filled, names)
            case ast.Attribute(value=owner) if name in {*_KNOWN.reading, "__init__"}:
                filled = argument_at(call, 1, _OBJECT)
                made = self._made_forms(module, owner) if filled is not None else []
                # Much has such methods that is no form.
                forms = [value for value in made if isinstance(value, str)]
                if filled is not None:
                    yield from self._sights_of_form(module, call, forms, filled, names)
            case _ if given is not None:
                yield from self._sights_of_form(
                    module, call, self._named_forms(module, call), given, names
                )
            case _ if len(call.args) > 1 and name in self._forms.spellings:
                # ``UserForm(request.form, user)``
                plain = [
                    value
                    for value in self._named_forms(module, call)
                    if isinstance(value, str) and not self._forms.has_own_parameters(value)
                ]
                yield from self._sights_of_form(module, call, plain, call.args[1], names)

    def _named_forms(self, module: Module, call: ast.Call) -> list[str | Unknown]:
        """Return the forms that a call may make, and why there may be others."""
        values = self._evaluator.values(module, call.func)
        if isinstance(call.func, ast.Attribute):
            values = union(values, *self._values_below(module, call.func))
        return [
            value if isinstance(value, Unknown) else value.qualified
            for value in values
            if isinstance(value, Unknown)
            or (isinstance(value, ClassOf) and value.qualified in self._forms.all)
        ]

    def _values_below(self, module: Module, node: ast.Attribute) -> Iterator[Values]:
        """Yield what subclasses set in their bodies: the form of each view, used by their base."""
        classes = self._evaluator.classes
        for value in self._evaluator.values(module, node.value):
            if not isinstance(value, InstanceOf | ClassOf):
                continue
            for below in map(classes.node, classes.all_subclasses(value.qualified)):
                scope = None if below is None else below[0].scopes.scope_made_by(below[1])
                for binding in scope.bindings_of(node.attr) if scope is not None else ():
                    if below is not None and binding.value is not None:
                        yield self._evaluator.values(below[0], binding.value)

    def _made_forms(self, module: Module, owner: ast.expr) -> list[str | Unknown]:
        """Return the forms that ``owner`` may be, also ``super()``, and why there may be others."""
        if isinstance(owner, ast.Call) and last_name(owner.func) == "super":
            above = next((x for x in module.ancestors(owner) if isinstance(x, ast.ClassDef)), None)
            name = module.full_name(above)
            return [name] if name in self._forms.all else []
        return [
            value if isinstance(value, Unknown) else value.qualified
            for value in self._evaluator.values(module, owner)
            if isinstance(value, Unknown)
            or (isinstance(value, InstanceOf) and value.qualified in self._forms.all)
        ]

    def _sights_of_form(
        self,
        module: Module,
        call: ast.Call,
        forms: Sequence[str | Unknown],
        given: ast.expr,
        names: Collection[str],
    ) -> Iterator[Sight]:
        place = module.place(call)
        for path in dict.fromkeys(
            path for form in forms if isinstance(form, str) for path in self._paths(form, names, ())
        ):
            yield Sight(module, given, path, place, "schema", True, len(path) - 1)
        why = next((form for form in forms if isinstance(form, Unknown)), None)
        if any(isinstance(form, str) and self._forms.has_others(form) for form in forms):
            why = why or self._evaluator.unknown(module, call, "some of its fields are unknown")
        if why is not None:
            yield Sight(module, given, (ANY,), place, "schema", unseen=why)

    def _paths(self, form: str, names: Collection[str], before: _Path) -> Iterator[_Path]:
        if len(before) > LONGEST_PATH:
            return
        for field in self._forms.fields(form):
            path = (*before, field.name)
            if field.name in names:
                yield path
                for inner in field.forms:
                    yield from self._paths(inner, names, path)

    def _populated_sights(
        self,
        module: Module,
        call: ast.Call,
        owner: ast.expr,
        filled: ast.expr,
        names: Collection[str],
    ) -> Iterator[Sight]:
        place = module.place(call)
        for form in self._made_forms(module, owner):
            if isinstance(form, Unknown):
                yield Sight(module, filled, (ANY,), place, "schema", unseen=form)
                continue
            for field in self._forms.fields(form):
                if field.name not in names:
                    continue
                if field.is_kept:
                    yield Sight(module, filled, (field.name,), place, "schema")
                elif self._assignments.may_load(module, filled, field.name):
                    yield Sight(module, filled, (field.name,), place, "assigned")


class FormField(Struct, frozen=True):
    """A field of a form, which reads the attribute of its name.

    ``forms`` are filled from what that gives, or from each item of it. ``is_kept`` says that
    populating an object reads it as well: its value is changed, or replaced item by item.
    """

    name: str
    forms: tuple[str, ...]
    is_kept: bool


class _Forms(ProgramFacts):
    """Answers for one program."""

    @cached_property
    def all(self) -> frozenset[str]:
        """The classes of the program that are forms."""
        return frozenset(self._evaluator.classes.heirs_of(_KNOWN.bases))

    @cached_property
    def spellings(self) -> frozenset[str]:
        """The simple names under which the program has these classes."""
        return frozenset(self._evaluator.classes.spellings_of(self.all))

    @cached_items
    def fields(self, qualified: str) -> Iterator[FormField]:
        """Return the fields of a form, with those that it inherits."""
        seen: set[str] = set()
        for _, module, body in self._evaluator.classes.bodies(qualified):
            for name, node in _made_pairs(body):
                if name not in seen:
                    seen.add(name)
                    kind = last_name(node.func)
                    is_kept = kind in {*_KNOWN.holders, *_KNOWN.nested}
                    forms = tuple(dict.fromkeys(self._inner(module, node)))
                    yield FormField(name, forms, is_kept)

    def has_others(self, qualified: str) -> bool:
        """Whether a form has unknown fields: those of a base that a function makes."""
        ancestors = self._evaluator.classes.ancestors(qualified)
        return ancestors is None or bool(ancestors.unresolved)

    def has_own_parameters(self, qualified: str) -> bool:
        """Whether a form says itself which arguments it takes."""
        bodies = self._evaluator.classes.bodies(qualified)
        return any(methods_named(body, "__init__") for _, _, body in bodies)

    def _inner(self, module: Module, node: ast.Call) -> Iterator[str]:
        """Yield the forms that are filled from what a field reads."""
        kind = last_name(node.func)
        if kind in _KNOWN.nested:
            form = argument_at(node, 0, "form_class")
            for value in self._evaluator.values(module, form) if form is not None else ():
                if isinstance(value, ClassOf) and value.qualified in self.all:
                    yield value.qualified
        elif kind in _KNOWN.holders:
            held = argument_at(node, 0, "unbound_field")
            for home, made in (
                definitions_of(self._evaluator, module, held) if held is not None else ()
            ):
                # A list of lists has no form of its own, and would go on for ever.
                if isinstance(made, ast.Call) and last_name(made.func) in _KNOWN.nested:
                    yield from self._inner(home, made)


def _made_pairs(body: ast.ClassDef) -> Iterator[tuple[str, ast.Call]]:
    """Yield the values that the body of a class assigns by calls: fields, and others."""
    for name, value in values_given(body.body):
        if isinstance(value, ast.Call):
            yield name, value
