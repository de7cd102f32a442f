"""Joins the layers of one project root's settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, structs
from msgspec.structs import fields
from packaging.utils import canonicalize_name

from awaken.contract import NoOptions, UserError
from awaken.kit.rule import Rule
from awaken.passes.pass_settings import PassCode, PassPlace, PassSettings
from awaken.settings.model import (
    COMMAND_LINE,
    Layer,
    PathOverride,
    Resolved,
    Said,
    Settings,
    VerifySettings,
)
from awaken.settings.pass_code import code_of
from awaken.settings.rule_data import DeclaredRule
from awaken.settings.selection import choose, names_of_rules, remove_forbidden
from awaken.settings.settings_files import config_layers, found_layer, nearest_file, option_of
from awaken.settings.typed_settings import Wrong, check, options_of, python_version
from awaken.workspace.ignores import DEFAULT_EXCLUDE, PathPatterns
from awaken.workspace.reading import repository_of

RuleOf = Callable[[PassSettings, PassPlace], Rule | None]
"""Makes a rule of a pass."""


def no_passes(settings: PassSettings, place: PassPlace) -> None:
    """Make no rule."""
    del settings, place


def resolve(
    root: Path, said: Said, *, rules: Sequence[Rule], rule_of: RuleOf = no_passes
) -> Resolved:
    """Return what holds for the project in ``root`` (absolute).

    ``rules`` are all that are installed, to validate the options of each; ``rule_of`` makes rules
    of passes. Raises UserError, with file and line, for an invalid file or value. The error has the
    nearest name for an unknown key or rule.
    """
    path, layers = _layers(root, said, rules)
    untrusted, trusted = _brought_along(layers, root, said)
    passes = passes_of(layers, root, rule_of, untrusted, trusted)
    rules = (*rules, *passes)
    _check_given(said.given, rules)
    wanted = choose(rules, [(layer.origin, layer.settings) for layer in layers])
    chosen = remove_forbidden(
        wanted,
        {
            name: f"{code}: say --trust-passes to run it, or trust it with `awaken trust`"
            for name, code in untrusted.items()
        },
    )
    for name in said.given.unsafe:
        meant = names_of_rules(rules, [name])
        if meant and chosen.off.keys() >= set(meant):
            why = chosen.off.get(name, "none of its rules is selected")
            raise UserError(f"--unsafe selects {name}, which does not run here: {why}")
    for name, table in said.given.rules.items():
        if name in chosen.off:
            options = ", ".join(f"--{key}" for key in table)
            why = f"which does not run here: {chosen.off[name]}"
            raise UserError(f"{options} is an option of {name}, {why}")
    target_version = _last(layers, "target_version") or "auto"
    return Resolved(
        root=root,
        rules=chosen.rules,
        rules_off=chosen.off,
        left_out=chosen.left_out,
        preview=bool(_last(layers, "preview")),
        unsafe=_unsafe(layers, rules),
        unsafe_fixes=bool(_last(layers, "unsafe_fixes")),
        target_version=None if target_version == "auto" else python_version(target_version),
        target=_targets(layers),
        published=_last(layers, "published"),
        exclude=_exclude(layers, root),
        force_exclude=bool(_last(layers, "force_exclude")),
        # None, said by nobody, means yes.
        respect_gitignore=_last(layers, "respect_gitignore") is not False,
        members=_members(layers),
        src=_source_folders(layers),
        baseline=_place(layers, "baseline"),
        cache_dir=_place(layers, "cache_dir"),
        overrides=_overrides(layers, rules),
        options=_options(layers, rules, chosen.rules),
        recipes={name: item for layer in layers for name, item in layer.settings.recipes.items()},
        passes=passes,
        untrusted={name: untrusted[name] for name in wanted.rules if name in untrusted},
        verify=_verify(layers),
        tests_of=_tests_of(layers),
        origins=_origins(layers),
        files=() if path is None else (path,),
    )


def _layers(root: Path, said: Said, rules: Sequence[Rule]) -> tuple[Path | None, list[Layer]]:
    """Return the settings file that is used, and all layers, the lowest first."""
    files, values = _named_layers(said, rules)
    files = [(path, as_brought_along(layer, path, root)) for path, layer in files]
    # A file that the user names replaces the project's own, as with ruff.
    if not files and not said.isolated and (path := nearest_file(root)) is not None:
        origin = Path(os.path.relpath(path, root)).as_posix()
        files = [(path, found_layer(path, origin, rules))]
    own = Layer(COMMAND_LINE, Path.cwd(), said.given)
    return next((path for path, _ in files), None), [*(layer for _, layer in files), *values, own]


def _named_layers(
    said: Said, rules: Sequence[Rule]
) -> tuple[list[tuple[Path, Layer]], list[Layer]]:
    """Return the settings file that the command line names, if any, and its ``KEY=VALUE``.

    Raises UserError for whatever of it cannot be used.
    """
    files, values = config_layers(said.config, rules)
    if len(files) > 1:
        named_twice = " and ".join(layer.origin for _, layer in files)
        raise UserError(f"{named_twice}: only one settings file can be named")
    if files and said.isolated:
        raise UserError(
            f"{files[0][1].origin}: --isolated reads no files; leave out one of the two"
        )
    return files, values


def require_usable(
    said: Said,
    roots: Callable[[], Iterable[Path]],
    *,
    rules: Sequence[Rule],
    rule_of: RuleOf = no_passes,
) -> None:
    """Raise UserError for what the command line says and no project can be run with.

    ``roots`` finds the projects whose passes it may name: asked where it names what is no rule.
    """
    files, values = _named_layers(said, rules)
    layers = [*(layer for _, layer in files), *values, Layer(COMMAND_LINE, Path.cwd(), said.given)]
    try:
        _check_given(said.given, (*rules, *passes_of(layers, Path(), rule_of)))
    except UserError:
        if files or said.isolated:
            raise
    else:
        return
    for root in roots():
        # Its errors are reported for that project.
        with suppress(UserError):
            path = nearest_file(root)
            layers += [] if path is None else [found_layer(path, "", rules)]
    _check_given(said.given, (*rules, *passes_of(layers, Path(), rule_of)))


def _check_given(given: Settings, rules: Sequence[Rule]) -> None:
    own = {settings.known_as for settings in given.passes}
    wrong = check(given, [rule for rule in rules if rule.name not in own])
    said = [f"{option_of(item.path)}{item}" for item in wrong]
    if said:
        raise UserError("; ".join(dict.fromkeys(said)))


def passes_of(
    layers: Iterable[Layer],
    root: Path,
    rule_of: RuleOf,
    untrusted: Collection[str] = (),
    trusted: Mapping[str, PassCode] = {},
) -> tuple[Rule, ...]:
    """Return the passes of all layers as rules; of two with one name the higher one.

    Of those that are ``trusted`` by name this code runs alone.
    """
    named: dict[str, tuple[PassSettings, Layer]] = {}
    for layer in layers:
        for settings in layer.settings.passes:
            # Of two, the place of the higher one counts.
            named.pop(settings.known_as, None)
            named[settings.known_as] = settings, layer
    rules: dict[str, Rule | None] = {}
    for name, (settings, layer) in named.items():
        place = PassPlace(
            root=root,
            directory=layer.directory,
            after=tuple(rules),  # in the order in which they are written
            origin=layer.origin,
            is_trusted=name not in untrusted,
            code=trusted.get(name),
        )
        rules[name] = rule_of(settings, place)
    return tuple(rule for rule in rules.values() if rule is not None)


def _brought_along(
    layers: Sequence[Layer], root: Path, said: Said
) -> tuple[dict[str, str], dict[str, PassCode]]:
    """Return the passes that a project brings along and may not have run, each with what it is.

    And those that the user trusts, with their code.
    """
    if _last(layers, "trust_passes"):
        return {}, {}
    # The user's entry of the same name replaces the project's.
    last = {item.known_as: (item, layer) for layer in layers for item in layer.settings.passes}
    result = {name: both for name, both in last.items() if both[1].is_found}
    before = said.trusted(root) if result else {}
    untrusted: dict[str, str] = {}
    trusted: dict[str, PassCode] = {}
    for name, (settings, layer) in result.items():
        described = f"code that {layer.origin} names"
        code = code_of(settings, layer.directory, root) if name in before else None
        if name not in before:
            untrusted[name] = described
        elif code is None or before[name] != code.digest:
            untrusted[name] = f"{described}, which is not what you trusted any more"
        else:
            trusted[name] = code
    return untrusted, trusted


def _verify(layers: Sequence[Layer]) -> VerifySettings:
    said = [layer.settings.verify for layer in layers]
    return VerifySettings(
        command=next((settings.command for settings in reversed(said) if settings.command), ""),
        carry=tuple(dict.fromkeys(name for settings in said for name in settings.carry)),
    )


def _tests_of(layers: Sequence[Layer]) -> str:
    """Return the file of the project that names the command of the tests, if that one does."""
    last = next((layer for layer in reversed(layers) if layer.settings.verify.command), None)
    return last.origin if last is not None and last.is_found else ""


def _saying(layers: Sequence[Layer], name: str) -> Layer | None:
    """Return the highest layer that says anything of a setting; None if none does."""
    return next((one for one in reversed(layers) if getattr(one.settings, name) is not None), None)


def _last(layers: Sequence[Layer], name: str) -> Any:
    """Return what the highest layer says that says anything; None if none does."""
    layer = _saying(layers, name)
    return None if layer is None else getattr(layer.settings, name)


def _targets(layers: Iterable[Layer]) -> dict[str, str]:
    return {
        # `Flask_SQLAlchemy` and `flask-sqlalchemy` are one package.
        canonicalize_name(name): version
        for layer in layers
        for name, version in layer.settings.target.items()
    }


def _exclude(layers: Sequence[Layer], root: Path) -> tuple[PathPatterns, ...]:
    base: tuple[PathPatterns, ...] = (PathPatterns(DEFAULT_EXCLUDE, root),)
    for layer in layers:
        if layer.settings.exclude is not None:
            base = _relative_to(layer.settings.exclude, layer.directory)
    more = (
        patterns
        for layer in layers
        for patterns in _relative_to(layer.settings.extend_exclude, layer.directory)
    )
    return (*base, *more)


def _members(layers: Sequence[Layer]) -> tuple[PathPatterns, ...]:
    layer = _saying(layers, "members")
    return () if layer is None else _relative_to(layer.settings.members or (), layer.directory)


def _source_folders(layers: Sequence[Layer]) -> tuple[Path, ...]:
    layer = _saying(layers, "src")
    folders = () if layer is None else (layer.directory / name for name in layer.settings.src or ())
    return tuple(Path(os.path.normpath(folder)) for folder in folders)


def _relative_to(lines: Iterable[str], directory: Path) -> tuple[PathPatterns, ...]:
    """Return patterns relative to ``directory``, or to one above it where they start with ``../``.

    A ``.gitignore`` has no such patterns, and none with ``./`` or an absolute path; but a shell
    completes names so.
    """
    groups: list[tuple[Path, list[str]]] = []
    for line in lines:
        base, pattern = _rebased_pair(line, directory)
        if not groups or groups[-1][0] != base:
            groups.append((base, []))
        groups[-1][1].append(pattern)
    return tuple(PathPatterns(tuple(patterns), base) for base, patterns in groups)


def _rebased_pair(line: str, directory: Path) -> tuple[Path, str]:
    # `!` takes a pattern back, and stays in front of whatever it is rebased to.
    kept = "!" if line.startswith("!") else ""
    pattern = line.removeprefix("!")
    # A shell may complete an absolute path.
    if pattern.startswith(f"{directory}/"):
        return directory, kept + pattern.removeprefix(str(directory))
    anchor = ""
    while pattern.startswith(("./", "../")):
        first, _, pattern = pattern.partition("/")
        directory = directory.parent if first == ".." else directory
        # A pattern with `./` means one place, so it must not match further below.
        anchor = "/"
    return directory, kept + anchor + pattern


def _place(layers: Sequence[Layer], name: str) -> Path | None:
    layer = _saying(layers, name)
    if layer is None:
        return None
    value = getattr(layer.settings, name)
    home = os.path.expanduser(value)  # noqa: PTH111 - Path's raises where there is no home
    return Path(os.path.normpath(layer.directory / home))


def _unsafe(layers: Iterable[Layer], rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return the rules whose unsafe changes are made: no unsafe fixes take back what was said."""
    names: list[str] = []
    for layer in layers:
        if layer.settings.unsafe_fixes is False:
            names.clear()
        names += layer.settings.unsafe
    return names_of_rules(rules, names)


