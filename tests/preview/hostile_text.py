"""Texts that act on a terminal or in a log if they are printed as they are, and the check of it."""

from __future__ import annotations

import io
import re
import unicodedata

from hypothesis import strategies as st

ACTING = (
    "\x1b[8m",  # conceals
    "\x1b[2J",  # erases the screen
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31m",  # the same as ESC [ on terminals with C1 controls
    "\x00",
    "\x07",
    "\x08",
    "\r",
    "\n",
    "\x85",
    "\u2028",
    "\t",
    "\x7f",
    "\u202e",  # reads from right to left
    "\u2066",
    "\u200b",  # takes no room
    "\ufeff",
    "\U000e0041",
    "\udc9b",  # a byte of a name that is not UTF-8
    "::error::",
    "::stop-commands::x",
    "\n::add-mask::e",
    "\n \u3000::error::x",
    "##[error]",
    "##[add-matcher]m.json",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[blockOpened name='x']",
    "%0A::error::",
    "[red]",
    "[link=http://x]y[/link]",
    ":smile:",
)
_PLAIN = ("a", "b.py", " ", "-", "`", "'", '"', "\\", "<b>", "|", "é", "日本")

hostile = st.lists(st.sampled_from(ACTING + _PLAIN), min_size=1, max_size=6).map("".join)
"""What a name, a message or a line of a repository may hold."""

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_OURS = re.compile(r"::(error|warning|notice) title=[^:]*::")
_COMMAND = re.compile(r"\s*::|.*##\w*\[")
_STYLE = re.compile(r"\x1b\[[\d;]*m")
_CONCEALED = re.compile(r"\x1b\[(?:[\d;]*;)?8(?:;[\d;]*)?m")
"""A style that awaken never sets."""


class Terminal(io.TextIOWrapper):
    """A stream that says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


def assert_inactive(printed: bytes) -> None:
    """Assert that nothing in ``printed`` acts: on no terminal, and on no runner of workflows.

    Styles are awaken's own where it draws; what else a terminal obeys, it never writes.
    """
    text = printed.decode("utf-8")
    assert _CONCEALED.search(text) is None, text
    plain = _STYLE.sub("", text)
    found = {char for char in plain if unicodedata.category(char) in _HIDDEN} - {"\n", "\t"}
    assert not found, (found, text)
    for line in plain.split("\n"):
        assert _OURS.match(line) or not _COMMAND.match(line), line
