"""What holds for every rule, on every one of its cases."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from fixture_cases import CASES, costly, result_of

from awaken.cli import main
from awaken.testing import LAWS, laws_of
from awaken.testing.running import about, write_project

COSTLY = {
    *("crlf", "cr", "bom", "no-final-newline", "tabs"),
    *("alone", "chosen", "comments-elsewhere", "jobs", "left-out", "memory", "second-run", "undo"),
}
"""Laws that run the rule again, and where a case breaks one, others of its rule do as well."""
COSTLY_ON_APPLICATIONS = COSTLY | {"anchors"}


@pytest.mark.parametrize(
    ("identifier", "law"),
    [
        costly(identifier, law)
        if law in (COSTLY_ON_APPLICATIONS if case.settings.suite else COSTLY)
        else pytest.param(identifier, law, id=f"{identifier}-{law}")
        for identifier, case in CASES.items()
        for law in laws_of(case)
    ],
)
def test_law(identifier, law):
    with about(CASES[identifier]):
        LAWS[law](result_of(identifier))


FEW = 8
"""So many cases of a rule are enough for the quick run: each is a project root of its own."""


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.slow)])
def cases_on_disk(request, tmp_path_factory):
    """Write the cases that need no options."""
    directory = tmp_path_factory.mktemp("cases")
    written = Counter()
    for case in CASES.values():
        needs_options = case.settings.targets or case.settings.unsafe
        enough = request.param == "few" and written[case.rule] == FEW
        if not needs_options and not enough:
            root = directory / case.rule / case.name
            root.mkdir(parents=True)
            write_project(root, case.before)
            written[case.rule] += 1
    return directory


def document(capsys, *arguments):
    """Return what the command prints as JSON, without what differs from command to command."""
    main([*map(str, arguments), "--output-format", "json", "--no-cache"])
    printed = json.loads(capsys.readouterr().out)
    del printed["command"]
    for root in printed["roots"]:
        del root["seconds"]
    return printed


@pytest.mark.parametrize(
    "rule", sorted({case.rule for case in CASES.values() if case.settings.foreign is None})
)
@pytest.mark.sampled(24)
def test_check_and_diff_say_the_same_with_any_number_of_jobs(rule, cases_on_disk, capsys):
    run = ("--select", rule, cases_on_disk / rule)
    check = document(capsys, "check", "-j1", *run)
    assert check["findings"]
    assert document(capsys, "diff", "-j1", *run) == check
    assert document(capsys, "check", "-j2", *run) == check