def _overrides(layers: Iterable[Layer], rules: Sequence[Rule]) -> tuple[PathOverride, ...]:
    """Return the overrides, the strongest last.

    Settings of a higher layer for the whole project do not change them, as in ruff, with one
    exception: without unsafe fixes there are none at all.
    """
    result: list[PathOverride] = []
    for layer in layers:
        # The user's word against unsafe rewrites must hold everywhere; `true` is only a default.
        if layer.settings.unsafe_fixes is False:
            result = [item if item.unsafe_fixes is None else _safe(item) for item in result]
        result += [
            PathOverride(
                paths=_relative_to(override.paths, layer.directory),
                ignore=names_of_rules(rules, override.ignore),
                unsafe_fixes=override.unsafe_fixes,
                origin=layer.origin,
            )
            for override in layer.settings.overrides
        ]
    return tuple(result)


def _safe(one: PathOverride) -> PathOverride:
    return PathOverride(paths=one.paths, ignore=one.ignore, unsafe_fixes=False, origin=one.origin)


def _options(
    layers: Sequence[Layer], rules: Sequence[Rule], running: Sequence[str]
) -> dict[str, Struct]:
    """Return the options of each rule that has any; a rule that does not run needs none."""
    structs: dict[str, Struct] = {}
    for rule in rules:
        said = [layer for layer in layers if rule.name in layer.settings.rules]
        # Such a rule has defaults, which are its code: its plan knows them, and nobody else asks.
        if (not said and isinstance(rule, DeclaredRule)) or rule.options is NoOptions:
            continue
        joined: dict[str, Any] = {}
        for layer in said:
            joined = _with_tables(joined, layer.settings.rules[rule.name])
        try:
            structs[rule.name] = options_of(rule, joined)
        except Wrong as error:
            # Options of a rule that is off must not stop the run.
            if rule.name in running:
                where = f"{' and '.join(layer.origin for layer in said)}: " if said else ""
                raise UserError(f"{where}{error}") from None
    return structs


