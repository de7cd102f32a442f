"""Decorated functions: whether a call of the name is a call of the function itself."""

from __future__ import annotations

from awaken.knowledge.decorators import library_decorators
from awaken.project.names.file_facts import WrittenDecorator, WrittenFunction
from awaken.project.names.functions.decorators import (
    MANAGERS,
    OVERLOADS,
    PYTEST_FIXTURES,
    TRANSPARENT,
)
from awaken.project.source.memo import cached_method
from awaken.project.values.domain import are_instances
from awaken.project.values.evaluation import Evaluator

# A fixture is given by its name to what asks for it; called, it fails.
_CALLED_ALL_THE_SAME = TRANSPARENT | MANAGERS | OVERLOADS | PYTEST_FIXTURES


class Decorated:
    """Answers which wrappers are between a name and its function."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def hiding(self, path: str, function: WrittenFunction) -> str | None:
        """Return the decorator of ``function``, as written, that may run other code instead.

        None if a call of the name calls the function, maybe with other arguments.
        """
        for decorator in function.decorators:
            if not self._is_transparent(path, decorator):
                return decorator.name.text
        return None

    @cached_method
    def _is_transparent(self, path: str, decorator: WrittenDecorator) -> bool:
        names = self._evaluator.names
        qualified = names.qualified_written_name(path, decorator.name)
        if qualified is None:
            return False
        located = names.locate(qualified)
        if located is None:
            known = qualified in _CALLED_ALL_THE_SAME
            return known or library_decorators().forwards(qualified)
        if len(located.rest) <= 1:
            return (
                self._evaluator.forwarding.handing_of(qualified, called=decorator.called)
                is not None
            )
        module = self._evaluator.load(located.path)
        if module is None or len(located.rest) != len(("app", "get")):
            return False
        variable, method = located.rest
        owners = self._evaluator.global_values(module, variable)
        return are_instances(owners, lambda owner: self._registers(owner, method))

    def _registers(self, owner: str, method: str) -> bool:
        bases = self._evaluator.classes.library_names(owner)
        known = library_decorators()
        return any(
            known.registers(base, method) or known.forwards(f"{base}.{method}") for base in bases
        )
