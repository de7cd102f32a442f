"""Sessions that a test wrote by hand: classes whose instances it gives for sessions.

Their methods that are coroutine functions of an asynchronous session become such, and what a test
assigns to one of these names is called by an ``AsyncMock``.

A namespace replaces an object of the program: an ``AsyncMock`` calls its attribute that replaces a
method which waits.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import chain, starmap
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.colour.test_stand_ins import (
    called_node,
    given_by,
    overrides_of,
)
from awaken.codemods.sqlalchemy.session_to_async.doubles.awaitable import (
    ASYNCHRONOUS,
    accepting,
    accepting_more,
    asynchronous,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import TEST_DOUBLE
from awaken.contract import Edit, Place, Span
from awaken.kit.changes import Member, member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property, recursive_items
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.test_files import is_around_tests, is_of_program
from awaken.project.source.trees import last_name
from awaken.project.values.domain import ClassOf, FunctionOf, InstanceOf, Value, Values

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_ATTRIBUTES = frozenset({"dirty"})
"""What sessions hold objects in."""


class FakeSessions:
    """Yields the rewrites of such classes of one program, and of values assigned to instances.

    ``extended`` are methods of sessions that some calls pass more than before, and attributes that
    are asked more than before.
    """

    def __init__(self, part: SynchronousPart, rule: str, extended: Collection[str]) -> None:
        self._part = part
        self._extended = extended
        self._project = part.project
        self._rule = rule
        self._found: defaultdict[str, set[Place]] = defaultdict(set)
        known = twins()
        self._awaited = {*known.awaited["session"], *ASYNCHRONOUS}
        self._others = {
            *known.entered["session"],
            *known.bridged["session"],
            # An expired attribute is loaded again after that.
            "expire",
        }
        # `query`, which an asynchronous session lacks, is refused where the program calls it.
        self._methods = self._awaited | self._others | {*known.missing["session"]}

    def add(self, module: Module, made: ast.expr, along: tuple[Place, ...]) -> bool:
        """Note what makes sessions in a test; False if it gives anything but such a fake."""
        given = self._given_values(module, made)
        fakes = [argument.qualified for argument in given if isinstance(argument, InstanceOf)]
        if not fakes or len(fakes) < len(given) or not all(map(self._is_fake, fakes)):
            return False
        for fake in fakes:
            self._found[fake] |= set(along)
        return True

    def __iter__(self) -> Iterator[Member]:
        self._note_passed()
        self._note_injected()
        for fake in sorted(self._found):
            along = tuple(sorted(self._found[fake]))
            for item in self._members(fake):
                yield structs.replace(item, along=along)

    # ----------------------------------------------------------------------------------- finding
    def _given_values(self, module: Module, made: ast.expr) -> Values:
        """Return what calling an object gives."""
        if isinstance(made, ast.Lambda):
            return self._values(module, made.body)
        values = self._values(module, made)
        result: list[Value] = []
        for value in values:
            match value:
                case FunctionOf(module=home, node=ast.FunctionDef() as node):
                    if node.decorator_list or home.is_generator(node):
                        return ()
                    for part in home.returned_by(node):
                        result += self._values(home, part)
                case ClassOf(qualified=qualified):
                    result.append(InstanceOf(qualified))
                case _:
                    return ()
        return tuple(result)

    def _is_fake(self, qualified: str) -> bool:
        """Whether a class of the tests inherits nothing, and has a method of sessions."""
        facts = self._project.class_facts(qualified)
        return (
            facts is not None
            and is_around_tests(facts.path)
            and not any(facts.bases)
            and bool(facts.members & self._methods)
        )

    @cached_property
    def _candidates(self) -> dict[str, set[str]]:
        """The classes of tests that may be fakes, by the files that name them."""
        candidates: defaultdict[str, set[str]] = defaultdict(set)
        for module, node in nodes_in(
            self._project.modules_at(self._part.stand_ins.paths), ast.ClassDef
        ):
            if not node.bases:
                qualified = module.full_name(node)
                if self._is_fake(qualified):
                    for file in self._project.files_with((node.name.encode(),)):
                        candidates[file].add(qualified)
        return candidates

    def _note_passed(self) -> None:
        """Note the fakes that tests pass to parameters which are declared as sessions."""
        for call in self._project.calls.graph().calls() if self._candidates else ():
            fakes = self._candidates.get(call.place.path, set())
            places = self._project.calls_at(call.place)[:1] if fakes and call.functions else ()
            for module, node in places:
                for function in call.functions:
                    home = self._part.node_of(function)
                    given = [] if home is None else self._project.mocks.for_sessions(node, *home)
                    for item in (each for value in given for each in self._values(module, value)):
                        if isinstance(item, InstanceOf) and item.qualified in fakes:
                            self._found[item.qualified].add(function.place)

    def _note_injected(self) -> None:
        """Note the fakes that requests get in the place of a session."""
        project = self._project
        for module, key, function in overrides_of(project):
            sessions = [*starmap(project.orm.session_of, given_by(project, module, key))]
            if any(isinstance(session, SessionProof) for session in sessions):
                paths = project.files_with(((last_name(key) or "").encode(),))
                along = {step.place for step in self._part.steps if step.path in paths}
                given = [*given_by(project, module, function), (module, called_node(function))]
                for item in chain(*starmap(self._values, given)):
                    for fake in self._line(item.qualified) if isinstance(item, InstanceOf) else ():
                        self._found[fake] |= along

    def _line(self, qualified: str) -> Iterator[str]:
        """Yield a class of tests and those that it inherits, if no library has one of them."""
        line = self._project.class_line(qualified)
        is_own = all(is_around_tests(facts.path) for facts in line)
        for facts in line if is_own and not self._project.library_ancestors(qualified) else ():
            if facts.members & self._methods:
                yield facts.qualified

    def _values(self, module: Module, node: ast.expr) -> Values:
        return self._project.values.of(module, node).alternatives

    # ----------------------------------------------------------------------------------- writing
    def _members(self, fake: str) -> Iterator[Member]:
        facts = self._project.class_facts(fake)
        pair = self._project.class_definition(fake)
        if facts is None or pair is None:
            return
        module, node = pair
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name in self._awaited | self._others:
                site: Site[ast.AST] = Site(self._rule, module, method)
                yield member(site, f"`{fake}.{method.name}`", self._method, method)
        asked = _ATTRIBUTES.intersection(self._extended) - facts.members - facts.assigned
        if asked:
            home_of: Site[ast.AST] = Site(self._rule, module, node)
            first = node.body[1 if ast.get_docstring(node) is not None else 0]
            yield member(home_of, f"`{fake}`", self._asked_fake, first, sorted(asked))
        word = fake.rpartition(".")[2].encode()
        for home, part in nodes_with(self._project, (word,), ast.Assign):
            match part:
                case ast.Assign(targets=[ast.Attribute(attr=attribute) as target]) if (
                    attribute in self._awaited | self._others
                    and self._is_instance(home, target.value, fake)
                ):
                    place: Site[ast.AST] = Site(self._rule, home, part)
                    shown = f"`{home.text_of(target)}`"
                    yield member(place, shown, self._rewrite_of_assignment, target, part.value)

    def _is_instance(self, module: Module, node: ast.expr, fake: str) -> bool:
        result = self._values(module, node)
        return any(isinstance(value, InstanceOf) and value.qualified == fake for value in result)

    def _method(self, site: Site[ast.AST], method: ast.FunctionDef) -> Rewrite:
        """Return a method as one that is awaited. Raises Refused."""
        module = site.module
        if method.name in self._others or method.decorator_list or module.is_generator(method):
            raise Refused(TEST_DOUBLE, f"`{method.name}` may or may not be awaitable")
        function = self._part.function_at(*module.key_of(method))
        if function is not None and function in self._part.steps:
            return Rewrite(f"`{method.name}` becomes a coroutine function", [])
        callers = () if function is None else self._project.calls.graph().callers(function)
        if any(is_around_tests(caller.place.path) for caller in callers):
            raise Refused(TEST_DOUBLE, f"a test calls `{method.name}` itself")
        edits: list[Edit] = [site.insert_before(method, "async ")]
        if method.name in self._extended:
            edits += accepting_more(site, method)
        if method.name in ASYNCHRONOUS:
            at = module.source.text.index(method.name.encode(), module.span(method).start)
            span = Span(at, at + len(method.name))
            edits.append(site.write(span, ASYNCHRONOUS[method.name]))
        return Rewrite(f"`{method.name}` becomes a coroutine function", edits)

    def _asked_fake(self, site: Site[ast.AST], first: ast.stmt, names: list[str]) -> Rewrite:
        """Return a fake with the attributes that a session is asked now: nothing is in them."""
        code = "".join(f"{name} = ()\n" for name in names)
        edit = site.insert_statements(site.module.place(first), "before", code)
        return Rewrite(f"it sets `{names[0]}` of a session", [edit])

    def _rewrite_of_assignment(
        self, site: Site[ast.AST], target: ast.Attribute, value: ast.expr
    ) -> Rewrite:
        """Return what is assigned to a method, so that it can be awaited. Raises Refused."""
        if target.attr in self._others or target.attr in ASYNCHRONOUS:
            raise Refused(TEST_DOUBLE, f"`{target.attr}` may or may not be awaitable")
        edits: list[Edit] = []
        if target.attr in self._extended:
            edits += accepting(self._project, site, value)
        functions = self._project.replacements.functions_of(site.module, value)
        if not functions or not all(function in self._part.steps for function in functions):
            edits += asynchronous(self._project, site, value)
        return Rewrite(f"`{site.module.text_of(target)}` becomes awaitable", edits)


_NAMESPACE = "types.SimpleNamespace"
_CASTING = 2


def namespaces(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the rewrites of the namespaces that tests cast to classes of a program."""
    functions: dict[tuple[str, int], tuple[Site[ast.AST], FunctionPlace]] = {}
    for module, node in nodes_with(part.project, (b"SimpleNamespace",), ast.Call, is_of_program):
        if len(node.args) != _CASTING:
            continue
        if part.project.qualified_name(module, node.func) in library_names().casts:
            declared = part.project.qualified_name(module, node.args[0]) or ""
            for value, function in _standing_in(part, module, node.args[1], declared):
                place = module.key_of(value)
                functions.setdefault(place, (Site(rule, module, value), function))
    for site, function in functions.values():
        shown = f"the mock of `{function.qualname}`"
        yield member(site, shown, lambda item: _awaited_rewrite(part, item))


