"""Whatever an option of any rule names is looked for: in the program, or among what there is."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from msgspec.structs import fields
from real_program import GOOD, Program

from awaken import api

NAMES_NOTHING = {
    "list": "['{}']",
    "dict": "{{ {} = '{}' }}",
    "int": "-3",
}
NOBODY = "nobody_has_this"
OPTIONS = [
    (rule.name, field.encode_name, str(getattr(kind, "__name__", kind)))
    for rule in api.rules()
    for field in fields(rule.options)
    if (kind := get_type_hints(rule.options)[field.name]) is not bool
]


@pytest.fixture
def program(tmp_path, monkeypatch):
    found = Program(tmp_path / "program", {"app.py": GOOD})
    monkeypatch.chdir(found.root)
    return found


def wrong_value(kind):
    """Return a value of this type that names nothing; of a choice, one that it does not have."""
    return NAMES_NOTHING.get(kind, "'{}'").format(NOBODY, NOBODY)


@pytest.mark.parametrize(("rule", "option", "kind"), OPTIONS)
def test_a_value_that_names_nothing_ends_the_run_and_is_placed(program, awaken, rule, option, kind):
    value = wrong_value(kind)
    program.write("awaken.toml", f"select = ['{rule}']\n[rules.{rule}]\n{option} = {value}\n")

    code, _, err = awaken("check")

    assert code == 2
    assert err.startswith(f"error: awaken.toml:3: {option!r} ")
    assert " not a " not in err  # its type is right
    assert err.count("\n") == 1

    setting = f"rules.{rule}.{option} = {value}"
    code, _, err = awaken("check", "--isolated", "--select", rule, "--config", setting)
    assert code == 2
    assert err.startswith("error: --config")
    assert f": {option!r} " in err


def test_all_that_the_program_does_not_have_is_said_at_once(program, awaken):
    text = (
        "select = ['session-to-async']\n[rules.session-to-async]\nbridged = [\n  'app.one',\n"
        "  'app.two',\n]\nforeign_models = ['nobody']\ncomponent = 'nowhere'\n"
    )
    program.write("awaken.toml", text)

    code, _, err = awaken("check")

    assert code == 2
    for line, what in ((4, "'bridged' names 'app.one'"), (7, "'foreign_models' names 'nobody'")):
        assert f"{line}: {what}" in err
    assert "; line 5: 'bridged' names 'app.two'" in err
    assert "; line 8: 'component' names 'nowhere'" in err
    assert err.count("\n") == 1
