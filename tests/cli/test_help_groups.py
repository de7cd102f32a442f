"""``--help`` lists the options in groups by task, the most used first."""

from __future__ import annotations

import re

import pytest

from awaken.cli import main
from awaken.cli.options.declaring import PANELS


def groups(capsys, *words):
    """Return the options of a help text by the title of their group."""
    assert main([*words, "--help"]) == 0
    parts = re.split(r"^(\w[\w ]+):$", capsys.readouterr().out, flags=re.MULTILINE)
    return {
        title: re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.MULTILINE)
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


@pytest.mark.parametrize("command", ["check", "diff", "apply", "migrate", "verify"])
def test_options_are_in_groups_by_task(capsys, command):
    found = groups(capsys, command)
    titles = [panel or "Options" for panel in PANELS]

    assert [title for title in found if title != "Arguments"] == [
        title for title in titles if title in found
    ]
    assert "--select" in found["Rules and levels"]
    assert "--target" in found["About the program"]
    assert "--libcst" in found["Codemods of others"]


@pytest.mark.parametrize(
    ("command", "own"),
    [("check", "--strict"), ("apply", "--interactive"), ("migrate", "--commit")],
)
def test_the_options_of_the_command_itself_come_first(capsys, command, own):
    assert own in groups(capsys, command)["Options"]
