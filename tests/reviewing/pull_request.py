"""Pull requests in real repositories, and what GitHub refuses of a review of one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
from git_repository import Repository

from awaken.cli import main

MANIFEST = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
LEGACY = "import asyncio\n\n\nasync def f{0}():\n    return asyncio.get_event_loop()\n"
PLAIN = "import asyncio\n\n\nasync def f{0}():\n    return asyncio.get_running_loop()\n"
MOST = 65_536
"""Characters of one text on GitHub."""
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")


class PullRequest:
    """A branch next to ``base``; `base` and `head` give the texts of files, None for no file."""

    def __init__(self, path, base, head):
        self.repository = Repository(path)
        self._write({"pyproject.toml": MANIFEST, **base})
        self.repository("branch", "base")
        self._write(head)

    def _write(self, files):
        for name, text in files.items():
            if text is None:
                (self.repository.path / name).unlink()
            else:
                self.repository.write(name, text)
        self.repository.commit()

    def form(self, form, *options, command="diff"):
        """Return what awaken prints about the branch, read as JSON where it is JSON."""
        out = self.repository.path.parent / "printed"
        chosen = ("--select", "running-loop,query-to-select", "--since", "base", "--no-cache")
        code = main(
            [
                command,
                *chosen,
                *options,
                "--output-format",
                form,
                "-o",
                str(out),
                "-q",
                str(self.repository.path),
            ]
        )
        assert code in {0, 1}
        return out.read_text("utf-8")

    def review(self, *options):
        return json.loads(self.form("github-review", *options))

    def shown_lines(self):
        """Return the stretches of lines that GitHub's diff shows, by path."""
        diff = self.repository(
            *("-c", "core.quotePath=false", "diff", "-U3", "--find-renames", "base...HEAD")
        )
        stretches, path = {}, None
        for line in diff.splitlines():
            if line.startswith("+++ "):
                path = None if line == "+++ /dev/null" else line[6:].rstrip("\t")
            elif (match := _HUNK.match(line)) and path is not None:
                first, count = int(match[1]), int(match[2] or 1)
                stretches.setdefault(path, []).append((first, first + count - 1))
        return stretches

    def accept(self, review):
        """Replace the lines of each suggestion by its text, the last ones first."""
        for comment in sorted(review["comments"], key=lambda one: -one["line"]):
            path = self.repository.path / comment["path"]
            lines = path.read_bytes().decode().split("\n")
            text = suggested(comment)
            first = comment.get("start_line", comment["line"])
            lines[first - 1 : comment["line"]] = text.split("\n") if text is not None else []
            path.write_bytes("\n".join(lines).encode())


def suggested(comment):
    """Return the text that a comment suggests, as GitHub reads it; None where lines go."""
    fences = re.findall(
        r"^(`{3,})suggestion\n(.*?)^\1$", comment["body"] + "\n", re.MULTILINE | re.DOTALL
    )
    assert len(fences) == 1
    return fences[0][1].removesuffix("\n") if fences[0][1] else None


def refusals(review, shown_lines):
    """Return why GitHub would refuse the whole review: one comment is enough."""
    said = []
    if len(review["body"]) > MOST:
        said.append("the body is too long")
    for comment in review["comments"]:
        first, last = comment.get("start_line"), comment["line"]
        if len(comment["body"]) > MOST:
            said.append("a comment is too long")
        if first is not None and first >= last:
            said.append("start_line must be less than line")
        if first is not None and comment.get("start_side") != "RIGHT":
            said.append("start_side is missing")
        stretches = shown_lines.get(comment["path"], [])
        if not any(one <= (first or last) and last <= other for one, other in stretches):
            said.append(f"{comment['path']}:{first}-{last} is not part of the diff")
    return said
