"""The laws that hold for every rule and every case, whatever the case is about."""

from __future__ import annotations

import io
import tempfile
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import mock

from msgspec.structs import replace

from awaken import api
from awaken.contract import Finding, Level, SiteId
from awaken.engine.machine import workers
from awaken.engine.planning import rule_planning
from awaken.engine.planning.rule_discovery import all_rules
from awaken.engine.remembering.named_files import named_files, names_file
from awaken.engine.report import ChangeSummary, Report
from awaken.engine.root_run import RootRun
from awaken.kit.rule import Rule
from awaken.preview.markdown.rule_page import levels
from awaken.project import Project
from awaken.project.source.programs import module_store
from awaken.testing.cases import Case
from awaken.testing.law_texts import (
    comments_of,
    differences,
    import_lines,
    lines_of_sites,
    on_disk,
    python_files,
    require_files,
    require_meaning,
    require_same,
    with_tabs,
)
from awaken.testing.running import (
    CaseResult,
    declared_reasons,
    diagnostics_of,
    difference,
    options,
    require,
    run_case,
    with_pass,
    write_project,
)
from awaken.testing.unit_laws import (
    plans_that_hold_are_those_of_the_edited_program,
    units_change_nothing,
)
from awaken.workspace.sources import Snapshot

__tracebackhide__ = True  # as in running

Law = Callable[[CaseResult], None]
"""A function that raises AssertionError where the law is broken."""

_BOM = b"\xef\xbb\xbf"
_LEFT_OUT_ALONE = 6
"""Sites of a case that are excluded alone, each in a run of its own. A choice by the time of the
suite: those left are seen in the two runs that exclude every second site."""
_FILES_ALONE = 3
"""Files of a case that a run is about alone. A choice by the time of the suite."""


def after_compiles(result: CaseResult) -> None:
    """Every Python file compiles after the run."""
    for path, content in python_files(result.files):
        # Else the `__future__` imports of this file would hold for the case.
        compile(content, path, "exec", dont_inherit=True)


def second_run_is_empty(result: CaseResult) -> None:
    """Running again on the result changes nothing."""
    again = run_case(result.case, result.rules, files=result.files)
    changed = [change.path for change in again.report.files]
    require(not changed, f"a second run changes {changed} again")


