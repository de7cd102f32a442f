"""One test with its doubles: the test, its fixtures, set-up methods and helpers as one.

Variables of all these functions are keys; two keys of one object are the same key. An object that
receives a mock (``Service(mock)``, ``factory.return_value = mock``) carries it as well, in that
direction only.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from awaken.project.frameworks.testing.double_reach import EntryPoint, PatchedName, with_arguments
from awaken.project.frameworks.testing.passed_mocks import Mark, Patch, patch_of
from awaken.project.frameworks.testing.replacements import patched_parameters
from awaken.project.frameworks.testing.requests import METHODS, path_of
from awaken.project.frameworks.testing.suite import Member, Suite
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.memo import cached_property
from awaken.project.source.trees import Function, children, parameters_of, root_of
from awaken.project.source.worklist import MOST_FUNCTIONS, Worklist

_SETTINGS = {"return_value", "side_effect"}


class ProgramCall(Struct, frozen=True):
    """A call of the program by a test.

    ``gives`` says that a double is among its arguments, ``inside`` that it is the test itself, or
    a helper of it, that calls: a fixture does so before.
    """

    entry: EntryPoint
    gives: bool
    inside: bool


class _Carried(dict[str, set[str]]):
    """The mocks of objects by the keys of the objects; ``parts`` are keys inside containers."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, set[str]] = {}

    def __missing__(self, key: str) -> set[str]:
        for at, letter in enumerate(key):
            if letter == "[":
                self.parts.setdefault(key[:at], set()).add(key)
        return self.setdefault(key, set())


