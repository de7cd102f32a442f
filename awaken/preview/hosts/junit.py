"""JUnit XML: each site is a failed test, each problem of the run an error.

A run without sites is one test that passed: servers take an empty file for a broken one. One suite
holds the sites of one file. Source: the schema of Jenkins' xUnit plugin, ``junit-10.xsd``.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from awaken.contract import Finding
from awaken.engine.report import Report, RootReport
from awaken.preview.counts import diagnostics
from awaken.preview.markdown.remaining import base_of, places_after, remaining
from awaken.preview.paths import relative
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert_markup, printable, visible


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    places = places_after(report, asked.command, base_of(report, asked))
    suites = ET.Element("testsuites", name="awaken")
    by_path: dict[str, list[tuple[RootReport, Finding]]] = {}
    for root, finding in remaining(report, asked.command):
        by_path.setdefault(places.path(root, finding.place.path), []).append((root, finding))
    for path, result in by_path.items():
        suite = _suite(suites, path, len(result))
        for root, finding in result:
            _failure(suite, path, root, finding, places)
    troubles = [*diagnostics(report)]
    if troubles:
        suite = _suite(suites, "awaken", len(troubles), is_error=True)
        for number, (root_report, diagnostic) in enumerate(troubles, 1):
            start = asked.current if root_report is None else root_report.root
            path = relative(start, diagnostic.path, places.base) if diagnostic.path else "awaken"
            case = _case(suite, f"diagnostic {number}", path, diagnostic.line)
            ET.SubElement(case, "error", type="diagnostic", message=visible(diagnostic.message))
    elif not by_path:
        _case(_suite(suites, "awaken", 1, is_failed=False), "no site found", "awaken", 0)
    _count(suites)
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    yield f'<?xml version="1.0" encoding="utf-8"?>\n{inert_markup(text)}\n'.encode()


def _suite(
    suites: ET.Element, name: str, tests: int, *, is_error: bool = False, is_failed: bool = True
) -> ET.Element:
    failures = tests if is_failed and not is_error else 0
    counts = {"tests": tests, "failures": failures, "errors": tests if is_error else 0}
    words = {key: str(count) for key, count in counts.items()}
    return ET.SubElement(suites, "testsuite", {"name": visible(name), **words})


def _failure(
    suite: ET.Element, path: str, root: RootReport, finding: Finding, places: Places
) -> None:
    _, region = places.location_of(root, finding.place)
    name = f"{finding.rule} at {region.line}:{region.column}" if region.line else finding.rule
    case = _case(suite, name, path, region.line)
    kind = visible(finding.reason or f"{finding.rule}/{finding.level}")
    failure = ET.SubElement(case, "failure", type=kind, message=visible(finding.message))
    lines = [f"{path}:{region.line}:{region.column}: {finding.level} {finding.message}"]
    failure.text = printable("\n".join([*lines, *filter(None, [finding.help])]))


def _case(suite: ET.Element, name: str, path: str, line: int) -> ET.Element:
    words = {"name": visible(name), "classname": visible(path), "file": visible(path)}
    if line:
        words["line"] = str(line)
    return ET.SubElement(suite, "testcase", words)


def _count(suites: ET.Element) -> None:
    for key in ("tests", "failures", "errors"):
        suites.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
