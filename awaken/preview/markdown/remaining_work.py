"""The changes and the remaining work as GitHub flavoured Markdown, for a tracker or a comment.

The changes that awaken makes are one line, with a folded diff for each file at the end. Each reason
of manual places, each rule with unrequested unsafe rewrites, and each rule with advice is a heading
with its help and one task per place. GitHub takes 65,536 characters: groups that do not fit any
more are left out whole, and named with their numbers at the end; only one that is too long for any
issue is cut. Diffs get the room that is left, and only whole ones are shown.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from awaken.contract import Finding, Level
from awaken.engine.report import FileChange, Report, RootReport
from awaken.preview.counts import diagnostics, plural, rewritten, suppressed_words
from awaken.preview.diffs.patch import file_patch
from awaken.preview.markdown.escaped_text import code, prose
from awaken.preview.markdown.remaining import base_of, is_made, places_after, remaining
from awaken.preview.paths import relative
from awaken.preview.report_places import Places
from awaken.preview.sections import outlined_sites, waits_to_be_allowed
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import harmless, printable, visible

LIMIT = 65_000
"""Bytes of an issue or a comment. GitHub refuses more than 65,536 characters, but of a kind that
nobody says; there are never more of them than bytes."""

_ORDER = (Level.MANUAL, Level.UNSAFE, Level.SAFE, Level.ADVICE)
_WHY = {
    Level.UNSAFE: "`awaken apply --unsafe-fixes` rewrites these. Each one says what may change.",
    Level.SAFE: "These are safe, but were left out or need an unsafe rewrite first.",
}
_SEVERAL = 3
"""Places of which the same is said once, above them. A choice: of two, rows are as short."""
_NAMED = 100
"""Groups left out that are named; more only count. A choice: a tenth of the room."""

_TILDES = re.compile("~{3,}")


class Group(Struct, frozen=True):
    """Places that have their reason, and what to do about it, in common.

    ``said`` comes before the ``tasks``: the message and the help where all share them.
    """

    heading: str
    said: tuple[str, ...]
    tasks: tuple[str, ...]

    def text(self, tasks: int | None = None) -> str:
        """Return the group as Markdown, with its first ``tasks`` (None: with all)."""
        shown = list(self.tasks[:tasks])
        if len(shown) < len(self.tasks):
            left = plural(len(self.tasks) - len(shown), "more place")
            shown.append(f"\n… and {left}: see `awaken check`.")
        above = "".join(f"{line}\n\n" for line in self.said)
        return f"### {self.heading}\n\n{above}" + "".join(f"{task}\n" for task in shown) + "\n"


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    yield harmless(markdown(report, asked)).encode()


def markdown(report: Report, asked: Asked, room: int = 0) -> str:
    """Return the changes and the remaining work after ``asked.command``.

    ``room`` bytes below the limit stay free for what the caller adds.
    """
    groups = [*_failed_groups(report, asked), *_left_to_do(report, asked), *_groups(report, asked)]
    number = sum(len(group.tasks) for group in groups)
    title = f"{plural(number, 'place')} to look at" if number else "nothing to do by hand"
    paragraphs = [f"## awaken: {title}", *_done_names(report, asked)]
    paragraphs += (
        [f"[The report]({asked.report_url}) has every change."] if asked.report_url else []
    )
    text = _fitted_text("".join(f"{paragraph}\n\n" for paragraph in paragraphs), groups)
    return text + _diffs(list(_folded_diffs(report, asked)), LIMIT - room - _size(text))


def _diffs(diffs: Sequence[str], room: int) -> str:
    """Return the diffs that fit into ``room`` bytes below their heading; the others are counted."""
    if not diffs:
        return ""
    shown = ["### Changes\n\n"]
    room -= _size(_more_diffs(len(diffs)) + shown[0])
    for diff in diffs:
        if _size(diff) <= room:
            room -= _size(diff)
            shown.append(diff)
    left = len(diffs) - len(shown) + 1
    return "".join(shown) + (_more_diffs(left) if left else "")


def _more_diffs(number: int) -> str:
    return f"A comment has no room for {plural(number, 'more file')}: see `awaken diff`.\n"


def _done_names(report: Report, asked: Asked) -> Iterator[str]:
    done = rewritten(report, asked.current)
    if done.sites:
        verb = "rewrote" if asked.command == "apply" else "rewrites"
        yield f"`awaken apply` {verb} {prose(done.words())}."
    if suppressed := suppressed_words(report):
        yield f"{suppressed}."
    for root in report.roots:
        told = outlined_sites(root)
        for outline in root.outlines:
            number = len(told.intersection(outline.sites))
            stay = f" {plural(number, 'place')} not listed here stay with these." if number else ""
            waits = " with `--unsafe-fixes`" if waits_to_be_allowed(root, outline) else ""
            yield f"{code(outline.rule)}: {prose(outline.title)}{waits}.{stay}"


def _failed_groups(report: Report, asked: Asked) -> Iterator[Group]:
    """Yield a group with what awaken could not do, if there is any."""
    base = base_of(report, asked)
    tasks: list[str] = []
    for root, diagnostic in diagnostics(report):
        where = ""
        if diagnostic.path:
            start = asked.current if root is None else root.root
            line = f":{diagnostic.line}" if diagnostic.line else ""
            where = code(relative(start, diagnostic.path, base) + line) + " "
        tasks.append(f"- [ ] {where}{prose(diagnostic.message)}")
    if tasks:
        yield Group(f"Could not be done, {plural(len(tasks), 'place')}", (), tuple(tasks))


def _left_to_do(report: Report, asked: Asked) -> Iterator[Group]:
    """Yield a group with the lines of settings files that awaken could not write, if any."""
    base = base_of(report, asked)
    tasks: list[str] = []
    for root in report.roots:
        for left in root.left_to_do:
            line = f":{left.line}" if left.line else ""
            where = code(relative(root.root, left.path, base) + line)
            add = " and ".join(map(code, left.add.splitlines()))
            what = f"add {add} " if add else ""
            table = f"to {code(left.table)} " if left.add and left.table else ""
            tasks.append(f"- [ ] {where} {what}{table}({prose(left.why)})")
    if tasks:
        yield Group(f"Settings left to do, {plural(len(tasks), 'place')}", (), tuple(tasks))


def _groups(report: Report, asked: Asked) -> Iterator[Group]:
    """Yield the groups: by level, then the largest first."""
    places = places_after(report, asked.command, base_of(report, asked))
    result: defaultdict[tuple[Level, str], list[tuple[RootReport, Finding]]] = defaultdict(list)
    told = {(root.root, site) for root in report.roots for site in outlined_sites(root)}
    for root, finding in remaining(report, asked.command):
        # A site that is left alone for the sake of others is counted above.
        if not is_made(root, finding) and (root.root, finding.site) not in told:
            result[finding.level, finding.reason or finding.rule].append((root, finding))
    ordered = sorted(
        result.items(), key=lambda item: (_ORDER.index(item[0][0]), -len(item[1]), item[0][1])
    )
    for (level, name), group in ordered:
        yield _group(level, name, group, places)


def _group(
    level: Level, name: str, found: Sequence[tuple[RootReport, Finding]], places: Places
) -> Group:
    message = _shared_text(finding.message for _, finding in found)
    help_text = _shared_text(finding.help for _, finding in found)
    said = [_WHY[level]] if level in _WHY else []
    said += [prose(message)] if message else []
    said += [f"**What to do:** {prose(help_text)}"] if help_text else []
    tasks: list[tuple[str, str]] = []
    for root, finding in found:
        path, region = places.location_of(root, finding.place)
        own = [prose(finding.message)] if message is None else []
        own += [f"({prose(finding.help)})"] if help_text is None and finding.help else []
        tasks.append((code(f"{path}:{region.line}" if region.line else path), " ".join(own)))
    heading = f"{level.capitalize()}: {code(name)}, {plural(len(found), 'place')}"
    return Group(heading, tuple(said), tuple(_told_once(tasks)))


def _told_once(tasks: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield places, each with its words, as tasks; words of several places come first, once."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for place, words in tasks:
        alike[words].append(place)
    several = {words for words, places in alike.items() if words and len(places) >= _SEVERAL}
    yield from (f"- [ ] {place} {words}".rstrip() for place, words in tasks if words not in several)
    for words in sorted(several, key=lambda words: (-len(alike[words]), words)):
        first, *others = alike[words]
        yield f"\n{plural(len(alike[words]), 'place')}: {words}\n\n- [ ] {first}"
        yield from (f"- [ ] {place}" for place in others)


def _shared_text(texts: Iterable[str]) -> str | None:
    """Return the one text that all are; None where they differ."""
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else None


def _fitted_text(head: str, groups: Sequence[Group]) -> str:
    """Return ``head`` and as many whole groups as there is room for; the rest is counted.

    A group that no issue has room for is cut, and gets what the whole ones leave.
    """
    texts = [group.text() for group in groups]
    if _size(head + "".join(texts)) <= LIMIT:
        return head + "".join(texts)
    room = most = LIMIT - _size(head) - _size(_left_out(groups))
    shown: dict[int, str] = {}
    # Whole groups first, also smaller ones after one that does not fit.
    for index, text in enumerate(texts):
        if _size(text) <= room:
            room -= _size(text)
            shown[index] = text
    for index, group in enumerate(groups):
        if _size(texts[index]) > most and (text := _cut(group, room)):
            room -= _size(text)
            shown[index] = text
    left = [group for index, group in enumerate(groups) if index not in shown]
    return head + "".join(shown[index] for index in sorted(shown)) + _left_out(left)


def _cut(group: Group, room: int) -> str:
    """Return ``group`` with as many of its tasks as there is room for; nothing without any."""
    fits = bisect_right(range(len(group.tasks)), room, key=lambda n: _size(group.text(n))) - 1
    return group.text(fits) if fits > 0 else ""


def _left_out(groups: Sequence[Group]) -> str:
    if not groups:
        return ""
    places = plural(sum(len(group.tasks) for group in groups), "place")
    head = f"### Left out\n\nAn issue has no room for {places}:\n\n"
    named = "".join(f"- {group.heading}\n" for group in groups[:_NAMED])
    more = len(groups) - _NAMED
    return head + named + (f"- and {plural(more, 'more group')}\n" if more > 0 else "")


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))


def _folded_diffs(report: Report, asked: Asked) -> Iterator[str]:
    """Yield the change of each file as Markdown; nothing after ``apply``, which has made it."""
    if asked.command == "apply":
        return
    base = base_of(report, asked)
    for root in report.roots:
        for file in root.files:
            path = relative(root.root, file.path, base)
            before = None if file.before is None else file.before.raw()
            patch = file_patch(path, before, file.after.raw(), asked.context)
            if patch:
                text = printable(patch.decode("utf-8", "replace").replace("\r\n", "\n"))
                yield _folded_text(path, _sites(root, file), text)


def _folded_text(path: str, sites: int, patch: str) -> str:
    """Return a fold with the patch of one file; its fence is longer than any within."""
    fence = "~" * max(3, *(len(run) + 1 for run in _TILDES.findall(patch)), 3)
    said = f", {plural(sites, 'site')}" if sites else ""
    return (
        f"<details><summary><code>{html.escape(visible(path))}</code>{said}</summary>\n\n"
        f"{fence}diff\n{patch}{'' if patch.endswith(chr(10)) else chr(10)}{fence}\n\n</details>\n\n"
    )


def _sites(root: RootReport, file: FileChange) -> int:
    """Return how many sites of a file its changes rewrite."""
    return sum(
        finding.place.path == file.path and finding.change in root.change_ids
        for finding in root.findings
    )
