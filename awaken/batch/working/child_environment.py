"""Environments of programs, with the user's secrets or without, and texts without them.

A process that may run code of a repository gets named variables only, and a home directory of its
own: no token, no agent socket, no credential helper, no settings of git or of a package index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

_KEPT = (
    *(
        "PATH",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TEMP",
        "TMP",
        "SYSTEMROOT",
        "LC_ALL",
        "LC_CTYPE",
    ),
    *("LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY"),
)
_IS_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH(?!OR)|COOKIE|SESSION_KEY",
    re.IGNORECASE,
)
_SHORTEST = 8
"""Characters of a secret; shorter values are words such as ``true``."""
_TOKEN = re.compile(
    r"\b(?:gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"
)
_IN_URL = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+@")
_HIDDEN = "[secret]"


def environment_without_secrets(
    home: Path, state: Path, cache: Path, passed: Iterable[str] = ()
) -> dict[str, str]:
    """Return the environment for what may run code of a repository.

    ``home`` is the home directory there, ``state`` and ``cache`` are awaken's own; ``passed`` names
    variables of the user's that it may see.
    """
    environment = {name: os.environ[name] for name in (*_KEPT, *passed) if name in os.environ}
    return environment | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(cache),
        "AWAKEN_STATE_DIR": str(state),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "LC_MESSAGES": "C",
        "PYTHONNOUSERSITE": "1",
    }


def environment_of_git() -> dict[str, str]:
    """Return the environment for git on its way to a host: the user's, and it asks nobody.

    Variables that a hook of git leaves are not for another repository.
    """
    environment = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(("GIT_SSH", "GIT_CONFIG", "GIT_SSL"))
    }
    return environment | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
    }


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of an environment that its names call secret, the longest first."""
    values = {
        text
        for name, text in environment.items()
        if _IS_SECRET.search(name) and len(text) >= _SHORTEST and not os.path.isabs(text)  # noqa: PTH117
    }
    return tuple(sorted(values, key=len, reverse=True))


@cache
def _own_secrets() -> tuple[str, ...]:
    return secrets_of(os.environ)


def without_secrets(text: str, secrets: Iterable[str] | None = None) -> str:
    """Return a text that may be kept: tokens and passwords in it are replaced.

    ``secrets`` are values that are secret, None for those of this process.
    """
    for secret in _own_secrets() if secrets is None else secrets:
        text = text.replace(secret, _HIDDEN)
    return _IN_URL.sub(f"{_HIDDEN}@", _TOKEN.sub(_HIDDEN, text))


def holds_secret(content: bytes) -> bool:
    """Whether a patch has a secret of this process in it."""
    return any(secret.encode() in content for secret in _own_secrets())
