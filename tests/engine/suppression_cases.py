"""A small project on disk some of whose sites are suppressed, and what a run says of it."""

from __future__ import annotations

from msgspec.structs import replace
from rules_for_tests import OneByOne, RenameCalls

from awaken import api
from awaken.contract import Level, Plan, Status
from awaken.settings import Settings

MANIFEST = '[project]\nname = "shop"\nversion = "1"\ndependencies = []\n'


class AllOrNothing(RenameCalls):
    """Decides that its one change is not made at all without any of its sites."""

    name = "all-or-nothing"
    old, new, together = "whole", "half", True

    def plan(self, project, constraints):
        plan = super().plan(project, constraints)
        sites = {finding.site for finding in plan.findings}
        if sites.isdisjoint(constraints.excluded):
            return plan
        reason = self.reasons[0]
        manual = [
            _manual(finding, f"{self.name}/{reason.code}", "one of them stays")
            if finding.site not in constraints.excluded
            else finding
            for finding in plan.findings
        ]
        return Plan(tuple(manual), ())


def _manual(finding, reason, message):
    return replace(finding, level=Level.MANUAL, reason=reason, message=message, change=None)


class PerFile(OneByOne):
    """Is planned file by file, in several processes where there are any."""

    name = "per-file"
    old, new, per_file = "each", "every", True
    triggers = (b"each",)

    def plan(self, project, constraints):
        plan = super().plan(project, constraints)
        ids = {change.id: f"{self.name}:{change.sites[0]}" for change in plan.changes}
        return Plan(
            tuple(replace(one, change=ids.get(one.change, one.change)) for one in plan.findings),
            tuple(replace(change, id=ids[change.id]) for change in plan.changes),
        )

    def _sites(self, project):
        files = project.site_files(self.triggers)
        return (site for site in super()._sites(project) if site.path in files)


class Preview(OneByOne):
    """Runs by name only."""

    name = "in-preview"
    old, new, status = "early", "late", Status.PREVIEW


def write(root, files):
    """Write ``files`` below ``root``, which is made a project."""
    for name, text in {"pyproject.toml": MANIFEST, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")


def run(root, *rules, jobs=1, **options):
    """Run the rules over ``root`` and return its report; ``baseline`` and others are settings."""
    names = ("select", "ignore", "baseline", "unsafe_fixes", "overrides", "respect_gitignore")
    settings = Settings(**{name: options.pop(name) for name in names if name in options})
    paths = options.pop("paths", [root])
    asked = api.Options(settings=settings, jobs=jobs, use_cache=False, **options)
    (report,) = api.run(paths, asked, rules=[rule() for rule in rules]).roots
    return report


def text_of(report, finding):
    """Return the source of a finding on disk."""
    span = finding.place.span
    return report.sources[finding.place.path].text[span.start : span.end].decode()


def found(report):
    """Return the level and source of each finding of a rule."""
    return [(one.level.value, text_of(report, one)) for one in report.findings]


def suppressed(report):
    """Return what holds each site that is held, and its source."""
    return [(one.by.value, text_of(report, one.finding)) for one in report.suppressed]


def changed(report):
    """Return the text of each file after the run."""
    return {file.path: file.after.text.decode() for file in report.files}


def advice(report):
    """Return the messages about suppression comments."""
    return [one.message for one in report.findings if one.rule == "unused-suppression"]
