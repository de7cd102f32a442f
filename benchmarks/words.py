"""Count banned patterns and the length of sentences in everything that people read.

    uv run python benchmarks/words.py                      prints the table
    uv run python benchmarks/words.py --write FILE         writes it, and all counts, as Markdown
    uv run python benchmarks/words.py --check              fails where a count is above its limit
    uv run python benchmarks/words.py --show PATTERN       prints each sentence with one pattern
    uv run python benchmarks/words.py --draw 60 --seed 38  prints messages drawn by a seed

Texts are the strings of ``awaken`` that are prose, the help of its commands, its docstrings and
comments, the pages in ``docs``, and the documents at the top. Code, in fences or backquotes,
counts as one word.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import sys
import tokenize
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
BANNED = Path(__file__).with_name("words") / "banned.toml"
LIMITS = BANNED.with_name("leftover.toml")
LONG = 20
"""Words that a sentence may have."""
NO_PROSE = {"stubs", "testing", "plugin", "child", "store", "suites", "rule_skeleton.py"}
"""Parts of ``awaken`` whose strings are code, or are read by nobody but who writes rules."""
KINDS = (
    (("codemods", "kit", "project", "passes", "knowledge"), "messages of rules"),
    (("engine", "contract", "workspace", "settings", "recipes"), "messages of the engine"),
    (("cli", "preview", "verifying", "api.py"), "commands and output"),
)


class Text(NamedTuple):
    """One text for people, and where it is."""

    kind: str
    place: str
    words: str


@cache
def banned() -> dict[str, re.Pattern[str]]:
    """Return the banned patterns by name."""
    patterns = tomllib.loads(BANNED.read_text("utf-8"))["patterns"]
    return {name: re.compile(one, re.IGNORECASE) for name, one in patterns.items()}


def texts() -> Iterator[Text]:
    """Yield every text for people."""
    for path in sorted((ROOT / "awaken").rglob("*.py")):
        if not NO_PROSE & set(path.parts):
            yield from strings(path)
        yield from docstrings(path)
    for path in sorted((ROOT / "awaken/recipes").glob("*.toml")):
        for key, value in tomllib.loads(path.read_text("utf-8")).items():
            if isinstance(value, str) and " " in value:
                yield Text("messages of the engine", f"{path.name}:{key}", value)
    pages = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
    for path in pages:
        yield from paragraphs(path)


def strings(path: Path) -> Iterator[Text]:
    """Yield the strings of a file that are prose, and the docstrings of its commands."""
    tree = ast.parse(path.read_text("utf-8"))
    top, home = path.relative_to(ROOT / "awaken").parts[0], path.relative_to(ROOT)
    kind = next((kind for tops, kind in KINDS if top in tops), "commands and output")
    nodes = list(ast.walk(tree))
    hidden = {one.value for one in nodes if isinstance(one, ast.Expr)}
    hidden |= {part for one in nodes if isinstance(one, ast.JoinedStr) for part in one.values}
    for node in nodes:
        text = None if node in hidden else shown(node)
        if text is not None and is_prose(text):
            yield Text(kind, f"{home}:{node.lineno}", text)
        is_command = path.parent.name == "commands" and isinstance(node, ast.FunctionDef)
        if is_command and not node.name.startswith("_"):
            for paragraph in filter(None, (ast.get_docstring(node) or "").split("\n\n")):
                yield Text(kind, f"{home}:{node.lineno}", " ".join(paragraph.split()))


def docstrings(path: Path) -> Iterator[Text]:
    """Yield the paragraphs in the docstrings of a file, and its comments."""
    home, source = path.relative_to(ROOT), path.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                kind = "docstrings of functions"
            case ast.ClassDef() | ast.Module():
                kind = "docstrings of classes and modules"
            case _:
                continue
        place = f"{home}:{getattr(node, 'lineno', 1)}"
        for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
            if paragraph:
                yield Text(kind, place, " ".join(paragraph.split()))
    yield from comments(home, source)


def comments(home: Path, source: str) -> Iterator[Text]:
    """Yield the comments of a file; consecutive lines are one text."""
    lines, last = list[str](), 0
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type != tokenize.COMMENT or token.string.startswith(("#:", "#!", "# type:")):
            continue
        words = re.sub(r"(# )?(noqa|fmt|pragma|isort)\b.*", "", token.string.lstrip("# ")).strip()
        if lines and token.start[0] != last + 1:
            yield Text("comments", f"{home}:{last}", " ".join(lines))
            lines = []
        lines, last = [*lines, words], token.start[0]
    if lines:
        yield Text("comments", f"{home}:{last}", " ".join(lines))


def shown(node: ast.AST) -> str | None:
    """Return the text of a string, with each expression in it as ``{…}``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(one.value if isinstance(one, ast.Constant) else "{…}" for one in node.values)
    return None


_CODE = re.compile(
    r"^\s*(SELECT|INSERT|def|async def|class|import|from|with|return|#!|<)\b|\(\?|\\[bw]"
)


_WORD = re.compile(r"""[`'"(]*[A-Za-z][\w'.:;,-]*[`'").,:;!?]*""")
_FEWEST = 3


