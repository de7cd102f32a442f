"""Words in files are found as a regular expression would find them, only faster."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from awaken.project.sources import Snapshot, decode
from awaken.project.words import Words

_TEXT = st.text("ab_ .1\n", max_size=14)


@given(st.text("ab", min_size=1, max_size=3), _TEXT)
def test_a_word_stands_by_itself(word, text):
    content = f"# {text}".encode()
    files = Snapshot({"a.py": decode("a.py", content), "a.toml": decode("a.toml", content)})
    found = re.search(rf"(?<!\w){word}(?!\w)", content.decode())

    words = Words(files, lambda _: ["a.py"])
    place = words.elsewhere(word)

    assert words.files_with(word) == (["a.py"] if found else [])
    assert (place and (place.span.start, place.span.end)) == (found and found.span())