def comments_survive(result: CaseResult) -> None:
    """No comment is lost, wherever it moves, except those that the case calls gone."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for path, content in python_files(result.case.before):
        before += comments_of(content)
        after += comments_of(result.files[path])
    lost, gone = before - after, Counter(result.case.settings.gone)
    require(not lost - gone, f"lost the comments {sorted(lost - gone)}")
    # A case that calls a kept comment gone is out of date.
    require(not gone - lost, f"kept the comments {sorted(gone - lost)}")


def other_lines_are_untouched(result: CaseResult) -> None:
    """Every difference lies in a statement with a rewritten site, or in the imports."""
    for change in result.report.files:
        if change.before is None or not change.path.endswith(".py"):
            continue
        before, after = change.before.text, change.after.text
        # awaken adds and removes imports far from the sites.
        ours = lines_of_sites(result, change.path, before) | import_lines(before)
        imports = import_lines(after)
        found = [_unexplained(item, ours, imports) for item in differences(before, after, ours)]
        line = (found[0] or 0) + 1
        require(None in found, f"{change.path}:{line} changed, and no finding is there")


def _unexplained(
    ends: list[tuple[int, int, int, int]], ours: frozenset[int], imports: frozenset[int]
) -> int | None:
    """Return the first line before that is not ``ours`` and differs, None if there is none."""
    for low, high, start, end in ends:
        # New lines have no earlier place, but are next to a site.
        beside = not ours.isdisjoint({low - 1, low})
        explained = beside or set(range(start, end)) <= imports
        if not explained or set(range(low, high)) - ours:
            return low
    return None


def windows_newlines(result: CaseResult) -> None:
    """The same program with CRLF gives the same result with CRLF."""
    _same_after(result, lambda content: content.replace(b"\n", b"\r\n"))


def carriage_returns(result: CaseResult) -> None:
    """The same program whose lines end in CR alone gives the same result, with CR alone.

    It may break its lines elsewhere. Where more is left alone than in the case, it only has to
    compile. Comments are not moved in such files.
    """
    variant = _variant(result, lambda content: content.replace(b"\n", b"\r"))
    after_compiles(variant)
    alike = _levels(variant) == _levels(result)
    for path, content in python_files(result.files):
        made = variant.files[path]
        require(b"\n" not in made, f"{path} has got lines that do not end in CR")
        if alike:
            require_meaning(path, content, made.replace(b"\r", b"\n"))


def _levels(result: CaseResult) -> Counter[Level]:
    return Counter(finding.level for finding in result.report.findings)


def byte_order_mark(result: CaseResult) -> None:
    """The same program with a BOM gives the same result with a BOM."""
    _same_after(result, lambda content: _BOM + content)


def no_final_newline(result: CaseResult) -> None:
    """The same program without its last newline gives the same result without it."""
    _same_after(result, lambda content: content.rstrip(b"\n"))


def tab_indentation(result: CaseResult) -> None:
    """The same program indented with tabs gives the same result, wherever its lines break."""
    variant = _variant(result, with_tabs)
    for path, content in python_files(result.files):
        varied = with_tabs(content) if path in result.case.before else content
        require_meaning(path, varied, variant.files[path])


def two_jobs_equal_one(result: CaseResult) -> None:
    """Two processes, which really start, find and change the same as one."""
    # A case is so small that no process would start.
    with mock.patch.object(workers, "SECONDS_WORTH_A_POOL", 0.0):
        other = run_case(result.case, result.rules, jobs=2)
    require_same(result, other, "two jobs")


def memory_and_order_change_nothing(result: CaseResult) -> None:
    """A run that keeps one tree at a time, and asks about files backwards, finds the same."""
    site_files, paths = Project.site_files, Snapshot.__iter__

    def backwards(project: Project, triggers: Sequence[bytes]) -> list[str]:
        return site_files(project, triggers)[::-1]

    with (
        # One byte drops every tree as soon as the next is read.
        mock.patch.object(module_store, "KEPT_SOURCE_BYTES", 1),
        mock.patch.object(Project, "site_files", backwards),
        mock.patch.object(Snapshot, "__iter__", lambda files: reversed(list(paths(files)))),
    ):
        other = run_case(result.case, result.rules)
    require_same(result, other, "one tree at a time, and files backwards")


def files_alone_show_the_same(result: CaseResult) -> None:
    """A run about one file finds and changes there what it would among all sites."""
    rule = _rule_of(result)
    decided_in = [finding.place.path for finding in result.report.findings]
    for path in list(dict.fromkeys(decided_in))[:_FILES_ALONE]:
        with _sites_in(None):
            among_all = run_case(result.case, result.rules, paths=[path])
        alone = run_case(result.case, result.rules, paths=[path])
        require_same(among_all, alone, f"{path} alone")
        if rule.decides_by_file:
            with _sites_in(path):
                narrowed = run_case(result.case, result.rules)
            rows = [_text_about(path, item.report.findings) for item in (result, narrowed)]
            require(rows[0] == rows[1], f"sites of {path} alone:\n{difference(*rows)}")


def comments_elsewhere_change_nothing(result: CaseResult) -> None:
    """Comments on every line of the files that an answer does not name change nothing of it."""
    decided_in = [finding.place.path for finding in result.report.findings]
    for path in list(dict.fromkeys(decided_in))[:_FILES_ALONE]:
        with _sites_in(path):
            plain = run_case(result.case, result.rules)
        names = named_files(repr(plain.report).encode())
        commented = {
            other: _with_comments(content)
            for other, content in python_files(result.case.before)
            if other != path and not names_file(names, other)
        }
        with _sites_in(path):
            files = {**result.case.before, **commented}
            other_run = run_case(result.case, result.rules, files=files)
        rows = [_text_about(path, run.report.findings) for run in (plain, other_run)]
        require(rows[0] == rows[1], f"comments beside {path}:\n{difference(*rows)}")
        changed = [name for name, text in plain.files.items() if text != other_run.files.get(name)]
        require(set(changed) <= commented.keys(), f"comments beside {path}: something else changes")


def _with_comments(content: bytes) -> bytes:
    """Return a program with a comment at the end of each line that can have one."""
    lines = content.decode().split("\n")
    with suppress(SyntaxError, tokenize.TokenError):
        for token in [*tokenize.generate_tokens(io.StringIO(content.decode()).readline)]:
            is_end = token.type in {tokenize.NEWLINE, tokenize.NL}
            if is_end and token.string and "#" not in token.line:
                lines[token.start[0] - 1] += "  # said"
    return "\n".join(lines).encode()


@contextmanager
def _sites_in(path: str | None) -> Iterator[None]:
    """Have sites looked for in one file; None for all files, whatever is selected."""
    scope = None if path is None else frozenset({path})
    with mock.patch.object(RootRun, "site_scope", return_value=scope):
        yield


def _text_about(path: str, findings: Sequence[Finding]) -> bytes:
    return "".join(f"{finding}\n" for finding in findings if finding.place.path == path).encode()


def anchors_hide_nothing(result: CaseResult) -> None:
    """A rule that is planned whatever the program holds has no site more."""
    rule = _rule_of(result)
    text = b"\0".join(content for _, content in python_files(result.case.before))
    if all(any(word in text for word in words) for words in (rule.triggers, *rule.anchors)):
        return
    with mock.patch.object(rule_planning, "may_have_sites", return_value=True):
        other = run_case(result.case, result.rules)
    require_same(result, other, "without triggers and anchors")


def _rule_of(result: CaseResult) -> Rule:
    rules = all_rules() if result.rules is None else result.rules
    return next(rule for rule in rules if rule.name == result.case.rule)


def any_change_can_be_left_out(result: CaseResult) -> None:
    """Without some of its sites everything still holds together, and the rest is changed.

    Every site is excluded with every second one, and some of them alone. So neighbours and nested
    sites are seen both ways, and a case with many sites still costs few runs.
    """
    made = {site for change in result.report.changes for site in change.sites}
    sites = [finding.site for finding in result.report.findings if finding.site in made]
    alone = sites[:: len(sites) // _LEFT_OUT_ALONE + 1]
    # Every second one: neighbours are seen with and without each other.
    choices = [sites[::2], sites[1::2], *([site] for site in alone)]
    for excluded in {frozenset(choice) for choice in choices if choice}:
        rest = run_case(result.case, result.rules, excluded=excluded)
        _require_rest(result, rest, excluded)


def chosen_changes_are_what_is_not_left_out(result: CaseResult) -> None:
    """To choose changes gives the bytes of a run that leaves out the sites of the others.

    All that are chosen give what the run gave, and none give nothing.
    """
    with tempfile.TemporaryDirectory(prefix="awaken-case-") as directory:
        root = Path(directory).resolve()
        write_project(root, result.case.before)
        asked, rules = options(result.case), with_pass(result.case, result.rules, root)
        report = api.run([root], asked, rules)
        changes = report.roots[0].changes
        everyone = [(root, change.id) for change in changes]
        all_made, none_made = (
            api.run_chosen(report, chosen, [root], asked, rules) for chosen in (everyone, [])
        )
        _require_bytes(report, all_made, "with all changes chosen")
        require(not none_made.roots[0].files, "files change though no change is chosen")
        # Of a single change the two above are all choices.
        for others in (changes[::2], changes[1::2])[: len(changes) // 2 * 2]:
            sites = frozenset(site for change in others for site in change.sites)
            rest = api.run([root], replace(asked, excluded=sites), rules)
            made = {site for change in rest.roots[0].changes for site in change.sites}
            chosen = [(root, change.id) for change in changes if made.issuperset(change.sites)]
            same = api.run_chosen(report, chosen, [root], asked, rules)
            _require_bytes(rest, same, f"leaving out {sorted(sites)}")


def _require_bytes(wanted: Report, made: Report, what: str) -> None:
    before, after = (
        {file.path: file.after.raw() for file in report.roots[0].files} for report in (wanted, made)
    )
    require_files(before, after, what)


def manual_findings_say_why(result: CaseResult) -> None:
    """Every manual finding has a declared reason, and says what is wrong and what to do."""
    declared = declared_reasons(result)
    for finding in result.report.findings:
        require(finding.message, f"{finding.place} has no message")
        if finding.level is Level.MANUAL:
            reason = finding.reason or "(none)"
            # The engine refuses for its own reasons too, of any rule.
            known = reason in declared or reason.startswith("engine/")
            require(known, f"{finding.place} has the undeclared reason {reason}")
            require(finding.help, f"{finding.place} ({reason}) does not say what to do")


def levels_are_declared(result: CaseResult) -> None:
    """Every finding has a level that its rule declares, as far as the rule decided it."""
    rules = all_rules() if result.rules is None else result.rules
    declared = {rule.name: levels(rule) for rule in rules}
    for finding in result.report.findings:
        level, rolled_back = finding.level, (finding.reason or "").startswith("engine/")
        # awaken's own advice comes from no rule.
        known = level in declared.get(finding.rule, (level,))
        require(known or rolled_back, f"{finding.rule} does not declare the level {level}")


def one_finding_per_site(result: CaseResult) -> None:
    """Every site has one finding, and no two findings of a rule are at one place."""
    sites = Counter(finding.site for finding in result.report.findings)
    places = Counter((finding.rule, finding.place) for finding in result.report.findings)
    twice = [what for what, count in (*sites.items(), *places.items()) if count > 1]
    require(not twice, f"more than one finding for {twice}")


def undo_restores_every_byte(result: CaseResult) -> None:
    """Applying writes what was shown, and undoing gives back the bytes that were there."""
    with tempfile.TemporaryDirectory(prefix="awaken-case-") as directory:
        root, state = Path(directory).resolve() / "project", Path(directory).resolve() / "state"
        root.mkdir()
        write_project(root, result.case.before)
        before = on_disk(root)
        api.apply(Report((replace(result.report, root=root),), ()), state=state)
        # The manifest next to them is no file of the case.
        shown = {path: content for path, content in on_disk(root).items() if path in result.files}
        require(shown == dict(result.files), "apply wrote something else than was shown")
        api.undo(root, state=state)
        require(on_disk(root) == before, "undo did not give back what was there")


LAWS: Mapping[str, Law] = {
    "compiles": after_compiles,
    "second-run": second_run_is_empty,
    "comments": comments_survive,
    "untouched": other_lines_are_untouched,
    "crlf": windows_newlines,
    "cr": carriage_returns,
    "bom": byte_order_mark,
    "no-final-newline": no_final_newline,
    "tabs": tab_indentation,
    "jobs": two_jobs_equal_one,
    "memory": memory_and_order_change_nothing,
    "anchors": anchors_hide_nothing,
    "alone": files_alone_show_the_same,
    "units": units_change_nothing,
    "edits": plans_that_hold_are_those_of_the_edited_program,
    "comments-elsewhere": comments_elsewhere_change_nothing,
    "left-out": any_change_can_be_left_out,
    "chosen": chosen_changes_are_what_is_not_left_out,
    "reasons": manual_findings_say_why,
    "levels": levels_are_declared,
    "one-finding": one_finding_per_site,
    "undo": undo_restores_every_byte,
}

_ON_PLAIN_TEXT = {"crlf", "cr", "bom", "no-final-newline", "tabs"}
_ON_CHANGES = {"untouched", "left-out", "chosen", "undo", "second-run"}
_ON_SEVERAL_FILES = {"alone", "units", "comments-elsewhere"}


def laws_of(case: Case) -> list[str]:
    """Return the names of the laws that say something about ``case``.

    Variants of newlines, BOM and indentation need a program that has the usual ones.
    """
    plain = all(
        b"\r" not in content and b"\t" not in content and not content.startswith(_BOM)
        for content in case.before.values()
    )
    changes = case.before != case.after
    is_one_file = sum(path.endswith(".py") for path in case.before) <= 1
    return [
        name
        for name in LAWS
        if (plain or name not in _ON_PLAIN_TEXT)
        and (changes or name not in _ON_CHANGES)
        and not (is_one_file and name in _ON_SEVERAL_FILES)
    ]


def _variant(result: CaseResult, vary: Callable[[bytes], bytes]) -> CaseResult:
    """Return what comes of the case with each Python file varied."""
    files = {path: vary(content) for path, content in python_files(result.case.before)}
    return run_case(result.case, result.rules, files={**result.case.before, **files})


def _same_after(result: CaseResult, vary: Callable[[bytes], bytes]) -> None:
    variant = _variant(result, vary)
    for path, content in python_files(result.files):
        made = variant.files[path]
        if path not in result.case.before:
            # A file that a rule creates follows the newlines of the others, and nothing else.
            require_meaning(path, content, made)
        else:
            require_files({path: vary(content)}, {path: made}, "in this variant")


def _require_rest(result: CaseResult, rest: CaseResult, excluded: frozenset[SiteId]) -> None:
    after_compiles(rest)
    without = f"leaving out {sorted(excluded)}"
    said = diagnostics_of(rest)
    require(not said, f"{without}: {said}")
    made = {site for change in rest.report.changes for site in change.sites}
    require(not made & excluded, f"{without}: {sorted(made & excluded)} changed all the same")
    # A change that needs an excluded one is rightly left out with it.
    single = {site for change in result.report.changes for site in _independent(change)}
    missing = single - excluded - made
    require(not missing, f"{without} left out {sorted(missing)} too")


def _independent(change: ChangeSummary) -> tuple[SiteId, ...]:
    """Return the site of a change that has one only and needs no other change."""
    return change.sites if len(change.sites) == 1 and not change.requires else ()
