"""Every command to run over the hostile repository, and what they may read and write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from build import NAMES, Place
from runs import Event

import awaken
from awaken.preview.choices import Form

TEXTS = ("s05_baseline", "s05_names", "s05_setting", "s05_unknown_setting", "s05_versions")
"""The projects with hostile texts: the others would say the same in every form."""
SITE = "s05_names/code.py:15"
PLANTED = [
    *("check", "--isolated", "--cache-dir", "s03_planted_cache/planted"),
    *("s03_planted_cache", "-j1"),
]
READING = (
    *(["check", "--output-format", form, *TEXTS, "-j1"] for form in Form),
    *(["diff", "--output-format", form, *TEXTS, "-j1"] for form in Form),
    ["check", "-j1"],
    ["check", "-v", "-j1"],
    ["check", "--output-format", "json", "-j1"],
    ["check", "--statistics", "-j1"],
    ["check", "--show-settings"],
    ["check", "--show-files"],
    ["check", "--since", "HEAD", "-j1"],
    ["diff", "--side-by-side", "-j1"],
    ["diff", "--unsafe-fixes", "-j1"],
    ["doctor", "-v"],
    ["doctor", "--output-format", "json"],
    ["explain", SITE],
    ["explain", SITE, "--output-format", "json"],
    ["explain", f"s05_names/{os.fsdecode(NAMES[0])}:15"],
    ["explain", "s10_modes/bidi.py:18"],
    ["rules"],
    ["rules", "query-to-select"],
    ["apply", "--dry-run", "-j1"],
)
WRITING = (
    ["apply", "-j1"],
    ["apply", "--allow-dirty", "-v", "-j1"],
    ["undo", "--list", "-v"],
    ["undo", "-v"],
    ["check", "--write-baseline", "-j1"],
    PLANTED,  # last, for the user lets it write there
)
FIRST_WRITING = len(READING)
SYSTEM = ("/usr/", "/lib", "/etc/", "/opt/", "/sys/", "/bin/", "/run/", "/var/lib/", "/nix/")
PYTHON = tuple(
    {
        str(Path(__file__).parent),
        str(Path(awaken.__file__).parent),
        sys.prefix,
        sys.base_prefix,
        sys.pycache_prefix or sys.prefix,
    }
)
HARMLESS = {
    str(Path(awaken.__file__).parents[1]),
    "/dev/null",
    "/dev/urandom",
    "/dev/tty",
    "/",
    "/tmp",
    "/proc",
}


def may_be_read(event: Event, place: Place) -> bool:
    """Whether this is of the target, awaken's own, the interpreter's or the system's."""
    path = event.path
    if path.startswith(f"{place.top}/"):
        return not path.startswith(f"{place.home}/") or (
            path.startswith(f"{place.home}/.") and ".ssh" not in path
        )
    return (
        path in HARMLESS
        or path.startswith((*SYSTEM, *PYTHON, "/proc/self/fd"))
        or is_own_process(path)
        or str(place.top).startswith(path)
    )


def is_own_process(path: str) -> bool:
    """Whether ``path`` is what a process asks the system of itself, but not its memory."""
    return path.startswith("/proc/") and not path.endswith("/mem")


def may_be_written(event: Event, place: Place) -> bool:
    """Whether this is awaken's own, or in the target by a command that writes."""
    path = event.path
    own = ("state", "state-home", "cache", "config", "scratch")
    if path.startswith(tuple(f"{place.top}/{name}" for name in own)):
        return True
    if path.startswith(f"{place.target}/"):
        return event.command >= FIRST_WRITING
    return path in HARMLESS
