"""The calls that give URLs: of environments and settings, and those that build them.

URLs are in files other than code, too. Only what such a URL begins with and the names of its
parameters are kept: the rest may be secret.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from awaken.knowledge.library_names import name_list
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.workspace.sources import SourceFile

_ENVIRONMENTS = {"os.environ", "os.environb"}
_READING = {"os.environ.get", "os.environ.pop", "os.environ.setdefault", "os.getenv"}
_SETTING = {"os.environ.setdefault", "os.putenv"}
_CONFIGS = {"decouple.config", "decouple.AutoConfig", "starlette.config.Config"}
_ENV_METHODS = {"get", "str", "url", "db", "dj_db_url"}
"""Methods of `environs.Env` and of other objects that are called ``env``."""
_MAPPINGS = {"app", "conf", "config", "cfg", "env", "secrets", "settings"}
_DRIVER_KEYWORDS = {"drivername", "scheme"}
_WRAPPING = name_list("around_urls")
_CHAINED = name_list("same_driver")


class SettingRead(Struct, frozen=True):
    """A read of something that is set outside of the program, and what it is otherwise."""

    kind: Literal["environment", "settings"]
    name: str
    default: ast.expr | None = None


def setting_read(
    names: Names, module: Module, node: ast.Call | ast.Subscript
) -> SettingRead | None:
    """Return what ``node`` reads of the environment or of settings; None if it does not."""
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str() as key)):
            if (names.qualified_name(module, owner) or "") in _ENVIRONMENTS:
                return SettingRead("environment", key)
            return SettingRead("settings", key) if _is_mapping(owner) else None
        case ast.Call(func=function) if _is_field(names, module, function):
            # ``Field(default="...", env="DATABASE_URL")``
            given = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
            default = given[0] if given else next(iter(node.args), None)
            is_required = isinstance(default, ast.Constant) and default.value is Ellipsis
            return SettingRead("settings", "", None if is_required else default)
        case ast.Call(func=function, args=[ast.Constant(value=str() as key), *rest]):
            named = (keyword.value for keyword in node.keywords if keyword.arg == "default")
            default = next(named, rest[0] if rest else None)
            kind = _kind_read(names, module, function)
            return None if kind is None else SettingRead(kind, key, default)
    return None


def settings_written(names: Names, module: Module, node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what ``node`` writes into the environment: each name with its value."""
    match node:
        case ast.Assign(
            targets=[ast.Subscript(value=owner, slice=ast.Constant(value=str() as key))]
        ):
            if (names.qualified_name(module, owner) or "") in _ENVIRONMENTS:
                yield key, node.value
        case ast.Call(args=[ast.Constant(value=str() as key), value, *_]) if _sets(
            names, module, node.func
        ):
            yield key, value
        case ast.Call(args=[*_, ast.Dict(keys=keys, values=values)]) if _is_of_environment(
            names, module, node
        ):
            for written, value in zip(keys, values, strict=True):
                if isinstance(written, ast.Constant) and isinstance(written.value, str):
                    yield written.value, value


def _sets(names: Names, module: Module, function: ast.expr) -> bool:
    """Whether a function sets one variable, such as `setenv` of pytest's fixture."""
    is_of_pytest = isinstance(function, ast.Attribute) and function.attr == "setenv"
    return is_of_pytest or (names.qualified_name(module, function) or "") in _SETTING


