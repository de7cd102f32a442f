"""Suppressed sites, in words and numbers of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_builders import finding, report, root_report, source

from awaken.contract import Level
from awaken.engine.report import SuppressedBy, SuppressedSite
from awaken.preview.counts import count, count_suppressed, suppressed_words
from awaken.preview.documents.statistics import statistics
from awaken.preview.summary import summary

FILE = source("a.py", b"one two three\n")
COMMENT, SETTINGS, BASELINE, SINCE = SuppressedBy


def holding(*by, findings=()):
    suppressed = tuple(SuppressedSite(finding(FILE, "one", Level.MANUAL), one) for one in by)
    return report(root_report(Path("/p"), findings=findings, suppressed=suppressed))


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ((), ""),
        ((COMMENT,), "1 held by a comment"),
        ((COMMENT, COMMENT), "2 held by comments"),
        ((SINCE,) * 1200, "1,200 held by --since"),
        ((BASELINE, COMMENT, COMMENT), "3 held: 2 by comments, 1 by the baseline"),
        (
            (SINCE, SETTINGS, BASELINE, COMMENT),
            "4 held: 1 by a comment, 1 by the settings, 1 by the baseline, 1 by --since",
        ),
    ],
)
def test_words(by, words):
    assert suppressed_words(holding(*by)) == words


def test_they_count_as_no_sites():
    shown = finding(FILE, "two")
    whole = count(holding(COMMENT, BASELINE, findings=(shown,)))

    assert (whole.sites, whole.manual, whole.files) == (1, 0, 1)


def test_all_roots_are_counted():
    (one,) = holding(COMMENT).roots

    assert suppressed_words(report(one, one)) == "2 held by comments"
    assert count_suppressed(report(one, one)) == {"query-to-select": 2}


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_the_summary_says_so(command):
    assert "; 1 held by a comment; " in summary(holding(COMMENT), command)
    assert "held" not in summary(holding(), command)


def test_statistics_have_a_line_of_their_own():
    shown = finding(FILE, "two")

    assert list(statistics(holding(COMMENT, SINCE, findings=(shown,)))) == [
        "sites\trule\tlevel\treason",
        "1\tquery-to-select\tsafe",
        "2\tquery-to-select\theld",
    ]
