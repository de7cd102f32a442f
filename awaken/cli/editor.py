"""Opens a file in the user's editor, at a line where the editor is known to take one."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

_PLUS = "+{line} {path}"
_COLON = "{path}:{line}"
_LINE = {
    **dict.fromkeys(("vi", "vim", "nvim", "view", "nano", "pico", "joe", "mg", "ne"), _PLUS),
    **dict.fromkeys(("emacs", "emacsclient", "kak", "micro", "mcedit", "gedit", "ed"), _PLUS),
    **dict.fromkeys(("hx", "helix", "subl", "zed"), _COLON),
    **dict.fromkeys(("code", "codium", "cursor"), "--goto {path}:{line}"),
    **dict.fromkeys(("pycharm", "charm", "idea", "kate"), "--line {line} {path}"),
}
"""How an editor is told a line; any other one only gets the file."""


def edit(path: Path, line: int) -> str | None:
    """Open ``path`` at the 1-based ``line`` and wait; return a sentence if that failed.

    The editor is the one of VISUAL, else of EDITOR, as a shell would read it.
    """
    # VISUAL is the full-screen editor, EDITOR the one for any terminal.
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        return "no editor is set: name one in VISUAL or EDITOR"
    try:
        words = shlex.split(editor)  # `code --wait` is usual
        ended = subprocess.run([*words, *_place(words[0], path, line)], check=False)  # noqa: S603  the user's own editor
    except (ValueError, IndexError):
        return f"the editor {editor!r} is not a command: fix VISUAL or EDITOR"
    except OSError as error:
        return f"the editor {editor!r} cannot be started: {error.strerror or error}"
    return None if ended.returncode == 0 else f"the editor {editor!r} ended with an error"


def _place(editor: str, path: Path, line: int) -> list[str]:
    # The path and the `.exe` of a command do not matter.
    form = _LINE.get(Path(editor).stem, "{path}")
    # Split first: the path may hold blanks.
    return [word.format(path=path, line=line) for word in form.split(" ")]
