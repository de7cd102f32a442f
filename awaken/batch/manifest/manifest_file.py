"""Reads ``awaken-batch.toml``; errors name the line.

Addresses of repositories: equality, names and secrets in them.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct, structs
from msgspec.structs import fields

from awaken.batch.manifest.campaign_settings import (
    Campaign,
    Dask,
    Entry,
    Limits,
    Manifest,
    Publish,
    Repository,
    VerifyRun,
)
from awaken.batch.manifest.office_hours import office_hours
from awaken.batch.manifest.repository_lists import Listed, read_list
from awaken.contract import UnusableFile, UserError
from awaken.contract.nearest import did_you_mean
from awaken.kit.rule import Rule
from awaken.settings import Settings
from awaken.settings.recipe_tables import built_in
from awaken.settings.settings_files import unusable
from awaken.settings.typed_settings import Wrong, build_settings, check, settings_from
from awaken.workspace.formats.toml_text import KeyPath, NotToml, line_of, parse_toml

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>(?!//|:).+)")
_SHORT = re.compile(r"(?:(?P<host>[\w-]+(?:\.[\w-]+)+)/)?(?P<path>[\w.-]+/[\w.-]+)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_PROTOCOLS = {"https", "http", "ssh", "git", "file"}
_HIDDEN = re.compile(r"[\x00-\x1f\x7f]")
_CHARACTERS = 60
"""Characters of a name that become part of the name of a directory."""
NAME = "awaken-batch.toml"
_CAMPAIGN = "campaign"
_LARGEST = 64 << 20
"""Bytes of a list; 100,000 repositories have some MB."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Names that git refuses for a branch.
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock(/|$)|/\.")
_AUTHOR = re.compile(r"[^<>\n]+ <[^<>\s]+>")
_TABLES: Mapping[str, type[Struct]] = {
    "verify": VerifyRun,
    "limits": Limits,
    "publish": Publish,
    "dask": Dask,
}


class Address(Struct, frozen=True):
    """A parsed address: the one for git, host and path, and the key for equality."""

    url: str
    host: str
    path: str

    @property
    def identity(self) -> str:
        """The same text for all addresses of a repository; hosts do not tell cases apart."""
        return f"{self.host}/{self.path}".lower() if self.host else self.path

    @property
    def name(self) -> str:
        """The name for people: ``owner/name``, with the host where it is not GitHub."""
        return self.path if self.host in {"", "github.com"} else f"{self.host}/{self.path}"


def address_of(text: str, server: str, directory: str) -> Address:
    """Return the address that ``text`` is: a URL, ``git@host:path``, ``owner/name`` or a path.

    ``owner/name`` is on ``server``, relative paths begin at ``directory``. Raises UserError.
    """
    if not text.strip() or _HIDDEN.search(text) or text.startswith("-"):
        raise UserError(f"{text!r} is no address of a repository")
    protocol, separator, _ = text.partition("://")
    if separator:
        return _of_url(text, protocol.lower())
    if text.startswith(("/", "./", "../")):
        return _of_path(text, directory)
    short = _SHORT.fullmatch(text)
    if short is not None:
        host = (short["host"] or server).lower()
        path = short["path"].removesuffix(".git")
        return Address(f"https://{host}/{path}.git", host, path)
    scp = _SCP.fullmatch(text)
    if scp is not None:
        return Address(text, scp["host"].lower(), _plain(scp["path"]))
    raise UserError(
        f"{text!r} is no address of a repository; write https://host/owner/name, "
        "git@host:owner/name, owner/name, or a path that begins with ./ or /"
    )


def _of_url(text: str, protocol: str) -> Address:
    if protocol not in _PROTOCOLS:
        known = ", ".join(sorted(_PROTOCOLS))
        raise UserError(f"{protocol}:// is no protocol for a repository; there are {known}")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UserError(f"{text!r} is no URL: {error}") from None
    if parts.password is not None or (parts.username and protocol in {"http", "https"}):
        raise UserError(
            "an address holds a name or password; leave them out, git asks its credential helper"
        )
    if protocol == "file":
        return Address(text, "", unquote(parts.path).rstrip("/"))
    if not host or not parts.path.strip("/"):
        raise UserError(f"{text!r} names no repository on a host")
    # A port that is not the usual one is another server.
    shown = host if port in {None, 22, 80, 443} else f"{host}:{port}"
    return Address(text, shown.lower(), _plain(unquote(parts.path)))


def _of_path(text: str, directory: str) -> Address:
    import os  # noqa: PLC0415  few lists have paths

    path = os.path.normpath(os.path.join(directory, text))  # noqa: PTH118  text, not a file
    return Address(path, "", path)


def _plain(path: str) -> str:
    return path.strip("/").removesuffix(".git")


