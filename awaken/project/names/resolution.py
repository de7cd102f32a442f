"""The meaning of names: over imports, aliases, re-exports and star imports, to definitions."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Generator, Hashable, Iterable
from typing import NamedTuple
from weakref import ref

from awaken.knowledge import Knowledge
from awaken.project.names.cyclic_answers import Answer, Circles
from awaken.project.names.file_facts import FactsIndex, WrittenName
from awaken.project.names.module_layout import FoundModule, Layout, submodule_name
from awaken.project.names.module_tables import NameTarget, NotedTable, attributes_of, target_of
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import RECORDER, Record, Recorded, cached_method
from awaken.project.source.modules import Load, Module

_BUILTINS = frozenset(dir(builtins))
_NOTHING = ""
"""What modules that star-import each other know of a name before one of them is found to have it.
"""


class Located(NamedTuple):
    """A qualified name split into the project's file and the names inside it."""

    path: str
    rest: tuple[str, ...]


class _Attribute(NamedTuple):
    """Asks what ``name`` at the top of the file ``path`` means."""

    path: str
    name: str


class _Local(NamedTuple):
    """Asks what a name means that has these bindings, in a function or a class."""

    module: ref[Module]  # kept in the memo of the module itself
    bindings: tuple[Binding, ...]


def _held_module(question: _Local) -> Module:
    module = question.module()
    if module is None:
        raise ReferenceError("the module that a question is about was let go")
    return module


_Question = _Attribute | _Local
_Asking = Generator[_Question, Answer[str | None], str | None]


