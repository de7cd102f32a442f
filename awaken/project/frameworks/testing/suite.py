"""The files of tests: their functions, what makes doubles in them, fixtures and what they patch."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import attrgetter

from awaken.project.frameworks.testing.double_reach import PatchedName, Reach
from awaken.project.frameworks.testing.fixture_requests import is_automatic
from awaken.project.frameworks.testing.passed_mocks import Mark, Patch, marks_of
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.test_files import conftest_paths, is_around_tests, may_configure
from awaken.project.source.trees import Function
from awaken.project.source.worklist import multimap
from awaken.project.values.pytest_fixtures import fixture_name

_FLOWS = (ast.Assign, ast.AnnAssign, ast.withitem, ast.Return, ast.Yield, ast.Call)
SETUP = {"asyncSetUp", "setUp", "setUpClass", "setup", "setup_class", "setup_method"}
"""Methods of a class of tests that run before its tests."""


@dataclass(frozen=True, slots=True)
class Member:
    """A function that takes part in a test, or the top level of its file.

    ``prefix`` is what the keys of its variables begin with.
    """

    module: Module
    node: Function | ast.Module
    prefix: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        prefix = self.module.path
        if not isinstance(self.node, ast.Module):
            prefix = f"{prefix}:{self.module.span(self.node).start}"
        object.__setattr__(self, "prefix", prefix)


_by_member = cached_by(attrgetter("prefix"))


class Suite:
    """Facts about the files that one test file uses; ``fakes`` are classes with a ``query``.

    It adds files that make no doubles to ``unmarked``. A file that was dropped and parsed again
    counts as the one that was read first.
    """

    def __init__(
        self, evaluator: ProgramEvaluator, reach: Reach, fakes: AbstractSet[str], unmarked: set[str]
    ) -> None:
        self.evaluator = evaluator
        self.reach = reach
        self._fakes = fakes
        self._unmarked = unmarked
        self._words = {name.rpartition(".")[2].encode() for name in fakes}
        self._modules: dict[str, Module] = {}
        self._members: dict[str, Member] = {}

    def member(self, module: Module, node: Function | ast.Module) -> Member:
        """Return the one member that a function is."""
        asked = Member(module, node)
        known = self._modules.setdefault(module.path, module)
        if asked.prefix not in self._members:
            # Keys are compared by node and place, so one tree of each file has to do for all.
            if known is not module:
                again = (Member(known, part) for part in known.functions)
                asked = next((member for member in again if member.prefix == asked.prefix), asked)
            self._members[asked.prefix] = asked
        return self._members[asked.prefix]

    @_by_member
    def nodes(self, member: Member) -> list[ast.AST]:
        """Return the nodes of a member; of a module only what no definition holds."""
        if not isinstance(member.node, ast.Module):
            return list(member.module.walk(member.node))
        parts = [node for node in member.node.body if not _is_definition(node)]
        return [node for part in parts for node in member.module.walk(part)]

    @_by_member
    def calls(self, member: Member) -> list[ast.Call]:
        """Return the calls of a member."""
        return [node for node in self.nodes(member) if isinstance(node, ast.Call)]

    @_by_member
    def flows(self, member: Member) -> list[ast.AST]:
        """Return the nodes of a member that may hand on a double."""
        return [node for node in self.nodes(member) if isinstance(node, _FLOWS)]

    @_by_member
    def helpers(self, member: Member) -> list[tuple[ast.Call, Member]]:
        """Return the calls of a member that name a function of the tests, with that function."""
        named = (
            (call, self.reach.named_function(member.module, call)) for call in self.calls(member)
        )
        return [
            (call, self.member(entry.module, entry.function))
            for call, entry in named
            if entry is not None and is_around_tests(entry.module.path)
        ]

    @property
    def files(self) -> frozenset[str]:
        """The files whose functions took part in what was asked so far."""
        return frozenset(self._modules)

    def marks(self, member: Member) -> Sequence[Mark]:
        """Return what makes doubles in a member."""
        if member.module.path in self._unmarked:
            return ()
        return self._marks_in(member.module).get(member.prefix, ())

    @cached_by(attrgetter("path"))
    def _marks_in(self, module: Module) -> Mapping[str, list[Mark]]:
        text = module.source.text
        # A file of helpers may make a double by the name of a class alone.
        is_marking = may_configure(text) or any(word in text for word in self._words)
        marks = marks_of(module, self.evaluator.names, self._fakes) if is_marking else ()
        around = ((module.outermost_def(mark.node) or module.tree, mark) for mark in marks)
        by_member = multimap((Member(module, node).prefix, mark) for node, mark in around)
        if not by_member:
            self._unmarked.add(module.path)
        return by_member

    def fixture(self, member: Member, name: str) -> Member | None:
        """Return the fixture that a parameter ``name`` of ``member`` receives."""
        module = member.module
        around = module.enclosing_class(member.node)
        # In the order in which pytest looks: class, file, then each conftest.py further up.
        owners: list[tuple[Module, ast.AST]] = [] if around is None else [(module, around)]
        owners.append((module, module.tree))
        for conftest in self.evaluator.modules_at(conftest_paths(module.path)):
            known = self._modules.setdefault(conftest.path, conftest)
            owners.append((known, known.tree))
        for defining, owner in owners:
            node = self._fixtures_in(defining, owner).get(name)
            # A fixture that asks for its own name gets the one further out.
            if node is not None and node is not member.node:
                return self.member(defining, node)
        return None

    @cached_by(lambda _module, owner: owner)
    def _fixtures_in(self, module: Module, owner: ast.AST) -> dict[str, Function]:
        named = (
            (fixture_name(module, candidate, self.evaluator.names), candidate)
            for candidate in getattr(owner, "body", [])
            if isinstance(candidate, Function) and candidate.decorator_list
        )
        return {name: function for name, function in named if name is not None}

    def setup_of(self, member: Member) -> Iterator[Member]:
        """Yield what runs before a test by itself: set-up methods and automatic fixtures."""
        module = member.module
        around = module.enclosing_class(member.node)
        for owner in (module.tree, around):
            for node in () if owner is None else self._automatic_in(module, owner):
                if node is not member.node:
                    yield self.member(module, node)

    @cached_by(lambda _module, owner: owner)
    def _automatic_in(self, module: Module, owner: ast.Module | ast.ClassDef) -> list[Function]:
        # At the top of a file the name of a set-up method is one like any other.
        setup = set[str]() if owner is module.tree else SETUP
        return [
            node
            for node in owner.body
            if isinstance(node, Function) and (node.name in setup or is_automatic(node))
        ]

    def target(self, member: Member, patch: Patch) -> PatchedName | None:
        """Return the object of the program that a patch replaces, if it is visible."""
        if patch.owner is not None:
            return self.target_object(member.module, patch.owner, patch.name)
        names = self.evaluator.names
        path, (first, *rest) = names.layout.file_and_rest(patch.name, member.module.path)
        if path is None:
            return None
        if not rest:
            return PatchedName(f"{names.layout.name_of(path)}.{first}", path, first, path)
        name = names.attribute(path, first)
        for word in rest[:-1]:
            name = None if name is None else names.member(name, word)
        return None if name is None else PatchedName(name, name=rest[-1], home=path)

    def target_object(self, module: Module, owner: ast.expr, name: str) -> PatchedName | None:
        """Return the target that an attribute ``name`` of a module or of another object is."""
        qualified = self.evaluator.names.qualified_name(module, owner)
        path = None if qualified is None else self.evaluator.names.layout.path_of(qualified)
        if path is not None:
            return PatchedName(f"{qualified}.{name}", path, name, path)
        located = None if qualified is None else self.evaluator.names.locate(qualified)
        if qualified is None or located is None:
            return None
        return PatchedName(qualified, name=name, home=located.path)


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
