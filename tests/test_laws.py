"""What holds for every rule, on every one of its cases."""

from __future__ import annotations

import json

import pytest
from fixture_cases import CASES, result_of

from awaken.cli import main
from awaken.testing import LAWS, laws_of
from awaken.testing.running import write_project


@pytest.mark.parametrize(
    ("identifier", "law"),
    [
        pytest.param(identifier, law, id=f"{identifier}-{law}")
        for identifier, case in CASES.items()
        for law in laws_of(case)
    ],
)
def test_law(identifier, law):
    LAWS[law](result_of(identifier))


@pytest.fixture(scope="module")
def all_cases(tmp_path_factory):
    """Write every case that needs no options, each as a project root of its own."""
    directory = tmp_path_factory.mktemp("cases")
    for case in CASES.values():
        if not case.settings.targets and not case.settings.unsafe:
            root = directory / case.rule / case.name
            root.mkdir(parents=True)
            write_project(root, case.before)
    return directory


def document(capsys, *arguments):
    """Return what the command prints as JSON, without what differs from command to command."""
    main([*map(str, arguments), "--output-format", "json", "--no-cache"])
    printed = json.loads(capsys.readouterr().out)
    del printed["command"]
    for root in printed["roots"]:
        del root["seconds"]
    return printed


@pytest.mark.parametrize("rule", sorted({case.rule for case in CASES.values()}))
def test_check_and_diff_say_the_same_with_any_number_of_jobs(rule, all_cases, capsys):
    run = ("--select", rule, all_cases / rule)
    check = document(capsys, "check", "-j1", *run)
    assert check["findings"]
    assert document(capsys, "diff", "-j1", *run) == check
    assert document(capsys, "check", "-j2", *run) == check
