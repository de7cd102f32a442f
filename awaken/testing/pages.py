"""The documentation that is made from the code, as files.

::

    python -m awaken.testing.pages docs        writes docs/rules/ and docs/commands.md

``pages`` gives the same texts for rules of your own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from awaken import api
from awaken.cli.reference import reference
from awaken.kit.rule import Rule
from awaken.preview.markdown.rule_markdown import index, markdown

COMMAND = "python -m awaken.testing.pages docs"
_MARK = f"<!-- Made by `{COMMAND}` from {{source}}: edit that and run it again. -->"


def pages(rules: Sequence[Rule]) -> dict[str, str]:
    """Return the Markdown files about ``rules`` by name: one page each, and ``README.md``."""
    files = {f"{rule.name}.md": _page(rule) for rule in rules}
    head = "# Rules\n\n" + _MARK.format(source="the rules")
    return {"README.md": f"{head}\n\n{index(rules, '{}.md')}", **files}


def _page(rule: Rule) -> str:
    title, rest = markdown(rule).split("\n", 1)
    return f"{title}\n\n{_MARK.format(source=f'the docstring of `{_module(rule)}`')}\n{rest}"


def _module(rule: Rule) -> str:
    name, own = type(rule).__module__, rule.name.replace("-", "_")
    return name.partition(f".{own}.")[0] + f".{own}" if f".{own}." in name else name


def documents() -> dict[str, str]:
    """Return every generated file of awaken's own documentation, by its path below ``docs``."""
    own = [rule for rule in api.rules() if type(rule).__module__.startswith("awaken.")]
    mark = _MARK.format(source="the options of `awaken.cli`")
    title, rest = reference().split("\n", 1)
    return {
        "commands.md": f"{title}\n\n{mark}\n{rest}",
        **{f"rules/{name}": text for name, text in pages(own).items()},
    }


def write(directory: Path) -> None:
    """Write the generated files below ``directory``; pages of rules that are gone are removed."""
    files = documents()
    for page in (directory / "rules").glob("*.md"):
        if f"rules/{page.name}" not in files:
            page.unlink()
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")


def main(words: Sequence[str]) -> None:
    """Write the files below the one directory that ``words`` name; anything else ends in usage."""
    if len(words) != 1 or words[0].startswith("-"):
        sys.exit(f"usage: {COMMAND}")
    write(Path(words[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
