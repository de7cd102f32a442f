"""Mentions of functions in texts: told much faster than callers, for no file is parsed."""

from __future__ import annotations

import re

from awaken.project.source.words import Words

_LONGEST_HEAD = 100
"""Bytes in front of a name that may be its receiver; a longer one counts as a mention."""
_RECEIVER = re.compile(rb"([A-Za-z_]\w*)\s*\.\Z")
_IMPORTING = (
    rb"(?m)\bimport\b[^\n#]*\b%s\b",
    rb"(?m)^[ \t]*(?:\w+[ \t]+as[ \t]+)?%s[ \t]*,?[ \t]*(?:#.*)?$",  # between parentheses
)


class TextMentions:
    """Answers whether a name may refer to a function; each text is read once for each name."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._receivers: dict[str, frozenset[bytes] | None] = {}
        self._imports: dict[tuple[str, bytes], bool] = {}

    def of(self, name: str, module_name: str) -> bool:
        """Whether ``name`` may mean a function of the module anywhere but at its definition.

        Left out are definitions, and attributes of what is no module.
        """
        if name not in self._receivers:
            self._receivers[name] = self._receivers_of(name)
        receivers = self._receivers[name]
        # `import package.module` makes the last word its receiver.
        return receivers is None or module_name.rpartition(".")[2].encode() in receivers

    def _receivers_of(self, name: str) -> frozenset[bytes] | None:
        """Return the objects with the attribute ``name``; None if it may be any function."""
        word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
        receivers: set[bytes] = set()
        for path in self._words.files_with(name):
            text = self._words.text(path)
            for match in word.finditer(text):
                head = text[max(0, match.start() - _LONGEST_HEAD) : match.start()].rstrip()
                if head.endswith(b"def"):
                    continue
                receiver = _RECEIVER.search(head)
                if receiver is None or self._is_imported(path, receiver[1]):
                    return None
                receivers.add(receiver[1])
        return frozenset(receivers)

    def _is_imported(self, path: str, receiver: bytes) -> bool:
        key = (path, receiver)
        if key not in self._imports:
            word, text = re.escape(receiver), self._words.text(path)
            self._imports[key] = any(re.search(candidate % word, text) for candidate in _IMPORTING)
        return self._imports[key]
