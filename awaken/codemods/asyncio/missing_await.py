"""Awaits coroutines that are made and never awaited.

## What

In a coroutine, a call that gives a coroutine is awaited where the coroutine is thrown away, tested
for its truth, used as if it were its own result, or given to a variable that is only used so, or
never. What a call gives is followed through classes and functions, over all files; methods of
`AsyncSession` and other libraries count as well.

## Why

Calling a coroutine function runs none of it. What is not awaited never happens, a coroutine is
always true, and has none of the attributes of its result. All that is heard of it is a warning,
"coroutine was never awaited".

## Before (unsafe)

```python
import asyncio


async def save(rows, row):
    await asyncio.sleep(0)
    rows.append(row)


async def is_allowed(user):
    return user != "guest"


async def handle(rows, user):
    if not is_allowed(user):
        return "forbidden"
    save(rows, user)
    return "saved"
```

## After (unsafe)

```python
import asyncio


async def save(rows, row):
    await asyncio.sleep(0)
    rows.append(row)


async def is_allowed(user):
    return user != "guest"


async def handle(rows, user):
    if not await is_allowed(user):
        return "forbidden"
    await save(rows, user)
    return "saved"
```

## Safety

Never safe: what did not happen so far happens from now on. It takes its time, may raise, and other
coroutines run in the meantime.

## What it refuses

Calls outside of coroutines, where nothing can be awaited, and in f-strings.

No sites are coroutines that are returned, stored, or passed to something else, for that may await
them; calls of which it is not proven that they give a coroutine, whatever a subclass overrides; and
what a test expects to fail. Files without `async def` are not looked at. A method that builtin
containers have as well, such as `get`, is only looked for in files that define such a coroutine
function.

## Sources

* Python 3.14, `asyncio`, "Developing with asyncio": "Detect never-awaited coroutines"
* Python 3.14, "Coroutines": a coroutine object is true, as any object without `__bool__`
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Constraints, Level, Phase, Plan, Reason
from awaken.kit.changes import decide, plan_of
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.coroutines import coroutines
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.effects import Fate
    from awaken.project.source.modules import Module

OUTSIDE_COROUTINE = Reason(
    "outside-coroutine",
    "{}, and nothing can be awaited here",
    "Make the function a coroutine function and await it, or run it with `asyncio.run()`.",
)

_DEFINED = re.compile(rb"\basync[ \t]+def[ \t]+(\w+)")
_PLAIN = re.compile(rb"^[ \t]*def[ \t]+(\w+)", re.MULTILINE)
_IMPORTED = re.compile(rb"\bimport\s*(\([^()]*\)|[^\n]*)")
_CALLED = re.compile(
    rb"(?:^[ \t]*|[:;=([{]\s*|\b(?:if|elif|while|not|and|or|in)\s+)((?:\w+\.)*)(\w+)\(",
    re.MULTILINE,
)
"""What may be a call that is not awaited: ``await`` would stand in front of it."""
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
_CAVEAT = "what did not run so far runs now"
_EXPECTING = re.compile(
    r"pytest\.(raises|warns|deprecated_call)|(self|cls)\.assert(Raises|Warns)\w*"
)
_BINDS_TIGHTER = (ast.Attribute, ast.Subscript)
_PASSING_ON = (
    ast.AsyncFor, ast.Await, ast.Dict, ast.GeneratorExp, ast.Lambda, ast.List, ast.ListComp,
    ast.Return, ast.Set, ast.SetComp, ast.Starred, ast.Tuple, ast.Yield, ast.YieldFrom,
    ast.keyword, ast.withitem,
)  # fmt: skip


class MissingAwait(Rule):
    """Awaits coroutines that are thrown away, tested or used."""

    name = "missing-await"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"async def",)
    preview = True
    reasons = (INSIDE_FSTRING, OUTSIDE_COROUTINE)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per coroutine that is never awaited, and its change."""
        del constraints  # no change needs another site
        return plan_of(
            decide(Site(self.name, module, call), _rewrite, fates)
            for module, call, fates in self._found(project)
        )

    def _found(self, project: Project) -> Iterator[tuple[Module, ast.Call, tuple[Fate, ...]]]:
        names = _coroutine_functions(project, self.triggers)
        for path in project.site_files(self.triggers):
            wanted = _wanted(project.snapshot[path].text, names)
            module = project.module(path) if wanted else None
            for node in module.walk() if module is not None else ():
                if module is None or not isinstance(node, ast.Call):
                    continue
                if last_name(node.func) in wanted and _may_be_one(module, node):
                    fates = _fates(project, module, node)
                    if fates:
                        yield module, node, fates


