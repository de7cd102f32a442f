"""What holds for every rule, on every one of its cases."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from fixture_cases import CASES, costly, result_of

from awaken.cli import main
from awaken.testing import LAWS, laws_of
from awaken.testing.running import naming_case, write_project

COSTLY = {
    *("crlf", "cr", "bom", "no-final-newline", "tabs"),
    *(
        "alone",
        "chosen",
        "comments-elsewhere",
        "edits",
        "jobs",
        "left-out",
        "memory",
        "second-run",
        "undo",
    ),
}
"""Laws that run the rule again, and where a case breaks one, others of its rule do as well."""
COSTLY_ON_APPLICATIONS = COSTLY | {"anchors"}


def laws_by_cost(identifier):
    """Return the laws about a case: those that are cheap on it, and the others."""
    case = CASES[identifier]
    costly_laws = COSTLY_ON_APPLICATIONS if case.settings.suite else COSTLY
    laws = laws_of(case)
    return [law for law in laws if law not in costly_laws], [
        law for law in laws if law in costly_laws
    ]


@pytest.mark.parametrize("identifier", CASES)
@pytest.mark.sampled(4)
def test_cheap_laws(identifier):
    broken = []
    with naming_case(CASES[identifier]):
        for law in laws_by_cost(identifier)[0]:
            try:
                LAWS[law](result_of(identifier))
            except AssertionError as error:
                error.add_note(f"The law is {law}")
                broken.append(error)
        if broken:
            raise ExceptionGroup("laws do not hold", broken)


@pytest.mark.parametrize(
    ("identifier", "law"),
    [costly(identifier, law) for identifier in CASES for law in laws_by_cost(identifier)[1]],
)
def test_costly_law(identifier, law):
    with naming_case(CASES[identifier]):
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
