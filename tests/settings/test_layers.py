"""How layers join: defaults, a file, values of --config, the command line."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from optional_rules import RULES, WITH_OPT_IN, resolved, write

from awaken.contract import (
    Change,
    ChangeId,
    CreateFile,
    Level,
    Requirement,
    SiteId,
    Status,
    UserError,
)
from awaken.engine.planning.policy import Policy
from awaken.settings import Settings
from awaken.settings.selection import IN_PREVIEW, OPT_IN, choose
from awaken.workspace.ignores import DEFAULT_EXCLUDE, PathPatterns

NAMES = ("ALL", *sorted({rule.family for rule in RULES}), *(rule.name for rule in WITH_OPT_IN))


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for named in ("vendor/ours.py", "api/free", "sub"):
        (tmp_path / "root" / named).mkdir(parents=True)
    return tmp_path / "root"


def as_ruff_does(layers):
    """Return the selected rules by the algorithm of ruff's ``Configuration::as_rule_table``."""
    chosen = {rule.name for rule in WITH_OPT_IN if rule.status is Status.DEFAULT}
    preview = [one.preview for one in layers if one.preview is not None][-1:] == [True]
    for settings in layers:
        updates: dict[str, bool] = {}
        for meant in (
            lambda _, name: name == "ALL",
            lambda rule, name: name == rule.family,
            lambda rule, name: name == rule.name,
        ):
            for selected, names in (
                (True, (*(settings.select or ()), *settings.extend_select)),
                (False, settings.ignore),
            ):
                for name in names:
                    for rule in WITH_OPT_IN:
                        is_hidden = rule.status is Status.PREVIEW and not preview
                        hidden = selected and is_hidden and name != rule.name
                        if meant(rule, name) and not hidden:
                            updates[rule.name] = selected
        if settings.select is not None:
            chosen = {name for name, on in updates.items() if on}
        else:
            chosen |= {name for name, on in updates.items() if on}
            chosen -= {name for name, on in updates.items() if not on}
    return chosen


some_names = st.lists(st.sampled_from(NAMES), max_size=3).map(tuple)
layers = st.lists(
    st.builds(
        Settings,
        select=st.none() | some_names,
        extend_select=some_names,
        ignore=some_names,
        preview=st.none() | st.booleans(),
    ),
    max_size=4,
)


@given(layers)
def test_rules_are_selected_as_ruff_selects_them(settings):
    chosen = choose(WITH_OPT_IN, [(f"layer {n}", one) for n, one in enumerate(settings)])

    assert set(chosen.rules) == as_ruff_does(settings)
    assert chosen.off.keys() == {rule.name for rule in WITH_OPT_IN} - set(chosen.rules)
    assert {name for names in chosen.left_out.values() for name in names} <= {"rename-raw"}


@pytest.mark.parametrize(
    ("file", "command_line", "rules"),
    [
        ("", {}, ["rename-old", "rename-risky"]),
        ("select = ['fresh', 'rename-raw']", {}, ["rename-raw"]),
        ("select = []", {}, []),
        ("extend-select = ['rename-raw']", {}, ["rename-old", "rename-risky", "rename-raw"]),
        ("ignore = ['naming']", {"select": ("rename-old",)}, ["rename-old"]),
        ("ignore = ['rename-old']", {"select": ("naming",)}, ["rename-old", "rename-risky"]),
        (
            "ignore = ['rename-old']",
            {"extend_select": ("rename-raw",)},
            ["rename-risky", "rename-raw"],
        ),
        ("ignore = ['rename-old']", {"ignore": ("rename-risky",)}, []),
        (
            "select = ['rename-old']",
            {"extend_select": ("rename-risky",)},
            ["rename-old", "rename-risky"],
        ),
        ("select = ['rename-old']\nignore = ['naming']", {}, ["rename-old"]),
        ("select = ['naming']\nignore = ['rename-old']", {}, ["rename-risky"]),
    ],
)
def test_the_command_line_selects_on_top_of_the_file(root, file, command_line, rules):
    write(root, {"awaken.toml": file})

    assert list(resolved(root, **command_line).rules) == rules