def _is_of_environment(names: Names, module: Module, call: ast.Call) -> bool:
    """Whether a call is `os.environ.update(...)`, or is given the environment to change it."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    first = next(iter(call.args), None)
    parts = [part for part in (owner, first) if isinstance(part, ast.Name | ast.Attribute)]
    return any((names.qualified_name(module, part) or "") in _ENVIRONMENTS for part in parts)


def _kind_read(
    names: Names, module: Module, function: ast.expr
) -> Literal["environment", "settings"] | None:
    name = names.qualified_name(module, function) or ""
    if name in _READING or name in _CONFIGS:
        return "environment"
    match function:
        case ast.Name(id="config" | "env"):
            return "environment"
        case ast.Attribute(value=owner, attr=method) if method in _ENV_METHODS:
            if last_name(owner) == "env":
                return "environment"
            return "settings" if method == "get" and _is_mapping(owner) else None
    return None


def _is_mapping(owner: ast.expr) -> bool:
    """Whether something is named like a mapping of settings."""
    return last_name(owner).lower() in _MAPPINGS


def _is_field(names: Names, module: Module, function: ast.expr) -> bool:
    return last_name(function) == "Field" and (
        names.qualified_name(module, function) or ""
    ).startswith("pydantic")


def builds_from_driver(call: ast.Call) -> ast.expr | None:
    """Return the name of the driver that a URL is built with; None of other calls."""
    named = next((node.value for node in call.keywords if node.arg in _DRIVER_KEYWORDS), None)
    match call.func:
        case ast.Name() | ast.Attribute() if last_name(call.func) == "URL":
            return named or next(iter(call.args), None)
        case ast.Attribute(value=owner, attr="create") if last_name(owner) == "URL":
            return named or next(iter(call.args), None)
        case ast.Attribute(attr="build" | "set" | "_replace"):
            return named
    return None


def gives_the_same(call: ast.Call, name: str) -> ast.expr | None:
    """Return the URL that a call gives back as far as its driver goes; None of other calls."""
    if name in _WRAPPING and call.args:
        return call.args[0]
    match call.func:
        case ast.Attribute(value=value, attr=method) if method in _CHAINED | {"set", "_replace"}:
            return value
        case ast.Name(id="make_url" | "str") if call.args:
            return call.args[0]
    return None


URL_READS = (
    ".env*", "*.env", "*.env.*", "env.example", "Procfile",
    "compose*.yml", "compose*.yaml", "docker-compose*.yml", "docker-compose*.yaml",
    "Dockerfile*", "*.Dockerfile",
    "/.github/workflows/*.yml", "/.github/workflows/*.yaml", "/.gitlab-ci.yml",
    "/.circleci/config.yml", "/azure-pipelines.yml", "/bitbucket-pipelines.yml",
    "k8s/**/*.y*ml", "kubernetes/**/*.y*ml", "deploy/**/*.y*ml", "helm/**/*.y*ml",
    "manifests/**/*.y*ml",
)  # fmt: skip
"""What a rule declares in ``reads`` to ask for these URLs."""

_LARGEST = 200_000
"""Bytes of one file that are searched; a compose file has some thousands."""


_URL = re.compile(
    rb"(?<![\w+.:-])(?P<dialect>postgres(?:ql)?|mysql|mariadb|sqlite|oracle|mssql)"
    rb"(?P<driver>\+[a-z0-9_]{1,40})?://(?P<rest>[^\s\"'`<>,;]{0,2000})"
)
_PARAMETER = re.compile(rb"[?&]([A-Za-z_]\w{0,60})=")


class UrlElsewhere(Struct, frozen=True):
    """A URL in the file at ``path``: its 1-based line, its driver, the names after its ``?``."""

    path: str
    line: int
    drivername: str
    parameters: tuple[str, ...]


def urls_elsewhere(files: Mapping[str, SourceFile]) -> tuple[UrlElsewhere, ...]:
    """Return the URLs in ``files``, by file and line, comments left out."""
    url_elsewheres: list[UrlElsewhere] = []
    for path in sorted(files):
        text = files[path].text
        url_elsewheres += _in_text(path, text) if len(text) <= _LARGEST else ()
    return tuple(url_elsewheres)


def _in_text(path: str, text: bytes) -> Iterator[UrlElsewhere]:
    if b"://" not in text:
        return
    for number, line in enumerate(text.split(b"\n"), 1):
        written = line.partition(b" #")[0]
        if written.lstrip().startswith(b"#"):
            continue
        for match in _URL.finditer(written):
            drivername = match["dialect"] + (match["driver"] or b"")
            names = dict.fromkeys(item.decode() for item in _PARAMETER.findall(match["rest"]))
            yield UrlElsewhere(path, number, drivername.decode(), tuple(names))
