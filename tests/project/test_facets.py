"""An edit changes the facets of a file that it is about, and no others."""

from __future__ import annotations

import pytest
from programs import program

TEXT = '''"""A module."""
import a
from b import c


class Shop(a.Base):
    """A shop."""

    async def open(self, key: int = 1):
        return c(key)


def close(shop): shop.end()
'''


def facets(text):
    return program({"m.py": text})._facts.of("m.py").facets()


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("import a\n", "# a comment\nimport a\n", set()),
        ("\n\nclass", "\n\n\n\nclass", set()),
        ("A shop", "Another shop, with more to say", set()),
        ("c(key)", "c(key + 1)", set()),
        ("end()\n", "end()\n# the end", set()),
        ("import a", "import a, d", {"names", "calls"}),
        ("import a\n", "import a as other\nimport a\n", {"names"}),
        ("a.Base", "a.Other", {"classes", "calls"}),
        ("async def", "def", {"signatures"}),
        ("key: int = 1", "key: int", {"signatures"}),
        ("return c(key)", "yield c(key)", {"signatures"}),
        ("c(key)", "d(key)", {"calls"}),
        ("def close", "def shut", {"names", "signatures"}),
    ],
)
def test_an_edit_changes_the_facets_that_it_is_about(old, new, changed):
    before, after = facets(TEXT), facets(TEXT.replace(old, new, 1))
    assert {facet for facet in before if before[facet] != after[facet]} == changed
