"""What generic classes of a program stand for: of ``Repository[UserOut, User]`` both classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.frameworks.schemas.domain import Reading
from awaken.project.frameworks.schemas.pydantic_models import PydanticModels
from awaken.project.frameworks.web.files import FilesWith
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf, Values

_Parameters = tuple[Values, ...]


class Variants:
    """Answers for one program.

    In a repository neither the class of ``self.schema`` nor that of the objects is told: both
    are what the repository is made for, together.
    """

    def __init__(
        self, evaluator: ProgramEvaluator, files_with: FilesWith, models: PydanticModels
    ) -> None:
        self._evaluator = evaluator
        self._files_with = files_with
        self._models = models
        self._kept: dict[str, tuple[_Parameters, ...]] = {}

    def readings(
        self, module: Module, call: ast.Call, owner: ast.expr, given: ast.expr, *, lenient: bool
    ) -> Iterator[Reading]:
        """Yield what each variant of the class around ``call`` reads of ``given`` as ``owner``."""
        generic = self._around(module, call)
        if not generic or not self._is_open(module, given) or self._is_class(module, owner):
            return
        for parameters in self._of(generic):
            shapes = [
                shape for one in parameters for shape in self._models.shapes(one, lenient=lenient)
            ]
            objects = tuple(one for values in parameters for one in values if self._is_mapped(one))
            if shapes and objects:
                yield Reading(module, given, tuple(shapes), "schema", objects)

    def _around(self, module: Module, node: ast.AST) -> str:
        """Return the class that ``node`` stands in, if it has type parameters."""
        above = next((one for one in module.ancestors(node) if isinstance(one, ast.ClassDef)), None)
        name = "" if above is None else f"{module.name}.{module.qualname(above)}"
        found = self._evaluator.generic_class(name) if name else None
        return name if found is not None and found.variables else ""

    def _is_open(self, module: Module, given: ast.expr) -> bool:
        """Whether it is not known of which mapped class an object is."""
        return not any(map(self._is_mapped, self._evaluator.values(module, given)))

    def _is_class(self, module: Module, owner: ast.expr) -> bool:
        return self._evaluator.names.qualified(module, owner) is not None

    def _is_mapped(self, value: object) -> bool:
        return isinstance(value, InstanceOf) and self._evaluator.mapping.is_mapped(value.qualified)

    def _of(self, generic: str) -> tuple[_Parameters, ...]:
        """Return what the parameters of a class stand for, wherever the program says so."""
        if generic not in self._kept:
            self._kept[generic] = tuple(dict.fromkeys(self._found(generic)))
        return self._kept[generic]

    def _found(self, generic: str) -> Iterator[_Parameters]:
        classes, library = self._evaluator.classes, self._evaluator.library
        heirs = (generic, *classes.all_subclasses(generic))
        for one in heirs:
            yield library.parameters_as(InstanceOf(one), generic) or ()
        names = {name for one in heirs for name in classes.spellings(one)}
        for path in self._files_with(sorted(f"{one}[".encode() for one in names)):
            module = self._evaluator.load(path)
            for node in module.walk() if module is not None else ():
                if module is None or not isinstance(node, ast.Subscript):
                    continue
                if last_name(node.value) not in names:
                    continue
                for value in self._evaluator.declared(module, node):
                    if isinstance(value, InstanceOf) and value.qualified in heirs:
                        yield library.parameters_as(value, generic) or ()