class Unit:
    """One test with all that runs in it from the files of the tests."""

    def __init__(self, suite: Suite, test: Member) -> None:
        self._suite = suite
        self._test = test
        self.members: dict[str, Member] = {}
        self.doubles: dict[str, tuple[Member, Mark]] = {}
        self.marks: defaultdict[str, list[Mark]] = defaultdict(list)
        self._carried = _Carried()
        self._same: dict[str, str] = {}
        self._classes: dict[str, set[str]] = defaultdict(set)
        self._fixtures: dict[str, Member] = {}
        self._helpers: dict[ast.Call, Member] = {}
        self.patches: list[tuple[Member, Patch, set[str]]] = []
        self.replaced: frozenset[PatchedName] = frozenset()
        self._collect(test)
        if self.has_marks:
            self._follow()

    @property
    def has_marks(self) -> bool:
        """Whether any function of the unit makes a double."""
        return any(self._suite.marks(member) for member in self.members.values())

    # ------------------------------------------------------------------------------- its members
    def _collect(self, test: Member) -> None:
        waiting = [test, *self._suite.setup_of(test)]
        helping = [self._suite.member(test.module, test.module.tree)]
        while (waiting or helping) and len(self.members) < MOST_FUNCTIONS:
            member = (waiting or helping).pop(0)
            if member.prefix in self.members:
                continue
            self.members[member.prefix] = member
            helping += self._helping(member)
            # Helpers get their arguments from calls, not from fixtures.
            if not any(helper is member for helper in self._helpers.values()):
                waiting += self._requested_members(member)
        left = (item for item in (*waiting, *helping) if item.prefix not in self.members)
        self.is_complete = next(left, None) is None

    def _requested_members(self, member: Member) -> Iterator[Member]:
        if isinstance(member.node, ast.Module):
            return
        for parameter, _ in parameters_of(member.node.args):
            fixture = self._suite.fixture(member, parameter.arg)
            if fixture is not None:
                self._fixtures[f"{member.prefix}:{parameter.arg}"] = fixture
                yield fixture

    def _helping(self, member: Member) -> Iterator[Member]:
        for call, helper in self._suite.helpers(member):
            self._helpers[call] = helper
            yield helper

    # ---------------------------------------------------------------------------------- the keys
    def _key(self, member: Member, node: ast.expr) -> str | None:
        """Return the key of the object that ``node`` is, or is a part of."""
        match node:
            case ast.Name():
                return self._key_of_name(member, node)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                # Set in one method and read in another, so it is a key of the class.
                around = member.module.enclosing_class(node)
                return self._one(f"{member.module.path}:{getattr(around, 'name', '')}.{name}")
            case ast.Attribute() | ast.Await() | ast.Starred():
                return self._key(member, node.value)
            case ast.Subscript(value=value, slice=ast.Constant(value=item)):
                whole = self._key(member, value)
                return None if whole is None else self._one(f"{whole}[{item!r}]")
            case ast.Subscript():
                return self._key(member, node.value)
            case ast.Call() if node in self._helpers:
                return self._one(f"{self._helpers[node].prefix}()")
            case ast.Call():
                return self._key(member, node.func)
        return None

    def _key_of_name(self, member: Member, node: ast.Name) -> str:
        fixture = self._fixtures.get(f"{member.prefix}:{node.id}")
        if fixture is not None:
            return self._one(f"{fixture.prefix}()")
        # Names at the top of a test file are shared by all its functions.
        shadowed = member.module.scopes.is_shadowed(node.id, node)
        prefix = member.prefix if shadowed else member.module.path
        return self._one(f"{prefix}:{node.id}")

    def _one(self, key: str) -> str:
        while key in self._same:
            key = self._same[key]
        return key

    def _unite(self, first: str | None, second: str | None) -> None:
        if first is not None and second is not None and self._one(first) != self._one(second):
            first, second = self._one(first), self._one(second)
            self._same[first] = second
            self._carried[second] |= self._carried.pop(first, set())
            self._classes[second] |= self._classes.pop(first, set())

    # ------------------------------------------------------------------------------------- flows
    def _follow(self) -> None:
        for member in [*self.members.values()] * 2:  # parts of what is united are united then
            self._unite_objects(member)
        for member in self.members.values():
            self._mark(member)
        before, now = -1, 0
        # An examined value may be passed to a later one, and the other way round.
        while before < now:
            before = now
            for member in self.members.values():
                self._carry(member)
            now = sum(map(len, self._carried.values()))
        for member in self.members.values():
            self._patch(member)
        replaced = (self._suite.target(member, patch) for member, patch, _ in self.patches)
        self.replaced = frozenset(candidate for candidate in replaced if candidate is not None)

    def _unite_objects(self, member: Member) -> None:
        """Give one key to two names of one object."""
        for node in self._suite.flows(member):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._unite_target(member, target, value)
                    for target in targets[1:]:
                        self._unite(self._key(member, targets[0]), self._key(member, target))
                case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
                    self._unite_parts(member, f"{member.prefix}()", value)
                case ast.Call() if node in self._helpers:
                    self._unite_arguments(member, node, self._helpers[node])

    def _unite_target(self, member: Member, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            key = self._key(member, value) if _is_plain(value, self._helpers) else None
            for at, node in enumerate(target.elts):
                if key is not None:
                    self._unite(self._key(member, node), f"{key}[{at}]")
            return
        is_object = _is_plain(target, {}) and (_is_plain(value, self._helpers) or _is_part(value))
        if is_object or (_is_attribute(target) and _is_plain(value, {})):
            self._unite(self._key(member, target), self._key(member, value))

    def _unite_parts(self, member: Member, whole: str, value: ast.expr) -> None:
        match value:
            case ast.Tuple() | ast.List():
                for at, node in enumerate(value.elts):
                    self._unite_parts(member, self._one(f"{self._one(whole)}[{at}]"), node)
            case ast.Dict():
                for key, node in zip(value.keys, value.values, strict=True):
                    if isinstance(key, ast.Constant):
                        part = f"{self._one(whole)}[{key.value!r}]"
                        self._unite_parts(member, self._one(part), node)
            case _ if _is_plain(value, self._helpers):
                self._unite(whole, self._key(member, value))

    def _unite_arguments(self, member: Member, call: ast.Call, helper: Member) -> None:
        if isinstance(helper.node, ast.Module):
            return
        given: dict[str | int, ast.expr] = dict(enumerate(call.args))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        for at, value in given.items():
            entry = with_arguments(EntryPoint(helper.module, helper.node), {at})
            for name in entry.given if _is_plain(value, self._helpers) else ():
                self._unite(f"{helper.prefix}:{name}", self._key(member, value))

    def _mark(self, member: Member) -> None:
        for mark in self._suite.marks(member):
            key = self._key(member, mark.root)
            name = f"{member.prefix} {key if key and mark.root is not mark.node else ''}"
            self.doubles.setdefault(name, (member, mark))
            self.marks[name].append(mark)
            if mark.root is mark.node:
                # Made in the middle of an expression, it has no name: its own node is the key.
                self._carried[f"node {id(mark.node)}"].add(name)
                self._mark_owner(member, mark, name)
            elif key is not None:
                self._carried[key].add(name)

    def _mark_owner(self, member: Member, mark: Mark, name: str) -> None:
        """An object whose ``query`` is patched is a double as well."""
        patch = patch_of(member.module, mark.node) if isinstance(mark.node, ast.Call) else None
        key = self._key(member, patch.owner) if patch is not None and patch.owner else None
        if key is not None:
            self._carried[key].add(name)

    def doubles_in(self, member: Member, node: ast.AST) -> set[str]:
        """Return the doubles that an expression of ``member`` is, or holds."""
        result = set(self._carried.get(f"node {id(node)}", ()))
        match node:
            case ast.Attribute(attr="query"):
                # The query of a session is not a session.
                return result
            case ast.Name() | ast.Attribute(value=ast.Name(id="self" | "cls")):
                return result | self._of_key(self._key(member, node))
            case ast.Subscript():
                return result | self._of_key(self._key(member, node))
            case ast.Call() if node in self._helpers:
                result |= self._of_key(self._key(member, node))
        # An object that is made with a mock may hold it: ``Service(session)``, ``[session]``.
        return result.union(*(self.doubles_in(member, child) for child in children(node)))

    def _of_key(self, key: str | None) -> set[str]:
        """Return what an object carries; of a container, also what its parts do."""
        if key is None:
            return set()
        parts = self._carried.parts.get(key, ())
        return set[str]().union(*(self._carried.get(part, ()) for part in (key, *parts)))

    def _carry(self, member: Member) -> None:
        for node in self._suite.flows(member):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._give(member, target, value)
                case ast.AnnAssign(value=ast.expr() as value):
                    self._give(member, node.target, value)
                case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                    self._give(member, target, value)
                case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
                    self._return(member, node, value)
                case ast.Call():
                    self._patch_object(member, node)

    def _give(self, member: Member, target: ast.expr, value: ast.expr) -> None:
        # That configures the double, and hands it on to nobody.
        if any(isinstance(n, ast.Attribute) and n.attr == "query" for n in ast.walk(target)):
            return
        key = self._key(member, target)
        if key is not None:
            self._carried[key] |= self.doubles_in(member, value)
            if isinstance(value, ast.Call):
                self._classes[key] |= self._made_names(member, value)

    def _patch_object(self, member: Member, call: ast.Call) -> None:
        """The object carries the patch of its attribute."""
        patch = patch_of(member.module, call)
        if patch is not None and patch.owner is not None:
            key = self._key(member, patch.owner)
            if key is not None:
                carried = [self.doubles_in(member, argument) for argument in patch.given]
                self._carried[key] |= set[str]().union(*carried)

    def _return(self, member: Member, node: ast.AST, value: ast.expr) -> None:
        """A function carries what it returns; one inside another is a name of that."""
        function = member.module.enclosing_function(node)
        key = f"{member.prefix}()"
        if function is not member.node and isinstance(function, Function):
            key = f"{member.prefix}:{function.name}"
        self._carried[self._one(key)] |= self.doubles_in(member, value)
        if isinstance(value, ast.Call):
            self._classes[self._one(key)] |= self._made_names(member, value)

    def _made_names(self, member: Member, call: ast.Call) -> set[str]:
        evaluator, function = self._suite.evaluator, call.func
        # Tests make instances without `__init__` like this.
        if isinstance(function, ast.Attribute) and function.attr == "__new__":
            function = function.value
        name = evaluator.names.qualified_name(member.module, function)
        return {name} if name and evaluator.classes.facts(name) is not None else set()

    # ----------------------------------------------------------------------------------- patches
    def _patch(self, member: Member) -> None:
        """Note what is patched by a double: where it is put there, or its mock is configured."""
        decorated = dict(self._decorators(member))
        for call in [*self._suite.calls(member), *decorated]:
            patch = patch_of(member.module, call)
            if patch is None or any(item.call is call for _, item, _ in self.patches):
                continue
            result = self.doubles_in(member, call)
            for key in (self._bound_key(member, call), decorated.get(call)):
                result |= self._of_key(key)
            self.patches.append((member, patch, result))

    def _bound_key(self, member: Member, call: ast.Call) -> str | None:
        """Return the key of the variable that the mock of a patch is given to."""
        node: ast.AST = call
        for above in member.module.ancestors(call):
            match above:
                case ast.withitem(optional_vars=ast.expr() as target):
                    return self._key(member, target)
                case ast.Assign(targets=[target]):
                    return self._key(member, target)
                case ast.Attribute() | ast.Call() if node is not call or above is not None:
                    node = above
                case _:
                    return None
        return None

    def _decorators(self, member: Member) -> Iterator[tuple[ast.Call, str]]:
        """Yield the decorators of a test, and of its class, with the parameters they fill."""
        if isinstance(member.node, ast.Module):
            return
        for call, name in patched_parameters(member.module, member.node):
            yield call, self._one(f"{member.prefix}:{name}")

    def targets(self, wanted: str) -> Iterator[tuple[PatchedName, bool]]:
        """Yield what of the program is replaced by the double ``wanted``, or something with it.

        The second says that this is so only while the test itself runs.
        """
        for member, patch, names in self.patches:
            target = self._suite.target(member, patch) if wanted in names else None
            if target is not None:
                yield target, member.prefix in self._own_functions
        member, mark = self.doubles[wanted]
        root = root_of(mark.root)
        bindings = member.module.scopes.bindings_of(root)
        if bindings and all(binding.kind == "import" for binding in bindings):
            patched_name = self._suite.target_object(member.module, mark.root, "query")
            if patched_name is not None:
                yield patched_name, member.prefix in self._own_functions

    def words(self, *, only_inside: bool) -> set[str]:
        """Return the names and attributes that the test mentions, without what runs before it."""
        members = [
            m for m in self.members.values() if m.prefix in self._own_functions or not only_inside
        ]
        nodes = [node for member in members for node in self._suite.nodes(member)]
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}

    @cached_property
    def _own_functions(self) -> set[str]:
        """The test and its helpers, without what runs before it."""
        waiting = Worklist([self._test], lambda member: member.prefix)
        for member in waiting:
            called = (self._helpers.get(call) for call in self._suite.calls(member))
            waiting += [callee for callee in called if callee is not None]
        return {member.prefix for member in waiting.seen.values()}

    # ------------------------------------------------------------------------------------- calls
    def entries(self, wanted: str) -> Iterator[ProgramCall]:
        """Yield the functions of the program that the test calls.

        ``wanted`` is the double that is looked for among their arguments.
        """
        for member in self.members.values():
            for call in self._suite.calls(member):
                if call not in self._helpers:
                    yield from self._entries(member, call, wanted)

    def _entries(self, member: Member, call: ast.Call, wanted: str) -> Iterator[ProgramCall]:
        inside = member.prefix in self._own_functions
        for node in (call, *_applied_calls(call)):
            given = self._given_items(member, node, wanted)
            for entry in self._callees_of(member, node, given) if given or node is call else ():
                yield ProgramCall(with_arguments(entry, given), bool(given), inside)

    def _given_items(self, member: Member, call: ast.Call, wanted: str) -> set[str | int]:
        carries = [wanted in self.doubles_in(member, argument) for argument in call.args]
        given: set[str | int] = {at for at, item in enumerate(carries) if item}
        given |= {
            keyword.arg
            for keyword in call.keywords
            if keyword.arg is not None and wanted in self.doubles_in(member, keyword.value)
        }
        if isinstance(call.func, ast.Attribute) and wanted in self.doubles_in(
            member, call.func.value
        ):
            given.add("self")
        return given

    def _callees_of(
        self, member: Member, call: ast.Call, given: AbstractSet[object]
    ) -> Iterator[EntryPoint]:
        """Yield what a call calls; without a double among its arguments only what is named."""
        reach = self._suite.reach
        # By name first: that is exact, and cheap.
        named = reach.named_function(member.module, call)
        if named is not None:
            yield named
        elif isinstance(call.func, ast.Attribute):
            key = self._key(member, call.func.value)
            made = set(self._classes.get(key, ())) if key is not None else set()
            if isinstance(call.func.value, ast.Call):
                made |= self._made_names(member, call.func.value)
            entry_points = [reach.method(name, call.func.attr) for name in sorted(made)]
            yield from (entry_point for entry_point in entry_points if entry_point is not None)
            if given and not made:
                yield from reach.entries(member.module, call)
        elif given:
            # Only for the double are values worked out, which costs much more than names.
            yield from reach.entries(member.module, call)

    def requests(self) -> Iterator[tuple[str, str]]:
        """Yield the requests that the test makes: their methods and paths."""
        for member in self.members.values():
            for call in self._suite.calls(member):
                if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
                    path = path_of(member.module, call)
                    if path is not None:
                        yield call.func.attr, path

    def overridden(self, wanted: str) -> Iterator[str]:
        """Yield the dependencies of FastAPI that give the double ``wanted`` instead."""
        for member in self.members.values():
            for node in self._suite.flows(member):
                match node:
                    case ast.Assign(targets=[ast.Subscript() as target], value=value):
                        overridden = self._overridden(member, target, value, wanted)
                        if overridden is not None:
                            yield overridden

    def _overridden(
        self, member: Member, target: ast.Subscript, value: ast.expr, wanted: str
    ) -> str | None:
        overrides = isinstance(target.value, ast.Attribute) and target.value.attr
        if overrides != OVERRIDES or wanted not in self.doubles_in(member, value):
            return None
        return self._suite.evaluator.names.qualified_name(member.module, target.slice)


