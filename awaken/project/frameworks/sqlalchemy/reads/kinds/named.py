"""The attributes that an expression names by text, as in ``getattr(user, name)``."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from msgspec import Struct, field

from awaken.project.frameworks.sqlalchemy.reads.kinds.displays import Displays, Parts, is_of_columns
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module

_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)


class Names(Struct):
    """Names of attributes that may be read, without those of columns; ``is_whole`` if all are."""

    known: dict[str, None] = field(default_factory=dict)
    is_whole: bool = True

    @classmethod
    def join(cls, names: Iterable[Names]) -> Names:
        """Return all of them in one."""
        result = cls()
        for name in names:
            result.known |= name.known
            result.is_whole = result.is_whole and name.is_whole
        return result


_UNKNOWN = Names(is_whole=False)


class NamedByText:
    """Answers for one program; with ``whole_only`` names that are not all may be left out."""

    def __init__(self, evaluator: ProgramEvaluator, *, whole_only: bool = False) -> None:
        self._displays = Displays(evaluator, whole_only=whole_only)

    def names_of(self, module: Module, node: ast.expr) -> tuple[str, ...] | None:
        """Return the names that ``node`` may be, without those of columns; None if unknown."""
        names = self.visible_names(module, node)
        return tuple(names.known) if names.is_whole else None

    @recursive(lambda *_: _UNKNOWN)
    def visible_names(self, module: Module, node: ast.expr) -> Names:
        """Return the names that ``node`` may be, as far as they are visible."""
        match node:
            case ast.Constant(value=str() as name):
                return Names({name: None})
            case ast.Name():
                bindings = module.scopes.bindings_of(node)
                names = [self._of_binding(module, binding) for binding in bindings]
                return Names.join(names) if bindings else _UNKNOWN
            case ast.Attribute(value=ast.Name() as owner, attr="key" | "name") if _is_column(
                module, owner
            ):
                return Names()
            case ast.Attribute():
                return self._of_constant(module, node)
            case ast.Subscript():
                return self._of_each(self._held_parts(module, node))
            case ast.Call(func=ast.Attribute(value=held, attr="get"), args=[_, *default]):
                texts = [part for part in default if not _is_empty(part)]
                others = Parts([(module, text) for text in texts])
                held_there = self._displays.values(module, held)
                return self._of_each(Parts.join([held_there, others]))
            case _:
                parts = Parts([(module, part) for part in alternatives(node)])
                return self._of_each(parts) if parts.nodes else _UNKNOWN

    def _of_each(self, parts: Parts) -> Names:
        names = [self.visible_names(module, node) for module, node in parts.nodes]
        return Names.join([Names(is_whole=parts.is_whole), *names])

    def _of_binding(self, module: Module, binding: Binding) -> Names:
        match binding.kind:
            case "import":
                return self._of_constant(module, binding.node, binding.name)
            case "assignment" | "walrus" if binding.value is not None:
                return self.visible_names(module, binding.value)
            case "for":
                return self._of_items(module, binding)
            case "parameter":
                passed = self._displays.passed_displays(module, binding)
                given = [pair for pair in passed.nodes if not _is_empty(pair[1])]
                return self._of_each(Parts(given, passed.is_whole))
        return _UNKNOWN

    def _of_items(self, module: Module, binding: Binding) -> Names:
        """Return the names that a loop goes through."""
        target, above = binding.node, module.parent(binding.node)
        index = None
        if isinstance(above, ast.Tuple) and target in above.elts:
            index, above = above.elts.index(target), module.parent(above)
        if not isinstance(above, _LOOPS):
            return _UNKNOWN
        return self._of_each(self._displays.items(module, above.iter, index))

    def _held_parts(self, module: Module, node: ast.Subscript) -> Parts:
        """Return what ``NAMES[key]`` may be, or ``pair[1]`` of a loop over pairs."""
        held = node.value
        match node.slice:
            case ast.Constant(value=int() as index):
                pass
            case _:
                return self._displays.values(module, held)
        bindings = module.scopes.bindings_of(held)
        loops = [module.parent(binding.node) for binding in bindings if binding.kind == "for"]
        if not loops or len(loops) < len(bindings):
            return self._displays.items_at(module, held, index)
        return Parts.join(
            self._displays.items(module, loop.iter, index)
            if isinstance(loop, _LOOPS)
            else Parts.unknown()
            for loop in loops
        )

    def _of_constant(self, module: Module, node: ast.AST, name: str = "") -> Names:
        constant = self._displays.constant(module, node, name)
        return _UNKNOWN if constant is None else self.visible_names(constant[0], constant[1])


def _is_column(module: Module, node: ast.Name) -> bool:
    """Whether a variable goes through columns in a loop, and nothing else is assigned to it."""
    bindings = module.scopes.bindings_of(node)
    return bool(bindings) and all(
        binding.kind == "for" and is_of_columns(module, binding.value) for binding in bindings
    )


def _is_empty(node: ast.expr) -> bool:
    """Whether no attribute has such a name: ``None``, an empty text."""
    return isinstance(node, ast.Constant) and not node.value
