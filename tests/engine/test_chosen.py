"""The files for any chosen set of changes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from rules_for_tests import OneByOne, OverFiles, RequiresBase
from transaction_cases import MANIFEST

from awaken import api
from awaken.contract import ChangeId, UserError
from awaken.engine.asking import chosen_changes

RULES = [OneByOne(), OverFiles(), RequiresBase()]
OPTIONS = api.Options(jobs=1, use_cache=False)
TEXT = "single(1)\nsingle(2)\nalpha(3)\ndependant(4)\ndependant(5)\n"


@pytest.fixture
def roots(tmp_path):
    """Write two projects, each with two files."""
    made = [tmp_path / "first", tmp_path / "second"]
    for root in made:
        root.mkdir()
        for name, text in (("pyproject.toml", MANIFEST), ("a.py", TEXT), ("b.py", "alpha(6)\n")):
            (root / name).write_text(text, "utf-8")
    return made


def changed(report):
    return {root.root / one.path: one.after.text for root in report.roots for one in root.files}


def keys(report):
    return {(root.root, one.id) for root in report.roots for one in root.changes}


def test_only_chosen_changes_are_made(roots):
    report = api.run(roots, OPTIONS, RULES)
    wanted = {(roots[0], "one-by-one-1"), (roots[1], "over-files-0")}
    assert wanted < keys(report)

    made = api.run_chosen(report, wanted, roots, OPTIONS, RULES)

    assert changed(made) == {
        roots[0] / "a.py": TEXT.replace("single(2)", "double(2)").encode(),
        roots[1] / "a.py": TEXT.replace("alpha", "beta").encode(),
        roots[1] / "b.py": b"beta(6)\n",
    }


def test_all_changes_give_the_run_and_none_give_nothing(roots):
    report = api.run(roots, OPTIONS, RULES)

    assert changed(api.run_chosen(report, keys(report), roots, OPTIONS, RULES)) == changed(report)
    assert not changed(api.run_chosen(report, [], roots, OPTIONS, RULES))


def test_a_change_without_what_it_requires_is_not_made(roots):
    report = api.run(roots, OPTIONS, RULES)

    made = api.run_chosen(report, [(roots[0], "requires-base-1")], roots, OPTIONS, RULES)

    assert not changed(made)


def test_what_the_options_exclude_stays_as_it_is(roots):
    first = api.run(roots, OPTIONS, RULES)
    excluded = {
        roots[0]: frozenset(
            site for one in first.roots[0].changes if one.id == "over-files-0" for site in one.sites
        )
    }
    options = replace(OPTIONS, excluded_in=excluded)
    report = api.run(roots, options, RULES)

    made = api.run_chosen(report, keys(report), roots, options, RULES)

    assert roots[0] / "b.py" not in changed(made)
    assert changed(made) == changed(report)


def test_a_change_that_the_report_does_not_have_is_an_error(roots):
    report = api.run(roots, OPTIONS, RULES)

    with pytest.raises(KeyError):
        api.run_chosen(report, [(roots[0], ChangeId("other"))], roots, OPTIONS, RULES)


class MoreWhenExcluded(OneByOne):
    """Renames another function where a call is left out: those sites come up only then."""

    def _sites(self, project):
        yield from super()._sites(project)
        if self.excluded:
            self.old = "other"
            yield from super()._sites(project)
            self.old = "single"

    def plan(self, project, constraints):
        self.excluded = constraints.excluded
        return super().plan(project, constraints)


def test_sites_that_come_up_only_then_are_not_made(roots):
    (roots[0] / "a.py").write_text("single(1)\nsingle(2)\nother(3)\n", "utf-8")
    rules = [MoreWhenExcluded()]
    report = api.run([roots[0]], OPTIONS, rules)
    excluded = frozenset(report.roots[0].changes[0].sites)
    rest = api.run([roots[0]], replace(OPTIONS, excluded=excluded), rules)
    assert changed(rest) == {roots[0] / "a.py": b"single(1)\ndouble(2)\ndouble(3)\n"}

    made = api.run_chosen(report, [(roots[0], "one-by-one-1")], [roots[0]], OPTIONS, rules)

    assert changed(made) == {roots[0] / "a.py": b"single(1)\ndouble(2)\nother(3)\n"}


def test_sites_that_come_up_without_end_are_an_error(roots):
    report = api.run(roots, OPTIONS, RULES)
    number = iter(range(1000))

    def another(_sites):
        """Return the run with sites that no run had before."""
        root, at = report.roots[0], next(number)
        changes = tuple(replace(one, sites=(f"{one.id}-{at}",)) for one in root.changes)
        return replace(report, roots=(replace(root, changes=changes),))

    with pytest.raises(UserError, match="choose all or none"):
        chosen_changes.run_chosen(report, [], another)
