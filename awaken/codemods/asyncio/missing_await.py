"""Await coroutines that are never awaited.

## What

In a coroutine, awaken adds `await` to a call that returns a coroutine, if the code:

* ignores the coroutine
* tests its truth
* uses the coroutine as if it were its own result
* assigns it to a variable, and only does one of these with it, or nothing

awaken follows calls through classes and functions of all files. It also knows methods of libraries,
such as those of `AsyncSession`.

## Why

A call of a coroutine function runs none of its code. Without `await`, nothing happens. A coroutine
is always true, and has none of the attributes of its result. The only sign is a warning, "coroutine
was never awaited".

## Before: a call that does nothing (unsafe)

```python
async def save(rows, row):
    rows.append(row)


async def handle(rows, user):
    save(rows, user)
    return "saved"
```

## After: a call that does nothing (unsafe)

```python
async def save(rows, row):
    rows.append(row)


async def handle(rows, user):
    await save(rows, user)
    return "saved"
```

## Before: a condition that is always true (unsafe)

```python
async def is_allowed(user):
    return user != "guest"


async def handle(user):
    return "welcome" if is_allowed(user) else "forbidden"
```

## After: a condition that is always true (unsafe)

```python
async def is_allowed(user):
    return user != "guest"


async def handle(user):
    return "welcome" if await is_allowed(user) else "forbidden"
```

## Safety

No rewrite is safe: code that never ran will run. It takes time and may raise, and other coroutines
run in the meantime.

## What it does not report

| not reported | why |
| --- | --- |
| coroutines that are returned, stored or passed on | other code may await them |
| calls that may not return a coroutine, also in a subclass | an `await` could fail |
| a call in a test that expects a failure | the test is about the failure |
| files without `async def` | nothing can be awaited there |

awaken searches by name, so it does not find every call. It searches for a name in:

| the coroutine function has the name of | searched files |
| --- | --- |
| a method of builtin containers, such as `get` | files that define such a coroutine function |
| a plain function of the program | the folder of the coroutine function, and files that name its module or class |
| nothing else | all files |

## What it refuses

| left alone | why |
| --- | --- |
| calls outside coroutines | nothing can be awaited there |
| calls in f-strings | awaken does not edit these |

## On real programs

33 programs (`benchmarks/recipes/statuses.md`), with `--unsafe-fixes`. The three places were read,
and are right. They are a `close()` that never ran, a test that tested nothing, and code that is
never reached.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| cognee 1.6.5 | 0 | 0 | 1 |
| mavedb | 0 | 1 | 0 |
| prefect 3.9.1 | 0 | 1 | 0 |
| 30 others | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Developing with asyncio": "Detect never-awaited coroutines"
* Python 3.14, "Coroutines": a coroutine object is true, as any object without `__bool__`
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Level, Phase, Reason, Status
from awaken.kit.caveats.replaced_names import caveats_of
from awaken.kit.changes import Decided, decide
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import SiteRule
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.coroutines import coroutines
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.modules import nodes_in
from awaken.project.source.trees import last_name
from awaken.project.values.local.flow import local_binding, reads_seeing

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.effects import Fate
    from awaken.project.source.modules import Module

OUTSIDE_COROUTINE = Reason(
    "outside-coroutine",
    "{}, and nothing can be awaited here",
    "Make the function a coroutine function and await it, or run it with `asyncio.run()`.",
)

# Possessive repeats never give a word back: no text takes quadratic time.
_DEFINED = re.compile(rb"^[ \t]*+(async[ \t]++)?(def|class)[ \t]++(\w++)", re.MULTILINE)
_IMPORTED = re.compile(rb"\bimport\s*(\([^()]*\)|[^\n]*)")
_WORD = re.compile(rb"\w++")
_CALLED = re.compile(
    rb"(?:^[ \t]*+|[:;=([{]\s*+|\b(?:if|elif|while|not|and|or|in)\s++)((?:\w++\.)*+)(\w++)\(",
    re.MULTILINE,
)
"""Matches what may be a call that is not awaited: no ``await`` comes before it."""
_OF_CONTAINERS = {
    name.encode()
    for kind in (bytes, dict, list, set, str, tuple)
    for name in dir(kind)
    if not name.startswith("_")
}
_BAD = {"dropped", "tested", "unread", "used"}
_WHATS = {
    "dropped": "never awaited, so it never runs",
    "unread": "never awaited, so it never runs",
    "tested": "never awaited, and always true",
    "used": "used as if it were its result",
}
_CAVEAT = "code that never ran now runs"
_EXPECTING = re.compile(
    r"pytest\.(raises|warns|deprecated_call)|(self|cls)\.assert(Raises|Warns)\w*"
)
_BINDS_TIGHTER = (ast.Attribute, ast.Subscript)
_PASSING_ON = (
    ast.AsyncFor, ast.Await, ast.Dict, ast.GeneratorExp, ast.Lambda, ast.List, ast.ListComp,
    ast.Return, ast.Set, ast.SetComp, ast.Starred, ast.Tuple, ast.Yield, ast.YieldFrom,
    ast.keyword, ast.withitem,
)  # fmt: skip


class MissingAwait(SiteRule):
    """Awaits coroutines that are ignored, tested or used."""

    name = "missing-await"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"async def",)
    status = Status.OPT_IN
    reasons = (INSIDE_FSTRING, OUTSIDE_COROUTINE)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per coroutine that is never awaited, and its change."""
        return (
            decide(Site(self.name, module, call), _rewrite, project, fates)
            for module, call, fates in self._found_items(project)
        )

    def _found_items(self, project: Project) -> Iterator[tuple[Module, ast.Call, tuple[Fate, ...]]]:
        names = _Names(project, self.triggers)
        for path in project.site_files(self.triggers):
            wanted = names.coroutines_called_in(path, project.snapshot[path].text)
            for module, node in nodes_in(project.modules_at([path] if wanted else []), ast.Call):
                if last_name(node.func) in wanted and _may_be_one(module, node):
                    fates = _fates(project, module, node)
                    if fates:
                        yield module, node, fates