@recursive_items
def _standing_in(
    part: SynchronousPart, module: Module, node: ast.expr, declared: str
) -> Iterator[tuple[ast.expr, FunctionPlace]]:
    """Yield what a namespace has in the place of methods of ``declared`` that wait."""
    project = part.project
    if isinstance(node, ast.Name):
        bindings = module.scopes.bindings_of(node)
        node = bindings[0].value if len(bindings) == 1 and bindings[0].value else node
    is_one = isinstance(node, ast.Call) and project.class_facts(declared) is not None
    if not isinstance(node, ast.Call) or not is_one:
        return
    if project.qualified_name(module, node.func) != _NAMESPACE:
        return
    for keyword in node.keywords:
        if keyword.arg is None:
            continue
        methods = project.calls.override_sets().methods(declared, keyword.arg)
        waiting = [method for method in methods if method in part.steps]
        if waiting and not _waits(part, module, keyword.value):
            yield keyword.value, waiting[0]
        if (field := project.class_fields(declared).get(keyword.arg)) is not None:
            name = project.qualified_name(field[0], field[1].annotation) or ""
            yield from _standing_in(part, module, keyword.value, name)


def _waits(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether what is put there is a function that becomes a coroutine function itself."""
    values = part.project.values.of(module, node).alternatives
    functions = [
        part.function_at(value.module.path, value.module.span(value.node).start)
        for value in values
        if isinstance(value, FunctionOf)
    ]
    are_mocks = bool(values) and all(isinstance(value, InstanceOf) for value in values)
    is_told = bool(functions) and all(function in part.steps for function in functions)
    return is_told or are_mocks


def _awaited_rewrite(part: SynchronousPart, site: Site[ast.AST]) -> Rewrite:
    """Return how a double is awaited. Raises Refused."""
    edits = asynchronous(part.project, site, site.node) if isinstance(site.node, ast.expr) else []
    return Rewrite(f"`{site.module.excerpt(site.node)}` is awaited", edits)
