"""The cure of each reason, followed to the letter, changes what becomes of the site.

``cures.toml`` of a case says how its cures are followed, one table for each: in ``path`` each text
of ``replace`` is written otherwise, ``files`` are written whole, ``settings`` are keys of
``case.toml``. The site then has its reason no more. It is rewritten, or no site any longer, unless
``still`` names the reason that keeps it: that of a site beside it, say. Reasons without a cure, and
why, are in ``data/cureless.toml``.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
from fixture_cases import CASES, FIXTURES, result_of

from awaken import api
from awaken.engine.planning.engine_reasons import ENGINE_REASONS
from awaken.testing import run_case
from awaken.testing.cases import MODULE


class Cure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    path: str = MODULE
    replace: dict[str, str] = {}
    files: dict[str, str] = {}
    settings: dict[str, object] = {}
    still: str = ""


class Cures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cure: list[Cure]


CURELESS = tomllib.loads((Path(__file__).parent / "data" / "cureless.toml").read_text("utf-8"))
# Also of cases that are bound to other versions than those here.
WRITTEN = {
    file.parent: msgspec.toml.decode(file.read_bytes(), type=Cures).cure
    for file in sorted(FIXTURES.rglob("cures.toml"))
}
CURES = {
    f"{identifier}-{cure.reason}-{number}": (identifier, cure)
    for identifier, case in CASES.items()
    for number, cure in enumerate(WRITTEN.get(case.directory, ()))
}


def code_of(rule, reason):
    return reason if "/" in reason else f"{rule}/{reason}"


@cache
def reasons_before(identifier):
    return Counter(one.reason for one in result_of(identifier).findings if one.reason)


@pytest.mark.parametrize("name", CURES)
@pytest.mark.sampled(8)
def test_a_cure_that_is_followed_changes_the_outcome(name):
    identifier, cure = CURES[name]
    case = CASES[identifier]
    code = code_of(case.rule, cure.reason)
    files = {**case.before, **{path: text.encode() for path, text in cure.files.items()}}
    for old, new in cure.replace.items():
        assert old.encode() in files[cure.path], f"{cure.path} has no {old!r}"
        files[cure.path] = files[cure.path].replace(old.encode(), new.encode())
    settings = {**msgspec.structs.asdict(case.settings), **cure.settings}
    cured = msgspec.structs.replace(case, settings=type(case.settings)(**settings))

    result = run_case(cured, files=files)

    assert not result.report.diagnostics
    before = reasons_before(identifier)
    after = Counter(one.reason for one in result.findings if one.reason)
    assert before[code], f"the case has no site with the reason {code}"
    assert after[code] < before[code]
    if cure.still:
        assert after[code_of(case.rule, cure.still)]
    else:
        assert after.total() < before.total()


def test_each_reason_has_a_cure_that_is_followed_or_says_why_not():
    declared = {one.full_code(rule.name) for rule in api.rules() for one in rule.reasons}
    declared |= {one.code for one in ENGINE_REASONS}
    cured = {
        code_of(directory.relative_to(FIXTURES).parts[1], cure.reason)
        for directory, cures in WRITTEN.items()
        for cure in cures
    }
    listed = {code for codes in CURELESS.values() for code in codes}

    assert cured | listed == declared
    assert not cured & listed
