"""The remarks of a diagnosis: errors and advice, each with what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from awaken.engine.diagnosing.diagnosis import Remark, RootDiagnosis, Severity
from awaken.kit.rule import Rule
from awaken.workspace.discovery import Found
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.manifests.versions import current, shown_range
from awaken.workspace.reading import SOURCE_LIMIT, Enclosure
from awaken.workspace.sources import FileProblem


def errors(problems: Iterable[FileProblem]) -> tuple[Remark, ...]:
    """Return what awaken cannot use, as remarks."""
    return tuple(
        Remark(Severity.ERROR, problem.message, path=problem.path, line=problem.line)
        for problem in problems
    )


def remarks(
    seen: RootDiagnosis, found: Found, targets: Targets, rules: Sequence[Rule]
) -> tuple[Remark, ...]:
    """Return what to act on in one root: errors first, then advice by how much it changes."""
    wrong = errors((*found.problems, *targets.problems))
    # First: until it is undone, no other command works here.
    if seen.pending:
        wrong = (Remark(Severity.ERROR, seen.pending), *wrong)
    if not found.files:
        nothing = _advice("there is no Python file here", "Name the directory of a program.")
        return wrong if seen.nested else (*wrong, nothing)
    return (
        *wrong,
        *_rules(seen),
        *_versions(seen, found, rules),
        *_python(seen, targets),
        *_formatter(seen),
        *_uncommitted_remarks(seen),
    )


def _advice(message: str, help_text: str) -> Remark:
    return Remark(Severity.ADVICE, message, help_text)


def _rules(seen: RootDiagnosis) -> Iterator[Remark]:
    for rule in seen.rules:
        if rule.runs and rule.why:
            help_text = "Raise the requirement, or pass the version with --target."
            yield _advice(f"{rule.name} {rule.why}", help_text)
    for item in seen.passes:
        if item.name in seen.settings.untrusted:
            yield _advice(
                f"{item.name} does not run: {item.target} is {seen.settings.untrusted[item.name]}",
                "Read it, then pass --trust-passes to run it, or run `awaken trust` once.",
            )
    if not any(rule.runs for rule in seen.rules):
        yield _advice("no rule runs here", "Select one: `awaken rules` lists them.")


def _versions(seen: RootDiagnosis, found: Found, rules: Sequence[Rule]) -> Iterator[Remark]:
    """Yield the libraries that a rule needs and a file names, but whose version is assumed."""
    running = {status.name for status in seen.rules if status.runs}
    chosen = [rule for rule in rules if rule.name in running]
    libraries = {library.name: library for library in seen.libraries}
    for name in sorted({name for rule in chosen for name in rule.needs} & libraries.keys()):
        library = libraries[name]
        if library.specifier and not library.assumed:
            continue
        # A library that no file names needs no version: most projects use few that rules know.
        if _mentions(found, name.replace("-", "_").encode()):
            said = "is declared without a version" if library.specifier else "is not declared"
            yield _advice(
                f"{name} {said}: awaken assumes {shown_range(current(name))}",
                f"Declare the version, or pass --target {name}=VERSION.",
            )


def _mentions(found: Found, word: bytes) -> bool:
    """Whether some file holds ``word``; a file that cannot be read does not."""
    enclosure = Enclosure(found.root.path)
    for path in found.files:
        with suppress(OSError):
            if word in enclosure.read(found.root.path / path, SOURCE_LIMIT):
                return True
    return False


def _python(seen: RootDiagnosis, targets: Targets) -> Iterator[Remark]:
    lowest, running = targets.lowest_python, sys.version_info[:2]
    if lowest > running:
        program, own = (".".join(map(str, pair)) for pair in (lowest, running))
        yield _advice(
            f"the program needs Python {program}, but awaken runs on {own}, so it cannot "
            "read files with newer syntax",
            f"Run awaken with Python {program} or newer.",
        )
    elif seen.python.assumed:
        yield _advice(
            f"no Python version is declared, so awaken assumes {seen.python.specifier}",
            "Set requires-python in pyproject.toml, or pass --target-version.",
        )


def _formatter(seen: RootDiagnosis) -> Iterator[Remark]:
    formatting = seen.formatting
    if formatting.declared and formatting.first_executable is None:
        first = formatting.declared[0]
        yield _advice(
            f"formatter {first.name} is declared ({first.origin}) but not on PATH, so "
            "awaken does not format rewritten code",
            f"Install {first.name} in awaken's environment.",
        )


def _uncommitted_remarks(seen: RootDiagnosis) -> Iterator[Remark]:
    repository = seen.repository
    if repository is not None and repository.changed:
        files = "file is" if repository.changed == 1 else "files are"
        yield _advice(
            f"{repository.changed:,} tracked {files} changed and not committed, so "
            "`awaken apply` will stop",
            "Commit or stash them, or pass --allow-dirty.",
        )