class Names:
    """Resolves names of one snapshot."""

    def __init__(self, layout: Layout, load: Load, knowledge: Knowledge, facts: FactsIndex) -> None:
        self.layout = layout
        self._load = load
        self._knowledge = knowledge
        self.facts = facts
        self._attributes: dict[Hashable, tuple[str | None, Record]] = {}
        # Star imports and re-exports may go in circles, and chains of them may be long.
        self._circles = Circles[_Question, str | None](
            self._asked_asking, self._memory, _NOTHING, _joined_text, self._finished_text
        )

    def table(self, path: str) -> NotedTable | None:
        """Return the top-level names of the file at ``path``; None if it does not parse."""
        return self.facts.table(path)

    def locate(self, qualified: str) -> Located | None:
        """Return the file that defines ``qualified``; None for names outside the project."""
        if not self.layout.may_have(qualified):
            return None
        return self._locate(qualified)

    def bindings_at(self, qualified: str | None) -> tuple[Module, list[Binding]] | None:
        """Return the file that has this name at its top, and what binds it; None for others."""
        located = None if qualified is None else self.locate(qualified)
        if located is None or len(located.rest) != 1:
            return None
        home = self._load(located.path)
        name = located.rest[0]
        return None if home is None else (home, home.scopes.module.bindings.get(name, []))

    def value_at(self, qualified: str | None) -> tuple[Module, ast.expr] | None:
        """Return the last value of such a name, with its file; None if it may have several."""
        home, bindings = self.bindings_at(qualified) or (None, [])
        lasting = [] if home is None else home.scopes.lasting(bindings)
        value = lasting[0].value if len(lasting) == 1 else None
        return None if home is None or value is None else (home, value)

    @cached_method
    def _locate(self, qualified: str) -> Located | None:
        # The longest first: a module inside a package before what the package binds.
        module, rest = qualified, list[str]()
        while True:
            path = self.layout.path_of(module)
            if path is not None:
                return Located(path, tuple(reversed(rest)))
            module, dot, name = module.rpartition(".")
            if not dot:
                return None
            rest.append(name)

    def qualified_name(self, module: Module, node: ast.expr) -> str | None:
        """Return the dotted name of ``node``; None where it is no static name or not certain."""
        if type(node) is not ast.Attribute and type(node) is not ast.Name:
            return None
        known: Recorded[ast.expr, str | None] = module.memoize(Names, Recorded)
        # Each part of a long name is asked for, too, and most of them many times.
        if node not in known:
            with RECORDER.with_record():
                known[node] = self._qualified_text(module, node)
        return known[node]

    def _qualified_text(self, module: Module, node: ast.Attribute | ast.Name) -> str | None:
        base, attributes = attributes_of(node)
        if not isinstance(base, ast.Name):
            return None
        name = self._told_text(self._question(module, base))
        for attribute in attributes:
            name = None if name is None else self.member(name, attribute)
        return name

    def qualified_written_name(self, path: str, name: WrittenName) -> str | None:
        """Return the qualified name of what the file ``path`` writes at its top level, or in it.

        None as for ``qualified``, and for names that a function or class of the file binds.
        """
        if not name.dotted or name.bound == "local":
            return None
        first, *attributes = name.dotted
        is_top = name.bound == "top"
        result = self._told_text(_Attribute(path, first) if is_top else self._unbound(path, first))
        for attribute in attributes:
            result = None if result is None else self.member(result, attribute)
        return result

    def member(self, qualified: str, attribute: str) -> str | None:
        """Return the qualified name of an attribute of a module, class or variable."""
        return self._told_text(self._member(qualified, attribute))

    def _member(self, qualified: str, attribute: str) -> _Question | str | None:
        path = self.layout.path_of(qualified)
        if path is not None:
            return _Attribute(path, attribute)
        package = self.layout.is_namespace(qualified)
        if package:
            return self._module_name(f"{qualified}.{attribute}", "")
        return self._knowledge.canonical(f"{qualified}.{attribute}")

    def attribute(self, path: str, name: str) -> str | None:
        """Return the qualified name of the object ``name`` at the top level of ``path``."""
        return self._circles.answer(_Attribute(path, name))

    def imported_name(self, path: str, target: NameTarget) -> str | None:
        """Return the qualified name of what an import in the file ``path`` brings in."""
        return self._told_text(self._source(path, target))

    def defined_name(self, qualified: str) -> str:
        """Return where the project defines what a library file calls ``qualified``, if it does."""
        located = self.locate(qualified)
        if located is None or len(located.rest) != 1:
            return qualified
        return self.attribute(located.path, located.rest[0]) or qualified

    def absolute(self, target: NameTarget, path: str) -> str | None:
        """Return the dotted module that ``target`` of the file ``path`` imports from."""
        if not target.level:
            return target.text
        return self.layout.relative(path, target.level, target.text)

    # ---------------------------------------------------------------------------- the questions
    def _question(self, module: Module, node: ast.Name) -> _Question | str | None:
        """Return what has to be answered to know what ``node`` means, or at once what it means."""
        bindings = module.scopes.read_by(node)
        if not bindings:
            return self._unbound(module.path, node.id)
        at_top = module.scopes.module.bindings.get(bindings[0].name, [])
        if bindings in (at_top, module.scopes.lasting(at_top)):
            return _Attribute(module.path, bindings[0].name)
        return _Local(ref(module), tuple(bindings))

    def _unbound(self, path: str, name: str) -> _Question | str | None:
        table = self.table(path)
        if table is None:
            return None
        if table.stars:
            return _Attribute(path, name)
        return _builtin(name)

    def _asked_asking(self, question: _Question) -> _Asking:
        if isinstance(question, _Attribute):
            return self._attribute(question.path, question.name)
        return self._local(_held_module(question), question.bindings)

    def _memory(self, question: _Question) -> dict[Hashable, tuple[str | None, Record]]:
        """Return where an answer is kept: names of functions with the tree that contains them."""
        return self._attributes if isinstance(question, _Attribute) else _held_module(question).memo

    def _told_text(self, question: _Question | str | None) -> str | None:
        """Return the answer to a question, or what needed none."""
        return self._circles.answer(question) if isinstance(question, tuple) else question

    def _certain(self, question: _Question | str | None) -> _Asking:
        """Ask for a name that has a definition; in a circle none is certain.

        But for a package that imports one of its own modules: that is the module.
        """
        if not isinstance(question, tuple):
            return question
        answer = yield question
        if not answer.circular:
            return answer.value
        is_local = isinstance(question, _Local)
        return None if is_local else self._canonical_of(self.layout.submodule(*question))

    def _imported_asking(self, question: _Question | str | None) -> _Asking:
        """Ask for a name that is imported; in a circle it is what others there say that it is.

        So it is where a file that a package star-imports takes a name back from that package.
        """
        if not isinstance(question, _Attribute):
            return (yield from self._certain(question))
        answer = yield question
        if not answer.circular:
            return answer.value
        return self._canonical_of(self.layout.submodule(*question)) or answer.value

    # ------------------------------------------------------------------------- names of functions
    def _local(self, module: Module, bindings: tuple[Binding, ...]) -> _Asking:
        names: list[str | None] = []
        targets = [target_of(module, binding) for binding in bindings]
        imported = any(target.kind in {"module", "from"} for target in targets)
        for binding, target in zip(bindings, targets, strict=True):
            name: str | None = None
            # ``except ImportError: x = None``: the name is used for what the import brings.
            if target.kind == "none" and len(bindings) > 1:
                continue
            if target.kind == "class" and isinstance(binding.node, ast.ClassDef):
                name = module.full_name(binding.node)
            elif target.kind == "alias" and binding.value is not None:
                name = yield from self._alias(module, binding.value)
            elif target.kind in {"module", "from"} or (target.kind == "lazy" and imported):
                name = yield from self._certain(self._source(module.path, target))
            if name is None:
                return None
            names.append(name)
        return _agreed_text(names)

    def _alias(self, module: Module, value: ast.expr) -> _Asking:
        base, attributes = attributes_of(value)
        if not isinstance(base, ast.Name):
            return None
        name = yield from self._certain(self._question(module, base))
        return (yield from self._members(name, attributes))

    def _members(self, name: str | None, attributes: Iterable[str]) -> _Asking:
        for attribute in attributes:
            if name is not None:
                name = yield from self._certain(self._member(name, attribute))
        return name

    # --------------------------------------------------------------------------- names of modules
    def _attribute(self, path: str, name: str) -> _Asking:
        table = self.table(path)
        if table is None:
            return None
        targets = table.targets(name)
        if not targets:
            submodule = self.layout.submodule(path, name)
            if submodule is not None:
                return self._canonical_of(submodule)
            folder = f"{self.layout.name_of(path)}.{name}"
            is_package = path.endswith(("/__init__.py", "/__init__.pyi"))
            # `import shop.web.forms`, where `web` has no `__init__.py`.
            if is_package and not table.stars and self.layout.is_namespace(folder):
                return folder
            return None if table.dynamic else (yield from self._star(path, table, name))
        # None among other values replaces a failed import.
        real = [candidate for candidate in targets if candidate.kind != "none"] or list(targets)
        # A call with a string counts as another import of the name only together with an import of
        # it.
        is_imported = any(target.kind in {"module", "from"} for target in real)
        meants: list[str | None] = []
        for target in real:
            is_variable = target.kind == "lazy" and not is_imported
            used = NameTarget("variable") if is_variable else target
            meant = yield from self._target(path, name, used)
            meants.append(meant)
        return _agreed_text(meants)

    def _target(self, path: str, name: str, target: NameTarget) -> _Asking:
        match target.kind:
            case "from":
                return (yield from self._imported_asking(self._source(path, target)))
            case "module" | "lazy":
                return (yield from self._certain(self._source(path, target)))
            case "alias":
                return (yield from self._dotted_asking(path, target.text))
            case "class" | "function" | "variable" | "none":
                return f"{self.layout.name_of(path)}.{name}"
        return None

    def _source(self, path: str, target: NameTarget) -> _Question | str | None:
        """Return what an import in the file ``path`` brings in, or what has to be asked for it."""
        if target.kind in {"module", "lazy"}:
            return self._module_name(target.text, path)
        source = self.absolute(target, path) if target.kind == "from" else None
        if source is None:
            return None
        module = self.layout.find(source, path)
        if module.path is not None:
            return _Attribute(module.path, target.name)
        if module.ambiguous:
            return None
        if module.namespace or target.level:
            submodule = self.layout.find(submodule_name(source, target.name), path)
            # A relative import never leaves the project; another distribution adds the rest of a
            # folder without `__init__.py`.
            if target.level or submodule != FoundModule():
                return self._canonical_of(submodule.path)
        return self._knowledge.canonical(f"{source}.{target.name}")

    def _dotted_asking(self, path: str, dotted: str) -> _Asking:
        first, *rest = dotted.split(".")
        table = self.table(path)
        if table is not None and not table.binds(first) and not table.stars:
            name = _builtin(first)
        else:
            name = yield from self._certain(_Attribute(path, first))
        return (yield from self._members(name, rest))

    def _module_name(self, dotted: str, importer: str) -> str | None:
        module = self.layout.find(dotted, importer)
        if module.ambiguous:
            return None
        return dotted if module.path is None else self.layout.name_of(module.path)

    def _canonical_of(self, path: str | None) -> str | None:
        return None if path is None else self.layout.name_of(path)

    def _star(self, path: str, table: NotedTable, name: str) -> _Asking:
        """Return what the star imports of a file bring under ``name``, if that is certain.

        Modules that star-import each other all have what one of them has.
        """
        canonicals: list[str | None] = []
        is_open = False
        for star in table.stars:
            source = self.absolute(star, path)
            if source is None:
                return None
            where = self.layout.find(source, path)
            if where.path is not None:
                is_exported = self._is_exported(where.path, name)
                if is_exported is False:
                    continue
                answer = yield _Attribute(where.path, name)
                is_open = is_open or answer.value == _NOTHING
                if answer.value != _NOTHING and (is_exported or answer.circular or answer.value):
                    canonicals.append(answer.value)
            elif self._knowledge.has(source, name):
                canonicals.append(self._knowledge.canonical(f"{source}.{name}"))
            # Any other library may bring any name, also one in a later version.
            elif where.ambiguous or not self._is_closed(source):
                return None
        if canonicals:
            return _agreed_text(canonicals)
        return _NOTHING if is_open else _builtin(name)

    def _finished_text(self, question: _Question, value: str | None) -> str | None:
        """Return what a name is that no module of a circle of star imports has."""
        if value != _NOTHING or not isinstance(question, _Attribute):
            return value
        table = self.table(question.path)
        is_bound = table is not None and table.binds(question.name)
        # Names that modules only import from each other do not exist.
        return None if is_bound else _builtin(question.name)

    def _is_closed(self, module: str) -> bool:
        """Whether awaken knows every public name of a library's module."""
        return module in {"sqlalchemy", "sqlalchemy.orm", "typing", "__future__"}

    def _is_exported(self, path: str, name: str) -> bool | None:
        """Whether a star import brings ``name``; None if only what it means there can tell."""
        table = self.table(path)
        if table is None:
            return False
        if table.exports is not None:
            return name in table.exports
        if name.startswith("_"):
            # Without `__all__` a star import leaves out names with an underscore.
            return False
        if table.binds(name):
            return True
        return None if table.stars else False


def _builtin(name: str) -> str | None:
    return f"builtins.{name}" if name in _BUILTINS else None


def _agreed_text(found: list[str | None]) -> str | None:
    # An unknown value does not disagree.
    known = [candidate for candidate in found if candidate != _NOTHING] or found
    return known[0] if known and len(set(known)) == 1 else None


def _joined_text(one: str | None, other: str | None) -> str | None:
    """Return what both say that a name is: ``_NOTHING`` says nothing, None that it is unsure."""
    if one == _NOTHING:
        return other
    return one if other in {one, _NOTHING} else None
