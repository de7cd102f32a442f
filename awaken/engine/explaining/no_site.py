"""The reason for a place without a site: from a file that is not read to a rule that declines."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from awaken.contract import Finding, Place, Span
from awaken.engine.explaining.explanation import Why, covers
from awaken.engine.planning.policy import Policy
from awaken.engine.planning.rule_planning import plan_rule
from awaken.engine.report import RootReport
from awaken.engine.root_run import RootRun
from awaken.kit.rule import Rule
from awaken.project import Project
from awaken.project.source.f_strings import is_literal
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.workspace.discovery import DiscoverySettings
from awaken.workspace.ignores import (
    DEFAULT_EXCLUDE,
    Patterns,
    TrackedPaths,
    gitignore,
    outer_gitignores,
)

_WORDS = 5
"""As many words that a rule looks for are named."""


def not_python(path: str) -> Why:
    """Return why the file at ``path``, of another suffix than Python's, is not looked at."""
    suffix = Path(path).suffix
    what = {".pyi": "a stub has no code to rewrite", ".ipynb": "a notebook is JSON"}
    message = f"{what.get(suffix, 'it is not a Python file')}; awaken rewrites .py files"
    return Why(code="not-python", message=message)


def why_unread(report: RootReport, path: str) -> Why:
    """Return why a file that was asked for could not be read."""
    said = [diagnostic for diagnostic in report.diagnostics if diagnostic.path == path]
    where = f"line {said[0].line}: " if said and said[0].line else ""
    what = said[0].message if said else "is not among the files that awaken reads"
    return Why(code="unreadable", message=f"{where}the file {what}")