def test_why_a_rule_does_not_run_is_told_with_where_it_was_said(root):
    write(root, {"awaken.toml": "ignore = ['rename-risky']\nselect = ['ALL']\n"})

    assert resolved(root).rules_off == {
        "rename-risky": "ignored by awaken.toml",
        "rename-raw": IN_PREVIEW,
    }
    assert resolved(root, select=("rename-raw",)).rules_off == {
        "rename-old": "not selected by the command line",
        "rename-risky": "not selected by the command line",
    }
    assert resolved(
        root, "ignore = ['fresh']", select=("rename-risky",), ignore=("ALL",)
    ).rules_off == {
        "rename-old": "ignored by the command line",
        "rename-raw": "ignored by the command line",
    }


@pytest.mark.parametrize(
    ("file", "command_line", "rules", "left_out"),
    [
        ("", {}, [], []),
        ("", {"preview": True}, [], []),
        ("", {"select": ("fresh",)}, ["rename-late"], ["`--select fresh`"]),
        ("", {"select": ("fresh", "rename-raw")}, ["rename-raw", "rename-late"], []),
        ("", {"select": ("fresh",), "preview": True}, ["rename-raw", "rename-late"], []),
        ("", {"select": ("fresh",), "ignore": ("rename-raw",)}, ["rename-late"], []),
        ("extend-select = ['ALL']", {}, ["rename-late"], ["`ALL` in awaken.toml"]),
        ("extend-select = ['ALL']\npreview = true", {}, ["rename-raw", "rename-late"], []),
        ("select = ['ALL']", {"select": ("naming",)}, [], []),
        ("preview = true", {"select": ("ALL",)}, ["rename-raw", "rename-late"], []),
        (
            "preview = true",
            {"extend_select": ("fresh",), "preview": False},
            ["rename-late"],
            ["`--extend-select fresh`"],
        ),
    ],
)
def test_a_family_leaves_out_what_is_in_preview_and_that_is_told(
    root, file, command_line, rules, left_out
):
    write(root, {"awaken.toml": file})

    found = resolved(root, rules=WITH_OPT_IN, **command_line)

    assert [name for name in found.rules if name in {"rename-raw", "rename-late"}] == rules
    assert found.left_out == dict.fromkeys(left_out, ("rename-raw",))


def test_what_is_opt_in_says_what_selects_it(root):
    assert resolved(root, rules=WITH_OPT_IN).rules_off == {
        "rename-raw": IN_PREVIEW,
        "rename-late": OPT_IN,
    }


FLAGS = ("unsafe_fixes", "force_exclude", "respect_gitignore")
DEFAULTS = {"unsafe_fixes": False, "force_exclude": False, "respect_gitignore": True}
flags = st.fixed_dictionaries({name: st.none() | st.booleans() for name in FLAGS})


@given(flags, flags, flags)
def test_the_highest_layer_that_says_something_decides(file, config, command_line):
    with tempfile.TemporaryDirectory() as directory:
        root = Path(os.path.realpath(directory))
        (root / ".git").mkdir()
        write(root, {"awaken.toml": "\n".join(assignments(file))})

        found = resolved(root, *assignments(config), **command_line)

    for name in FLAGS:
        said = [
            (value[name], origin)
            for value, origin in (
                (file, "awaken.toml"),
                (config, "--config"),
                (command_line, "the command line"),
            )
            if value[name] is not None
        ]
        value, origin = said[-1] if said else (DEFAULTS[name], None)
        assert getattr(found, name) is value
        assert found.origins.get(name.replace("_", "-")) == origin


def assignments(values):
    return [
        f"{name.replace('_', '-')} = {str(value).lower()}"
        for name, value in values.items()
        if value is not None
    ]


def test_a_layer_that_says_nothing_changes_nothing(root):
    write(root, {"awaken.toml": EVERYTHING})

    assert resolved(root) == resolved(root, "ignore = []", "target = {}")


EVERYTHING = """\
select = ["naming"]
extend-select = ["rename-raw"]
ignore = ["rename-risky"]
preview = true
unsafe-fixes = true
target-version = "3.11"
target = { SQLAlchemy = "1.4" }
exclude = ["old"]
extend-exclude = ["gen/*.py"]
force-exclude = true
respect-gitignore = false
baseline = "./known.json"

[[overrides]]
paths = ["vendor", "!vendor/ours.py"]
ignore = ["naming"]
unsafe-fixes = false

[rules.rename-old]
new-name = "novel"
"""


