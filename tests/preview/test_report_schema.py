"""What is printed is what ``docs/schemas/report-1.schema.json`` describes, no less and no more."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from awkward import ROOT, everything, only_diagnostics
from jsonschema import Draft202012Validator
from report_builders import report

from awaken.engine.report import Report
from awaken.preview.documents.document import document
from awaken.preview.documents.json_lines import json_lines

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/schemas/report-1.schema.json").read_text("utf-8")
)
REPORTS = {"all": everything, "trouble": only_diagnostics, "empty": report}


def closed() -> Draft202012Validator:
    """Return a validator that refuses keys which nothing describes; the schema lets them pass."""
    strict = copy.deepcopy(SCHEMA)
    for name, part in strict["$defs"].items():
        if not name.endswith("Fields") and name not in {"level", "line"}:
            part["unevaluatedProperties"] = False
    return Draft202012Validator(strict)


def problems(value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in closed().iter_errors(value)]


def of_document(one: Report) -> dict[str, Any]:
    whole = json.loads(document(one, ROOT))
    assert isinstance(whole, dict)
    return whole


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", REPORTS)
def test_the_document_is_as_described(name: str) -> None:
    assert problems(of_document(REPORTS[name]())) == []


@pytest.mark.parametrize("name", REPORTS)
def test_every_line_is_as_described(name: str) -> None:
    lines = b"".join(json_lines(REPORTS[name](), ROOT)).splitlines()

    assert [problem for line in lines for problem in problems(json.loads(line))] == []


@pytest.mark.parametrize(
    "part", ["findings", "held", "changes", "files", "diagnostics", "left_to_do", "plans", "roots"]
)
def test_a_key_that_is_missing_or_new_is_a_problem(part: str) -> None:
    missing, new = of_document(everything()), of_document(everything())
    del missing[part][0][next(iter(missing[part][0]))]
    new[part][0]["new"] = 1

    assert problems(missing)
    assert problems(new)
    assert not list(Draft202012Validator(SCHEMA).iter_errors(new))


def test_a_line_of_an_unknown_kind_is_a_problem() -> None:
    assert problems({"kind": "other"})
    assert problems({"kind": "summary"})
