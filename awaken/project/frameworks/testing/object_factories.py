"""Object factories: classes that make mapped objects, and hold the session that these go into."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.asynchronous import twins
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.values.domain import ClassOf

_HELD = "sqlalchemy_session"
_MADE = "sqlalchemy_session_factory"
_DECLARING = {"factory", "pytest_factoryboy"}
_LOOKING = {f"builtins.{name}" for name in ("getattr", "hasattr", "setattr", "vars")}
_LOOKING |= {"builtins.isinstance", "builtins.issubclass"}


class ObjectFactories(ProgramFacts):
    """Finds what factories of factory_boy do: they flush or commit whenever they are called.

    All that a factory calls itself, its hooks and its other methods, runs with the session that it
    holds, and so does what is declared in it.
    """

    @cached_property
    def classes(self) -> frozenset[str]:
        """The factories of the program, by their qualified names."""
        return frozenset(self._evaluator.classes.heirs_of(twins().object_factories.bases))

    @cached_property
    def words(self) -> tuple[bytes, ...]:
        """The words by which files may name a factory."""
        spellings = self._evaluator.classes.spellings_of(self.classes)
        return tuple(word.encode() for word in spellings)

    def calls(self, module: Module) -> Iterator[ast.Call]:
        """Yield the calls of a file that make objects, outside of the factories themselves."""
        if not self._may_name(module):
            return
        for node in module.walk():
            match node:
                case ast.Call(func=func) if self._makes(module, func):
                    if not self.is_inside(module, node):
                        yield node

    def escapes(self, module: Module) -> Iterator[ast.expr]:
        """Yield where a factory is given to something that may call it."""
        if not self._may_name(module):
            return
        for word in self.words:
            for node in module.mentions(word.decode()):
                if isinstance(node, ast.Name | ast.Attribute) and self._is_handed(module, node):
                    yield node

    def is_inside(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is in a factory, or in the declaration of one."""
        return any(
            module.full_name(above) in self.classes
            for above in module.ancestors(node)
            if isinstance(above, ast.ClassDef)
        )

    def is_held(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is the session that a factory holds: ``cls._meta.sqlalchemy_session``.

        So is a variable that is given nothing else.
        """
        match node:
            case ast.Attribute(attr=name, value=ast.Attribute(attr="_meta")):
                return name == _HELD
            case ast.Name():
                values = [binding.value for binding in module.scopes.bindings_of(node)]
                return bool(values) and all(
                    isinstance(part, ast.Attribute) and self.is_held(module, part)
                    for part in values
                )
        return False

    def given_sessions(self, module: Module) -> Iterator[ast.expr]:
        """Yield what a file gives to factories as the session that they hold, or as its maker."""
        if _HELD.encode() not in module.source.text:
            return
        for node in module.walk():
            match node:
                case ast.Assign(targets=[ast.Attribute(attr=name, value=above)], value=value) if (
                    name in {_HELD, _MADE}
                    and isinstance(above, ast.Attribute)
                    and above.attr == "_meta"
                ):
                    yield value
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in {
                    _HELD,
                    _MADE,
                } and self.is_inside(module, node):
                    yield value

    # -------------------------------------------------------------------------------------- parts
    def _may_name(self, module: Module) -> bool:
        text = module.source.text
        return any(word in text for word in self.words)

    def _makes(self, module: Module, func: ast.expr) -> bool:
        """Whether a call of ``func`` makes an object, or is of a method that may."""
        if isinstance(func, ast.Attribute) and func.attr not in twins().object_factories.plain:
            return self._is_factory(module, func.value)
        return self._is_factory(module, func)

    def _is_factory(self, module: Module, node: ast.expr) -> bool:
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        values = self._evaluator.values(module, node)
        return any(isinstance(item, ClassOf) and item.qualified in self.classes for item in values)

    def _is_handed(self, module: Module, node: ast.Name | ast.Attribute) -> bool:
        call = module.call_taking(node)
        if call is None or self.is_inside(module, node) or not self._is_factory(module, node):
            return False
        called = self._evaluator.names.qualified_name(module, call.func) or ""
        return called not in _LOOKING and called.partition(".")[0] not in _DECLARING
