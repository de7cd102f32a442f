"""Makes the fixers of a query on a text, and says what cannot be parsed."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from fissix.pgen2.parse import ParseError
from fissix.refactor import RefactoringTool

from awaken.passes.child.bowler_scripts.hunk_processors import Processors, usual_end
from awaken.workspace.sources import LINE_END


class CannotParse(Exception):
    """The grammar of Bowler has no rule for the text of a line, 0 where it does not say."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


class Tool(RefactoringTool):  # type: ignore[misc]
    """Bowler's way to run fixers, on texts."""

    def get_fixers(self) -> tuple[list[Any], list[Any]]:
        """Return the fixers, those that go from the root and those that go from the leaves."""
        fixers = [one(self.options, self.fixer_log) for one in self.fixers]
        return [one for one in fixers if one.order == "pre"], [
            one for one in fixers if one.order == "post"
        ]

    def log_error(self, message: str, *arguments: object, **named: object) -> NoReturn:
        """Raise CannotParse: it is called where a text cannot be parsed, and for nothing else."""
        del message, arguments, named
        error = sys.exc_info()[1]
        if isinstance(error, ParseError):
            line = error.context[1][0]
            # At the end of a line there is nothing to show.
            what = f"`{error.value}`" if error.value.strip() else "what stands there"
            raise CannotParse(f"its grammar has no rule for {what} in line {line}", line) from error
        raise CannotParse(" ".join(str(error).split()), 0) from error

    def new_text(self, text: str, name: str, processors: Processors) -> str:
        """Return the text that the fixers make of another. Raises CannotParse."""
        newline = usual_end(text)
        whole = text if not text or text.endswith(("\n", "\r")) else text + newline
        plain = LINE_END.sub("\n", whole)
        made = str(self.refactor_string(plain, name))
        if made == plain:
            return text
        joined = processors.merge(whole, made, name)
        return joined if whole == text else joined.removesuffix(newline)