# ------------------------------------------------------- what need not be parsed, or evaluated
def _coroutine_functions(project: Project, triggers: tuple[bytes, ...]) -> set[bytes]:
    """Return the names of all coroutine functions, those of libraries included."""
    gives = coroutines().gives
    known = {name.rpartition(".")[2].encode() for name in gives if gives[name] == "coroutine"}
    for path in project.files_with(triggers):
        known.update(_DEFINED.findall(project.snapshot[path].text))
    return known


def _wanted(text: bytes, names: set[bytes]) -> set[str]:
    """Return the names in ``names`` that the file may call without awaiting the result."""
    called = {(head, name) for head, name in _CALLED.findall(text) if name in names}
    if not called:
        return set()
    own, plain = set(_DEFINED.findall(text)), set(_PLAIN.findall(text))
    imported = {word for part in _IMPORTED.findall(text) for word in re.findall(rb"\w+", part)}
    return {
        name.decode()
        for head, name in called
        if name in own
        # What is called by its name alone is defined here or imported; a method of this class that
        # is defined here, and not as a coroutine function, is none.
        or (
            (name in imported if not head else head != b"self." or name not in plain)
            and name not in _OF_CONTAINERS
        )
    }


def _may_be_one(module: Module, call: ast.Call) -> bool:
    """Whether the call stands where nobody else may await it, as far as its place tells."""
    above = module.parent(call)
    if isinstance(above, ast.Call):
        return call is above.func
    if isinstance(above, _PASSING_ON) or call in getattr(above, "decorator_list", ()):
        return False
    match call.func:
        case ast.Name() as name:
            kinds = {one.kind for one in module.scopes.bindings_of(name)}
            return bool(kinds) and kinds <= {"function", "import"}
        case ast.Attribute(value=ast.Name(id="self"), attr=method):
            owner = module.enclosing_class(call)
            body = [] if owner is None else owner.body
            return not any(isinstance(one, ast.FunctionDef) and one.name == method for one in body)
        case _:
            return True


def _fates(project: Project, module: Module, call: ast.Call) -> tuple[Fate, ...]:
    """Return what becomes of the coroutine that ``call`` gives, if nobody awaits it."""
    if project.effects.awaitable(module, call) != "coroutine" or _is_expected(module, call):
        return ()
    fates = project.effects.fates(module, call)
    kinds = {fate.kind for fate in fates} - {"asked"}
    return fates if kinds and kinds <= _BAD else ()


def _is_expected(module: Module, call: ast.Call) -> bool:
    """Whether a test around expects that something fails, or warns."""
    return any(
        _EXPECTING.match(module.text_of(item.context_expr)) is not None
        for above in module.ancestors(call)
        if isinstance(above, ast.With | ast.AsyncWith)
        for item in above.items
    )


def _rewrite(site: Site[ast.Call], fates: tuple[Fate, ...]) -> Rewrite:
    module, call = site.module, site.node
    worst = next(fate for fate in fates if fate.kind in _BAD)
    message = f"`{module.excerpt(call.func)}()` gives a coroutine that is {_WHATS[worst.kind]}"
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    if module.enclosing_coroutine(call) is None:
        raise Refused(OUTSIDE_COROUTINE, message)
    above = module.parent(call)
    edits = [site.insert_before(call, "await ")]
    if isinstance(above, _BINDS_TIGHTER) or (isinstance(above, ast.Call) and call is above.func):
        edits = [site.insert_before(call, "(await "), site.insert_behind(call, ")")]
    places = () if worst.place == site.place else (worst.place,)
    return Rewrite(message, edits, [_CAVEAT], places)
