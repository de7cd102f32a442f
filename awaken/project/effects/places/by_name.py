"""The functions that a call may reach by its name alone, where nothing is known of its receiver."""

from __future__ import annotations

import ast
import re

from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import MOST_ALTERNATIVES

# Names of methods that frameworks call for a request.
_HANDLERS = library_names().http_methods


class ByName(ProgramFacts):
    """Answers for one project; keeps the places of functions by their names."""

    def functions(self, name: str) -> list[tuple[Module, Function]] | None:
        """Return all functions and methods of the program that are called ``name``.

        None where there are too many, or where something else may be stored under the name.
        """
        places = self._search(name)
        return None if places is None else [*self._evaluator.functions_at(places)]

    @cached_method
    def _search(self, name: str) -> tuple[tuple[str, int], ...] | None:
        words = self._evaluator.callers.words
        encoded = name.encode()
        # ``self.run = f``, and ``run = f`` in a class, make it the name of anything.
        stored = re.compile(rb"\.\s*" + encoded + rb"\s*(?::[^=\n]*)?=[^=]")
        bound = re.compile(rb"(?m)^[ \t]+" + encoded + rb"\s*(?::[^=\n]*)?=[^=]")
        defined = re.compile(rb"\bdef\s+" + encoded + rb"\b")
        result: list[tuple[str, int]] = []
        for path in words.files_with(name):
            text = words.text(path)
            if stored.search(text):
                return None
            is_bound = bound.search(text) is not None
            module = self._evaluator.load(path) if is_bound or defined.search(text) else None
            if module is None:
                continue
            if is_bound and _is_stored(module, name):
                return None
            nodes = [
                node
                for node in _functions_called(module, name)
                if not self._is_handler(module, node)
            ]
            result += [(path, module.span(node).start) for node in nodes]
            if len(result) > MOST_ALTERNATIVES:
                return None
        return tuple(result)

    def _is_handler(self, module: Module, function: Function) -> bool:
        """Whether a method handles requests: a framework calls it, not a call in the program."""
        owner = module.parent(function)
        if function.name not in _HANDLERS or not isinstance(owner, ast.ClassDef):
            return False
        ancestors = self._evaluator.classes.ancestors(module.full_name(owner))
        return ancestors is not None and bool(ancestors.outside or ancestors.unresolved)


def _functions_called(module: Module, name: str) -> list[Function]:
    nodes = (scope.node for scope in module.scopes.scopes)
    return [node for node in nodes if isinstance(node, Function) and node.name == name]


def _is_stored(module: Module, name: str) -> bool:
    """Whether the body of a class gives the name to something that is no function."""
    return any(
        not isinstance(binding.node, Function) and binding.value is not None
        for scope in module.scopes.scopes
        if scope.kind == "class"
        for binding in scope.bindings.get(name, ())
    )
