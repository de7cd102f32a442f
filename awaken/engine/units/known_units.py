"""Plans of units and rewritten files, kept between runs: a unit is a rule with one file or all.

A unit has its own evidence (``awaken.project.source.looked_at``). awaken plans it again if a file
that it read changed. It also does if a changed file answers one of its searches differently.
Comments and blank lines change nothing beyond the files that the plan names.

Plans are pickled, because the payloads of rewriters have types that only their rule knows. The
results cache reads only bytes that the user's key has signed. In addition, awaken makes nothing
from them but its own data.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from awaken.contract import Constraints
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import SpanMap
from awaken.engine.planning.rule_planning import Planned
from awaken.engine.remembering.evidence import (
    Answers,
    SeenFile,
    answered_by,
    answers_by_file,
    noted_answers,
    same_code,
)
from awaken.engine.remembering.known_texts import KnownTexts
from awaken.engine.remembering.named_files import named_files, names_file
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.rewriting.rewritten import FileContext, KnownRewritings, RewrittenFile
from awaken.kit.rule import Rule
from awaken.project.source.looked_at import LookedAt, Search
from awaken.project.source.memo import cached_method
from awaken.project.source.programs.start_folders import StartFolder
from awaken.settings.typed_settings import is_default
from awaken.workspace.sources import Snapshot, SourceFile, is_python

FIRST_STAGE = "0"
"""The name of the stage that begins with the files as they are."""


class Unit(NamedTuple):
    """A rule with its constraints, and the files in which it looks for sites: None for all.

    ``layout`` are the folders that decide how the project names its modules.
    """

    rule: Rule
    constraints: Constraints
    scope: frozenset[str] | None = None
    layout: tuple[frozenset[str], tuple[StartFolder, ...]] = (frozenset(), ())

    def in_file(self, path: str) -> Unit:
        """Return the same with the sites of one file."""
        here = frozenset(place for place in self.constraints.rewritten if place.path == path)
        constraints = structs.replace(self.constraints, rewritten=here)
        return self._replace(scope=frozenset({path}), constraints=constraints)

    def key(self) -> bytes:
        """Return a digest that tells it from all other units of a stage."""
        constraints = structs.asdict(self.constraints)
        if is_default(self.constraints.options):
            # They are the rule's code, which is not loaded where all its plans are known.
            del constraints["options"]
        said = (self.rule.name, self.scope, self.layout, constraints)
        return hashlib.sha256(
            msgspec.msgpack.encode(said, order="deterministic", enc_hook=repr)
        ).digest()


class KnownUnit(Struct, frozen=True, array_like=True):
    """A plan, pickled, and the number of its evidence."""

    plan: bytes
    evidence: int


class UnitEvidence(Struct, frozen=True, array_like=True):
    """Numbers of the files that were read, and of the searches."""

    read: tuple[int, ...]
    searches: tuple[int, ...]


class KnownUnits(Struct, frozen=True, array_like=True):
    """The units of one stage of a run.

    made_from: digest of all inputs except the Python files.
    searches, answers: the searches of all units, and each set of answers that a file gives.
    files: the Python files by path, with their digests and the numbers of their answers.
    evidence: that of the units.
    """

    made_from: bytes
    searches: tuple[Search, ...]
    answers: tuple[Answers, ...]
    files: dict[str, SeenFile]
    evidence: tuple[UnitEvidence, ...]
    units: dict[bytes, KnownUnit]


class ChangedFiles(Struct, frozen=True):
    """Numbers of the files that changed, and of the searches that they answer otherwise.

    Of ``commented`` nothing but comments and blank lines changed.
    """

    files: frozenset[int] = frozenset()
    commented: frozenset[int] = frozenset()
    searches: frozenset[int] = frozenset()


class StageUnits:
    """Recalls the plans of a stage whose evidence holds for ``snapshot``, and keeps new plans.

    ``made_from`` is the digest of all inputs of plans except the files. ``on_disk`` are the files
    before the run edited some of them. ``texts`` are those from which known plans were made.
    """

    def __init__(
        self,
        known: KnownUnits | None,
        snapshot: Snapshot,
        made_from: bytes,
        on_disk: Mapping[str, SourceFile],
        texts: KnownTexts,
    ) -> None:
        self._snapshot = snapshot
        self._on_disk = on_disk
        self._texts = texts
        self._paths = tuple(sorted(path for path in snapshot if is_python(path)))
        self._made_from = self._digest(made_from)
        same = known is not None and known.made_from == self._made_from
        self._known = known if same else None
        self._units: dict[bytes, tuple[bytes, LookedAt]] = {}

    def _digest(self, made_from: bytes) -> bytes:
        digest = hashlib.sha256(made_from)
        for path in sorted(self._snapshot):
            own = b"" if is_python(path) else self._digest_of(path)
            digest.update(path.encode("utf-8", "surrogateescape") + b"\0" + own)
        return digest.digest()

    def _digest_of(self, path: str) -> bytes:
        """Return the digest of a file as it is in this stage."""
        source = self._snapshot[path]
        # An edited file keeps the digest of the bytes on disk.
        is_edited = self._on_disk.get(path) is not source
        return hashlib.sha256(source.text).digest() if is_edited else source.digest

    def is_of(self, snapshot: Snapshot) -> bool:
        """Whether ``snapshot`` holds the files of this stage."""
        # By identity: a file that nobody edited is the same object in both snapshots.
        return set(self._snapshot) == set(snapshot) and all(
            self._snapshot[path] is snapshot[path] for path in snapshot
        )

    def known_searches(self) -> Iterator[tuple[Search, Iterable[str]]]:
        """Yield the known searches, each with the files in which it holds now."""
        searches = () if self._known is None else self._known.searches
        yield from zip(searches, self._by_search, strict=True)

    def recall(self, unit: Unit) -> Planned | None:
        """Return the plan of a unit, with its evidence; None if no known plan holds."""
        key = unit.key()
        known = self._known.units.get(key) if self._known is not None else None
        holds = known is not None and self._holds(unit, known)
        planned = plan_from_bytes(known.plan) if known is not None and holds else None
        if known is None or planned is None:
            return None
        looked_at = self._evidence_of(known.evidence)
        self._units[key] = known.plan, looked_at
        return structs.replace(planned, looked_at=looked_at)

    def keep(self, unit: Unit, planned: Planned) -> None:
        """Keep a plan with its evidence, unless awaken failed, or came to a limit."""
        if planned.looked_at is None or any(told.internal for told in planned.diagnostics):
            return
        plan = plan_to_bytes(planned)
        if plan is not None:
            self._units[unit.key()] = plan, planned.looked_at

    def to_keep(self) -> KnownUnits:
        """Return the units of this run, for the next one."""
        distinct = {id(looked_at): looked_at for _, looked_at in self._units.values()}
        evidence = LookedAt()
        for looked_at in distinct.values():
            evidence.add(looked_at)
        searches, answers, seen = answers_by_file(self._paths, noted_answers(evidence))
        numbers = {search: number for number, search in enumerate(searches)}
        places = {path: number for number, path in enumerate(self._paths)}
        answering = {path for answers in evidence.told.values() for path in answers}
        for path in (evidence.read | answering) & places.keys():
            self._texts.keep(self._digest_of(path), self._snapshot[path].text)
        order = {key: number for number, key in enumerate(distinct)}
        return KnownUnits(
            self._made_from,
            searches,
            answers,
            {path: SeenFile(self._digest_of(path), seen[path]) for path in self._paths},
            tuple(
                UnitEvidence(
                    tuple(sorted(places[path] for path in looked_at.read if path in places)),
                    tuple(sorted(map(numbers.__getitem__, (*looked_at.searched, *looked_at.told)))),
                )
                for looked_at in distinct.values()
            ),
            {
                key: KnownUnit(plan, order[id(looked_at)])
                for key, (plan, looked_at) in self._units.items()
            },
        )

    def _holds(self, unit: Unit, known: KnownUnit) -> bool:
        changed = self._changed_files
        if not self._has_same_code(known.evidence):
            return False
        # Facts of a file have no places, but those that a plan names have moved.
        moved = {*changed.files, *changed.commented}
        return not moved or not self._tells_places(unit, known.plan, moved)

    @cached_method
    def _has_same_code(self, number: int) -> bool:
        """Whether no code that is evidence changed."""
        known, changed = self._evidence(number), self._changed_files
        return changed.files.isdisjoint(known.read) and changed.searches.isdisjoint(known.searches)

    def _evidence(self, number: int) -> UnitEvidence:
        return UnitEvidence((), ()) if self._known is None else self._known.evidence[number]

    def _tells_places(self, unit: Unit, plan: bytes, changed: Iterable[int]) -> bool:
        """Whether sites are looked for in a changed file, or the plan names it."""
        names, own = named_files(plan), unit.scope or frozenset()
        paths = (self._paths[number] for number in changed)
        return any(path in own or names_file(names, path) for path in paths)

    @cached_property
    def _changed_files(self) -> ChangedFiles:
        known = self._known
        if known is None:
            return ChangedFiles()
        files, commented, searches = set[int](), set[int](), set[int]()
        for number, path in enumerate(self._paths):
            before, source = known.files[path].digest, self._snapshot[path]
            if self._digest_of(path) == before:
                continue
            if same_code(self._texts, before, source, known.searches) is not None:
                commented.add(number)
            else:
                files.add(number)
                differing = {*self._known_answers(path)} ^ {*self._answers_now(path)}
                searches.update(search for search, _ in differing)
        return ChangedFiles(frozenset(files), frozenset(commented), frozenset(searches))

    def _known_answers(self, path: str) -> Answers:
        seen = None if self._known is None else self._known.files[path].answers
        return () if self._known is None or seen is None else self._known.answers[seen]

    def _answers_now(self, path: str) -> Answers:
        searches = () if self._known is None else self._known.searches
        return answered_by(self._snapshot[path], searches)

    @cached_property
    def _by_search(self) -> list[dict[str, bytes]]:
        """The answers of the files as they are now, by path, for each known search."""
        known = self._known
        if known is None:
            return []
        by_search: list[dict[str, bytes]] = [{} for _ in known.searches]
        changed = self._changed_files.files
        for number, path in enumerate(self._paths):
            answers = self._answers_now(path) if number in changed else self._known_answers(path)
            for search, said in answers:
                by_search[search][path] = said
        return by_search

    @cached_method
    def _evidence_of(self, evidence: int) -> LookedAt:
        known = self._evidence(evidence)
        looked_at = LookedAt(read={self._paths[number] for number in known.read})
        searches = () if self._known is None else self._known.searches
        for number in known.searches:
            answers = self._by_search[number]
            if searches[number].kind in {"exports", "facts"}:
                looked_at.note_answers(searches[number], answers)
            else:
                looked_at.note_search(searches[number], answers)
        return looked_at


class UnitMemory:
    """Holds the units of each stage of a run; ``asked`` is the digest of its request.

    ``made_from`` is the digest of all inputs of plans except rules, constraints and files.
    ``texts`` are those from which its plans were made.
    """

    def __init__(
        self, cache: ResultsCache, asked: bytes, made_from: bytes, texts: KnownTexts
    ) -> None:
        self.cache: ResultsCache = cache
        self._asked = asked
        self._made_from = made_from
        self._texts = texts
        self._stages: dict[bytes, StageUnits] = {}
        self._on_disk: Mapping[str, SourceFile] = {}

    def stage(self, name: str, snapshot: Snapshot) -> StageUnits:
        """Return the units of the stage ``name``, planned on ``snapshot``."""
        key = hashlib.sha256(self._asked + name.encode()).digest()
        if key in self._stages and self._stages[key].is_of(snapshot):
            return self._stages[key]
        if name == FIRST_STAGE:
            self._on_disk = {path: snapshot[path] for path in snapshot}
        known = self.cache.get(KnownUnits, key)
        units = StageUnits(known, snapshot, self._made_from, self._on_disk, self._texts)
        self._stages[key] = units
        return units

    def known_searches(self, snapshot: Snapshot) -> Iterator[tuple[Search, Iterable[str]]]:
        """Yield the searches of the last run, with the files of ``snapshot`` in which they hold."""
        return self.stage(FIRST_STAGE, snapshot).known_searches()

    def keep(self) -> None:
        """Keep the units of all stages for the next run."""
        for key, units in self._stages.items():
            self.cache.put(key, units.to_keep())


_OWN = "awaken."


class _AnyStruct(Struct, kw_only=True):
    """A Struct that pickle makes by keyword."""

    field: None = None


_REBUILD: Any = _AnyStruct().__reduce__()[0]
_PLAIN = {(kind.__module__, kind.__qualname__) for kind in (frozenset, set, _REBUILD)}
"""What else a pickle may name: plain collections, and what makes a Struct in this msgspec."""


def plan_to_bytes(planned: Planned) -> bytes | None:
    """Return a plan as bytes, without its evidence; None for a payload that has no bytes."""
    bare = Planned(planned.plan, planned.diagnostics)
    try:
        data = pickle.dumps(bare, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001  a payload may be anything
        return None
    return data if plan_from_bytes(data) == bare else None


def plan_from_bytes(data: bytes) -> Planned | None:
    """Return the plan of these bytes; None for bytes that hold anything else."""
    try:
        planned = _Reader(io.BytesIO(data)).load()
    except Exception:  # noqa: BLE001  bytes may be anything
        return None
    return planned if isinstance(planned, Planned) else None


class _Reader(pickle.Unpickler):
    """Reads pickles that hold awaken's own data and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        kind = super().find_class(module, name) if module.startswith(_OWN) else None
        if isinstance(kind, type) and issubclass(kind, Struct | tuple | Enum):
            return kind
        raise pickle.UnpicklingError(f"{module}.{name} is no data of awaken")


