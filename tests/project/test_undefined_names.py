"""Names that nothing defines, as far as files and the strings of others tell."""

from __future__ import annotations

import ast

import pytest
from planned import program_of

from awaken.project.source.programs.undefined import is_undefined

READ = "print(models.User)\n"


@pytest.mark.parametrize(
    ("text", "other", "undefined"),
    [
        (READ, "", True),
        ("import models\n" + READ, "", False),
        ("from names import *\n" + READ, "", False),
        (READ, 'PLACES = {"models": "app"}\n', True),
        (READ, "import app\nsetattr(app, 'models', 1)\n", False),
        (READ, "import app\napp.models = 1\n", False),
        (READ + "def change(user):\n    setattr(user, 'name', 1)\n", "", True),
        ("import sys\nsetattr(sys.modules[__name__], NAME, 1)\n" + READ, "", False),
        ("import app as own\nsetattr(own, NAME, 1)\n" + READ, "", False),
        ("exec(CODE)\n" + READ, "", False),
    ],
)
def test_a_name_is_undefined_if_nothing_may_set_it(text, other, undefined):
    program = program_of({"app.py": text, "other.py": other, "names.py": "models = 1\n"})
    module = program.module("app.py")
    (name,) = [node for node in module.nodes(ast.Name) if node.id == "models"]
    assert is_undefined(program, module, name) is undefined


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("", "`database` has no `Session`"),
        ("import database\ndatabase.engine = 1\n", "`database` has no `Session`"),
        ("WORDS = {'Session': 1}\n", "`database` has no `Session`"),
        ("import database\ndatabase.Session = 1\n", ""),
        ("import database as db\ndb.Session=1\n", ""),
        ("import database as db\nvars(db)['Session'] = 1\n", ""),
        ("import database as db\ndef test(mocker):\n mocker.patch.object(db, 'Session')\n", ""),
        ("import database as db\nsetattr(db, NAME, 1)\n", ""),
    ],
)
def test_an_import_fails_if_nothing_gives_the_module_that_name(other, why):
    files = {"app.py": "from database import Session\n", "database.py": "", "other.py": other}
    program = program_of(files)
    assert program.failing_import(program.module("app.py")) == why
