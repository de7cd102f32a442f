"""What a finding says of a site that is rewritten."""

from __future__ import annotations

import pytest

from awaken.kit.sites import with_caveats


@pytest.mark.parametrize(
    ("caveats", "said"),
    [
        ([], "it goes"),
        (["this may change"], "it goes; this may change"),
        (["one may, too", "so may two", "three"], "it goes; one may, too; so may two; three"),
    ],
)
def test_each_caveat_is_a_clause(caveats, said):
    assert with_caveats("it goes", caveats) == said
