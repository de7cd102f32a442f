"""The documentation that is made from the code, as files.

::

    python -m awaken.testing.pages docs        writes docs/rules/ and docs/commands.md

``pages`` gives the same texts for rules of your own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from typer.main import get_command

from awaken import api
from awaken.cli.application import application, by_task
from awaken.cli.options.declaring import PANELS
from awaken.cli.options.plain_values import options_by_task
from awaken.kit.rule import Rule
from awaken.preview.markdown.rule_markdown import index, markdown, table

_INTRODUCTION = """\
[Configuration](configuration.md) shows the same options in settings files. The
[overview](../README.md#exit-codes) lists the exit codes."""

_OWN = "Of single commands"
_EXAMPLES = {
    "check": (
        "awaken check",
        "awaken check --select sqlalchemy --statistics",
        "awaken check --since origin/main --output-format concise",
        "awaken check --recipe async-sessions",
    ),
    "diff": ("awaken diff", "awaken diff --side-by-side models.py", "awaken diff | git apply"),
    "apply": (
        "awaken apply --select query-to-select --dry-run",
        "awaken apply --unsafe query-to-select --allow-dirty",
    ),
    "undo": ("awaken undo --list", "awaken undo"),
    "recipes": ("awaken recipes", "awaken recipes fastapi"),
    "migrate": ("awaken migrate fastapi --dry-run", "awaken migrate fastapi --to 1 --commit"),
    "verify": ("awaken verify -- pytest -q",),
    "explain": ("awaken explain main.py:20", "awaken explain query-to-select/unknown-entity"),
    "rules": ("awaken rules", "awaken rules query-to-select", "awaken rules asyncio"),
    "doctor": ("awaken doctor",),
    "trust": ("awaken trust --list",),
}
"""Command lines for the page; a test runs each of them."""
COMMAND = "python -m awaken.testing.pages docs"
_MARK = f"<!-- Made by `{COMMAND}` from {{source}}: edit that and run it again. -->"


def reference() -> str:
    """Return the page: what each command does, and which options it takes."""
    group = get_command(application())
    with group.make_context("awaken", [], resilient_parsing=True) as context:
        tasks = by_task(group.commands)  # type: ignore[attr-defined]
        every = {name: command for named in tasks.values() for name, command in named.items()}
        groups = {name: command for name, command in every.items() if hasattr(command, "commands")}
        commands = {name: command for name, command in every.items() if name not in groups}
        blocks = ["# Commands", _INTRODUCTION]
        for title, named in tasks.items():
            blocks.append(f"## {title}")
            for name, command in named.items():
                if name in groups:
                    continue
                blocks += [f"### awaken {name}", _paragraphs(command.help), *_arguments(command)]
                lines = "\n".join(_EXAMPLES[name])
                blocks.append(f"```console\n{lines}\n```")
        blocks += ["## Options", *_options(commands, context, "###")]
        for name, inner in groups.items():
            blocks += [f"## awaken {name}", _paragraphs(inner.help)]
            for word, command in inner.commands.items():
                blocks += [f"### awaken {name} {word}", _paragraphs(command.help)]
                blocks += _arguments(command)
            blocks += [f"### Options of awaken {name}", *_options(inner.commands, context, "####")]
        general = [(f"`{names}`", text) for names, text in _records(group, context)]
        blocks += ["## Without a command", table(("option", "what it does"), general)]
    return "\n\n".join(blocks) + "\n"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _arguments(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield f"`{parameter.metavar or parameter.name.upper()}`: {parameter.help}"


def _options(commands: Mapping[str, Any], context: Any, heading: str) -> Iterator[str]:
    """Yield a table for each group of options, with a mark below each command that takes one."""
    taken: dict[tuple[str, str], set[str]] = {}
    titles: dict[str, list[tuple[str, str]]] = {}
    for name, command in commands.items():
        for title, members in options_by_task(command.params).items():
            for option in members:
                record = option.get_help_record(context)
                if record not in taken:
                    titles.setdefault(title, []).append(record)
                taken.setdefault(record, set()).add(name)
    order = {panel or "Options": number for number, panel in enumerate(PANELS)}
    for title, records in sorted(titles.items(), key=lambda item: order[item[0]]):
        if len(titles) > 1:
            yield f"{heading} {_OWN if title == 'Options' else title}"
        users = [name for name in commands if any(name in taken[record] for record in records)]
        rows = [
            (f"`{record[0]}`", record[1], *("x" if name in taken[record] else "" for name in users))
            for record in records
        ]
        yield table(("option", "what it does", *users), rows)


def _records(command: Any, context: Any) -> list[tuple[str, str]]:
    return [
        parameter.get_help_record(context)
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.hidden
    ]


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