class NoSite(Struct, frozen=True, kw_only=True):
    """A line without a site, and what is known of the program around it.

    ``point`` is the byte of the column that was asked for. ``findings`` are the sites elsewhere in
    the file.
    """

    run: RootRun
    project: Project
    path: str
    number: int
    line: Span
    point: int | None
    findings: tuple[Finding, ...]

    def whys(self) -> Iterator[Why]:
        """Yield the reasons, the most telling first."""
        module = self.project.module(self.path)
        if module is None:
            yield self._unparsable()
            return
        chosen = self.run.running_rules()
        # A rule that has something to say of the place knows better than its text shows.
        result = [*self._not_selected(_text_around(module, self.line)), *self._said_by(chosen)]
        plain = None if result else _plain(module, self.line, self.number)
        yield from result
        if plain is not None:
            yield plain
        if not (chosen or result):
            yield Why(code="no-rule", message="no rule is selected", help="See `awaken rules`.")
        elif plain is None:
            yield from self._not_concerned(chosen, {why.rule for why in result})
        if plain is None:
            yield from self._not_trusted()

    def _unparsable(self) -> Why:
        failure = self.project.parse_failures[self.path]
        where = f"line {failure.line}: " if failure.line else ""
        return Why(
            code="unparsable",
            message=f"the file is not valid Python, so no rule looked at it: {where}{failure}",
        )

    def _said_by(self, rules: Sequence[Rule]) -> Iterator[Why]:
        """Yield what rules say that looked at the place and left it."""
        for rule in rules:
            if said := self._why_not(rule):
                yield Why(code="not-its-business", message=said, rule=rule.name)

    def _why_not(self, rule: Rule) -> str | None:
        # The column first, then the whole line: the cursor may be next to the intended code.
        spans = [self.line] if self.point is None else [Span(self.point, self.point), self.line]
        try:
            said = (rule.why_no_site(self.project, Place(self.path, span)) for span in spans)
            return next((sentence for sentence in said if sentence), None)
        except Exception as error:  # noqa: BLE001  a rule may fail in any way
            return f"internal error in {rule.name}: {type(error).__name__}: {error}"

    def _not_selected(self, around: bytes) -> Iterator[Why]:
        """Yield the rules that would find a site here if they ran, by triggers ``around`` it."""
        chosen, line = {rule.name for rule in self.run.running_rules()}, self._line_text
        is_answered = False
        # Rules that look for a word of the line come first.
        for rule in sorted(self.run.rules, key=lambda rule: not _is_triggered(rule, line)):
            # Foreign code is run where somebody asks for it, and not to answer a question.
            if rule.name in chosen or rule.is_foreign or not _is_triggered(rule, around):
                continue
            # A plan may take as long as that of a program: not for a second answer. A rule that
            # reads the program and decides by file has sites where its words are.
            is_aside = is_answered or (rule.decides_by == "file" and not rule.per_file)
            if is_aside and not _is_triggered(rule, line):
                continue
            project = self.project.with_site_scope(frozenset({self.path}))
            constraints = Policy(options=self.run.settings.options).constraints_of(rule)
            planned = plan_rule(rule, project, constraints)
            here = [f for f in planned.plan.findings if self._is_here(f)]
            off = self.run.settings.rules_off[rule.name]
            if any(diagnostic.internal for diagnostic in planned.diagnostics):
                # It may need files other than Python, which were not read for it.
                yield Why(
                    code="not-selected",
                    rule=rule.name,
                    message=f"{rule.name} does not run, so its findings here are unknown: {off}",
                    help=f"Run with `--select {rule.name}`.",
                )
            elif here:
                is_answered = True
                ignored = ", and remove it from `ignore`" if "ignore" in off else ""
                would = f"{rule.name} would find a site here ({here[0].level})"
                yield Why(
                    code="not-selected",
                    rule=rule.name,
                    message=f"{would}, but it does not run: {off}",
                    help=f"Run with `--select {rule.name}`{ignored}.",
                )

    def _not_trusted(self) -> Iterator[Why]:
        """Yield the passes that would run here, if the user let them."""
        settings = self.run.settings
        for rule in self.run.rules:
            if rule.name in settings.untrusted and _is_triggered(rule, self._text):
                yield Why(
                    code="not-trusted",
                    rule=rule.name,
                    message=(
                        f"{rule.name} does not run, so its findings here are "
                        f"unknown: {settings.rules_off[rule.name]}"
                    ),
                )

    def _is_here(self, finding: Finding) -> bool:
        place = finding.place
        return place.path == self.path and covers(place.span, self.line)

    @property
    def _line_text(self) -> bytes:
        return self._text[self.line.start : self.line.end]

    @property
    def _text(self) -> bytes:
        return self.project.snapshot[self.path].text

    def _not_concerned(self, rules: Sequence[Rule], said: set[str]) -> Iterator[Why]:
        """Yield what the rules that say nothing of the place look for."""
        for rule in rules:
            if rule.name in said:
                continue
            words = [f"`{trigger.decode('utf-8', 'replace')}`" for trigger in rule.triggers]
            if len(words) > _WORDS:
                words[_WORDS:] = [f"one of {len(words) - _WORDS} more words"]
            looks = f"{rule.name} looks for {' or '.join(words)}"
            if not _is_triggered(rule, self._text):
                message = f"{looks}, and this file contains none of them"
                yield Why(code="no-trigger", rule=rule.name, message=message)
                continue
            sites = sum(finding.rule == rule.name for finding in self.findings)
            count = f"{sites} site{'' if sites == 1 else 's'} in this file, none on this line"
            count = count if sites else "no site in this file"
            message = f"{looks} and found {count}" if words else f"{rule.name} found {count}"
            yield Why(code="not-this-line", rule=rule.name, message=message)


def _plain(module: Module, line: Span, number: int) -> Why | None:
    """Return what the line is where it is no code at all."""
    text = module.source.text[line.start : line.end]
    for node in module.walk():
        if is_literal(node):
            own = module.span(node)
            inside = own.start < line.start and line.end <= own.end
            whole = own.contains(_stripped_span(text, line)) and isinstance(
                module.parent(node), ast.Expr
            )
            if inside or whole:
                return Why(code="in-string", message=f"line {number} is in a string")
    if not text.strip():
        return Why(code="blank", message=f"line {number} is blank")
    if text.lstrip().startswith(b"#"):
        return Why(code="comment", message=f"line {number} is a comment")
    return None


def _is_triggered(rule: Rule, text: bytes) -> bool:
    return not rule.triggers or any(word in text for word in rule.triggers)


