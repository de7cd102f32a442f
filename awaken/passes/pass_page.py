"""The page of a pass, in the form in which rules have theirs."""

from __future__ import annotations

from collections.abc import Iterator

from awaken.passes.pass_settings import PassPlace, PassSettings

_LIBRARIES = {"libcst": "a codemod of LibCST", "bowler": "a script of Bowler"}

_SAFETY = """\
Every change is *unsafe*, because awaken does not prove the behaviour of foreign code. It checks
that the rest of the program reads the same, and that each file compiles. The encoding, the line
ends and the last line of a file stay the same. A message counts the changed places of a file, and
names each comment that would be lost.

The code runs in its own process, with a fresh copy for each file. It may only write temporary
files, and has no network if the system allows that. This is not a sandbox: run only code that you
trust.
"""


def page_of(settings: PassSettings, place: PassPlace) -> str:
    """Return the page as Markdown: what is run, who named it, and why nothing of it is proved."""
    what, named = _LIBRARIES[settings.kind], place.origin or "the command line"
    only = (
        "" if place.is_trusted else "; it runs with --trust-passes, or after `awaken trust`, only"
    )
    rows = [f"- {label}: {value}" for label, value in _said_messages(settings)]
    blocks = [
        f"Runs `{settings.target}`, {what} that {named} names{only}.",
        "## What",
        f"Awaken has not written `{settings.target}` and does not know what it does. It gets one "
        "file after the other and gives each back, and what differs becomes the change of the file."
        if not settings.per_hunk
        else f"Awaken has not written `{settings.target}` and does not know what it does. It gets "
        "one file after the other, and each place that it gives back otherwise is a change.",
        "\n".join(rows),
        "## Safety",
        _SAFETY,
    ]
    return "\n\n".join(block for block in blocks if block)


def _said_messages(settings: PassSettings) -> Iterator[tuple[str, str]]:
    """Yield the messages of the pass in addition to its code."""
    arguments = [f"`{name} = {value}`" for name, value in settings.named_arguments()]
    for label, words in (
        ("arguments", [*arguments, *(f"`{argument}`" for argument in settings.args)]),
        ("files", [f"`{path}`" for path in settings.paths]),
        ("files that hold one of", [f"`{trigger}`" for trigger in settings.triggers]),
    ):
        if words:
            yield label, ", ".join(words)
