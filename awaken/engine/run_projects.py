"""The projects that a run covers: their settings, their rules, and what cannot be used of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import SiteId, UnusableFile, UserError
from awaken.engine.planning.rule_discovery import in_running_order
from awaken.engine.progress import Progress, silent
from awaken.engine.remembering.rule_table import installed_rules
from awaken.kit.rule import Rule
from awaken.settings import Resolved, Settings
from awaken.settings.model import Said
from awaken.settings.resolve import require_usable, resolve
from awaken.workspace.discovery import DiscoverySettings, Found, discover, find_roots, with_created
from awaken.workspace.reading import overlaid
from awaken.workspace.sources import FileProblem

if TYPE_CHECKING:
    from awaken.engine.root_run import RootRun
    from awaken.passes.pass_settings import PassPlace, PassSettings


class Options(Struct, frozen=True, kw_only=True):
    """The options of a run.

    ``settings`` override those of the projects' files; ``config`` (files, or ``KEY=VALUE`` as in
    TOML) comes between them; ``isolated`` reads no files. ``since`` is a git commit: only sites on
    lines changed since count. ``overlay`` maps real paths to bytes that replace those on disk.
    ``jobs`` is the number of processes, None for one per core. ``excluded`` names sites that must
    stay as they are. With ``new_baseline`` the baseline need not exist yet.
    """

    settings: Settings = Settings()
    config: tuple[str, ...] = ()
    isolated: bool = False
    since: str | None = None
    overlay: Mapping[Path, bytes] = {}
    jobs: int | None = None
    excluded: frozenset[SiteId] = frozenset()
    excluded_in: Mapping[Path, frozenset[SiteId]] = {}
    use_cache: bool = True
    new_baseline: bool = False


def trusted_values(root: Path) -> Mapping[str, str]:
    """Return the passes of a project that the user trusts, with what they were then."""
    # Most projects name no pass, and nobody is asked.
    from awaken.engine.remembering.trusted_projects import trusted_passes  # noqa: PLC0415

    return trusted_passes(root)


def known_rules(options: Options, rules: Sequence[Rule] | None) -> tuple[Rule, ...]:
    """Return the rules to choose from: those that are installed, unless others are said."""
    if rules is not None:
        return tuple(rules)
    base = options.settings.cache_dir
    return installed_rules(None if base is None else Path.cwd() / base, use=options.use_cache)


def outermost(found: Found, projects: Iterable[Found]) -> Path | None:
    """Return the outermost of ``projects`` that another one lies in; None where there is none."""
    paths = {project.root.path for project in projects if not project.root.lone}
    return next((parent for parent in reversed(found.root.path.parents) if parent in paths), None)


@contextmanager
def standing_alone(
    settings: Resolved, problems: list[FileProblem], user_errors: list[UserError]
) -> Iterator[None]:
    """Make whatever fails for one project a problem of that project; the others go on.

    What may be the user's own words, a wrong commit for instance, goes into ``user_errors``.
    """
    try:
        yield
    except BrokenPipeError:  # nobody reads what is printed, so nothing needs to go on
        raise
    except UnusableFile as error:
        if settings.says_user("baseline"):
            user_errors.append(error)
        else:
            problems.append(FileProblem(error.path, error.line, error.message))
    except UserError as error:
        user_errors.append(error)
    except Exception as error:  # noqa: BLE001  a hostile project must not cost the others theirs
        problems.append(_internal(settings.root, error))


def as_problems(user_errors: Sequence[UserError], done: Sequence[object]) -> list[FileProblem]:
    """Return the errors as problems together with the result. Raises the first if nothing was.

    A wrong commit is wrong everywhere; a broken repository costs only its own project.
    """
    if user_errors and not done:
        raise user_errors[0]
    return [FileProblem("", 0, sentence) for sentence in dict.fromkeys(map(str, user_errors))]


def _internal(root: Path, error: Exception) -> FileProblem:
    import logging  # noqa: PLC0415  hardly ever needed

    logging.getLogger("awaken").debug("internal error in %s", root, exc_info=error)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    sentence = (
        f"internal error: {what}; nothing was done in this project, "
        "please run it alone with -v and report what that prints"
    )
    return FileProblem(str(root), 0, sentence)


def root_run_of(
    found: Found,
    settings: Resolved,
    options: Options,
    known: tuple[Rule, ...],
    progress: Progress | None = None,
) -> RootRun:
    """Return the run of one project, with the settings and the options that it has."""
    from awaken.engine.root_run import RootRun  # noqa: PLC0415  help needs no engine

    return RootRun(
        found=found,
        settings=settings,
        rules=(*known, *settings.passes),
        since=options.since,
        overlay=options.overlay,
        excluded=options.excluded | options.excluded_in.get(found.root.path, frozenset()),
        jobs=options.jobs,
        use_cache=options.use_cache,
        new_baseline=options.new_baseline,
        progress=progress or silent,
    )


def projects_of(
    paths: Sequence[Path], options: Options, known: Sequence[Rule]
) -> tuple[Mapping[Path, Resolved], list[Found], list[FileProblem]]:
    """Return the settings by root, the projects, and what cannot be used: paths, and settings.

    A project whose own settings cannot be used is left out; those inside it are not.
    """
    from awaken.engine.root_run import reads_of  # noqa: PLC0415  help needs no engine

    said = Said(options.settings, options.config, options.isolated, trusted_values)
    rule_of = partial(rule_of_pass, options.jobs)
    require_usable(
        said,
        lambda: [root.path for root in find_roots(paths, options.overlay)[0]],
        rules=known,
        rule_of=rule_of,
    )
    settings: dict[Path, Resolved] = {}
    unusable: list[FileProblem] = []

    def reads_for(one: Resolved) -> tuple[str, ...]:
        return reads_of(rule for rule in (*known, *one.passes) if rule.name in one.rules)

    def discovery_of(root: Path) -> DiscoverySettings:
        try:
            setting = resolve(root, said, rules=known, rule_of=rule_of)
        except UnusableFile as error:
            unusable.append(FileProblem(error.path, error.line, error.message))
        except UserError as error:
            unusable.append(FileProblem("", 0, str(error)))
        except Exception as error:  # noqa: BLE001  as in standing_alone
            unusable.append(_internal(root, error))
        else:
            settings[root] = setting
            return DiscoverySettings(
                exclude=setting.exclude,
                respect_gitignore=setting.respect_gitignore,
                force_exclude=setting.force_exclude,
                members=setting.members,
                reads=reads_for(setting),
            )
        return DiscoverySettings()

    with overlaid(options.overlay):
        result, problems = discover(paths, discovery_of, options.overlay)
    # Of a file that is named itself, discovery knows what to do with it.
    created = options.overlay.keys() - {Path(os.path.realpath(path)) for path in paths}
    projects = [candidate for candidate in result if candidate.root.path in settings]
    if created:  # else no run needs what its rules read a second time
        projects = [
            with_created(item, created, reads_for(settings[item.root.path])) for item in projects
        ]
    return settings, projects, [*problems, *unusable]


def rule_of_pass(jobs: int | None, settings: PassSettings, place: PassPlace) -> Rule:
    """Return the rule that runs a pass, in at most ``jobs`` processes."""
    # Most runs have no pass, and need not load what runs one.
    from awaken.engine.machine.foreign_code import ForeignCode  # noqa: PLC0415
    from awaken.passes.foreign import rule_of  # noqa: PLC0415

    return rule_of(settings, place, partial(ForeignCode, jobs=jobs))


def rules_that_ran(known: Sequence[Rule], settings: Iterable[Resolved]) -> tuple[Rule, ...]:
    """Return the rules that some project has, in the order in which they run."""
    resolved = tuple(settings)
    names = {name for setting in resolved for name in setting.rules}
    passes = (rule for setting in resolved for rule in setting.passes)
    # Two projects may each have a pass of one name.
    every = {rule.name: rule for rule in (*known, *passes)}
    return tuple(rule for rule in in_running_order(every.values()) if rule.name in names)