def _text_around(module: Module, line: Span) -> bytes:
    """Return the text of the innermost function around ``line``, or else of its statement."""
    text = module.source.text
    start = _stripped_span(text[line.start : line.end], line).start
    statements = [
        node
        for node in module.walk()
        if isinstance(node, ast.stmt) and module.span(node).start <= start < module.span(node).end
    ]
    functions = [node for node in statements if isinstance(node, Function)]
    spans = [module.span(node) for node in functions or statements]
    span = min(spans, key=lambda item: item.end - item.start, default=line)
    return text[span.start : span.end]


def _stripped_span(text: bytes, line: Span) -> Span:
    start = line.start + len(text) - len(text.lstrip())
    return Span(start, line.start + len(text.rstrip()))


def why_excluded(run: RootRun, path: str) -> Why | None:
    """Return which pattern keeps the project-relative ``path`` from being looked at, if any."""
    root, settings = run.found.root, run.settings
    exclusion = None
    if not root.lone:
        discovery = DiscoverySettings(
            exclude=settings.exclude, respect_gitignore=settings.respect_gitignore
        )
        exclusion = _exclusion_of(root.path, path, discovery)
    if exclusion is None:
        return None
    what = f"the directory {exclusion.what}" if exclusion.what.endswith("/") else "the file"
    where = _origin(run, exclusion)
    return Why(
        code="excluded",
        message=f"{what} matches the pattern `{exclusion.pattern}` {where}",
        help=(
            "Change the pattern. force-exclude excludes the file even if you name it."
            if settings.force_exclude
            else "Name the file itself as a path, as in `awaken check FILE`, or change the pattern."
        ),
    )


def _origin(run: RootRun, found: Exclusion) -> str:
    if found.file:
        path, root = Path(found.file), run.found.root.path
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        return f"in {shown}:{found.line}"
    origins = run.settings.origins
    if found.pattern in DEFAULT_EXCLUDE and "exclude" not in origins:
        return "that awaken excludes by default"
    said = [origins[name] for name in ("exclude", "extend-exclude") if name in origins]
    return f"in the setting exclude ({', '.join(said) or 'the command line'})"


class Exclusion(Struct, frozen=True):
    """``pattern`` leaves out ``what``: the file, or a directory above it (ends in a slash).

    ``file`` is the absolute path of the ignore file and ``line`` the pattern's line there; empty
    and 0 for the setting ``exclude``.
    """

    what: str
    pattern: str
    file: str = ""
    line: int = 0


def _exclusion_of(root: Path, path: str, settings: DiscoverySettings) -> Exclusion | None:
    """Return why a walk of ``root`` leaves out the project-relative ``path``; None if it does not.

    Goes down the directories as the walk does, because nothing below an excluded one is ever read.
    """
    base = f"{root}/"
    excluded = [
        candidate.patterns_below(root) for candidate in settings.exclude if candidate.patterns
    ]
    ignores = outer_gitignores(root) if settings.respect_gitignore else []
    tracked = TrackedPaths(root)
    ignored = None
    parts = path.split("/")
    for depth, part in enumerate(parts):
        above = "".join(f"{name}/" for name in parts[:depth])
        what = above + (part if depth == len(parts) - 1 else f"{part}/")
        if settings.respect_gitignore:
            ignores.append(gitignore(base + above))
        # In the order of the walk, which asks the option first.
        exclusion = _decided_pattern(excluded, base, what)
        if exclusion is not None:
            return exclusion
        # Below an ignored directory no other pattern says anything.
        ignored = ignored or _decided_pattern(ignores, base, what)
        if ignored is not None and not tracked.hold(what):
            return ignored
    return None


def _decided_pattern(patterns: Sequence[Patterns], base: str, what: str) -> Exclusion | None:
    """Return the pattern that leaves out ``what``; the last of ``patterns`` that says anything."""
    full, name = base + what, what.rstrip("/").rpartition("/")[2] + ("/" * what.endswith("/"))
    for one in reversed(patterns):
        decision = one.decision(full, name)
        line, pattern = one.deciding(full, name) or (0, "")
        if decision is not None:
            return Exclusion(what, pattern, one.file, line if one.file else 0) if decision else None
    return None
