from __future__ import annotations

from pathlib import Path

import pytest
from terminal import on_terminal

from awaken.preview.choices import View
from awaken.preview.console.progress_bar import bar

TAKEN_OFF = "\x1b[2K"
PROGRAM = """
import sys
from awaken.preview.console import progress_bar
from awaken.preview.choices import View
progress_bar._PATIENCE = {patience}
progress_bar._PAUSE = 0
with progress_bar.bar(View(quiet={quiet})) as advance:
    if advance is None:
        print("NO BAR")
    else:
        advance("Reading files", 1, 4)
        advance("Looking for sites", 3, 7)
print("rich.progress" in sys.modules)
"""


def shown(here: Path, patience: float = 0, *, quiet: bool = False, **environment: str) -> str:
    code, text = on_terminal(PROGRAM.format(patience=patience, quiet=quiet), here, **environment)
    assert code == 0, text
    return text


def test_a_run_that_takes_its_time_shows_how_far_it_is(tmp_path: Path) -> None:
    text = shown(tmp_path)

    assert text.index("Reading files") < text.index("1/4") < text.index("Looking for sites")
    assert text.index("3/7") < text.rindex(TAKEN_OFF) < text.index("True")


def test_a_short_run_shows_nothing_and_imports_nothing(tmp_path: Path) -> None:
    assert shown(tmp_path, 3600) == "False\n"


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"TERM": "dumb"}])
def test_logs_get_no_bar(environment: dict[str, str], tmp_path: Path) -> None:
    assert shown(tmp_path, **environment) == "NO BAR\nFalse\n"


def test_a_quiet_run_gets_no_bar(tmp_path: Path) -> None:
    assert shown(tmp_path, quiet=True) == "NO BAR\nFalse\n"


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(View()) as advance:
        assert advance is None

    assert capsys.readouterr().err == ""


def test_the_bar_is_gone_after_an_error(tmp_path: Path) -> None:
    failing = PROGRAM.format(patience=0, quiet=False).replace(
        'advance("Looking', "raise SystemExit(3)  # "
    )

    code, text = on_terminal(failing, tmp_path)

    assert code == 3
    assert text.rindex("1/4") < text.rindex(TAKEN_OFF)
    assert "\x1b[?25h" in text[text.rindex("1/4") :]
