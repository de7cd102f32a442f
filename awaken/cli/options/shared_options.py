"""The options that several commands share, each declared once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from awaken.cli.options.declaring import (
    FILES,
    OUTPUT,
    PROGRAM,
    RULES,
    SETTINGS,
    Argument,
    Option,
    Parameter,
    bad_parameter,
)
from awaken.cli.options.passes import PassOptions
from awaken.preview.choices import Color, Form, View

if TYPE_CHECKING:
    from awaken.cli.options.command_line import CommandLine

When = Annotated[Color, Option("--color", help="When to use colours.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool, Option("-q", "--quiet", help="No summary on stderr.", rich_help_panel=OUTPUT)
]
Verbose = Annotated[
    bool,
    Option(
        "-v",
        "--verbose",
        help="Show rules, files and all sites of a change; show tracebacks.",
        rich_help_panel=OUTPUT,
    ),
]


def rule_names(incomplete: str) -> list[str]:
    """Return what a list of rules and families, separated by commas, may go on as."""
    from awaken import api  # noqa: PLC0415  only the shell's question needs it

    before, comma, word = incomplete.rpartition(",")
    rules = (*api.rules(), *api.passes(Path.cwd()))
    known = {name for rule in rules for name in (rule.name, rule.family)}
    return [f"{before}{comma}{name}" for name in sorted(known) if name.startswith(word)]


def _rules(words: str) -> Parameter:
    """Return the option of rules and families that ``words`` describe."""
    return Option(metavar="RULES", help=words, autocompletion=rule_names, rich_help_panel=RULES)


def _switch(name: str, words: str, panel: str) -> Parameter:
    """Return the option ``--name`` and ``--no-name`` that ``words`` describe."""
    return Option(f"--{name}/--no-{name}", help=words, show_default=False, rich_help_panel=panel)


def _value(metavar: str, words: str, panel: str) -> Parameter:
    """Return the option with one value, or several, that ``words`` describe."""
    return Option(metavar=metavar, help=words, show_default=False, rich_help_panel=panel)


@dataclass(frozen=True)
class ProjectOptions(PassOptions):
    """The options of a run except its paths: rules, levels, versions and settings."""

    select: Annotated[
        list[str] | None, _rules("Run only these rules or families, separated by commas.")
    ] = None
    extend_select: Annotated[list[str] | None, _rules("Also run these rules or families.")] = None
    ignore: Annotated[list[str] | None, _rules("Do not run these rules or families.")] = None
    preview: Annotated[
        bool | None, _switch("preview", "Include preview rules in families and ALL.", RULES)
    ] = None
    unsafe: Annotated[
        list[str] | None, _rules("Also write unsafe rewrites, but only of these rules or families.")
    ] = None
    unsafe_fixes: Annotated[
        bool | None,
        _switch(
            "unsafe-fixes",
            "Also write unsafe rewrites, which may change behaviour. Each message says how.",
            RULES,
        ),
    ] = None
    target_version: Annotated[
        str | None,
        _value(
            "VERSION",
            "The oldest Python that the program supports, such as py311; auto detects it.",
            PROGRAM,
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        _value("NAME=VERSION", "The version of a library, such as sqlalchemy=2.0.", PROGRAM),
    ] = None
    published: Annotated[
        bool | None,
        _switch(
            "published",
            "Whether code outside the project may import from it. Default: from the build "
            "settings.",
            PROGRAM,
        ),
    ] = None
    component: Annotated[
        str | None,
        _value(
            "NAME",
            "Only code that becomes asynchronous together with this module or function.",
            PROGRAM,
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        _value(
            "PATTERNS",
            "Exclude these files instead of the default ones: .gitignore patterns, "
            "separated by commas.",
            FILES,
        ),
    ] = None
    extend_exclude: Annotated[
        list[str] | None,
        Option(metavar="PATTERNS", help="Also exclude these files.", rich_help_panel=FILES),
    ] = None
    force_exclude: Annotated[
        bool | None,
        _switch("force-exclude", "Exclude excluded files even if PATHS name them.", FILES),
    ] = None
    respect_gitignore: Annotated[
        bool | None,
        _switch("respect-gitignore", "Exclude untracked files that .gitignore ignores.", FILES),
    ] = None
    since: Annotated[
        str | None, _value("REF", "Only sites that touch lines changed since this commit.", FILES)
    ] = None
    baseline: Annotated[
        Path | None,
        Option(metavar="FILE", help="Suppress the sites in this file.", rich_help_panel=FILES),
    ] = None
    config: Annotated[
        list[str] | None,
        _value("CONFIG", "A settings FILE, or a KEY=VALUE pair in TOML.", SETTINGS),
    ] = None
    isolated: Annotated[
        bool, Option("--isolated", help="Read no settings files.", rich_help_panel=SETTINGS)
    ] = False
    stdin_filename: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="The name of the file on stdin, with - as the path.",
            rich_help_panel=FILES,
        ),
    ] = None
    jobs: Annotated[
        int | None,
        Option(
            "-j",
            "--jobs",
            min=1,
            help="Number of processes; one per core by default.",
            rich_help_panel=SETTINGS,
        ),
    ] = None
    cache_dir: Annotated[
        Path | None,
        Option(
            metavar="DIRECTORY",
            help="Where to keep results between runs.",
            rich_help_panel=SETTINGS,
        ),
    ] = None
    no_cache: Annotated[
        bool, Option("-n", "--no-cache", help="Read every file again.", rich_help_panel=SETTINGS)
    ] = False

    def command_line_for(self, paths: Sequence[Path]) -> CommandLine:
        """Return what was asked for, as paths and options of a run; raises BadParameter."""
        from awaken.api import Options  # noqa: PLC0415  the help needs no engine
        from awaken.cli.options.command_line import CommandLine  # noqa: PLC0415
        from awaken.cli.options.standard_input import overlay  # noqa: PLC0415
        from awaken.settings import Settings  # noqa: PLC0415

        passes = self.passes()
        names = tuple(item.known_as for item in passes)
        select = _separated_names("--select", self.select)
        # A user who names a codemod wants that one, and knows that nobody proves it.
        unsafe = True if passes and not select else None
        settings = Settings(
            select=(*select, *names) or None,
            extend_select=_separated_names("--extend-select", self.extend_select),
            ignore=_separated_names("--ignore", self.ignore),
            preview=self.preview,
            unsafe=_separated_names("--unsafe", self.unsafe),
            unsafe_fixes=unsafe if self.unsafe_fixes is None else self.unsafe_fixes,
            target_version=_python(self.target_version),
            target=_versions(self.target),
            published=self.published,
            exclude=_separated_names("--exclude", self.exclude) or None,
            extend_exclude=_separated_names("--extend-exclude", self.extend_exclude),
            force_exclude=self.force_exclude,
            respect_gitignore=self.respect_gitignore,
            baseline=None if self.baseline is None else str(self.baseline),
            cache_dir=None if self.cache_dir is None else str(self.cache_dir),
            rules=(
                {}
                if self.component is None
                else {"session-to-async": {"component": self.component}}
            ),
            passes=passes,
            trust_passes=self.trust_passes,
        )
        paths, overlaid = overlay(paths, self.stdin_filename)
        options = Options(
            settings=settings,
            config=tuple(self.config or ()),
            isolated=self.isolated,
            since=self.since,
            overlay=overlaid,
            jobs=self.jobs,
            use_cache=not self.no_cache,
        )
        return CommandLine(tuple(paths), options)


NoPager = Annotated[
    bool, Option("--no-pager", help="Do not use a pager for long output.", rich_help_panel=OUTPUT)
]


@dataclass(frozen=True)
class RunOptions(ProjectOptions):
    """The options of a run: paths, rules, levels, versions and settings."""

    paths: Annotated[
        list[Path] | None,
        Argument(
            metavar="PATHS",
            help=(
                "Files and directories to change, by default the current directory; - "
                "reads one file from stdin."
            ),
            show_default=False,
        ),
    ] = None

    def command_line(self) -> CommandLine:
        """Return what was asked for, as paths and options of a run; raises BadParameter."""
        return self.command_line_for(self.paths or [Path()])


@dataclass(frozen=True)
class DiffOptions:
    """How a diff is laid out on a terminal."""

    side_by_side: Annotated[
        bool,
        Option(
            "--side-by-side", help="Show before and after in two columns.", rich_help_panel=OUTPUT
        ),
    ] = False
    context: Annotated[
        int,
        Option(
            "-U",
            "--context",
            min=0,
            metavar="LINES",
            help="Unchanged lines around.",
            rich_help_panel=OUTPUT,
        ),
    ] = 3


def _file_to_write(value: Path | None) -> Path | None:
    """Refuse before the run what could not be written after it: an apply would be done by then."""
    if value is not None and value.is_dir():
        raise bad_parameter(f"{value} is a directory; name a file in it")
    if value is not None and not value.absolute().parent.is_dir():
        raise bad_parameter(f"there is no directory {value.parent}; create it first")
    return value


def _web_address(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"https?://[\w.~:/?#@!$&'*+,;=%-]{1,2000}", value):
        raise bad_parameter(f"{value!r} is no address of a page; it begins with https://")
    return value


OutputFile = Annotated[
    Path | None,
    Option(
        "-o",
        "--output-file",
        metavar="FILE",
        help="Write to this file, not to stdout.",
        rich_help_panel=OUTPUT,
        callback=_file_to_write,
    ),
]


@dataclass(frozen=True)
class PageOptions:
    """Whether the result is a page, for commands that have no other form."""

    output_format: Annotated[
        Form | None,
        Option(
            "--output-format",
            metavar="FORMAT",
            help=f"How to print: {Form.FULL} or {Form.HTML}.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    output_file: OutputFile = None

    def view(self, color: Color, *, quiet: bool) -> View:
        """Return the same as the previews take it; raises BadParameter for another form."""
        require_page(self.output_format)
        return View(form=self.output_format, file=self.output_file, color=color, quiet=quiet)


def require_page(form: Form | None, hint: str = "") -> None:
    """Raise BadParameter for a form that only reports of rules have; ``hint`` follows."""
    if form not in {None, Form.FULL, Form.HTML}:
        raise bad_parameter(
            f"this command prints {Form.FULL} and {Form.HTML}, not {form}{hint}",
            param_hint="--output-format",
        )


@dataclass(frozen=True)
class OutputOptions:
    """How the result is shown."""

    output_format: Annotated[
        Form | None,
        Option(
            "--output-format",
            envvar="AWAKEN_OUTPUT_FORMAT",
            metavar="FORMAT",
            help=f"How to print: {', '.join(Form)}.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    output_file: OutputFile = None
    report_url: Annotated[
        str | None,
        Option(
            "--report-url",
            metavar="URL",
            help=f"Link to the report here, for {Form.GITHUB_COMMENT} and {Form.MARKDOWN}.",
            callback=_web_address,
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    statistics: Annotated[
        bool,
        Option(
            "--statistics",
            help="Print only counts per rule, level and reason.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    color: When = Color.AUTO
    quiet: Quiet = False
    verbose: Verbose = False
    no_pager: NoPager = False

    def view(self, layout: DiffOptions | None = None) -> View:
        """Return the same as the previews take it."""
        layout = layout or DiffOptions()
        return View(
            form=self.output_format,
            file=self.output_file,
            statistics=self.statistics,
            color=self.color,
            quiet=self.quiet,
            verbose=self.verbose,
            side_by_side=layout.side_by_side,
            context=layout.context,
            pager=not self.no_pager,
            report_url=self.report_url or "",
        )


def _separated_names(option: str, values: Sequence[str] | None) -> tuple[str, ...]:
    words = (word.strip() for value in values or () for word in value.split(","))
    result = tuple(word for word in words if word)
    if values and not result:  # an empty variable of a script must not mean "all"
        raise bad_parameter("is empty; leave it out, or give it a value", param_hint=option)
    return result


def _python(value: str | None) -> str | None:
    """Return ``py311`` for ``py311``, ``3.11`` or ``311``; ``auto`` and None as they are."""
    from awaken.settings.typed_settings import python_version  # noqa: PLC0415  the help needs no settings

    if value is None or value == "auto":
        return value
    version = python_version(value)
    if version is None:
        raise bad_parameter(
            f"{value!r} is no Python version; write for instance py311, or auto",
            param_hint="--target-version",
        )
    return version


def _versions(values: Sequence[str] | None) -> dict[str, str]:
    versions: dict[str, str] = {}
    for value in values or ():
        name, _, version = (part.strip() for part in value.partition("="))
        if not (name and version.strip("=")):
            raise bad_parameter(
                f"{value!r} is not NAME=VERSION; write for instance sqlalchemy=2.0",
                param_hint="--target",
            )
        versions[name] = version.lstrip("=")
    return versions