# ------------------------------------------------------- what need not be parsed, or evaluated
class _Defined(Struct, frozen=True):
    """The names that a file gives to coroutine functions, plain functions, and classes."""

    coroutines: set[bytes]
    plain: set[bytes]
    classes: set[bytes]

    @staticmethod
    def of(text: bytes) -> _Defined:
        result = _DEFINED.findall(text)
        return _Defined(
            {name for is_async, kind, name in result if is_async and kind == b"def"},
            {name for is_async, kind, name in result if not is_async and kind == b"def"},
            {name for _, kind, name in result if kind == b"class"},
        )


class _Names:
    """The names of all coroutine functions, those of libraries included, read from texts."""

    def __init__(self, project: Project, triggers: tuple[bytes, ...]) -> None:
        gives = coroutines().gives
        self._of_libraries = {
            name.rpartition(".")[2].encode() for name in gives if gives[name] == "coroutine"
        }
        self._files = {
            path: _Defined.of(project.snapshot[path].text) for path in project.files_with(triggers)
        }
        self._plain = {name for file in self._files.values() for name in file.plain}
        # For each name: the folders that define it, and the words of files that use it.
        self._folders: dict[bytes, set[str]] = {}
        self._words: dict[bytes, set[bytes]] = {}
        for path, defined in self._files.items():
            place = PurePosixPath(path)
            module = place.parent.name if place.stem == "__init__" else place.stem
            words = {module.encode(), *defined.classes}
            for name in defined.coroutines:
                self._folders.setdefault(name, set()).add(str(place.parent))
                self._words.setdefault(name, set()).update(words)

    def coroutines_called_in(self, path: str, text: bytes) -> set[str]:
        """Return the names of coroutine functions that the file may call without awaiting them."""
        calls = {(head, name) for head, name in _CALLED.findall(text) if name in self}
        near = self._items_near(path, text, {name for _, name in calls})
        called = {(head, name) for head, name in calls if name in near}
        if not called:
            return set()
        defined = self._files[path]
        imported = {word for part in _IMPORTED.findall(text) for word in _WORD.findall(part)}
        return {
            name.decode()
            for head, name in called
            if name in defined.coroutines
            # A bare name is defined here or imported. A method that this class defines, and not as
            # a coroutine function, does not count.
            or (
                (name in imported if not head else head != b"self." or name not in defined.plain)
                and name not in _OF_CONTAINERS
            )
        }

    def __contains__(self, name: bytes) -> bool:
        return name in self._folders or name in self._of_libraries

    def _items_near(self, path: str, text: bytes, names: set[bytes]) -> set[bytes]:
        """Return those of ``names`` that may be coroutine functions in the file ``path``."""
        folder = str(PurePosixPath(path).parent)
        shared = {
            name
            for name in names
            if name in self._plain
            and name not in self._of_libraries
            and folder not in self._folders[name]
        }
        if not shared:
            return names
        words = set(_WORD.findall(text))
        return {one for one in names if one not in shared or not words.isdisjoint(self._words[one])}