def _with_tables(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of two layers: of a table the keys add up, all else is replaced."""
    whole = dict(below)
    for key, value in above.items():
        known = whole.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            value = _with_tables(known, value)  # noqa: PLW2901  a table is what both say
        whole[key] = value
    return whole


def _origins(layers: Iterable[Layer]) -> dict[str, str]:
    """Return where each setting was said; of lists that add up, and overrides, every place."""
    result: dict[str, list[str]] = {}
    for layer in layers:
        for key, adds in _said_pairs(layer.settings):
            # Of a value that is replaced the last place counts; lists add up, so all do.
            places = result.setdefault(key, [])
            places[:] = [*(name for name in places if adds and name != layer.origin), layer.origin]
    return {key: " and ".join(places) for key, places in sorted(result.items())}


def _said_pairs(settings: Settings) -> Iterable[tuple[str, bool]]:
    """Yield what a layer says, in kebab case, and whether it adds to the layers below."""
    for name in settings.target:
        yield f"target.{canonicalize_name(name)}", False
    for rule, options in settings.rules.items():
        yield from ((f"rules.{rule}.{key}", False) for key in options)
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if not isinstance(value, Mapping) and value is not None and value != field.default:
            yield field.encode_name, field.default == ()


def as_brought_along(layer: Layer, path: Path, root: Path) -> Layer:
    """Return a layer whose file the user named, as the project's if that is where it lies.

    The author of the project wrote it too, and may have asked the user to name it. Raises UserError
    where it says itself that foreign code is to be run.
    """
    if not Path(os.path.realpath(path)).is_relative_to(repository_of(root)):
        return layer
    if layer.settings.trust_passes is not None:
        raise UserError(
            f"{layer.origin}: 'trust-passes' is not taken from a file of the project; "
            f"remove it, and say --trust-passes instead"
        )
    return structs.replace(layer, is_found=True)
