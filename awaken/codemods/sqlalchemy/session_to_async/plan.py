"""The rule itself: one component, rewritten whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.components.leftover import (
    left_in_failing_files,
    removed_at_last,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import Found
from awaken.codemods.sqlalchemy.session_to_async.decide.deciding import decided_components
from awaken.codemods.sqlalchemy.session_to_async.decide.outcome import Outcome
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import WORDS
from awaken.codemods.sqlalchemy.session_to_async.options import Options
from awaken.codemods.sqlalchemy.session_to_async.outlines import Outlines
from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems
from awaken.codemods.sqlalchemy.session_to_async.stages import (
    Blocking,
    Reads,
    Writing,
    colour,
    find,
    resource_members,
)
from awaken.codemods.sqlalchemy.session_to_async.suites.suite_settings import DOCTEST_READS
from awaken.contract import (
    Change,
    Constraints,
    Level,
    Phase,
    Plan,
    Problem,
    Reason,
    Status,
)
from awaken.kit.changes import plan_of
from awaken.kit.reasons import NAME_TAKEN, OUT_OF_SIGHT
from awaken.kit.rule import Rule
from awaken.kit.search import SCRIPTS
from awaken.project.frameworks.sqlalchemy.engines.url_sources import URL_READS
from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS
from awaken.workspace.manifests.pytest_settings import PYTEST_READS

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.workspace.formats.toml_text import KeyPath
    from awaken.workspace.sources import Snapshot


class SessionToAsync(Rule):
    """Makes a synchronous program asynchronous: sessions, and all that waits for them."""

    name = "session-to-async"
    family = "sqlalchemy"
    # Functions change as a whole: other rules have to rewrite their bodies first.
    phase = Phase.COLOURING
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    declares: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=2.0"}  # `async_sessionmaker`, `URL`
    triggers = WORDS
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    reads = (SCRIPTS, *TEMPLATE_READS, *PYTEST_READS, *DOCTEST_READS, *URL_READS)
    looks_outside = True
    status = Status.OPT_IN
    options = Options
    reasons: ClassVar[tuple[Reason, ...]] = (NAME_TAKEN, OUT_OF_SIGHT, *reasons.ALL)
    writers = tuple(
        f"{__package__}.rewriting.{name}" for name in ("written_loops", "hoisted_statements")
    )

    def wrong_options(
        self, project: Project | None, options: Struct
    ) -> Iterable[tuple[KeyPath, str]]:
        """Yield the drivers, functions and packages of options that there are none of."""
        if not isinstance(options, Options):
            return ()
        return options.wrong() if project is None else options.wrong_in(project)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return a finding for each function that waits, and one change for all of them."""
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        blocking = find(project.without_sites(constraints.decided), self.name, options)
        if not blocking.operations.any_waits():
            # So a program is that was migrated, by us before or by people.
            return self._left_over(blocking, blocking.part(), constraints)
        reads = Reads(blocking, self.name)
        part, inside = colour(blocking, reads)
        if not part.is_waiting:
            return self._left_over(blocking, part, constraints)
        members = Writing(self.name, blocking, reads, part, inside).members()
        left = [*left_in_failing_files(project, members)]
        components = decided_components(part, members, constraints, options.component)
        outlines = Outlines(part, self.name, members.resources, components.shared, inside)
        outcome = Outcome(part, self.name, components, constraints, outlines)
        return plan_of([*outcome.decisions(), *left])

    def _left_over(
        self, blocking: Blocking, part: SynchronousPart, constraints: Constraints
    ) -> Plan:
        """Return the rewrites of the synchronous side of a program in which nothing waits."""
        members = Found(resources=[*resource_members(self.name, part, blocking.resources)])
        components = decided_components(part, members, constraints, blocking.options.component)
        return plan_of(removed_at_last(part.project, components, constraints))

    def prove_against(
        self, before: Snapshot, after: Project, changes: Sequence[Change]
    ) -> Iterable[Problem]:
        """Yield what ``changes`` broke: coroutines that nothing awaits, sessions that block."""
        return problems(Before(before), after, changes)
