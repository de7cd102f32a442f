"""Examples of doctest that pytest runs: nothing in them can await what becomes a coroutine."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.contract import ByHand, SiteId
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import nodes_with

if TYPE_CHECKING:
    from doctest import Example

    from awaken.project.graph.forwards.call_graph import FunctionPlace

DOCTEST_READS = ("test*.txt",)
"""The text files with examples that pytest collects by itself (docs.pytest.org, "doctest")."""
_PROMPT = b">>> "
# `crud._Users__get(...)` calls `__get` of the class `Users`.
_WORD = re.compile(r"_[A-Za-z]\w*?(?=__[a-z])|\w+")


class Doctests(ProjectFacts):
    """Answers for one program."""

    def naming(self, function: FunctionPlace, site: SiteId) -> Iterator[ByHand]:
        """Yield the examples that name a function, for users to change."""
        for path, line, source in self._examples[function.name]:
            what = f"this doctest names `{function.qualname}`, which it cannot await: `{source}`"
            yield ByHand(file=path, line=line, what=what, site=site)

    @cached_property
    def _examples(self) -> defaultdict[str, list[tuple[str, int, str]]]:
        """The examples by the words in them, each with its file and its line."""
        result: defaultdict[str, list[tuple[str, int, str]]] = defaultdict(list)
        for path, first, text in self._texts():
            for example in _examples_in(text):
                source = example.source.partition("\n")[0]
                is_import = re.match(r"(?:from|import)\s", source)
                for word in () if is_import else {*_WORD.findall(source)}:
                    result[word].append((path, first + example.lineno, source))
        return result

    def _texts(self) -> Iterator[tuple[str, int, str]]:
        """Yield the texts with examples of the program, each with its file and its first line."""
        for path, file in self._project.texts(*DOCTEST_READS).files.items():
            text = file.text.decode(errors="replace")
            imported = re.findall(r">>> (?:from|import) ([\w.]+)", text)
            if any(self._project.layout.path_of(name) for name in imported):
                yield path, 1, text
        if "--doctest-modules" not in self._project.pytest.addopts:
            return
        for module, node in nodes_with(self._project, (_PROMPT,), ast.Constant):
            if isinstance(node.value, str) and isinstance(module.parent(node), ast.Expr):
                yield module.path, node.lineno, node.value


def _examples_in(text: str) -> list[Example]:
    from doctest import DocTestParser  # noqa: PLC0415  it imports unittest; few have examples

    try:
        return DocTestParser().get_examples(text)
    except ValueError:  # pytest reports it
        return []
