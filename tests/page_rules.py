"""Rules with pages written for the tests, in modules that are not on disk."""

from __future__ import annotations

import sys
import types
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from awaken.contract import Level, Phase, Reason, Status
from awaken.kit.rule import Rule

PAGE = """\
Rewrites `old()` to [new](x). It takes care.

It has a second paragraph.

## What

A table of the rule's own:

```python things.py
## Not a heading
def old(): ...
```

## Before

```python
from things import old

x = old(List[str])
```

## After

```python
from things import new

x = new(List[str])
```

## Before: in two files (unsafe)

```python
old()
```

```python app/b.py
old(1)
```

## After: in two files (unsafe)

```python
new()
```

```python app/b.py
new(1)
```

## What it refuses

What is shadowed.

```python
old = None
```

## Sources

* none
"""


class OldOptions(Struct, frozen=True, rename="kebab", kw_only=True):
    most_lines: Annotated[int, Meta(description="How many | at most.")] = 3
    style: Literal["a", "b"] = "a"
    names: list[str] = field(default_factory=lambda: ["x"])
    needed: bool
    perhaps: str | None = None


class Old(Rule):
    name = "old-to-new"
    family = "things"
    phase = Phase.QUERIES
    since = "1.2"
    levels = (Level.SAFE, Level.UNSAFE)
    needs = {"things": ">=2"}  # noqa: RUF012  as rules write it
    options = OldOptions
    reasons = (Reason("shadowed", "`{}` is | shadowed", "Rename it."),)


class Odd(Rule):
    """Advice in one line."""

    name = "odd-thing"
    family = "others"
    kind = "advice"
    phase = Phase.TIDY
    status = Status.PREVIEW


def install(patch) -> tuple[Rule, ...]:
    """Put the modules in place for as long as ``patch`` lasts; return the rules."""
    package, module = types.ModuleType("things.old_to_new"), types.ModuleType("things.plan")
    package.__doc__ = PAGE
    patch.setitem(sys.modules, "things.old_to_new", package)
    patch.setitem(sys.modules, "things.old_to_new.plan", module)
    patch.setattr(Old, "__module__", "things.old_to_new.plan")
    patch.setitem(sys.modules, "things.odd", types.ModuleType("things.odd"))
    patch.setattr(Odd, "__module__", "things.odd")
    return Old(), Odd()
