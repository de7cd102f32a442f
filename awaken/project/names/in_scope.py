"""The name of a variable of another file at a place: one there already, or by one more import."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from msgspec import Struct

from awaken.project.names.resolution import Names
from awaken.project.names.tables import NameTarget, target_of
from awaken.project.source.bindings import Binding, Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function


class InScope(Struct, frozen=True):
    """A variable is written ``text``; ``module`` is what it must be imported from, if it must."""

    text: str
    module: str | None = None


class Reach:
    """Finds names for variables at the top of the project's files."""

    def __init__(self, names: Names, load: Callable[[str], Module | None]) -> None:
        self._names = names
        self._load = load

    def of(self, module: Module, site: ast.expr, owner: str, model: ast.expr) -> InScope | str:
        """Return how to write the variable ``owner`` at ``site``, where ``model`` is in scope.

        A new import is taken from the very file that the class ``model`` is imported from, which
        has bound the variable before the class, so that no other order of imports and no cycle
        comes about. Otherwise a clause says why there is none.
        """
        located = self._names.locate(owner)
        if located is not None and not self._is_constant(owner):
            return f"`{owner}` is given a value more than once"
        found = self._seen(module, site, owner) or self._beside(module, owner, model)
        return found or self._imported(module, site, owner, model)

    def _is_constant(self, owner: str) -> bool:
        """Whether the variable is bound once, so that every import of it gives the same."""
        located = self._names.locate(owner)
        home = None if located is None else self._load(located.path)
        if located is None or home is None or len(located.rest) != 1:
            return False
        bindings = home.scopes.module.bindings.get(located.rest[0], [])
        statement = home.statement_of(bindings[0].node) if len(bindings) == 1 else None
        return statement is not None and isinstance(home.parent(statement), ast.Module)

    # ----------------------------------------------------------------------------- seen already
    def _seen(self, module: Module, site: ast.expr, owner: str) -> InScope | None:
        scopes = module.scopes
        here = scopes.scope_of(site)
        home, _, attribute = owner.rpartition(".")
        words = {attribute, home.rpartition(".")[2]}
        for scope in here.chain():
            for name, bindings in scope.bindings.items():
                if not any(_spelling(binding) in words for binding in bindings):
                    continue
                if scopes.owner(name, here) is not scope:
                    continue
                if not self._is_live(module, bindings, scope, site):
                    continue
                found = {self._bound(module, binding, scope) for binding in bindings}
                if found == {owner}:
                    return InScope(name)
                if found == {home}:
                    return InScope(f"{name}.{attribute}")
        return None

    def _attributes(self, module_name: str | None, owner: str) -> Iterator[str]:
        """Yield the variable's own name where ``module_name`` is a module that has it."""
        attribute = owner.rpartition(".")[2]
        path = None if module_name is None else self._names.layout.path_of(module_name)
        if path is not None and self._names.attribute(path, attribute) == owner:
            yield attribute

    def _bound(self, module: Module, binding: Binding, scope: Scope) -> str | None:
        if scope.kind == "module":
            return self._names.attribute(module.path, binding.name)
        if binding.kind != "import":
            return None
        return self._names.imported(module.path, target_of(module, binding))

    def _is_live(
        self, module: Module, bindings: list[Binding], scope: Scope, site: ast.expr
    ) -> bool:
        """Whether a name is surely bound when ``site`` is evaluated."""
        # Names of a class body are not seen in its methods; comprehensions bind nothing that lasts.
        if scope.kind not in {"module", "function"} or not bindings:
            return False
        # A function is called after its file has run, so all names of the file are bound by then.
        later = scope.kind == "module" and module.enclosing_function(site) is not None
        return all(
            binding.kind in {"import", "assignment"}
            and _is_unconditional(module, binding)
            and (later or getattr(binding.node, "lineno", 0) < site.lineno)
            for binding in bindings
        )

    def _beside(self, module: Module, owner: str, model: ast.expr) -> InScope | None:
        """``models.User`` is in scope, so ``models.db`` is, if the module has it."""
        if not isinstance(model, ast.Attribute):
            return None
        prefix = self._names.qualified(module, model.value)
        for attribute in self._attributes(prefix, owner):
            return InScope(f"{ast.unparse(model.value)}.{attribute}")
        return None

    # ------------------------------------------------------------------------------- one import
    def _imported(
        self, module: Module, site: ast.expr, owner: str, model: ast.expr
    ) -> InScope | str:
        name = owner.rpartition(".")[2]
        if self._names.locate(owner) is None:
            return self._of_library(module, site, owner)
        first = model
        while isinstance(first, ast.Attribute):
            first = first.value
        bindings = module.scopes.bindings_of(first) if isinstance(first, ast.Name) else []
        statement = module.parent(bindings[0].node) if len(bindings) == 1 else None
        if not isinstance(statement, ast.ImportFrom) or first is not model:
            return f"`{name}` of `{owner.rpartition('.')[0]}` is not imported in this file"
        # An import at the top runs earlier, which may make a circle of imports.
        if module.scopes.module is not bindings[0].scope:
            return f"`{module.excerpt(model)}` is imported inside a function, but not `{name}`"
        if not _is_unconditional(module, bindings[0]):
            return f"`{module.excerpt(model)}` is not imported in every case"
        taken = self._taken(module, site, name)
        if taken:
            return taken
        for source, bound in _from_imports(module, statement):
            if self._is_exported(module, source, bound, owner):
                wanted = NameTarget("from", source.module or "", name, source.level)
                return InScope(name, self._names.absolute(wanted, module.path))
        if self._is_leaf(module, owner, model):
            return InScope(name, owner.rpartition(".")[0])
        return f"the module that `{module.excerpt(model)}` comes from has no `{name}` for sure"

    def _of_library(self, module: Module, site: ast.expr, owner: str) -> InScope | str:
        """Return the variable of a library by an import at the top: that makes no circle."""
        home, _, name = owner.rpartition(".")
        return self._taken(module, site, name) or InScope(name, home)

    def _taken(self, module: Module, site: ast.expr, name: str) -> str:
        """Return why ``name`` cannot be imported at the top, as a clause; empty if it can."""
        if name in module.scopes.module.bindings or module.scopes.is_bound(name, site):
            return f"the name `{name}`, which is to be imported, means something else here"
        if module.scopes.import_stars:
            return f"a star import may bring in another `{name}`"
        return ""

    def _is_leaf(self, module: Module, owner: str, model: ast.expr) -> bool:
        """Whether the file of the variable imports nothing of the project.

        And its package is that of the class or of ``module``, or inside one around them: then
        nothing is loaded by an import of it that would not be loaded anyway.
        """
        source = owner.rpartition(".")[0]
        path, package = self._names.layout.path_of(source), source.rpartition(".")[0]
        around = (module.name, self._names.qualified(module, model) or "")
        table = None if path is None else self._names.table(path)
        # A star import may run any other file.
        if path is None or table is None or path == module.path or table.stars:
            return False
        if package and not any(one.startswith(f"{package}.") for one in around):
            return False
        home = self._load(path)
        statements = [] if home is None else home.walk()
        return not any(
            self._is_of_project(path, node)
            for node in statements
            if isinstance(node, ast.Import | ast.ImportFrom)
        )

    def _is_of_project(self, path: str, node: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(node, ast.ImportFrom) and node.level:
            return True
        dotted = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        dotted += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        places = [self._names.layout.find(one, path) for one in dotted]
        return any(one.path is not None or one.ambiguous or one.namespace for one in places)

    def _is_exported(
        self, module: Module, statement: ast.ImportFrom, bound: Binding, owner: str
    ) -> bool:
        """Whether the file imported from binds the variable before the imported class."""
        name = owner.rpartition(".")[2]
        wanted = NameTarget("from", statement.module or "", name, statement.level)
        source = self._names.absolute(wanted, module.path)
        found = None if source is None else self._names.layout.find(source, module.path).path
        home = None if found is None else self._load(found)
        if home is None or self._names.imported(module.path, wanted) != owner:
            return False
        alias = bound.node
        imported = alias.name if isinstance(alias, ast.alias) else ""
        before, after = (home.scopes.module.bindings.get(one, []) for one in (name, imported))
        if not before or not after or not all(_is_unconditional(home, one) for one in before):
            return False
        first = min(getattr(one.node, "lineno", 0) for one in after)
        return all(getattr(one.node, "lineno", 0) < first for one in before)


def _spelling(binding: Binding) -> str:
    """Return the last part of what an import names, else the name that is bound."""
    alias = binding.node
    return alias.name.rpartition(".")[2] if isinstance(alias, ast.alias) else binding.name


def _from_imports(module: Module, last: ast.ImportFrom) -> Iterator[tuple[ast.ImportFrom, Binding]]:
    """Yield the ``from`` imports of a file down to ``last``, each with one name that it binds.

    The first that has a variable is the same for all classes below: one import serves them.
    """
    for statement in module.tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.lineno <= last.lineno:
            for alias in statement.names:
                bindings = module.scopes.module.bindings.get(alias.asname or alias.name, [])
                if len(bindings) == 1 and bindings[0].node is alias:
                    yield statement, bindings[0]


def _is_unconditional(module: Module, binding: Binding) -> bool:
    """Whether a binding stands directly in its module or function, in no branch or block."""
    statement = module.statement_of(binding.node)
    above = None if statement is None else module.parent(statement)
    return isinstance(above, ast.Module | Function)