def _may_be_one(module: Module, call: ast.Call) -> bool:
    """Whether the place of the call shows that no other code may await it."""
    above = module.parent(call)
    if isinstance(above, ast.Call):
        return call is above.func
    if isinstance(above, _PASSING_ON) or call in getattr(above, "decorator_list", ()):
        return False
    match call.func:
        case ast.Name() as name:
            kinds = {binding.kind for binding in module.scopes.bindings_of(name)}
            return bool(kinds) and kinds <= {"function", "import"}
        case ast.Attribute(value=ast.Name(id="self"), attr=method):
            owner = module.enclosing_class(call)
            body = [] if owner is None else owner.body
            return not any(isinstance(one, ast.FunctionDef) and one.name == method for one in body)
    return True


def _fates(project: Project, module: Module, call: ast.Call) -> tuple[Fate, ...]:
    """Return how the code uses the coroutine of ``call``, if nothing awaits it."""
    if _is_passed_on(module, call) or not project.effects.gives_coroutine(module, call):
        return ()
    if _is_expected(module, call):
        return ()
    fates = project.effects.fates(module, call)
    kinds = {fate.kind for fate in fates} - {"asked"}
    return fates if kinds and kinds <= _BAD else ()


def _is_passed_on(module: Module, call: ast.Call) -> bool:
    """Whether a variable takes the result of ``call`` to code that may await it."""
    way, above = use_of(module, call)
    targets = targets_of(above) if way in {"bound", "same"} else []
    if not targets:
        return False
    target = targets[0] if len(targets) == 1 else None
    binding = local_binding(module, target) if isinstance(target, ast.Name) else None
    if binding is None:
        return True
    reads = reads_seeing(module, binding)
    return any(isinstance(module.parent(read), (*_PASSING_ON, ast.Call)) for read in reads)


def _is_expected(module: Module, call: ast.Call) -> bool:
    """Whether a test around expects that something fails, or warns."""
    return any(
        _EXPECTING.match(module.text_of(item.context_expr)) is not None
        for above in module.ancestors(call)
        if isinstance(above, ast.With | ast.AsyncWith)
        for item in above.items
    )


def _rewrite(site: Site[ast.Call], project: Project, fates: tuple[Fate, ...]) -> Rewrite:
    module, call = site.module, site.node
    worst = next(fate for fate in fates if fate.kind in _BAD)
    message = f"`{module.excerpt(call.func)}()` returns a coroutine that is {_WHATS[worst.kind]}"
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    if module.enclosing_coroutine(call) is None:
        raise Refused(OUTSIDE_COROUTINE, message)
    above = module.parent(call)
    edits = [site.insert_before(call, "await ")]
    if isinstance(above, _BINDS_TIGHTER) or (isinstance(above, ast.Call) and call is above.func):
        edits = [site.insert_before(call, "(await "), site.insert_behind(call, ")")]
    places = () if worst.place == site.place else (worst.place,)
    replaced = project.replaced_names.replacements_of(module, call.func)
    others = [replacement for replacement in replaced if not replacement.keeps_kind]
    caveats, doubles = caveats_of(module, call.func, others)
    return Rewrite(message, edits, [_CAVEAT, *caveats], (*places, *doubles))
