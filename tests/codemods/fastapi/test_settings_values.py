"""Every expression that may be the value of a setting is one argument of a call afterwards."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

VALUES = [
    '".env", ".env.local"', '(".env", ".env.local")', '*FILES, ".env"', "*FILES,", '".env",', "()",
    '".env" if FILES else ".local"', "lambda: 1, 2", "lambda: 1", "not FILES", '"a" "b"',
    '"a" \\\n        "b"', "[one for one in FILES]", "(one for one in FILES)", "{**{}}",
    'f"{FILES}"', "FILES[0]", "FILES[0], FILES[1:]", "1 < 2 < 3", "FILES or ()", "{1, 2}", "...",
    "-1", "None", 'b"a"', '(\n            ".env",  # one\n            ".local",\n        )',
]  # fmt: skip
FORMS = {
    "assigned": "        env_file = {}\n",
    "annotated": "        env_file: object = {}\n",
    "beside-another": "        extra = 'ignore'; env_file = {}\n",
    "commented": "        # why\n        env_file = {}  # both\n        extra = 'ignore'\n",
}
START = """\
from pydantic_settings import BaseSettings

FILES = ['a']


class Settings(BaseSettings):
    class Config:
"""


def setting(text):
    """Return what the class has for its files, as it would be read."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.keyword(arg="env_file", value=value):
                return ast.dump(value)
            case ast.Assign(targets=[ast.Name(id="env_file")], value=value):
                return ast.dump(value)
            case ast.AnnAssign(target=ast.Name(id="env_file"), value=value) if value:
                return ast.dump(value)
    return None


@pytest.mark.parametrize("form", FORMS)
def test_every_value_is_written_as_an_argument(form):
    for value in VALUES:
        text = (
            START + f"class Settings(BaseSettings):\n    class Config:\n{FORMS[form].format(value)}"
        )
        case = Case(
            name="it",
            family="fastapi",
            rule="settings-config",
            directory=Path(),
            settings=Settings(),
            before={"main.py": text.encode()},
            after={"main.py": text.encode()},
            program={},
        )
        try:
            wanted = setting(text)
        except SyntaxError:
            continue
        result = run_case(case).files["main.py"].decode()

        assert "model_config" in result
        assert setting(result) == wanted
