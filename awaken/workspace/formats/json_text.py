"""JSON that nobody vouches for: every failure is one exception with a line."""

from __future__ import annotations

import json
from typing import Any

from awaken.workspace.sources import TextError


class NotJson(TextError):
    """The text is not JSON; says why in a clause."""


def parse_json(text: str) -> Any:
    """Return the value of ``text``. Raises NotJson."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NotJson(error.msg[:1].lower() + error.msg[1:], error.lineno) from None
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except ValueError:  # Python converts no number of more than 4,300 digits
        raise NotJson("it holds a number that is too long") from None
