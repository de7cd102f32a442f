"""Trees of Jinja templates; nothing of a template is rendered or compiled."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError

from awaken.project.source.worklist import LONGEST_TEXT

_EXTENSIONS = ("jinja2.ext.do", "jinja2.ext.i18n", "jinja2.ext.loopcontrols")


class UnreadableError(ValueError):
    """A template is not read; says why, as a clause. ``line`` is 0 where none is to blame."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(extensions=_EXTENSIONS, autoescape=True)


def parsed_tree(text: str) -> nodes.Template:
    """Return the tree of a template. Raises UnreadableError."""
    if len(text) > LONGEST_TEXT:
        raise UnreadableError(f"it is longer than {LONGEST_TEXT} characters")
    try:
        return _environment().parse(text)
    except TemplateSyntaxError as error:
        why = f"it is not plain Jinja: {(error.message or 'a syntax error').splitlines()[0][:200]}"
        raise UnreadableError(why, error.lineno) from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None
    except (ValueError, OverflowError):  # a number of thousands of digits
        raise UnreadableError("it holds a number that Python does not read") from None
