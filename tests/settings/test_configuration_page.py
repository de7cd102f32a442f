"""The page on configuration names every setting, and what it shows is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from msgspec import structs

from awaken.contract import UserError
from awaken.engine.planning.rule_discovery import all_rules
from awaken.settings import Override, Resolved, Settings
from awaken.settings.model import Said
from awaken.settings.resolve import resolve
from awaken.settings.settings_files import named_layer

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^####? `([a-z.-]+)`\n(.*?)(?=^#|\Z)", PAGE))
BLOCKS = re.findall(r"(?ms)^```toml\n(.*?)^```", PAGE)


def keys(kind):
    return [field.encode_name for field in structs.fields(kind)]


def test_the_page_names_every_key_and_no_other():
    expected = []
    for key in keys(Settings):
        expected.append(key)
        if key == "overrides":
            expected += [f"overrides.{one}" for one in keys(Override)]
    assert sorted(SECTIONS) == sorted(expected)


@pytest.mark.parametrize("key", SECTIONS)
def test_each_key_has_its_type_and_default_and_an_example(key):
    section = SECTIONS[key]

    assert re.search(r"(?m)^- Type: \w", section)
    assert re.search(r"(?m)^- Default: .", section)
    if "." not in key:
        assert re.search(rf"(?m)^(\[?\[tool\.awaken\.{key}\b|{key} = )", section)


@pytest.mark.parametrize(
    "key", ["unsafe-fixes", "target-version", "exclude", "force-exclude", "respect-gitignore"]
)
def test_the_defaults_are_those_of_the_code(key):
    (shown,) = re.findall(r"(?m)^- Default: `(.*)`$", SECTIONS[key])
    defaults = {field.encode_name: field.default for field in structs.fields(Settings)} | {
        name.replace("_", "-"): value for name, value in structs.asdict(Resolved()).items()
    }
    value = tomllib.loads(f"x = {shown}")["x"]

    if key == "exclude":
        assert value == list(defaults[key][0].patterns)
    else:
        assert value == (defaults[key] if key != "target-version" else "auto")


@pytest.mark.parametrize("text", BLOCKS)
def test_each_example_is_a_settings_file(tmp_path, text):
    path = tmp_path / ("pyproject.toml" if "[tool.awaken" in text else "awaken.toml")
    path.write_text(text)
    for named in ("backend", "plugins/basket"):
        (tmp_path / named).mkdir(parents=True)

    layer = named_layer(path, path.name, path.name, all_rules())

    assert layer.settings != Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "\n" * 10 + "[tool.awaken]\nextend-selct = []\n"),
        ("pyproject.toml", "\n" * 12 + "[tool.awaken]\nunsafe-fixes = 'yes'\n"),
        ("awaken.toml", "select = [\n  'query-to-select',\n  'sqlalchmy',\n]\n"),
        ("awaken.toml", "\n" * 7 + "[[overrides]]\npath = ['a']\n"),
    ],
)
def test_each_error_shown_is_what_awaken_says(tmp_path, monkeypatch, name, text):
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError) as caught:
        resolve(tmp_path, Said(), rules=all_rules())

    assert f"\nerror: {caught.value}\n" in PAGE


def test_the_error_of_the_command_line_shown_is_what_awaken_says(tmp_path):
    with pytest.raises(UserError) as caught:
        resolve(tmp_path, Said(config=("target-version=py311",)), rules=all_rules())

    assert f"\nerror: {caught.value}\n" in PAGE
