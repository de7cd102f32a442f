"""Files that one process may run, so that objects of the one may reach the other."""

from __future__ import annotations

import pytest
from project.programs import program

PROGRAM = {
    "app/store.py": "class Store:\n    def get(self): ...\n",
    "app/api.py": "from app.store import Store\n",
    "site/page.py": "from site_tools.client import rows\n",
    "site_tools/client.py": "def rows(): ...\n",
    "tests/test_api.py": "from app.api import Store\nfrom site_tools.client import rows\n",
}
APART = {
    "nothing-else": {},
    "a-text-of-another-file": {"scripts/serve.py": 'run("app.api:app")\n'},
}
TOGETHER = {
    "a-file-imports-both": {"tests/test_page.py": "import app.store\nimport site.page\n"},
    "fixtures-import-one": {"tests/conftest.py": "import app.api\nimport site.page\n"},
    "a-fixture-reaches-tests": {
        "tests/conftest.py": "import app.api\n",
        "tests/test_page.py": "import site.page\n",
    },
    "a-text-names-the-other": {"tests/test_api.py": 'import app.api\npatch("site.page.rows")\n'},
    "by-a-name": {"scripts/serve.py": "import importlib\nimportlib.import_module(name)\n"},
    "in-one-folder": {"site/start.py": "import app.api\n"},
    "at-the-top": {"start.py": "import app.api\n"},
}


@pytest.mark.parametrize("others", APART.values(), ids=APART)
def test_files_that_nothing_brings_together_do_not_meet(others):
    project = program(PROGRAM | others, published=False)
    assert not project.calls.may_meet("site/page.py", "app/store.py")


@pytest.mark.parametrize("others", TOGETHER.values(), ids=TOGETHER)
def test_files_that_something_brings_together_may_meet(others):
    project = program(PROGRAM | others, published=False)
    assert project.calls.may_meet("site/page.py", "app/store.py")


def test_files_of_a_published_project_may_meet():
    assert program(PROGRAM).calls.may_meet("site/page.py", "app/store.py")
