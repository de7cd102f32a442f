"""The targets of a project: the versions it runs on, and a rewrite must hold on all of them."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from awaken.contract import UserError
from awaken.workspace.manifests.manifest_readers import (
    MANIFEST_NAMES,
    Declared,
    Manifest,
    RequirementFiles,
    read_lock,
    read_manifest,
    uv_workspace,
)
from awaken.workspace.manifests.versions import (
    PYTHON_MINORS,
    current,
    is_within,
    lowest_python,
    overlap,
    python_line,
    requested_range,
    shown_range,
    specifiers,
)
from awaken.workspace.reading import METADATA_LIMIT, enclosure_of, upwards, why_unread
from awaken.workspace.sources import FileProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.markers import Marker

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")

_CURRENT = "current versions"
NOTHING_DECLARED = f"nothing declared: {_CURRENT}"

_PLATFORMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
)


class DistributionTarget(Struct, frozen=True):
    """The versions of one distribution, or of Python, that the code must run on.

    ``ranges`` are alternatives (other extras, other markers); ``origin`` names the files that
    they were read from, or says that nothing is declared.
    """

    name: str
    ranges: tuple[SpecifierSet, ...]
    origin: str

    @property
    def specifier(self) -> str:
        """The ranges as one text to show."""
        return " or ".join(map(shown_range, self.ranges))

    @property
    def is_assumed(self) -> bool:
        """Whether no file and no option names a version, so that the current ones are assumed."""
        return self.origin.endswith(_CURRENT)


class Targets:
    """The targets of one project root.

    ``problems`` says which manifests could not be used, ``skipped`` which of their lines were not.
    """

    def __init__(
        self,
        targets: Iterable[DistributionTarget] = (),
        problems: Iterable[FileProblem] = (),
        skipped: Iterable[FileProblem] = (),
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._targets.setdefault("python", _undeclared_target("python"))
        self.problems = tuple(problems)
        self.skipped = tuple(skipped)

    @property
    def python(self) -> tuple[SpecifierSet, ...]:
        """The alternatives for Python."""
        return self._targets["python"].ranges

    @property
    def lowest_python(self) -> tuple[int, int]:
        """The lowest minor version of Python that the project runs on, as ``(3, 11)``."""
        return lowest_python(self.python)

    def distribution(self, name: str) -> DistributionTarget | None:
        """Return what the project declares of a distribution, or of ``python``; None if nothing."""
        return self._targets.get(canonicalize_name(name))

    def declares_any(self, names: Iterable[str]) -> bool:
        """Whether the project declares one of these distributions."""
        return any(self.distribution(name) is not None for name in names)

    def admits(self, name: str, specifier: str) -> bool:
        """Whether some version that the project may run on lies in ``specifier``.

        An undeclared version is current: ``admits("sqlalchemy", "<2")`` is false for it.
        """
        asked = SpecifierSet(specifier)
        return any(overlap(span, asked) for span in self._target(name).ranges)

    def guarantees(self, name: str, specifier: str) -> bool:
        """Whether every version that the project may run on lies in ``specifier``."""
        asked = SpecifierSet(specifier)
        return all(is_within(span, asked) for span in self._target(name).ranges)

    def all(self) -> tuple[DistributionTarget, ...]:
        """Return every target, by name."""
        return tuple(self._targets[name] for name in sorted(self._targets))

    def origins(
        self, names: Sequence[str] = ("sqlalchemy", "fastapi")
    ) -> tuple[DistributionTarget, ...]:
        """Return Python and those of ``names`` that the project declares, to be shown."""
        known = (self.distribution(name) for name in ("python", *names))
        return tuple(target for target in known if target is not None)

    def _target(self, name: str) -> DistributionTarget:
        return self.distribution(name) or _undeclared_target(canonicalize_name(name))


def _undeclared_target(name: str) -> DistributionTarget:
    return DistributionTarget(name, (current(name),), NOTHING_DECLARED)


def read_targets(
    root: Path,
    target_version: str | None = None,
    overrides: Mapping[str, str] | None = None,
    said: Mapping[str, str] | None = None,
    members: Sequence[str] = (),
) -> Targets:
    """Return the targets of the project in ``root``.

    Folders in it, its ``members``, declare what it does not declare itself.
    ``target_version`` (``py311``, ``3.11``) is the lowest Python, as in ruff; ``overrides`` maps
    distributions to a release line, a version or a specifier. Both win over the manifests, and come
    from the options of that name unless ``said`` tells where, by distribution. Raises UserError for
    an override in another form.
    """
    forced = _overrides(target_version, overrides or {}, said or {})
    manifests = [read_manifest(root, name) for name in MANIFEST_NAMES]
    pinned = read_requirement_files(root, manifests)
    locks, problems = _locks(root)
    # Python first: whether a requirement with a marker applies depends on it.
    python = forced.get("python") or _python(root, manifests)
    collected = _collect(manifests, pinned, locks, python.ranges)
    installed = _installed_versions(root)
    targets = {name: _settle(name, target, installed) for name, target in collected.items()}
    for name in installed:
        targets.setdefault(name, DistributionTarget(name, (installed[name],), "installed in .venv"))
    every = [*problems, *(problem for item in (*manifests, *pinned) for problem in item.problems)]
    skipped = {line for item in pinned for line in item.skipped}
    known = {**targets, "python": python, **forced}
    own = Targets(known.values(), sorted(set(every)), sorted(skipped))
    inside = {member: read_targets(root / member) for member in members}
    return _with_members(own, inside) if inside else own


def _with_members(own: Targets, inside: Mapping[str, Targets]) -> Targets:
    """Return ``own`` with what the targets ``inside``, by folder, declare and it does not.

    Each member may be installed without the others.
    """
    more: dict[str, DistributionTarget] = {}
    for member, targets in inside.items():
        for target in targets.all():
            declared = own.distribution(target.name)
            if target.origin == NOTHING_DECLARED or not (declared is None or declared.is_assumed):
                continue
            before = more.get(target.name)
            ranges, origin = target.ranges, f"{member}: {target.origin}"
            if before is not None:
                ranges, origin = _either((*before.ranges, *ranges)), f"{before.origin}; {origin}"
            more[target.name] = DistributionTarget(target.name, ranges, origin)
    problems, skipped = (
        (
            FileProblem(f"{member}/{item.path}", item.line, item.message)
            for member, targets in inside.items()
            for item in (targets.skipped if is_skipped else targets.problems)
        )
        for is_skipped in (False, True)
    )
    joined = {target.name: target for target in (*own.all(), *more.values())}
    return Targets(
        joined.values(), sorted({*own.problems, *problems}), sorted({*own.skipped, *skipped})
    )


def _overrides(
    version: str | None, overrides: Mapping[str, str], said: Mapping[str, str]
) -> dict[str, DistributionTarget]:
    targets: dict[str, DistributionTarget] = {}
    for name, text in overrides.items():
        key = canonicalize_name(name)
        origin = said.get(key, f"--target {name}={text}")
        try:
            targets[key] = DistributionTarget(key, (requested_range(text),), origin)
        except InvalidSpecifier:
            raise UserError(
                f"--target {name}={text}: {text!r} is not a version; write a release line (2.0), "
                "a version (1.4.54) or a range (>=1.4,<2.1)"
            ) from None
    if version is not None:
        match = re.fullmatch(r"(?:py)?([0-9])\.?([0-9]{1,3})", version)
        if match is None:
            raise UserError(f"--target-version {version}: write the lowest Python, such as py311")
        lowest = SpecifierSet(f">={match[1]}.{match[2]}")
        origin = said.get("python", f"--target-version {version}")
        targets["python"] = DistributionTarget("python", (lowest,), origin)
    return targets


def _python(root: Path, manifests: Sequence[Manifest]) -> DistributionTarget:
    for manifest in manifests:
        if manifest.python:
            return DistributionTarget("python", manifest.python, manifest.origin)
    for name, pattern in (
        (".python-version", r"([0-9]{1,3}\.[0-9]{1,3})"),
        (".venv/pyvenv.cfg", _VENV),
    ):
        hint = re.search(pattern, _hint(root, name))
        if hint:
            return DistributionTarget("python", (specifiers(f"=={hint[1]}.*"),), name)
    return _undeclared_target("python")


_VENV = r"(?m)^version(?:_info)?[ \t]*+=[ \t]*+([0-9]{1,3}\.[0-9]{1,3})"


def _hint(root: Path, name: str) -> str:
    try:
        return enclosure_of(root).read(root / name, METADATA_LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""


NAMED_REQUIREMENTS = re.compile(r".*requirements.*\.(txt|in)", re.DOTALL)


def read_requirement_files(root: Path, manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return what each of the requirement files of ``root`` asks for."""
    files = RequirementFiles(root)
    return [files.read(name) for name in requirement_files(root, manifests)]


