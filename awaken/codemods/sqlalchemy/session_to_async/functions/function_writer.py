"""The rewrite of one function: its header, and every call that waits in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.boundaries.bridges import Bridges
from awaken.codemods.sqlalchemy.session_to_async.boundaries.published import (
    called_by_base,
    called_by_pytest,
    given_with_its_object,
)
from awaken.codemods.sqlalchemy.session_to_async.boundaries.tasks import Schedulers
from awaken.codemods.sqlalchemy.session_to_async.boundaries.waits import HoldingUp
from awaken.codemods.sqlalchemy.session_to_async.colour import manager_classes
from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import (
    MANAGER,
    is_constructor,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.properties import read_at
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import (
    caveats_of_loops,
    runs_of,
    write_call_of_task,
    write_runs,
)
from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.expressions.first_items import has_end
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.foreign.in_greenlets import (
    SPAWN,
    completing_edits,
    model_of,
    pass_function,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.async_constructors import Constructors
from awaken.codemods.sqlalchemy.session_to_async.functions.awaited_operations import OperationWriter
from awaken.codemods.sqlalchemy.session_to_async.functions.coroutine_decorators import (
    Decorators,
    gives_manager,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.unresolved import (
    is_awaited_already,
    keeps_nothing,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.unfollowed import caveats_of_given
from awaken.codemods.sqlalchemy.session_to_async.resources.resource_names import NAMES
from awaken.codemods.sqlalchemy.session_to_async.suites.suite_settings import (
    CAVEAT,
    Doctests,
    as_fixture,
    made_before,
    xunit_scope,
)
from awaken.codemods.sqlalchemy.session_to_async.twin_names import write_twin
from awaken.contract import Edit, Place, Span
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.graph.forwards.colouring import Step, chain
from awaken.project.graph.forwards.in_place import applied_by
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.uses.differing import (
        DifferingUses,
    )
    from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
    from awaken.project import Project

_CANCELLED = (
    "cancelling the task of `{}` may interrupt its database calls. Before Python 3.12, psycopg may "
    "lose the cancellation: awaiting the task has no end"
)
_MAKING_TASKS = {name.rpartition(".")[2] for name in library_names().task_makers}
_TEST_CASE = "unittest.TestCase"
_PROPERTIES = {"cached_property", "deleter", "hybrid_property", "property", "setter"}


class FunctionWriter:
    """Rewrites the functions of the synchronous part of a program.

    ``loaded_again`` are calls that have to reload, with the argument that does so, ``refused``
    functions that cannot change, and ``differing`` names the calls with other results in other
    functions.
    """

    def __init__(  # noqa: PLR0913
        self,
        part: SynchronousPart,
        loaded_again: Mapping[Place, Anew],
        refused: Mapping[FunctionPlace, Refused],
        bridges: Bridges,
        schedulers: Schedulers,
        differing: DifferingUses,
    ) -> None:
        self._differing = differing
        self._bridges = bridges
        self._schedulers = schedulers
        self._part = part
        self._refused = refused
        self._loaded_again = loaded_again
        self._project: Project = part.project
        self._decorating = Decorators(part)
        self._holding_up = HoldingUp(part)
        self._constructors = Constructors(part)
        self._doctests = Doctests(part.project)

    def rewritten(self, site: Site[ast.AST], function: FunctionPlace) -> Rewrite:
        """Return the rewrite of ``function``, the node of ``site``. Raises Refused."""
        if self._project.is_decided(site.module, site.node):
            raise Refused(reasons.BESIDE_ANOTHER, "the first plan")
        if function in self._refused:
            raise self._refused[function]
        part, node = self._part, site.node
        if part.entry_points.serves(function) and isinstance(node, ast.FunctionDef):
            return self._bridges.serving.rewritten(site, node, self.edits_inside)
        edits = self._edits(site, function)
        if function in part.entry_points.found and isinstance(node, ast.FunctionDef):
            split, caveats = self._bridges.split_edits(site, node, function)
            message = (
                f"the body of `{function.qualname}` moves into a coroutine function, which it runs"
            )
            return Rewrite(message, [*edits, *split], caveats)
        if function not in part.steps or not isinstance(node, ast.FunctionDef):
            message = f"`{function.qualname}` awaits its database calls"
            return Rewrite(message, edits, list(_caveats_of_task(self._project, function)))
        edits += self._doctests.naming(function, site.id)
        way = chain(part.steps, function)
        over = [f"`{step.to.qualname}`" for step in way if step.to is not None]
        why = f"it needs {', which needs '.join(over)}" if over else "it uses the database"
        message = f"`{function.qualname}` {_becoming(part, function)}: {why}"
        caveats, places = self._holding_up.caveats(site.module, node)
        caveats = [*caveats, *self._decorating.caveats(site.module, node)]
        caveats += caveats_of_loops(self._project, site.module, node)
        if part.properties.kind_of(function):
            caveats = [*caveats, *part.properties.caveats(function)]
        if made_before(part, site, node):
            caveats = [*caveats, CAVEAT]
        given, where = caveats_of_given(self._project, site.module, function)
        differs, at = self._differing.caveats(site.module, node)
        related = (*_way(function, way), *places, *where, *at)
        if is_constructor(site.module, node):
            pairs = self._constructors.injections(site.module, node)
            related = (*related, *(module.place(injected) for module, injected in pairs))
        return Rewrite(message, edits, [*caveats, *given, *differs], related)

    def edits_inside(
        self, site: Site[ast.AST], function: FunctionPlace, statements: Sequence[ast.stmt]
    ) -> list[Edit]:
        """Return what is written inside of statements of a file. Raises Refused."""
        insertions = Insertions(site.module)
        edits = self._body(site, function, insertions, statements)
        return [*edits, *insertions.edits(site)]

    def _edits(self, site: Site[ast.AST], function: FunctionPlace) -> list[Edit]:
        """Return what is written in the header of a function and inside of it. Raises Refused."""
        module, part, node = site.module, self._part, site.node
        insertions = Insertions(module)
        edits: list[Edit] = []
        is_entry = function in part.entry_points.found
        becomes = function in part.steps and isinstance(node, ast.FunctionDef) and not is_entry
        if isinstance(node, ast.FunctionDef) and becomes:
            self._check(module, node, function)
            if is_constructor(module, node):
                edits += self._constructors.edits(site, node)
            elif part.properties.kind_of(function):
                edits += part.properties.edits(site, function)
            elif not part.results.stays_plain(function):
                insertions.insert_before(node, "async ")
            elif part.waits(function):
                raise Refused(reasons.NOT_AWAITABLE_HERE, f"`{function.qualname}`")
            for span, name in manager_classes.renamed_methods(module, node):
                insertions.replace(span, name)
            edits += self._decorators(site, node)
            edits += made_before(part, site, node)
            edits += as_fixture(part, site, node, function)
            edits += self._returned_edits(site, node, function)
        edits += self._body(site, function, insertions, [node])
        return [*edits, *insertions.edits(site)]

    def _body(
        self,
        site: Site[ast.AST],
        function: FunctionPlace,
        insertions: Insertions,
        roots: Sequence[ast.AST],
    ) -> list[Edit]:
        """Return the nodes below ``roots`` to write again, and await the rest. Raises Refused.

        ``roots`` are the function, or statements outside of all functions.
        """
        module, part = site.module, self._part
        awaiting = Awaiting(module, insertions, partial(keeps_nothing, part, module))
        writer = OperationWriter(self._project, site, insertions, awaiting)

        def is_inside(place: Span) -> bool:
            return any(module.span(root).contains(place) for root in roots)

        # Functions and lambdas that become coroutine functions load and wait by themselves.
        alone = {"lazy": {item.place for item in part.calls.get(function, ())}}
        alone["awaited"] = part.in_written_lambdas - self._loaded_again.keys()
        operations = [
            one
            for one in part.operations_of(module, function)
            if is_inside(module.span(one.node))
            if module.place(one.node) not in alone.get(one.how, ())
        ]
        # For an engine that a test passes, the call is that of the engine as well.
        faked = {module.place(operation.node) for operation in operations if operation.fakes}
        edits = list(writer.edits_of(operations, self._loaded_again))
        spawned = [
            operation.node
            for operation in operations
            if operation.how in {"lazy", "spawned"} and not writer.makes(operation)
        ]
        calls = [
            candidate
            for candidate in part.calls.get(function, ())
            if is_inside(candidate.place.span)
            and candidate.place not in faked
            and not is_awaited_already(module, candidate)
        ]
        for call in calls:
            if len(call.functions) == 1 and part.entry_points.is_task(call.functions[0]):
                edits += self._call_of_task(site, insertions, awaiting, call)
            else:
                self._call(module, awaiting, insertions, call)
        resolved = {item.place for item in calls}
        sources = (part.entry_points, part.wrappers, part.locks)
        for place in dict.fromkeys(at for source in sources for at in source.calls_of(function)):
            if place not in resolved and is_inside(place.span):
                awaiting.awaits(module.calls_at(place.span)[0])
        for root in roots:
            runs = [*runs_of(self._project, module, root)]
            any(map(awaiting.awaits, runs))
            edits += write_runs(self._project, site, insertions, runs)
        node = site.node
        becomes = function in part.steps and function not in part.entry_points.found
        if isinstance(node, ast.FunctionDef) and becomes and module.is_generator(node):
            awaiting.generates(node, self._project.coroutine_tests.requests.name_of(module, node))
        read = [item for item in part.property_reads.get(function, ()) if is_inside(item.span)]
        self._properties(module, awaiting, insertions, read)
        managed = (*part.entries.get(function, ()), *part.locks.places_entered_by(function))
        entered = [candidate for candidate in managed if is_inside(candidate.span)]
        self._managers(site, awaiting, function, entered)
        awaiting.finish()
        waiting = [module.place(item.node) for item in operations] + [item.place for item in calls]
        waiting += read
        for root in roots:
            edits += part.pools.edits(site, root, part.in_threads, waiting)
        edits += spawn(self._project, site, insertions, spawned)
        return [*edits, *awaiting.edits(site)]

    # ------------------------------------------------------------------------------ the header
    def _check(self, module: Module, node: ast.FunctionDef, function: FunctionPlace) -> None:
        """Raise Refused where a function cannot become a coroutine function."""
        name = node.name
        is_method = module.enclosing_class(node) is not None
        if is_method and name in manager_classes.ENTERING:
            self._part.managers.check(function)
        elif is_constructor(module, node):
            self._constructors.check(module, node, function)
        elif is_method and name.startswith("__") and name.endswith("__") and name != "__call__":
            raise Refused(reasons.SYNC_PROTOCOL, function.qualname)
        owner = module.enclosing_class(node)
        qualname = module.full_name(owner)
        if qualname in self._project.object_factories.classes:
            raise Refused(reasons.IN_FACTORY, name)
        if owner is not None and _TEST_CASE in self._project.library_ancestors(qualname):
            raise Refused(reasons.UNITTEST, name)
        is_fixture = bool(xunit_scope(self._part, module, node, function))
        if not is_fixture and called_by_pytest(self._part, module, node, function):
            raise Refused(reasons.CALLED_BY_PYTEST, function.qualname)
        base = called_by_base(self._part, module, node, function)
        if base is not None:
            raise Refused(reasons.OVERRIDE, f"{function.qualname}` overrides a method of `{base}")
        handover = given_with_its_object(self._part, module, node, function)
        if handover is not None:
            raise Refused(reasons.HANDED_ON, function.qualname, because=(handover,))
        self._check_decorators(module, node, function)

    def _check_decorators(
        self, module: Module, node: ast.FunctionDef, function: FunctionPlace
    ) -> None:
        properties = self._part.properties
        if properties.kind_of(function):
            properties.check(function)
        for decorator in node.decorator_list:
            if properties.makes(module, decorator):
                continue
            if last_name(decorator) in _PROPERTIES:
                raise Refused(reasons.SYNC_PROTOCOL, function.qualname)
            is_job = self._schedulers.decorates(module, decorator)
            if is_job or self._decorating.hands_through(module, node, decorator):
                continue
            if not self._decorating.remembers_uncalled(module, node, decorator):
                raise Refused(reasons.DECORATED, module.excerpt(decorator))

    def _decorators(self, site: Site[ast.AST], node: ast.FunctionDef) -> Iterator[Edit]:
        for decorator in node.decorator_list:
            if self._project.qualified_name(site.module, decorator) == MANAGER:
                yield from write_twin(self._project, site, decorator, MANAGER)[1]

    def _returned_edits(
        self, site: Site[ast.AST], node: ast.FunctionDef, function: FunctionPlace
    ) -> Iterator[Edit]:
        module, declared = site.module, node.returns
        is_plain = self._part.results.stays_plain(function)
        if declared is None or not (is_plain or module.is_generator(node)):
            return
        outer = declared.value if isinstance(declared, ast.Subscript) else declared
        qualified = self._project.qualified_name(module, outer)
        # Names of sessions are written where all of them are.
        if qualified is None or qualified not in twins().names or qualified in NAMES:
            return
        yield from write_twin(self._project, site, outer, qualified)[1]
        match declared:
            # A generator that is asynchronous returns nothing.
            case ast.Subscript(slice=ast.Tuple(elts=[_, sent, returned])) if qualified.endswith(
                ".Generator"
            ):
                yield site.write(Span(module.span(sent).end, module.span(returned).end), "")

    # -------------------------------------------------------------------------------- the body
    def _call_of_task(
        self, site: Site[ast.AST], insertions: Insertions, awaiting: Awaiting, call: Call
    ) -> list[Edit]:
        node = site.module.calls_at(call.place.span)[0]
        awaiting.awaits(node)
        task = self._bridges.task(call.functions[0])
        return write_call_of_task(self._project, site, insertions, node, task)

    def _properties(
        self, module: Module, awaiting: Awaiting, insertions: Insertions, read: Iterable[Place]
    ) -> None:
        """Have properties called that become methods."""
        for node in (read_at(module, place) for place in read):
            awaiting.awaits(node)
            insertions.insert_after(node, "()")

    def _make(self, module: Module, awaiting: Awaiting, insertions: Insertions, call: Call) -> None:
        """Have an object made by what can be awaited."""
        node = module.calls_at(call.place.span)[0]
        above = self._constructors.called_above(module, node, call.functions[0])
        awaiting.awaits(node)
        if above:
            awaiting.renames(node.func, above)
        else:
            insertions.insert_at(module.span(node.func).end, f".{self._making(call)}")

    def _call(self, module: Module, awaiting: Awaiting, insertions: Insertions, call: Call) -> None:
        part = self._part
        nodes = module.calls_at(call.place.span)
        shown = call.name
        if call.kind == "unknown":
            why = f"`{shown}`, which becomes a coroutine function: {call.why}"
            raise Refused(reasons.UNKNOWN_CALL, why, because=(call.place,))
        # Lambdas alone have no function: their results are awaited.
        kinds = {part.results.kind_of(function) for function in call.functions} or {"coroutine"}
        if kinds == {"generator"} and gives_manager(part, module, nodes[0]):
            kinds = {"manager"}
        if len(kinds) != 1 or not all(map(part.ends_as_coroutine, call.functions)):
            why = f"several functions `{shown}`, of which only some become coroutine functions"
            raise Refused(reasons.UNKNOWN_CALL, why, because=(call.place,))
        match kinds.pop():
            case "coroutine" if applied_by(module, nodes[0]) is not None:
                awaiting.applies(nodes[0])
            case _ if applied_by(module, nodes[0]) is not None:
                raise Refused(reasons.GENERATOR_USE, shown, because=(call.place,))
            case "generator":
                result = map(self._part.node_of, call.functions)
                ends = any(pair is not None and has_end(*pair) for pair in result)
                awaiting.iterates(nodes[0], shown, has_end=ends)
            case "manager":
                awaiting.enters(nodes[0])
            case "class":
                self._make(module, awaiting, insertions, call)
            case _:
                awaiting.awaits(nodes[0])
                if call.name in manager_classes.ENTERING:
                    awaiting.renames(nodes[0].func, manager_classes.ENTERING[call.name])

    def _managers(
        self,
        site: Site[ast.AST],
        awaiting: Awaiting,
        function: FunctionPlace,
        entered: Iterable[Place],
    ) -> None:
        """Have managers of the program entered, and those that these inherit from called."""
        module, part = site.module, self._part
        resolved = {item.place for item in part.calls.get(function, ())}
        for call in manager_classes.inherited_calls(site.node) if function in part.steps else ():
            if module.place(call) not in resolved:
                awaiting.awaits(call)
                awaiting.renames(call.func, manager_classes.ENTERING[last_name(call.func)])
        for place in entered:
            awaiting.enters(manager_classes.entered_at(module, place))

    def _making(self, call: Call) -> str:
        """Return the class method that is called where a class was."""
        names = {
            self._constructors.name_of(module, node)
            for module, node in filter(None, map(self._part.node_of, call.functions))
            if isinstance(node, ast.FunctionDef)
        }
        if len(names) != 1:
            raise Refused(reasons.IN_CONSTRUCTOR, call.name, because=(call.place,))
        return names.pop()


def _becoming(part: SynchronousPart, function: FunctionPlace) -> str:
    """Return what a function becomes, in words."""
    kind = part.results.kind_of(function)
    if part.results.stays_plain(function):
        given = "is entered" if kind == "manager" else "is iterated"
        return f"returns the result of {given} asynchronously"
    node = part.node_of(function)
    if node is not None and xunit_scope(part, *node, function):
        return "becomes an asynchronous fixture"
    is_generator = node is not None and node[0].is_generator(node[1])
    return f"becomes {'an asynchronous generator' if is_generator else 'a coroutine function'}"


def _way(function: FunctionPlace, steps: Iterable[Step]) -> Iterator[Place]:
    """Yield where a function waits, and where what it waits for does, each with its function."""
    current: FunctionPlace | None = function
    for step in steps:
        if current is not None and step.kind == "calls":
            yield Place(step.at.path, step.at.span, f"in `{current.qualname}`")
        elif current is not None and step.to is not None:
            note = f"`{current.qualname}` may be called as `{step.to.qualname}`"
            yield Place(step.at.path, step.at.span, note)
        current = step.to


def _caveats_of_task(project: Project, function: FunctionPlace) -> Iterator[str]:
    """Yield what may change where a file makes a task of a coroutine function, and cancels one."""
    name = function.name
    files = {*project.files_with((b".cancel(",))} & {*project.files_with((name.encode(),))}
    for module in project.modules_at(sorted(files)):
        above = (module.parent(module.call_of(node) or node) for node in module.mentions(name))
        made = (last_name(call.func) for call in above if isinstance(call, ast.Call))
        if not _MAKING_TASKS.isdisjoint(made):
            yield _CANCELLED.format(name)
            return


def spawn(
    project: Project, site: Site[ast.AST], insertions: Insertions, calls: Iterable[ast.expr]
) -> list[Edit]:
    """Write `UserFactory(name=n)` as `greenlet_spawn(UserFactory, name=n)`, which is awaited.

    The arguments are evaluated where they were, so that they may wait for something themselves.
    Return the edits that import it. Raises Refused where the name is taken.
    """
    result = [node for node in calls if isinstance(node, ast.Call)]
    if not result:
        return []
    name, imports = name_from_same_module(project, site, None, SPAWN)
    for call in result:
        pass_function(site.module, insertions, call, name)
        imports += completing_edits(project, site, call, model_of(call))
    return imports
