"""The exit codes of awaken: those of linters, and those that a shell gives for signals."""

from __future__ import annotations

FOUND = 1
"""Something was found, as each command says: sites, changes, or sites that stay manual."""

FAILED = 2
"""Something could not be done; what was done all the same is shown."""

BY_SIGNAL = 128
"""Added to the number of the signal that ended the run, as shells do: 130 after Ctrl-C."""

READER_GONE = 141
"""The reader of a pipe went away: 128 and SIGPIPE, which Python turns into an exception."""
