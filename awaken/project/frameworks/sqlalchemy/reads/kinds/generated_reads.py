"""The relationships that the generated methods of dataclass mappings read."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from awaken.knowledge.library_names import name_list, word_list
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.reads.kinds.declared_relationships import (
    DeclaredRelationships,
)
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.classes import ClassFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_constant, last_name, without_arguments
from awaken.project.values.domain import Unknown

_WORDS = word_list("making_dataclasses")
_BASE = "MappedAsDataclass"
_DECORATORS = name_list("making_dataclasses") - {_BASE}
# The option of the class that makes each method, and what it is without the option.
_METHODS = {
    "repr": (("__repr__",), True),
    "eq": (("__eq__",), True),
    "order": (("__lt__", "__le__", "__gt__", "__ge__"), False),
    "unsafe_hash": (("__hash__",), False),
}


class GeneratedReads:
    """Answers for one program.

    The place of such a read is the declaration of the relationship. ``repr=False, compare=False``
    there ends it: the reason names the methods.
    """

    def __init__(
        self, evaluator: ProgramEvaluator, models: Models, declared: DeclaredRelationships
    ) -> None:
        self._evaluator = evaluator
        self._models = models
        self._declared = declared

    def reads_of(self, attributes: Collection[str]) -> Iterator[Read]:
        """Yield those of some attributes, class by class."""
        # Subclasses may be in files without any of the words.
        paths = self._evaluator.files_with(_WORDS)
        classes = self._evaluator.classes
        named = [name for path in paths for name in classes.written_in(path)]
        below = [other for name in named for other in classes.all_subclasses(name)]
        for qualified in dict.fromkeys((*named, *below)):
            if self._models.mapped_class(qualified) is not None:
                reads = self._reads_of(qualified)
                yield from (read for read in reads if read.attribute in attributes)

    def _reads_of(self, qualified: str) -> Iterator[Read]:
        methods = self._methods(qualified)
        if not methods:
            return
        for owner, attribute, _ in self._declared.relationships_of(qualified):
            declared = self._field(owner, attribute)
            if declared is None:
                continue
            module, value = declared
            read = [method for method in methods if _is_read(value, method)]
            if read:
                names = " and ".join(f"`{name}`" for name in read)
                why = f"the generated {names} of `{qualified.rpartition('.')[2]}` read it"
                place = module.place(value)
                yield Read(place, owner, attribute, "generated", (), (Unknown(why, place),))

    def _field(self, owner: str, attribute: str) -> tuple[Module, ast.expr] | None:
        """Return the value of an attribute that is a field: one that is annotated."""
        node = self._evaluator.classes.node(owner)
        if node is None:
            return None
        bindings = node[0].scopes.scope_made_by(node[1]).bindings_of(attribute)
        for binding in bindings:
            if binding.annotation is not None:
                return node[0], binding.value or binding.annotation
        return None

    def _methods(self, qualified: str) -> tuple[str, ...]:
        """Return the methods that reading all fields is generated for in a class."""
        ancestors = self._evaluator.classes.ancestors(qualified)
        if ancestors is None or not ancestors.inside:
            return ()
        options = self._options(ancestors.inside[0])
        if options is None and any(name.endswith(f".{_BASE}") for name in ancestors.outside):
            options = {}
            # A class's declaration holds for its subclasses, unless they have their own.
            for facts in reversed(ancestors.inside):
                options |= dict(facts.keywords)
        if options is None:
            return ()
        own = ancestors.inside[0].members
        return tuple(
            method
            for option, (methods, default) in _METHODS.items()
            if options.get(option, str(default)) != "False"
            for method in methods
            if method not in own
        )

    def _options(self, facts: ClassFacts) -> dict[str, str] | None:
        """Return what the decorator of a dataclass is given; None if there is none."""
        node = self._evaluator.classes.node(facts.qualified)
        for decorator in node[1].decorator_list if node is not None else ():
            if last_name(without_arguments(decorator)) in _DECORATORS:
                given = decorator.keywords if isinstance(decorator, ast.Call) else []
                return {each.arg: ast.unparse(each.value) for each in given if each.arg}
        return None


def _is_read(value: ast.expr, method: str) -> bool:
    """Whether a generated method reads the field that a call of ``relationship`` makes."""
    option = "repr" if method == "__repr__" else "compare"
    given = value.keywords if isinstance(value, ast.Call) else []
    said = next((argument.value for argument in given if argument.arg == option), None)
    return not (is_constant(said, value=False))