def _applied_calls(call: ast.Call) -> Iterator[ast.Call]:
    """Yield the calls that may be meant by ``assertRaises(Error, function, *arguments)``."""
    for position, node in enumerate(call.args):
        # The class around the call identifies a method of `self`, and this call is nowhere.
        of_self = isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"self", "cls"}
        if isinstance(node, ast.Name | ast.Attribute) and not of_self:
            yield ast.Call(node, call.args[position + 1 :], call.keywords)


def _is_plain(node: ast.expr, helpers: Mapping[ast.Call, Member]) -> bool:
    """Whether an expression is an object: a variable, a part, what a helper or a patch gives."""
    match node:
        case ast.Name() | ast.Attribute(value=ast.Name(id="self" | "cls")):
            return True
        case ast.Call(func=ast.Attribute(value=value, attr="start"), args=[]):
            return _is_plain(value, helpers)
        case ast.Subscript(value=value, slice=ast.Constant()):
            return _is_plain(value, helpers)
        case ast.Call():
            return node in helpers
    return False


def _is_attribute(node: ast.expr) -> bool:
    """Whether an object is put into another one: ``extension.session = session``."""
    return isinstance(node, ast.Attribute) and node.attr not in _SETTINGS and _is_part(node)


def _is_part(node: ast.expr) -> bool:
    """Whether an expression is a part of something: ``factory.return_value.__enter__``."""
    while isinstance(node, ast.Attribute) and node.attr != "query":
        node = node.value
    return isinstance(node, ast.Name)