def is_prose(text: str) -> bool:
    """Whether a string is words for people: three of them or more, and no code."""
    words = text.split()
    plain = [word for word in words if _WORD.fullmatch(word)]
    return len(words) >= _FEWEST and len(plain) >= 0.6 * len(words) and not _CODE.search(text)


def paragraphs(path: Path) -> Iterator[Text]:
    """Yield the paragraphs, list items and cells of a page, without code."""
    kind = "rule pages" if "rules" in path.parts else "pages"
    if path.parent == ROOT:
        kind = "documents"
    place = str(path.relative_to(ROOT))
    for number, block in blocks(path.read_text("utf-8")):
        yield Text(kind, f"{place}:{number}", block)


def blocks(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield each paragraph, list item and cell of Markdown, with the line it begins in."""
    plain = re.sub(r"^```.*?^```", _blank, markdown, flags=re.MULTILINE | re.DOTALL)
    plain = re.sub(r"^(#|<!--).*$", "", plain, flags=re.MULTILINE)
    plain = re.sub(r"^(?=\s*([*-]|\d+\.) )", "\f", plain, flags=re.MULTILINE)
    number = 1
    for block in re.split(r"(\n\s*\n|\f)", plain):
        words = re.sub(r"^\s*([*-]|\d+\.) ", "", block)
        if words.lstrip().startswith("|"):
            yield from ((number, cell) for cell in cells(words))
        elif words.strip():
            yield number, " ".join(words.split())
        number += block.count("\n")


def cells(table_text: str) -> Iterator[str]:
    """Yield the cells of a table that hold words."""
    for line in table_text.splitlines():
        for cell in line.strip().strip("|").split(" | "):
            if len(cell.split()) >= _FEWEST and not set(cell) <= set("-:| "):
                yield cell.strip()


def _blank(code: re.Match[str]) -> str:
    return "\n" * code[0].count("\n")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; code in backquotes and links are one word each."""
    plain = re.sub(r"``[^`]+``|`[^`]+`", "CODE", text)
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    plain = re.sub(r"\{[^{}]*\}", "CODE", plain).replace("**", "").replace("*", "")
    plain = re.sub(r"\b(e\.g|i\.e|etc|cf|vs)\.", r"\1", plain)
    return [
        one.strip()
        for one in re.split(r"(?<=[.!?])\s+|\n\n|(?<=:)\n", plain)
        if len(one.split()) > 1
    ]


def hits(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each banned pattern in a text, with its sentence."""
    for sentence in sentences(text):
        for name, pattern in banned().items():
            for _ in pattern.finditer(sentence):
                yield name, sentence
        if len(sentence.split()) > LONG:
            yield f"more than {LONG} words", sentence


def counted() -> tuple[dict[str, Counter[str]], dict[str, list[int]]]:
    """Return the banned patterns and the lengths of all sentences, by kind."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    lengths: defaultdict[str, list[int]] = defaultdict(list)
    for text in texts():
        lengths[text.kind] += [len(one.split()) for one in sentences(text.words)]
        counts[text.kind].update(name for name, _ in hits(text.words))
    return counts, lengths


def check() -> list[str]:
    """Return the counts that are above the limit, or so far below that it has to fall."""
    counts, _ = counted()
    limits = tomllib.loads(LIMITS.read_text("utf-8"))
    wrong = []
    for kind, names in counts.items():
        for name in sorted({*names, *limits.get(kind, {})}):
            limit = limits.get(kind, {}).get(name, 0)
            if names[name] > limit:
                wrong.append(f"{kind}: {name}: {names[name]}, and at most {limit} are allowed")
            elif names[name] < limit:
                wrong.append(f"{kind}: {name}: {names[name]}; lower the limit of {limit}")
    return wrong


def table() -> str:
    """Return the counts by kind, as Markdown."""
    counts, lengths = counted()
    kinds = list(lengths)
    names = [*banned(), f"more than {LONG} words"]
    rows = [["", *kinds, "all"], ["---", *("---:" for _ in kinds), "---:"]]
    for name in names:
        row = [counts[kind][name] for kind in kinds]
        rows.append([name, *map(str, row), str(sum(row))])
    every = [length for one in lengths.values() for length in one]
    each = [*lengths.values(), every]
    rows.append(["sentences", *(str(len(one)) for one in each)])
    rows.append(["words", *(str(sum(one)) for one in each)])
    rows.append(["words per sentence", *(f"{sum(one) / len(one):.1f}" for one in each)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def drawn(number: int, seed: int) -> list[Text]:
    """Return messages drawn by a seed: those of rules and of the engine alone."""
    every = [text for text in texts() if text.kind.startswith("messages")]
    return random.Random(seed).sample(every, number)


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path)
    parser.add_argument("--show")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--draw", type=int)
    parser.add_argument("--seed", type=int, default=38)
    options = parser.parse_args()
    if options.check:
        wrong = check()
        sys.exit("\n".join(wrong) if wrong else 0)
    if options.show:
        for text in texts():
            for name, sentence in hits(text.words):
                if options.show in {name, "all"}:
                    print(f"{text.place}: [{name}] {sentence}")
    elif options.draw:
        for text in drawn(options.draw, options.seed):
            print(f"{text.place}\t{text.words}")
    elif options.write:
        options.write.write_text(f"# Words\n\n{table()}", "utf-8")
    else:
        sys.stdout.write(table())


if __name__ == "__main__":
    main()
