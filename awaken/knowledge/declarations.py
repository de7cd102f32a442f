"""Declarations of libraries: stubs of the standard library, and awaken's in the folder ``stubs``.

The stubs of the standard library are those of typeshed, as ``typeshed_client`` carries them. A stub
is parsed when a name of its module is asked for, and kept as long as the process runs. Nothing but
these two folders is searched.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typeshed_client import ModulePath, NameInfo, Resolver

# The newest that is understood: what an older one lacks, no program for it uses.
_VERSION = (3, 13)
# Modules whose names programs import from elsewhere.
_PUBLIC = {
    "_asyncio": "asyncio",
    "_collections_abc": "collections.abc",
    "_contextvars": "contextvars",
    "_io": "io",
    "_queue": "queue",
    "_socket": "socket",
    "posixpath": "os.path",
    "typing_extensions": "typing",
    "unittest.case": "unittest",
}
_PACKAGES = ("asyncio", "concurrent.futures", "sqlite3", "json", "unittest")
_COLLECTIONS = frozenset(
    [
        *("AsyncGenerator", "AsyncIterable", "AsyncIterator", "Awaitable", "Callable"),
        *("Collection", "Container", "Coroutine", "Generator", "Hashable", "Iterable"),
        *("ItemsView", "Iterator", "KeysView", "Mapping", "MappingView", "MutableMapping"),
        *("MutableSequence", "MutableSet", "Reversible", "Sequence", "Sized", "ValuesView"),
    ]
)
_RENAMED = {
    "typing.AbstractSet": "collections.abc.Set",
    "typing.ChainMap": "collections.ChainMap",
    "typing.Counter": "collections.Counter",
    "typing.DefaultDict": "collections.defaultdict",
    "typing.Deque": "collections.deque",
    "typing.Dict": "builtins.dict",
    "typing.FrozenSet": "builtins.frozenset",
    "typing.List": "builtins.list",
    "typing.OrderedDict": "collections.OrderedDict",
    "typing.Set": "builtins.set",
    "typing.Tuple": "builtins.tuple",
    "typing.Type": "builtins.type",
    "typing.AsyncContextManager": "contextlib.AbstractAsyncContextManager",
    "typing.ContextManager": "contextlib.AbstractContextManager",
    "typing.Text": "builtins.str",
}

ALIASES = {"urllib.request._UrlopenRet": "addinfourl | HTTPResponse"}
"""Aliases that are `Any` in a stub, so that nobody has to check them, and what they really are."""


class Declaration(NamedTuple):
    """A stub's declaration of one name: the module that declares it, and all its definitions.

    Overloads and branches for several systems are several. ``members`` are those of a class, by
    name.
    """

    module: str
    name: str
    nodes: tuple[ast.AST, ...]
    members: dict[str, tuple[ast.AST, ...]] | None

    @property
    def public_name(self) -> str:
        """The name by which programs import it."""
        return public_name(f"{self.module}.{self.name}")


def public_name(name: str) -> str:
    """Return the name by which programs import what a stub declares as ``name``."""
    module, _, simple = name.rpartition(".")
    inside = next((word for word in _PACKAGES if module.startswith(f"{word}.")), None)
    package = _PUBLIC.get(module, inside)
    if package is not None and _resolved_declaration(package, simple) is not None:
        module = package
    if module == "typing" and simple in _COLLECTIONS:
        module = "collections.abc"
    name = f"{module}.{simple}"
    return _RENAMED.get(name, name)


@cache
def declaration(qualified: str) -> Declaration | None:
    """Return the declaration of a dotted name; None if no stub of awaken has it."""
    parts = qualified.split(".")
    if parts[0] not in _tops() or not all(part.isidentifier() for part in parts):
        return None
    module, _, name = qualified.rpartition(".")
    if not module:
        return None
    result = _resolved_declaration(module, name)
    return result if result is not None else _member(declaration(module), name)


def declared_in(module: str, name: str) -> Declaration | None:
    """Return what ``name`` means in the stub of ``module``: its own, imported, or a builtin."""
    return _resolved_declaration(module, name) or _resolved_declaration("builtins", name)


def _member(owner: Declaration | None, name: str) -> Declaration | None:
    nodes = (owner.members or {}).get(name) if owner is not None else None
    if owner is None or nodes is None:
        return None
    return Declaration(owner.module, f"{owner.name}.{name}", nodes, None)


@cache
def _resolved_declaration(module: str, name: str) -> Declaration | None:
    from typeshed_client import ImportedInfo, NameInfo  # noqa: PLC0415  see _resolver

    match _resolver().get_name(_path(module), name):
        case ImportedInfo(source_module=source, info=info):
            return _declaration(".".join(source), info)
        case NameInfo() as info:
            return _declaration(module, info)
        case _:
            return None  # a module, or nothing


def _declaration(module: str, info: NameInfo) -> Declaration:
    members = info.child_nodes
    return Declaration(
        module,
        info.name,
        _nodes(info),
        None if members is None else {name: _nodes(item) for name, item in members.items()},
    )


def _nodes(info: NameInfo) -> tuple[ast.AST, ...]:
    definitions = getattr(info.ast, "definitions", None) or [info.ast]
    return tuple(definition for definition in definitions if isinstance(definition, ast.AST))


@cache
def imported_module(module: str, name: str) -> str | None:
    """Return the module that ``name`` is in the stub of ``module``, as in ``import a.b``."""
    from typeshed_client import ImportedInfo, NameInfo  # noqa: PLC0415  see _resolver

    match _resolver().get_name(_path(module), name):
        case ImportedInfo() | NameInfo() | None:
            return None
        case path:
            return ".".join(path)


def _path(module: str) -> ModulePath:
    from typeshed_client import ModulePath  # noqa: PLC0415  see _resolver

    return ModulePath(tuple(module.split(".")))


@cache
def _tops() -> frozenset[str]:
    """Return the top-level modules of which there are stubs, that of their own protocols too."""
    ours = {path.stem for path in _folder().iterdir()}
    return frozenset(sys.stdlib_module_names | ours | {"_typeshed"})


def _folder() -> Path:
    folder = files("awaken.knowledge") / "stubs"
    if not isinstance(folder, Path):
        raise TypeError("the stubs are no files on disk")
    return folder


@cache
def _resolver() -> Resolver:
    # Imported where it is asked: a run that needs no stub does not pay for it.
    import typeshed_client  # noqa: PLC0415

    context = typeshed_client.get_search_context(
        version=_VERSION, platform="linux", search_path=[_folder()]
    )
    return typeshed_client.Resolver(context)
