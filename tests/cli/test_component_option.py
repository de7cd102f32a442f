"""What belongs together: asked for by one name, and shown in one line."""

from __future__ import annotations

import pytest

from awaken.cli.options.shared_options import ProjectOptions
from awaken.contract import Finding, Level, Place, SiteId, Span
from awaken.preview.terminal.frames import _foldable_groups


def test_a_component_is_asked_for_by_a_setting_of_the_rule():
    line = ProjectOptions(component="shop.api").command_line_for([])

    assert line.options.settings.rules == {"session-to-async": {"component": "shop.api"}}


@pytest.mark.parametrize(("count", "reason", "folded"), [(6, "a", 1), (5, "a", 0), (6, "b", 0)])
def test_many_sites_that_another_one_stops_are_one_line(count, reason, folded):
    code = {"a": "some-rule/beside-another", "b": "some-rule/other"}[reason]
    findings = [
        Finding(
            site=SiteId(str(number)),
            rule="some-rule",
            level=Level.MANUAL,
            place=Place("a.py", Span(number, number)),
            scope="",
            message="stays because of `x`",
            reason=code,
        )
        for number in range(count)
    ]

    assert len(_foldable_groups(findings)) == folded