def test_every_key_of_a_file_is_taken(root):
    write(root, {"awaken.toml": EVERYTHING})

    found = resolved(root)

    assert found.rules == ("rename-old", "rename-raw")
    assert (found.unsafe_fixes, found.force_exclude, found.respect_gitignore) == (True, True, False)
    assert (found.target_version, found.target) == ("py311", {"sqlalchemy": "1.4"})
    assert found.exclude == (PathPatterns(("old",), root), PathPatterns(("gen/*.py",), root))
    assert found.baseline == root / "known.json"
    assert found.options["rename-old"].new_name == "novel"
    assert set(found.origins.values()) == {"awaken.toml"}
    assert found.origins.keys() == {
        *(structs.fields(Settings)[n].encode_name for n in range(4)),
        *("unsafe-fixes", "target-version", "target.sqlalchemy", "exclude", "extend-exclude"),
        *("force-exclude", "respect-gitignore", "baseline", "overrides"),
        "rules.rename-old.new-name",
    }


def test_exclude_replaces_and_extend_exclude_adds(root):
    write(root, {"awaken.toml": "extend-exclude = ['from-file']\n"})
    below = root / "below"
    below.mkdir()
    os.chdir(below)

    found = resolved(root, "extend-exclude = ['./here', '../there', '!../kept/x.py']")
    assert found.exclude == (
        PathPatterns(DEFAULT_EXCLUDE, root),
        PathPatterns(("from-file",), root),
        PathPatterns(("/here",), below),
        PathPatterns(("/there", "!/kept/x.py"), root),
    )
    assert found.origins["extend-exclude"] == "awaken.toml and --config"

    both = ("extend-exclude = ['a']", "extend-exclude = ['b']")
    assert resolved(root, *both).origins["extend-exclude"] == "awaken.toml and --config"

    found = resolved(root, "exclude = ['one']", exclude=(f"{below}/two", "three"))
    assert found.exclude == (
        PathPatterns(("/two", "three"), below),
        PathPatterns(("from-file",), root),
    )


def test_targets_and_options_join_key_by_key(root):
    write(root, {"awaken.toml": EVERYTHING.replace("SQLAlchemy", "FastAPI")})

    found = resolved(
        root,
        "rules.rename-old.style = 'shouted'",
        "target.SQLalchemy = '2.0'",
        target={"fastapi": "0.100"},
    )

    assert found.target == {"fastapi": "0.100", "sqlalchemy": "2.0"}
    assert found.target_origins() == {
        "sqlalchemy": "awaken's settings, --config",
        "python": "awaken's settings, awaken.toml",
    }
    options = found.options["rename-old"]
    assert (options.new_name, options.style, options.longest) == ("novel", "shouted", 10)
    assert found.origins["rules.rename-old.style"] == "--config"


def test_a_rule_has_its_defaults_without_a_word(root):
    assert resolved(root).options.keys() == {"rename-old"}
    assert resolved(root).options["rename-old"] == RULES[0].options()


def test_auto_takes_a_version_back(root):
    write(root, {"awaken.toml": "target-version = 'py39'"})

    assert resolved(root).target_version == "py39"
    assert resolved(root, target_version="auto").target_version is None


def test_paths_of_the_command_line_are_relative_to_the_current_directory(root, monkeypatch):
    monkeypatch.setenv("HOME", "/elsewhere/me")
    write(root, {"awaken.toml": "baseline = 'a.json'"})

    assert resolved(root, "cache-dir = '~/cache'").cache_dir == Path("/elsewhere/me/cache")
    assert resolved(root, baseline="b.json").baseline == root.parent / "b.json"


@pytest.mark.parametrize("name", ["pyproject.toml", "awaken.toml", ".awaken.toml"])
def test_where_results_are_kept_is_no_matter_of_the_project(root, name):
    table = "[tool.awaken]\n" if name == "pyproject.toml" else "\n"
    write(root, {name: f"{table}cache-dir = 'c'\n"})

    with pytest.raises(UserError, match=rf"^root/{name}:2: 'cache-dir' is not allowed in") as said:
        resolved(root, "cache-dir = 'd'")

    assert str(said.value).endswith("remove it, and say --cache-dir instead")
    assert resolved(root, str(root / name)).cache_dir == root / "c"