def id_of(identity: str, subdirectory: str) -> str:
    """Return a name for files of a repository: readable, and another one for each."""
    whole = f"{identity}\0{subdirectory}" if subdirectory else identity
    digest = hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:10]
    readable = _UNSAFE.sub("-", identity)[-_CHARACTERS:].strip("-.")
    return f"{readable}-{digest}" if readable else digest


def read_manifest(directory: Path, rules: Sequence[Rule]) -> Manifest:
    """Return what the campaign in ``directory`` says; ``rules`` are all that there are.

    Raises UserError, with file and line.
    """
    path = directory / NAME
    text = _text(path, NAME)
    try:
        tables = parse_toml(text)
    except NotToml as error:
        raise UnusableFile(NAME, error.line, f"is not valid TOML: {error}") from None
    try:
        values = _values(tables, rules)
    except Wrong as error:
        raise UnusableFile(NAME, line_of(text, error.path), str(error)) from None
    wrong = [*_wrong_campaign(values, tables), *_wrong_awaken(values["settings"], rules)]
    listed = list(_listed_repositories(directory, values["campaign"], tables, text, wrong))
    entries, notes = _entries(directory, listed, values["publish"].server or "github.com")
    wrong += _wrong_overrides(tables, rules)
    if wrong:
        raise unusable(NAME, text, wrong)
    if not entries:
        raise UserError(f"{NAME} names no repository; write them into repos.txt, one a line")
    body = values["campaign"].body
    template = _text(directory / body, body) if body else ""
    return Manifest(**values, entries=entries, notes=notes, body_template=template)


def _text(path: Path, shown: str) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise UserError(f"{shown} is larger than {_LARGEST >> 20} MB")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        hint = "; `awaken batch init` makes a campaign" if shown == NAME else ""
        raise UserError(f"there is no {shown} here{hint}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{shown} is not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{shown} cannot be read: {error.strerror or error}") from None


def _values(tables: Mapping[str, Any], rules: Sequence[Rule]) -> dict[str, Any]:
    known = {"campaign", "awaken", "repository", *_TABLES}
    for key in tables:
        if key not in known:
            raise Wrong((key,), f"there is no table named {key!r}{did_you_mean(key, known)}")
    if "campaign" not in tables:
        raise Wrong((), "the table [campaign] is missing")
    campaign = build_settings(Campaign, tables["campaign"], ("campaign",), "setting of a campaign")
    others = {
        key: build_settings(kind, tables.get(key, {}), (key,), f"setting of {key}")
        for key, kind in _TABLES.items()
    }
    awaken = tables.get("awaken", {})
    return {"campaign": campaign, "awaken": awaken, "settings": _settings(awaken, rules), **others}


def _settings(table: Any, rules: Sequence[Rule], *above: str | int) -> Settings:
    try:
        return settings_from(table, rules)
    except Wrong as error:
        raise Wrong((*above, "awaken", *error.path), str(error)) from None


def _wrong_awaken(settings: Settings, rules: Sequence[Rule]) -> Iterator[tuple[KeyPath, str]]:
    for error in check(settings, rules):
        yield ("awaken", *error.path), str(error)


def _wrong_campaign(
    values: Mapping[str, Any], tables: Mapping[str, Any]
) -> Iterator[tuple[KeyPath, str]]:
    campaign: Campaign = values["campaign"]
    yield from (((_CAMPAIGN, key), why) for key, why in _wrong_names(campaign))
    if campaign.recipe and campaign.recipe not in {*built_in(), *values["settings"].recipes}:
        hint = did_you_mean(campaign.recipe, built_in(), "`awaken recipes` lists them all.")
        yield (_CAMPAIGN, "recipe"), f"there is no recipe named {campaign.recipe!r}{hint}"
    if campaign.recipe and values["settings"].select is not None:
        yield ("awaken", "select"), "a recipe selects its rules; leave out 'select' or 'recipe'"
    yield from _wrong_commands(values["verify"])
    for name in ("limits", "publish"):
        for field in fields(values[name]):
            least = 0 if field.default == 0 or field.type is float else 1
            number = tables.get(name, {}).get(field.encode_name)
            if isinstance(number, int | float) and number < least:
                why = f"{field.encode_name!r} must be at least {least}"
                yield (name, field.encode_name), why
    try:
        office_hours(values["publish"].hours)
    except UserError as error:
        yield ("publish", "hours"), str(error)


def _wrong_names(campaign: Campaign) -> Iterator[tuple[str, str]]:
    if not _PLAIN_NAME.fullmatch(campaign.name):
        why = f"{campaign.name!r} is no name; use letters, digits, '.', '_' and '-'"
        yield "name", why
    if not campaign.branch or _NO_BRANCH.search(campaign.branch):
        yield "branch", f"{campaign.branch!r} is no name of a branch"
    if _NO_BRANCH.search(campaign.base):
        yield "base", f"{campaign.base!r} is no name of a branch"
    if campaign.base == campaign.branch:
        yield "branch", "'branch' and 'base' must not be the same"
    if campaign.author and not _AUTHOR.fullmatch(campaign.author):
        yield "author", "'author' must be like 'Ada Lovelace <ada@example.com>'"


