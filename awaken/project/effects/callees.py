"""The callees of a call: names of library functions, and the builtin types of receivers."""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import name_table
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    ClassOf,
    External,
    InstanceOf,
    NoneValue,
    Session,
    Unknown,
    Value,
)
from awaken.project.values.local.flow import local_flow

_SESSIONS = name_table("classes_of_sessions")
_DISPLAYS: dict[type[ast.AST], str] = {
    ast.JoinedStr: "str",
    ast.List: "list",
    ast.ListComp: "list",
    ast.Tuple: "tuple",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Dict: "dict",
    ast.DictComp: "dict",
}
_CONSTANTS = {bool: "float", int: "float", float: "float", str: "str"}
_ANNOTATIONS = name_table("displays_of_annotations")


class Callees(ProgramFacts):
    """Names what calls call, as far as no function of the project is meant."""

    def library_names(self, module: Module, func: ast.expr) -> tuple[str, ...] | Unknown:
        """Return the names of the library functions that ``func`` may be, by their classes.

        ``requests.Session.get`` for ``self.http.get``; empty for what the project defines. Unknown
        has the reason.
        """
        name = self._evaluator.names.qualified_name(module, func)
        located = None if name is None else self._evaluator.names.locate(name)
        if name is not None and located is None:
            return (name,)
        if not isinstance(func, ast.Attribute) or (located and len(located.rest) <= 1):
            return ()
        builtin = self.builtin_type(module, func.value)
        if builtin is not None:
            return (f"builtins.{builtin}.{func.attr}",)
        result = [
            self._of_value(value, module, func)
            for value in self._evaluator.values(module, func.value)
            if value != NoneValue()  # which has no method
        ]
        unknown = next((value for value in result if isinstance(value, Unknown)), None)
        # Half of the answer would be names, the other half functions: neither is all.
        if unknown is None and any(result) and () in result:
            why = f"`{module.excerpt(func)}` may be of the program or of a library"
            unknown = self._evaluator.unknown(module, func, why)
        known = (value for value in result if not isinstance(value, Unknown))
        return unknown or tuple(name for names in known for name in names)

    def _of_value(
        self, value: Value, module: Module, func: ast.Attribute
    ) -> tuple[str, ...] | Unknown:
        """Return the names that the method ``func`` of a receiver may have."""
        match value:
            case InstanceOf() | ClassOf():
                return self._of_class(value.qualified, module, func)
            case Session():
                return (f"{_SESSIONS[value.kind]}.{func.attr}",)
            case External():
                return (f"{value.qualified}.{func.attr}",)
            case Unknown():
                return value
        return ()

    def _of_class(
        self, owner: str, module: Module, func: ast.Attribute
    ) -> tuple[str, ...] | Unknown:
        """Return the names of a method that ``owner`` inherits from libraries; none if its own.

        Definitions of the program count first, whatever their class inherits.
        """
        ancestors = self._evaluator.classes.ancestors(owner)
        if ancestors is None:
            return (f"{owner}.{func.attr}",)
        # Overrides of the program are followed, not looked up.
        if any(self._defines(candidate.qualified, func.attr) for candidate in ancestors.inside):
            return ()
        if ancestors.unresolved:
            facts, index = ancestors.unresolved[0]
            why = (
                f"the base class `{facts.bases_text[index]}` is unknown and may have `{func.attr}`"
            )
            return self._evaluator.unknown(module, func, why)
        result = tuple(f"{name}.{func.attr}" for name in ancestors.outside)
        if not result:
            return ()
        hierarchy = self._evaluator.callers.hierarchy(owner)
        # A subclass of the program may be what is called, with a method of its own.
        overriding = [name for name in hierarchy.descendants if self._defines(name, func.attr)]
        if overriding or hierarchy.is_too_large:
            which = f"`{min(overriding)}`" if overriding else f"a class that inherits `{owner}`"
            return self._evaluator.unknown(module, func, f"{which} may have its own `{func.attr}`")
        return result

    def _defines(self, qualified: str, name: str) -> bool:
        """Whether a class of the project sets ``name`` itself; True for one that is there twice."""
        home = self._evaluator.classes.node(qualified)
        return home is None or bool(self._evaluator.members.given_to(*home, name))

    @recursive()
    def builtin_type(self, module: Module, node: ast.expr) -> str | None:
        """Return the builtin type that ``node`` surely has; ``float`` means any number.

        Its syntax, the values of its variable, and annotations decide.
        """
        match node:
            case ast.Constant():
                return _CONSTANTS.get(type(node.value))
            case ast.Name():
                return self._of_name(module, node)
            case ast.Attribute(value=ast.Name()):
                return self._of_attribute(module, node)
            case ast.Call():
                return self._of_call(module, node)
            case ast.BinOp():
                return self._of_operation(module, node)
            case ast.UnaryOp(op=ast.USub()):
                return self.builtin_type(module, node.operand)
            case _ if len(parts := branches(node)) > 1:
                return self._agreed_text(module, parts)
            case ast.Await():
                return None
        return _DISPLAYS.get(type(node))

    def _agreed_text(self, module: Module, nodes: list[ast.expr]) -> str | None:
        result = {self.builtin_type(module, node) for node in nodes}
        return result.pop() if len(result) == 1 else None

    def _of_call(self, module: Module, node: ast.Call) -> str | None:
        results = self._evaluator.knowledge.results
        name = self._evaluator.names.qualified_name(module, node.func)
        return results.get(name) if name is not None else None

    def _of_operation(self, module: Module, node: ast.BinOp) -> str | None:
        left = self.builtin_type(module, node.left)
        right = self.builtin_type(module, node.right)
        # ``"%s" % x`` is a string, whatever `x` is.
        if left == "str" and isinstance(node.op, ast.Mod):
            return "str"
        return left if left == right and left in {"float", "list", "str", "tuple"} else None

    def _of_name(self, module: Module, node: ast.Name) -> str | None:
        bindings = self._reaching(module, node)
        if not bindings:
            return None
        result = {self._of_binding(module, binding) for binding in bindings}
        return result.pop() if len(result) == 1 else None

    def _reaching(self, module: Module, node: ast.Name) -> list[Binding]:
        """Return the bindings of a name that count where it is read."""
        bindings = module.scopes.bindings_of(node)
        flow = local_flow(module, node)
        reaching = flow.reaching(node) if flow is not None else None
        if reaching is not None and not isinstance(reaching, Unknown):
            return list(reaching)
        return [binding for binding in bindings if binding.kind != "delete"]

    def _of_binding(self, module: Module, binding: Binding) -> str | None:
        node, value = binding.node, binding.value
        if binding.kind == "parameter" and isinstance(node, ast.arg):
            return self._of_parameter(module, node)
        if binding.annotation is not None:
            return self.builtin_type_of(module, binding.annotation)
        # ``x += y`` leaves the builtin type as it is, or raises.
        if binding.kind == "augmented" and isinstance(node, ast.Name):
            others = [
                candidate
                for candidate in binding.scope.bindings.get(binding.name, [])
                if candidate.kind not in {"augmented", "delete"}
            ]
            result = {self._of_binding(module, item) for item in others}
            return result.pop() if len(result) == 1 else None
        if binding.kind in {"assignment", "walrus"} and value is not None:
            return self.builtin_type(module, value)
        if binding.kind == "for" and isinstance(value, ast.Call) and node is not None:
            name = self._evaluator.names.qualified_name(module, value.func)
            return "float" if name == "builtins.range" else None
        return None

    def _of_parameter(self, module: Module, node: ast.arg) -> str | None:
        above = module.parent(node)
        if isinstance(above, ast.arguments) and node in {above.vararg, above.kwarg}:
            return "tuple" if node is above.vararg else "dict"
        return self.builtin_type_of(module, node.annotation)

    def builtin_type_of(self, module: Module, annotation: ast.expr | None) -> str | None:
        """Return the builtin type that an annotation names."""
        if isinstance(annotation, ast.Constant):
            annotation = module.parse_string(annotation)
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        name = self._evaluator.names.qualified_name(module, annotation) if annotation else None
        return _ANNOTATIONS.get(name) if name is not None else None

    def _of_attribute(self, module: Module, node: ast.Attribute) -> str | None:
        """Return the type of ``self.failures`` that the class only ever gives one type."""
        values = self._evaluator.values(module, node.value)
        if len(values) != 1 or not isinstance(values[0], InstanceOf):
            return None
        kinds: set[str | None] = set()
        for facts in self._evaluator.classes.line(values[0].qualified):
            home = self._evaluator.classes.node(facts.qualified)
            if home is None:
                return None
            given = self._evaluator.members.given_to(*home, node.attr)
            for value, annotation in given:
                kind = self.builtin_type_of(home[0], annotation)
                # Without a type in the annotation, what is assigned tells it.
                if kind is None and value is not None:
                    kind = self.builtin_type(home[0], value)
                kinds.add(kind)
        return kinds.pop() if len(kinds) == 1 else None
