"""A new rule in a checkout of awaken: its module with a page, and its first case.

The generated rule runs and fails: the page still says TODO, and the rule finds the site of its
first case without deciding about it. ``docs/writing-rules.md`` goes on from there.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

from awaken.contract import UserError

RULES = Path("awaken/codemods")
FIXTURES = Path("fixtures")
FIRST_CASE = "basic"

_WORDS = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")

_MODULE = '''\
"""TODO: one sentence that says what becomes of what.

## What

TODO: what a site is, and what it becomes.

## Why

TODO: what is wrong with the old form, and since which version of what.

## Before

```python
import things

things.old(1)
```

## After

```python
import things

things.new(1)
```

## Safety

TODO: what *safe* promises here, and how that is known.

## What it refuses

TODO: which sites stay, and why.

## Sources

* TODO: the documentation of the new form
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Level, Phase, Status
from awaken.kit.call_rule import CallRule
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.sites import Rewrite, Site

if TYPE_CHECKING:
    from awaken.project import Project


class {class_name}(CallRule):
    """TODO: what it rewrites, in one line."""

    name = "{name}"
    family = "{family}"
    phase = Phase.TIDY
    since = "{version}"
    levels = (Level.SAFE, Level.MANUAL)
    functions = ("things.old",)
    triggers = (b"things",)
    status = Status.PREVIEW
    reasons = (INSIDE_FSTRING,)

    def rewrite(self, site: Site[ast.Call], project: Project) -> Rewrite:
        """Return what becomes of the call. Raises Refused."""
        raise NotImplementedError("TODO: say in `rewrite` what becomes of the call")
'''

_BEFORE = """\
import things

things.old(1)  #~ safe
print(f"{things.old(2)}")  #~ safe
"""

_AFTER = """\
import things

things.new(1)
print(f"{things.new(2)}")
"""


def new_rule(start: Path, wanted: str, version: str) -> tuple[Path, ...]:
    """Write what begins the rule ``wanted``, FAMILY/NAME; return the new files.

    They belong to the checkout of awaken that ``start`` lies in, and are named from its root on.
    ``version`` is the one that is to bring the rule. Raises UserError where nothing can be written.
    """
    family, name = _read(wanted)
    root = _checkout(start)
    module = name.replace("-", "_")
    _require_free(root, name, module)
    files = _files(family, name, module, version)
    package = RULES / family / "__init__.py"
    if not (root / package).exists():
        files = {package: f'"""Rules about {family}."""\n', **files}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8", newline="\n")
    return tuple(files)


def _read(wanted: str) -> tuple[str, str]:
    family, slash, name = wanted.partition("/")
    for word in (family, name):
        if not slash or not _WORDS.fullmatch(word):
            raise UserError(
                f"{wanted!r} is no FAMILY/NAME: write both in small letters, with '-' between "
                "words, as in 'asyncio/running-loop'"
            )
        if keyword.iskeyword(word):
            raise UserError(f"{word!r} is a keyword of Python, which no module can be named after")
    if "-" in family:
        raise UserError(f"a family is one word, and {family!r} is more")
    return family, name


def _checkout(start: Path) -> Path:
    """Return the root of the checkout of awaken that ``start`` lies in."""
    for directory in (start, *start.parents):
        if (directory / RULES / "__init__.py").is_file() and (directory / FIXTURES).is_dir():
            return directory
    raise UserError(
        f"{start} is not in a checkout of awaken, where {RULES}/ and {FIXTURES}/ are: rules are "
        "written there"
    )


def _require_free(root: Path, name: str, module: str) -> None:
    """Raise UserError if a rule of any family has the name: elsewhere rules have no other name."""
    for pattern in (f"{RULES}/*/{module}.py", f"{RULES}/*/{module}", f"{FIXTURES}/*/{name}"):
        for path in sorted(root.glob(pattern)):
            raise UserError(f"there is a rule {name!r} already: {path.relative_to(root)}")


def _files(family: str, name: str, module: str, version: str) -> Mapping[Path, str]:
    path = RULES / family / f"{module}.py"
    case = FIXTURES / family / name / FIRST_CASE
    class_name = "".join(word.capitalize() for word in name.split("-"))
    text = _MODULE.format(class_name=class_name, name=name, family=family, version=version)
    return {
        path: text,
        case / "case.toml": "",
        case / "before.py": _BEFORE,
        case / "after.py": _AFTER,
    }
