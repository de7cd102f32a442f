"""Settings in ``.libcst.codemod.yaml``; its formatter is not used."""

from __future__ import annotations

import re
from collections.abc import Mapping

from awaken.passes.child.libcst_commands.finding import STANDARD
from awaken.passes.child.libcst_commands.yaml_library import yaml

SETTINGS_FILE = ".libcst.codemod.yaml"
_GENERATED = f"@gen{''}erated"


class WrongSettings(Exception):
    """The file cannot be used: why, in one sentence, and its line, 0 where none is known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"LibCST's settings cannot be used: {' '.join(why.split())}")
        self.line = line


class CodemodSettings:
    """The settings in a text: modules that have commands, and files that are left out.

    Raises WrongSettings.
    """

    def __init__(self, text: str) -> None:
        try:
            said = _mapping(yaml.safe_load(text))
            self.modules = _words(said, "modules") or STANDARD
            self.patterns = tuple(map(re.compile, _words(said, "blacklist_patterns")))
            self.marker = str(said.get("generated_code_marker") or _GENERATED).encode()
        except yaml.YAMLError as error:
            raise _not_yaml(text, error) from None
        except (re.error, TypeError, ValueError, RecursionError) as error:
            raise WrongSettings(str(error)) from None


def _not_yaml(text: str, error: Exception) -> WrongSettings:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return WrongSettings(str(error))
    words = (getattr(error, name, None) for name in ("context", "problem"))
    # Text that is missing at the end is missing in the last line.
    line = min(mark.line + 1, len(text.splitlines()))
    return WrongSettings(" ".join(word for word in words if word), line)


def _mapping(said: object) -> Mapping[object, object]:
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise TypeError("it holds no keys")
    return said


def _words(said: Mapping[object, object], key: str) -> tuple[str, ...]:
    found = said.get(key) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise TypeError(f"{key} is no list of words")
    return tuple(found)