def test_overrides_say_what_holds_at_a_path_and_the_last_one_decides(root):
    write(
        root,
        {
            "awaken.toml": "unsafe-fixes = true\n"
            "overrides = [{paths = ['api/**', 'x_*.py'], unsafe-fixes = false, ignore = ['ALL']},\n"
            "{paths = ['/api/free'], unsafe-fixes = true},\n"
            "{paths = ['x_*.py'], ignore = ['rename-old']}]\n"
        },
    )

    found = resolved(root, "overrides = [{paths = ['root/sub/'], unsafe-fixes = false}]")

    assert [
        path
        for path in ("a.py", "api/a.py", "api/free/a.py", "sub/api/a.py", "deep/x_1.py", "sub/a.py")
        if found.unsafe_at("", path)
    ] == ["a.py", "api/free/a.py"]
    everything = dict.fromkeys(("rename-old", "rename-risky", "rename-raw"), "awaken.toml")
    assert found.ignoring_overrides("api/free/a.py") == everything
    assert found.ignoring_overrides("x_1.py") == everything
    assert found.ignoring_overrides("sub/a.py") == {}


def test_an_unsafe_change_is_admitted_if_all_the_paths_that_it_edits_admit_it(root):
    write(root, {"awaken.toml": "overrides = [{paths = ['free'], unsafe-fixes = true}]"})
    policy = Policy(unsafe_at=resolved(root).unsafe_at)

    def change(*paths, level=Level.UNSAFE):
        made = [CreateFile(path=path, text="", site=SiteId("s")) for path in paths]
        needed = Requirement(root="", requirement="httpx", site=SiteId("s"))
        return Change(
            id=ChangeId("c"), rule="r", title="", level=level, sites=(), edits=(*made, needed)
        )

    assert policy.allows_level(change("free/a.py", "free/b.py"))
    assert not policy.allows_level(change("free/a.py", "b.py"))
    assert not policy.allows_level(change())
    assert policy.allows_level(change("b.py", level=Level.SAFE))
    everywhere = Policy(unsafe_at=resolved(root, unsafe_fixes=True).unsafe_at)
    assert everywhere.allows_level(change())


@pytest.mark.parametrize(
    ("command_line", "at_a", "at_b"),
    [(None, True, False), (True, True, False), (False, False, False)],
)
def test_the_command_line_can_forbid_what_an_override_allows_but_not_allow_what_it_forbids(
    root, command_line, at_a, at_b
):
    write(
        root,
        {
            "awaken.toml": "overrides = [{paths = ['a.py'], unsafe-fixes = true}, "
            "{paths = ['b.py'], unsafe-fixes = false}]"
        },
    )

    found = resolved(root, unsafe_fixes=command_line)

    assert (found.unsafe_at("", "a.py"), found.unsafe_at("", "b.py")) == (at_a, at_b)
    assert found.unsafe_at("", "c.py") is bool(command_line)


@pytest.mark.parametrize(
    ("file", "command_line", "admitted"),
    [
        ("unsafe = ['rename-old']", {}, ["rename-old"]),
        ("unsafe = ['rename-old']", {"unsafe_fixes": False}, []),
        ("unsafe = ['naming']", {}, ["rename-old", "rename-risky"]),
        ("", {"unsafe": ("rename-old",)}, ["rename-old"]),
        ("unsafe-fixes = false", {"unsafe": ("rename-old",)}, ["rename-old"]),
        ("unsafe = ['rename-old']", {"unsafe_fixes": True}, ["rename-old", "rename-risky"]),
    ],
)
def test_unsafe_changes_are_admitted_rule_by_rule(root, file, command_line, admitted):
    write(root, {"awaken.toml": f"{file}\n"})
    found = resolved(root, **command_line)

    rules = ("rename-old", "rename-risky")
    assert [rule for rule in rules if found.unsafe_at(rule, "a.py")] == admitted


@pytest.mark.parametrize(
    ("name", "select", "why"),
    [
        ("rename-old", ("fresh",), "not selected by the command line"),
        ("rename-raw", None, IN_PREVIEW),
        ("rename-late", None, OPT_IN),
        ("fresh", None, "none of its rules is selected"),
    ],
)
def test_a_rule_that_does_not_run_cannot_be_admitted_on_the_command_line(root, name, select, why):
    with pytest.raises(UserError) as said:
        resolved(root, rules=WITH_OPT_IN, select=select, unsafe=(name,))

    assert str(said.value) == f"--unsafe selects {name}, which does not run here: {why}"
    write(root, {"awaken.toml": f"unsafe = ['{name}']\n"})
    assert resolved(root, rules=WITH_OPT_IN, select=select).unsafe
