"""The script that awaken prints for a shell, asked by that shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ASK = """
source <(awaken --show-completion bash)
COMP_WORDS=({words}) COMP_CWORD={position}
_awaken_completion awaken
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def complete(tmp_path):
    """Ask bash how a line goes on; return its answers."""
    bash = shutil.which("bash")
    assert bash is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def ask(*words):
        script = _ASK.format(words=" ".join(words), position=len(words) - 1)
        done = subprocess.run(
            [bash, "-c", script],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return ask


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (["awaken", "ch"], ["check"]),
        (["awaken", "check", "--output-fo"], ["--output-format"]),
        (["awaken", "check", "--select", "sqla"], ["sqlalchemy"]),
        (["awaken", "rules", "query-to"], ["query-to-select"]),
        (["awaken", "check", "--select", "fastapi,query-to"], ["fastapi,query-to-select"]),
    ],
)
@pytest.mark.slow
def test_bash_completes_commands_options_and_rules(complete, words, answers):
    assert complete(*words) == answers
