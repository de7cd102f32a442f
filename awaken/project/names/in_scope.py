"""The name of a variable of another file at a place: one there already, or by one more import."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from awaken.knowledge.library_names import name_list
from awaken.project.names.import_origins import absolute_module
from awaken.project.names.module_tables import NameTarget, target_of
from awaken.project.names.resolution import Names
from awaken.project.source.bindings import NAMING, Binding, Scope
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Load, Module
from awaken.project.source.trees import Function

_RUNNING = name_list("read_of_sessions")


class InScope(Struct, frozen=True):
    """A variable is written ``text``; ``module`` is what it must be imported from, if it must."""

    text: str
    module: str | None = None


class Reach:
    """Finds names for variables at the top of the project's files.

    ``module_named`` gives the dotted name of the module that an expression of a file is.
    ``importers`` gives the files that may import one.
    """

    def __init__(
        self,
        names: Names,
        load: Load,
        module_named: Callable[[Module, ast.expr], str | None],
        importers: Callable[[str], list[str]],
    ) -> None:
        self._names = names
        self._load = load
        self._module_named = module_named
        self._importers = importers

    def spelling_of(
        self, module: Module, site: ast.expr, owner: str, model: ast.expr
    ) -> InScope | str:
        """Return how to write the variable ``owner`` at ``site``, where ``model`` is in scope.

        A new import names the variable's own file, if that imports nothing of the program. So it
        does if that is of a package around this file, which runs before it. Else it names a file
        that this one imports at the top, and that has the variable. So no cycle of imports appears.
        Otherwise a clause says why there is none.
        """
        located = self._names.locate(owner)
        if located is not None and not self._is_constant(owner):
            return f"`{owner}` is given a value more than once"
        result = self._name_in_scope(module, site, owner) or self._in_same_module(
            module, owner, model
        )
        return result or self._imported_name(module, site, owner, model)

    def _is_constant(self, owner: str) -> bool:
        """Whether the variable is bound once, so that every import of it gives the same."""
        home, bindings = self._names.bindings_at(owner) or (None, [])
        if home is None or len(bindings) != 1:
            return False
        statement = home.statement_of(bindings[0].node)
        return statement is not None and isinstance(home.parent(statement), ast.Module)

    # ----------------------------------------------------------------------------- seen already
    def _name_in_scope(self, module: Module, site: ast.expr, owner: str) -> InScope | None:
        scopes = module.scopes
        here = scopes.scope_of(site)
        home, _, attribute = owner.rpartition(".")
        words, through = {attribute, home.rpartition(".")[2]}, None
        for scope in here.chain():
            for name, bindings in scope.bindings.items():
                if not any(_spelling(binding) in words for binding in bindings):
                    continue
                if scopes.owner(name, here) is not scope:
                    continue
                if not self._is_live(module, bindings, scope, site):
                    continue
                result = {self._bound_text(module, binding, scope) for binding in bindings}
                if result == {owner}:
                    return InScope(name)
                if result == {home}:
                    through = through or InScope(f"{name}.{attribute}")
        return through or self._by_star(module, site, owner)

    def _by_star(self, module: Module, site: ast.expr, owner: str) -> InScope | None:
        """``from lab import *`` binds the variable, and nothing nearer has its name."""
        attribute, scopes = owner.rpartition(".")[2], module.scopes
        if not scopes.import_stars or scopes.owner(attribute, scopes.scope_of(site)) is not None:
            return None
        if self._names.attribute(module.path, attribute) != owner:
            return None
        later = module.enclosing_function(site) is not None
        for star in scopes.import_stars:
            above = isinstance(module.parent(star), ast.Module)
            if above and (later or star.lineno < site.lineno) and self._gives(module, star, owner):
                return InScope(attribute)
        return None

    def _gives(self, module: Module, star: ast.ImportFrom, owner: str) -> bool:
        """Whether this one of the file's star imports binds the variable."""
        home = NameTarget("from", star.module or "", owner.rpartition(".")[2], star.level)
        return self._names.imported_name(module.path, home) == owner

    def _attributes(self, module_name: str | None, owner: str) -> Iterator[str]:
        """Yield the variable's own name where ``module_name`` is a module that has it."""
        attribute = owner.rpartition(".")[2]
        path = None if module_name is None else self._names.layout.path_of(module_name)
        home = None if path is None else self._load(path)
        if home is None or self._names.attribute(home.path, attribute) != owner:
            return
        if self._passes_on(home, attribute):
            yield attribute

    def _bound_text(self, module: Module, binding: Binding, scope: Scope) -> str | None:
        if scope.kind == "module":
            return self._names.attribute(module.path, binding.name)
        if binding.kind != "import":
            return None
        return self._names.imported_name(module.path, target_of(module, binding))

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
            binding.kind in NAMING
            and _is_unconditional(module, binding)
            and (later or getattr(binding.node, "lineno", 0) < site.lineno)
            for binding in bindings
        )

    def _in_same_module(self, module: Module, owner: str, model: ast.expr) -> InScope | None:
        """``models.User`` is in scope, so ``models.db`` is, if the module has it."""
        if isinstance(model, ast.Attribute):
            for attribute in self._attributes(self._module_named(module, model.value), owner):
                return InScope(f"{ast.unparse(model.value)}.{attribute}")
        return None

    # ------------------------------------------------------------------------------- one import
    def _imported_name(
        self, module: Module, site: ast.expr, owner: str, model: ast.expr
    ) -> InScope | str:
        name = owner.rpartition(".")[2]
        if self._names.locate(owner) is None:
            return self._of_library(module, site, owner)
        why_not = _not_at_the_top(module, owner, model)
        taken = self._taken_text(module, site, name)
        if taken:
            return why_not or taken
        statements = list(_from_imports(module, site))
        for source, bound in statements:
            if self._is_exported(module, source, bound, owner):
                exporting, home = absolute_module(module, source), owner.rpartition(".")[0]
                is_leaf = self._is_leaf(module, owner, [module.name, exporting])
                return InScope(name, home if is_leaf else exporting)
        around = [module.name, "" if why_not else self._names.qualified_name(module, model) or ""]
        loaded = self._loaded_with(module, statements, owner)
        may_load = not why_not or loaded or _is_inside(module, owner)
        if may_load and self._is_leaf(module, owner, [*around, *loaded]):
            return InScope(name, owner.rpartition(".")[0])
        return (
            why_not
            or f"the module that `{module.excerpt(model)}` comes from has no `{name}` for sure"
        )

    def _loaded_with(
        self, module: Module, statements: list[tuple[ast.ImportFrom, Binding]], owner: str
    ) -> list[str]:
        """Return what the statements import from files that have the variable themselves.

        An optional library is not imported for the sake of a variable: these load it anyway.
        """
        result: list[str] = []
        for _, bound in statements:
            qualified = self._names.attribute(module.path, bound.name)
            home = None if qualified is None else qualified.rpartition(".")[0]
            if qualified is not None and any(self._attributes(home, owner)):
                result.append(qualified)
        return result

    def _of_library(self, module: Module, site: ast.expr, owner: str) -> InScope | str:
        """Return the variable of a library by an import at the top: that makes no circle."""
        home, _, name = owner.rpartition(".")
        return self._taken_text(module, site, name) or InScope(name, home)

    def _taken_text(self, module: Module, site: ast.expr, name: str) -> str:
        """Return why ``name`` cannot be imported at the top, as a clause; empty if it can."""
        if name in module.scopes.module.bindings or module.scopes.is_bound(name, site):
            return f"the name `{name}`, which is to be imported, means something else here"
        if module.scopes.import_stars:
            return f"a star import may bring in another `{name}`"
        return ""

    def _is_leaf(self, module: Module, owner: str, around: Sequence[str]) -> bool:
        """Whether the file of the variable imports nothing of the project.

        And its package is that of one of ``around``, or inside one around them. An import of it
        then loads nothing more. The file of a package around this one runs already. It may import
        anything below the variable. If nothing imports this file, so it may above the variable.
        """
        source = owner.rpartition(".")[0]
        path, package = self._names.layout.path_of(source), source.rpartition(".")[0]
        table = None if path is None else self._names.table(path)
        # A star import may run any other file.
        if path is None or table is None or path == module.path or table.stars:
            return False
        if package and not any(name.startswith(f"{package}.") for name in around):
            return False
        if _is_inside(module, owner) and not self._importers(module.path):
            return True
        home, bindings = self._names.bindings_at(owner) or (None, [])
        end = bindings[0].node if bindings and _is_inside(module, owner) else None
        line = getattr(end, "lineno", math.inf)
        return not any(
            self._is_of_project(path, node)
            for node in ([] if home is None else home.walk())
            if isinstance(node, ast.Import | ast.ImportFrom) and node.lineno < line
        )

    def _is_of_project(self, path: str, node: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(node, ast.ImportFrom) and node.level:
            return True
        dotted = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        dotted += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        places = [self._names.layout.find(name, path) for name in dotted]
        return any(place.path is not None or place.ambiguous or place.namespace for place in places)

    def _is_exported(
        self, module: Module, statement: ast.ImportFrom, bound: Binding, owner: str
    ) -> bool:
        """Whether the file imported from has the variable whenever it has the imported class."""
        name = owner.rpartition(".")[2]
        wanted = NameTarget("from", statement.module or "", name, statement.level)
        source = self._names.absolute(wanted, module.path)
        result = None if source is None else self._names.layout.find(source, module.path).path
        home = None if result is None else self._load(result)
        if home is None or self._names.imported_name(module.path, wanted) != owner:
            return False
        if not self._passes_on(home, name):
            return False
        alias = bound.node
        imported = alias.name if isinstance(alias, ast.alias) else ""
        before, after = (home.scopes.module.bindings.get(word, []) for word in (name, imported))
        if not before or not after or not all(_is_unconditional(home, item) for item in before):
            return False
        known, first = (
            [getattr(binding.node, "lineno", 0) for binding in part] for part in (before, after)
        )
        if max(known) < min(first):
            return True
        # Without an import between two classes, nobody has the one and not the other.
        between = range(min(first), max(known))
        return all(binding.kind == "class" for binding in (*before, *after)) and not any(
            node.lineno in between and home.enclosing_function(node) is None
            for node in home.nodes_of(ast.Import, ast.ImportFrom)
        )

    @cached_by(lambda home, name: (home.path, name))
    def _passes_on(self, home: Module, name: str) -> bool:
        """Whether a file has the variable for more than what it runs with it."""
        return _has_for_more(home, name)


def _has_for_more(home: Module, name: str) -> bool:
    """Whether a file binds a variable itself, reads it but to run something, or never reads it.

    Rewritten queries bring the variable into their file. Else the next run would find a name in the
    importing files that this run does not find.
    """
    scopes = home.scopes
    if any(binding.kind != "import" for binding in scopes.module.bindings.get(name, [])):
        return True
    reads = [
        node
        for node in home.walk()
        if isinstance(node, ast.Name)
        and node.id == name
        and scopes.owner(name, scopes.scope_of(node)) is scopes.module
    ]
    # A file that never reads it imports it for others.
    return not reads or not all(_is_run_with(home, node) for node in reads)


def _is_run_with(module: Module, node: ast.Name) -> bool:
    """Whether a session, or the object that has it, is read to run something with it."""
    above = module.parent(node)
    return isinstance(above, ast.Attribute) and above.attr in _RUNNING


def _is_inside(module: Module, owner: str) -> bool:
    """Whether the variable is one of a package around a file: its file runs before that."""
    return module.name.startswith(f"{owner.rpartition('.')[0]}.")


def _spelling(binding: Binding) -> str:
    """Return the last part of what an import names, else the name that is bound."""
    alias = binding.node
    return alias.name.rpartition(".")[2] if isinstance(alias, ast.alias) else binding.name


def _not_at_the_top(module: Module, owner: str, model: ast.expr) -> str:
    """Return why ``model`` is no name that the file imports in every case; empty if it is."""
    name = owner.rpartition(".")[2]
    binding = module.scopes.only_binding(model)
    statement = None if binding is None else module.parent(binding.node)
    if binding is None or not isinstance(statement, ast.ImportFrom):
        return f"`{name}` of `{owner.rpartition('.')[0]}` is not imported in this file"
    # An import at the top runs earlier, which may make a circle of imports.
    if module.scopes.module is not binding.scope:
        return f"`{module.excerpt(model)}` is imported inside a function, but not `{name}`"
    if not _is_unconditional(module, binding):
        return f"`{module.excerpt(model)}` is not imported in every case"
    return ""


def _from_imports(module: Module, site: ast.expr) -> Iterator[tuple[ast.ImportFrom, Binding]]:
    """Yield the ``from`` imports of a file above ``site``, each with one name that it binds.

    The first that has a variable is the same for all sites below: one import serves them.
    """
    for statement in module.tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.lineno < site.lineno:
            for alias in statement.names:
                bindings = module.scopes.module.bindings.get(alias.asname or alias.name, [])
                if len(bindings) == 1 and bindings[0].node is alias:
                    yield statement, bindings[0]


def _is_unconditional(module: Module, binding: Binding) -> bool:
    """Whether a binding is directly in its module or function, in no branch or block."""
    above = module.parent(module.statement_of(binding.node))
    return isinstance(above, ast.Module | Function)