def _wrong_commands(verify: VerifyRun) -> Iterator[tuple[KeyPath, str]]:
    commands: list[tuple[KeyPath, str]] = [(("verify", "command"), verify.command)]
    commands += [
        (("verify", "environment", at), line) for at, line in enumerate(verify.environment)
    ]
    for path, command in commands:
        try:
            words = shlex.split(command)
        except ValueError as error:
            yield path, f"{command!r} is no command of a shell: {error}"
        else:
            if not words and (command or path[-1] != "command"):
                yield path, "a command must name a program"


def _wrong_overrides(
    tables: Mapping[str, Any], rules: Sequence[Rule]
) -> Iterator[tuple[KeyPath, str]]:
    for number, table in enumerate(tables.get("repository", ())):
        inner = table.get("awaken", {}) if isinstance(table, Mapping) else {}
        try:
            settings = _settings(inner, rules, "repository", number)
        except Wrong as error:
            yield error.path, str(error)
        else:
            for path, message in _wrong_awaken(settings, rules):
                yield ("repository", number, *path), message


def _listed_repositories(
    directory: Path,
    campaign: Campaign,
    tables: Mapping[str, Any],
    text: str,
    wrong: list[tuple[KeyPath, str]],
) -> Iterator[tuple[Listed, str]]:
    """Yield the repositories of all lists with the place of each; adds to ``wrong``."""
    own = tables.get("repository", [])
    if not isinstance(own, list):
        wrong.append((("repository",), "write each repository as [[repository]]"))
        own = []
    for number, table in enumerate(own):
        path: KeyPath = ("repository", number)
        try:
            repository = build_settings(Repository, table, path, "setting of a repository")
        except Wrong as error:
            wrong.append((error.path, str(error)))
            continue
        line = line_of(text, path)
        yield Listed(repository, line), f"{NAME}:{line}"
    if not isinstance(campaign.repositories, str):
        for number, url in enumerate(campaign.repositories):
            line = line_of(text, ("campaign", "repositories", number))
            yield Listed(Repository(url=url), line), f"{NAME}:{line}"
        return
    path_of_list = directory / campaign.repositories
    is_said = "repositories" in tables["campaign"]
    if is_said or path_of_list.exists() or not own:
        shown = campaign.repositories
        for each in read_list(_text(path_of_list, shown), shown):
            yield each, f"{shown}:{each.line}"


def _entries(
    directory: Path, listed: Sequence[tuple[Listed, str]], server: str
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Return the repositories, each once, and sentences on those that are listed again."""
    entries: dict[str, Entry] = {}
    notes: list[str] = []
    for each, origin in listed:
        repository = each.repository
        try:
            address = address_of(repository.url, server, str(directory))
            _require_inside(repository.subdirectory)
        except UserError as error:
            raise UserError(f"{origin}: {error}") from None
        if repository.ref and (repository.ref.startswith("-") or _NO_BRANCH.search(repository.ref)):
            raise UserError(f"{origin}: {repository.ref!r} is no branch, tag or commit")
        folder = PurePosixPath(repository.subdirectory).as_posix()
        folder = "" if folder == "." else folder
        name = f"{address.name}/{folder}" if folder else address.name
        entry = Entry(
            id=id_of(address.identity, folder),
            name=name,
            identity=address.identity,
            host=address.host,
            slug=address.path if address.host else "",
            repository=structs.replace(
                repository,
                url=address.url,
                subdirectory=folder,
                skip=repository.skip or each.archived,
            ),
            origin=origin,
        )
        if entry.id in entries:
            notes.append(f"{origin}: {name} is listed at {entries[entry.id].origin} already")
            continue
        if each.archived:
            notes.append(f"{origin}: {name} is archived, so it is skipped")
        entries[entry.id] = entry
    return tuple(entries.values()), tuple(notes)


def _require_inside(subdirectory: str) -> None:
    path = PurePosixPath(subdirectory)
    if path.is_absolute() or ".." in path.parts or "\\" in subdirectory or "\0" in subdirectory:
        raise UserError(f"{subdirectory!r} is no subdirectory of a repository")


def branch_of(manifest: Manifest, entry: Entry) -> str:
    """Return the branch for a repository: that of the campaign, with the subdirectory if any."""
    if entry.repository.branch:
        return entry.repository.branch
    folder = re.sub(r"[^A-Za-z0-9_-]+", "-", entry.repository.subdirectory).strip("-")
    return f"{manifest.campaign.branch}-{folder}" if folder else manifest.campaign.branch


def command_of(manifest: Manifest, entry: Entry) -> str:
    """Return the command of a repository's tests: ``auto``, or empty for none."""
    said = entry.repository.verify
    return manifest.verify.command if said is None else said