class KnownRewriting(Struct, frozen=True, array_like=True):
    """The text of a rewritten file, and the rounds of its splices (``SpanMap.rounds``)."""

    text: bytes
    rounds: tuple[tuple[tuple[int, int, int], ...], ...]


class Rewritings(KnownRewritings):
    """Recalls rewritten files from ``cache``, and keeps new ones.

    Only edits of rules of awaken are kept: its code is part of the place of the cache.
    """

    def __init__(self, cache: ResultsCache, rules: Collection[str]) -> None:
        self._cache = cache
        self._rules = rules

    def key(
        self, source: SourceFile, edits: Sequence[OwnedEdit[Any]], context: FileContext
    ) -> bytes | None:
        """Return a digest of all inputs of a rewriting; None if it is not kept."""
        if any(owned.rule not in self._rules for owned in edits):
            return None
        inputs = source.path, source.text, source.encoding, [*edits], context
        try:
            return hashlib.sha256(_encode(inputs)).digest()
        except (TypeError, UnicodeEncodeError, OverflowError):
            return None

    def recall(self, key: bytes | None, source: SourceFile) -> RewrittenFile | None:
        """Return ``source`` after the edits of its ``key``; None if that is not known."""
        known = None if key is None else self._cache.get(KnownRewriting, key)
        if known is None:
            return None
        return RewrittenFile(source.with_text(known.text), SpanMap.of_rounds(known.rounds))

    def keep(self, key: bytes | None, rewritten: RewrittenFile) -> None:
        """Keep what came of a file, if all of it could be done."""
        if key is not None and not rewritten.problems:
            known = KnownRewriting(rewritten.source.text, rewritten.moved.rounds())
            self._cache.put(key, known)


def _plain_data(value: object) -> object:
    """Return ``value`` as plain data that names the type of each of its parts.

    Raises TypeError for what is no data.
    """
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    match value:
        case None | bool() | int() | float() | str() | bytes() if not isinstance(value, Enum):
            return value
        case Enum():
            return [name, value.name]
        case Struct():
            return [name, *map(_plain_data, structs.astuple(value))]
        case tuple() | list():
            return [name, *map(_plain_data, value)]
        case set() | frozenset():
            return [name, *sorted(map(_encode, value))]
        case Mapping():
            return [name, *sorted((_encode(key), _encode(item)) for key, item in value.items())]
        case _:
            raise TypeError(f"{name} is no data")


def _encode(value: object) -> bytes:
    return msgspec.msgpack.encode(_plain_data(value))
