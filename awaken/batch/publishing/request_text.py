"""The text of a pull request, in sections; where a host takes less, whole sections are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.working.repository_work import OPT_OUT
from awaken.batch.working.task_data import Summary
from awaken.preview.counts import plural
from awaken.preview.markdown.escaped_text import code, prose

_PART = re.compile(r"\{(\w+)\}")
_DEFAULT = (
    "{what}\n\n{why}\n\n{rules}\n\n{unsafe}\n\n{tests}\n\n{manual}\n\n{reproduce}\n\n{opt_out}"
)
_FIRST_CUT = ("manual", "tests", "unsafe", "rules", "reproduce", "why", "opt_out", "what")
"""The sections in the order in which they are left out, where the text is too long."""
_FENCE = re.compile("`{3,}")


def marker_of(manifest: Manifest, entry: Entry) -> str:
    """Return the hidden line by which the pull request of a repository is known."""
    return f"<!-- awaken-batch campaign={manifest.campaign.name} repository={entry.id} -->"


def request_text(manifest: Manifest, entry: Entry, summary: Summary, longest: int) -> str:
    """Return the text for one repository, of at most ``longest`` bytes, with its marker."""
    marker = marker_of(manifest, entry)
    template = manifest.body_template or _DEFAULT
    parts = _parts(manifest, summary)
    left_out: list[str] = []
    for cut in ("", *_FIRST_CUT):
        if cut and parts.get(cut):
            parts[cut] = ""
            left_out.append(_TITLES.get(cut, cut))
        text = _filled_text(template, parts, left_out)
        whole = f"{text}\n\n{marker}\n"
        if len(whole.encode()) <= longest:
            return whole
    return f"{marker}\n"


_TITLES = {
    "manual": "sites to rewrite by hand",
    "tests": "what the tests said",
    "unsafe": "what may change",
    "rules": "the rules",
    "reproduce": "how to make the same diff",
}


def _filled_text(template: str, parts: Mapping[str, str], left_out: list[str]) -> str:
    text = _PART.sub(lambda match: parts.get(match[1], match[0]), template)
    if left_out:
        text += f"\n\nLeft out, because the text was too long: {', '.join(left_out)}."
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _parts(manifest: Manifest, summary: Summary) -> dict[str, str]:
    campaign = manifest.campaign
    sites = plural(summary.rewritten, "site")
    files = plural(len(summary.files), "file")
    title = prose(campaign.title or campaign.name)
    what = f"{title}: {sites} in {files}, by awaken {summary.version}."
    rules = "\n".join(f"- {code(name)}: {prose(words)}" for name, words in summary.rules)
    unsafe = "\n".join(
        f"- {prose(text)}{f' ({number} places)' if number > 1 else ''}"
        for text, number in summary.unsafe
    )
    tests = "\n".join(f"- {prose(row)}" for row in (*summary.tests, *summary.notes))
    manual = "\n".join(f"- [ ] {code(where)}: {prose(text)}" for where, text in summary.manual)
    ticks = max((len(run) + 1 for run in _FENCE.findall(summary.again)), default=3)
    fence = "`" * ticks
    return {
        "what": what,
        "why": prose(campaign.why) if campaign.why else "",
        "rules": f"### Rules\n\n{rules}" if rules else "",
        "unsafe": f"### What may change\n\n{unsafe}" if unsafe else "",
        "tests": f"### Tests\n\n{tests or 'Nothing was verified.'}",
        "manual": f"### Left to people\n\n{manual}" if manual else "",
        "reproduce": f"### The same diff\n\n{fence}sh\n{summary.again}\n{fence}",
        "opt_out": (
            f"No campaign is wanted here? Add a file {code(OPT_OUT)} at the top of the repository; "
            "the next one leaves it alone."
        ),
    }
