"""Addresses of repositories: equality, names and secrets in them."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from awaken.contract import UserError

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>(?!//|:).+)")
_SHORT = re.compile(r"(?:(?P<host>[\w-]+(?:\.[\w-]+)+)/)?(?P<path>[\w.-]+/[\w.-]+)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_PROTOCOLS = {"https", "http", "ssh", "git", "file"}
_HIDDEN = re.compile(r"[\x00-\x1f\x7f]")
_CHARACTERS = 60
"""Characters of a name that become part of the name of a directory."""


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