def requirement_files(root: Path, manifests: Sequence[Manifest]) -> list[str]:
    """Return the requirement files of ``root``; a ``.in`` only where it was never compiled."""
    enclosure = enclosure_of(root)
    beside = enclosure.names(root)
    names = {name for name in beside if NAMED_REQUIREMENTS.fullmatch(name)}
    inside = enclosure.names(root / "requirements")
    names |= {f"requirements/{name}" for name in inside if name.endswith((".txt", ".in"))}
    # A program without any at its root may have them in its package.
    for folder in () if names or {*MANIFEST_NAMES} & {*beside} else beside:
        within = enclosure.names(root / folder)
        if "__init__.py" in within:
            names |= {f"{folder}/{n}" for n in within if NAMED_REQUIREMENTS.fullmatch(n)}
    compiled = {name for name in names if f"{name.removesuffix('.in')}.txt" not in names}
    named = {name for manifest in manifests for name in manifest.requirement_files}
    return sorted(compiled | named)


def _locks(root: Path) -> tuple[dict[str, DistributionTarget], list[FileProblem]]:
    """Return the exact versions in the project's lock files.

    A member of a uv workspace is locked at the workspace's top.
    """
    targets: dict[str, DistributionTarget] = {}
    problems: list[FileProblem] = []
    for path in lock_files(root):
        try:
            locked = read_lock(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(FileProblem(path.name, 0, why_unread(error)))
            continue
        except ValueError as error:
            problems.append(FileProblem(path.name, 0, f"cannot be read as a lock file: {error}"))
            continue
        for key, ranges in locked.items():
            targets.setdefault(key, DistributionTarget(key, ranges, path.name))
    return targets, problems


def own_locks(root: Path, members: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the paths of the lock files in ``root`` itself and its ``members``."""
    enclosure = enclosure_of(root)
    paths = (*LOCKS, *(f"{member}/{name}" for member in members for name in LOCKS))
    return tuple(path for path in paths if enclosure.state(f"{root}/{path}") is not None)


def lock_files(root: Path) -> Iterator[Path]:
    """Yield where the lock files of ``root`` are looked for, whether they exist or not."""
    yield from (root / name for name in LOCKS)
    yield from _workspace_locks(root)


def _workspace_locks(root: Path) -> Iterator[Path]:
    """Yield the lock file of the uv workspace that ``root`` is a member of."""
    for directory in islice(upwards(root), 1, None):
        workspace = uv_workspace(directory)
        if workspace is not None:
            inside = root.relative_to(directory)
            if any(_matches(inside, pattern) for pattern in workspace):
                yield directory / "uv.lock"
            return


def _matches(path: Path, pattern: str) -> bool:
    try:
        return path.match(pattern)
    except ValueError:  # the pattern is empty
        return False


def _collect(
    manifests: Sequence[Manifest],
    pinned: Sequence[Manifest],
    locks: Mapping[str, DistributionTarget],
    pythons: tuple[SpecifierSet, ...],
) -> dict[str, DistributionTarget]:
    """Join what the files say: requirements files narrow the metadata, lock files both."""
    optional = [Manifest(manifest.origin, required=manifest.optional) for manifest in manifests]
    extras = _alternatives(optional, pythons)
    declared = {**extras, **_targets_together(manifests, pythons)}
    requirements = _alternatives(pinned, pythons)
    targets = dict(locks)
    for name in {*declared, *requirements}:
        target = _narrowed_target(declared.get(name), requirements.get(name))
        target = _narrowed_target(target, locks.get(name))
        if target is not None:
            targets[name] = target
    return targets


def _targets_together(
    manifests: Sequence[Manifest], pythons: tuple[SpecifierSet, ...]
) -> dict[str, DistributionTarget]:
    """Return what the metadata files say: all of them hold at once."""
    targets: dict[str, DistributionTarget] = {}
    for manifest in manifests:
        for name, ranges in _of_one_file(manifest.required, pythons).items():
            target = DistributionTarget(name, ranges, manifest.origin)
            targets[name] = _narrowed_target(targets.get(name), target) or target
    return targets


def _alternatives(
    manifests: Sequence[Manifest], pythons: tuple[SpecifierSet, ...]
) -> dict[str, DistributionTarget]:
    """Return what extras and requirements files say: each may be installed without the others.

    One that names no version says nothing.
    """
    targets: dict[str, DistributionTarget] = {}
    for manifest in manifests:
        for name, ranges in _of_one_file(manifest.required, pythons).items():
            before = targets.get(name)
            if before is None or _is_bare(before):
                targets[name] = DistributionTarget(name, ranges, manifest.origin)
            elif any(map(str, ranges)):
                joined = _either((*before.ranges, *ranges))
                targets[name] = DistributionTarget(
                    name, joined, _joined_text(before.origin, manifest.origin)
                )
    return targets


def _joined_text(*origins: str) -> str:
    return ", ".join(dict.fromkeys(part for origin in origins for part in origin.split(", ")))


def _is_bare(target: DistributionTarget) -> bool:
    return not any(map(str, target.ranges))


def _of_one_file(
    requirements: Iterable[Declared], pythons: tuple[SpecifierSet, ...]
) -> dict[str, tuple[SpecifierSet, ...]]:
    """Join the requirements of one file: all hold, those under different markers alternatively."""
    always: dict[str, tuple[SpecifierSet, ...]] = {}
    sometimes: dict[str, list[SpecifierSet]] = {}
    for item in requirements:
        applies = _applies(item.marker, item.pythons, pythons)
        if applies is True:
            always[item.name] = _intersection(always.get(item.name, (SpecifierSet(),)), item.ranges)
        elif applies is None:
            sometimes.setdefault(item.name, []).extend(item.ranges)
    for name, alternatives in sometimes.items():
        ranges = _either(alternatives)
        always[name] = _intersection(always[name], ranges) if name in always else ranges
    return always


@cache
def _applies(
    marker: Marker | None, own: tuple[SpecifierSet, ...], pythons: tuple[SpecifierSet, ...]
) -> bool | None:
    """Whether a requirement applies on every target (True), on none (False), on some (None).

    It is one for Python in a range of ``own`` (empty: always).
    """
    try:
        verdicts = {
            _holds(marker, minor, platform)
            and (not own or any(overlap(line, python) for python in own))
            for minor, line in _minors(pythons)
            for platform in (_PLATFORMS if marker else _PLATFORMS[:1])
        }
    except ValueError:  # it compares what has no order: os_name ~= "x"
        return None
    return verdicts.pop() if len(verdicts) == 1 else None


@cache
def _minors(pythons: tuple[SpecifierSet, ...]) -> tuple[tuple[str, SpecifierSet], ...]:
    lines = ((f"{major}.{minor}", python_line(major, minor)) for major, minor in PYTHON_MINORS)
    return tuple((name, line) for name, line in lines if any(overlap(line, one) for one in pythons))


def _holds(marker: Marker | None, minor: str, platform: Mapping[str, str]) -> bool:
    if marker is None:
        return True
    # No extra: a requirement of one is optional, and read as an alternative.
    environment = {"python_version": minor, "python_full_version": f"{minor}.0", "extra": ""}
    return marker.evaluate({**environment, **platform})


_MOST = 32
"""Alternatives of a distribution, and bounds of each, that are told apart. A hand written file has
up to ten; to compare all with all takes their number to the power of four."""


def _either(ranges: Sequence[SpecifierSet]) -> tuple[SpecifierSet, ...]:
    """Return the alternatives, each once; any version where they are more than ``_MOST``."""
    different = tuple(dict.fromkeys(ranges))
    return different if len(different) <= _MOST else (SpecifierSet(),)


def _intersection(
    one: tuple[SpecifierSet, ...], other: tuple[SpecifierSet, ...]
) -> tuple[SpecifierSet, ...]:
    """Return what lies in a range of each; ``one`` where they have nothing in common.

    Also for more than ``_MOST`` ranges, or one of more than ``_MOST`` bounds: too many versions are
    never wrong, because a rewrite must hold on all of them.
    """
    if len(one) * len(other) > _MOST or max(map(len, (*one, *other)), default=0) > _MOST:
        return one
    joined = (left & right for left, right in product(one, other) if overlap(left, right))
    return tuple(dict.fromkeys(joined)) or one


def _narrowed_target(
    target: DistributionTarget | None, by: DistributionTarget | None
) -> DistributionTarget | None:
    """Return ``target`` with only the versions that ``by`` allows too."""
    if target is None or by is None:
        return target or by
    if _is_bare(by):
        return target
    if len(by.ranges) > _MOST or max(map(len, (*target.ranges, *by.ranges))) > _MOST:
        return target
    inside = any(overlap(left, right) for left, right in product(target.ranges, by.ranges))
    if not inside:  # the files contradict each other: what is declared counts
        return target
    # An exact version stays as it is written; its intersection with a range would read worse.
    if by.origin in LOCKS:
        kept = [span for span in by.ranges if any(overlap(span, wide) for wide in target.ranges)]
        return DistributionTarget(target.name, tuple(kept), _joined_text(target.origin, by.origin))
    ranges = _intersection(target.ranges, by.ranges)
    return DistributionTarget(target.name, ranges, _joined_text(target.origin, by.origin))


def _settle(
    name: str, target: DistributionTarget, installed: Mapping[str, SpecifierSet]
) -> DistributionTarget:
    """Return ``target``, or what is installed, or the current versions, if it names no version."""
    if not _is_bare(target):
        return target
    if name in installed:
        return DistributionTarget(name, (installed[name],), "installed in .venv")
    return DistributionTarget(
        name, (current(name),), f"{target.origin} names no version: {_CURRENT}"
    )


def _installed_versions(root: Path) -> dict[str, SpecifierSet]:
    """Return what is installed in the project's own ``.venv``, from the names of its metadata."""
    specifier_sets: dict[str, SpecifierSet] = {}
    enclosure = enclosure_of(root)
    lib = root / ".venv/lib"
    pythons = [lib / name for name in enclosure.names(lib) if name.startswith("python")]
    for python in (*pythons[:_PYTHONS_LIMIT], root / ".venv/Lib"):
        for installed in enclosure.names(python / "site-packages"):
            name, dash, version = installed.removesuffix(".dist-info").partition("-")
            if not dash or not installed.endswith(".dist-info"):
                continue
            try:
                specifier_sets[canonicalize_name(name)] = specifiers(f"=={version}")
            except InvalidSpecifier:
                continue  # not metadata that pip wrote
    return specifier_sets


_PYTHONS_LIMIT = 8
"""Directories of one environment for a Python each; pip makes one."""
