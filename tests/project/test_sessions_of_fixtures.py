"""Sessions that tests get of fixtures, also beside what a patch gives."""

from __future__ import annotations

import pytest
from programs import last, module_of, program
from session_programs import DB, kind


def test_a_fixture_gives_a_test_its_session():
    conftest = """
        import pytest
        from db import SessionLocal
        @pytest.fixture
        def s():
            session = SessionLocal()
            yield session
        @pytest.fixture(name="other")
        def _other():
            return 1
    """

    assert kind("def test_it(s): s", conftest=conftest) == "session"
    assert kind("def test_it(other): other", "other", conftest=conftest) == "none"
    unknown = "parameter `s` has no annotation"
    assert kind("def helper(s): s", conftest=conftest) == unknown
    assert kind("@mock.patch('x')\ndef test_it(s): s", conftest=conftest) == unknown
    parametrized = "import pytest\n@pytest.mark.parametrize('{0}', [1])\ndef test_it(s, t): s"
    assert kind(parametrized.format("s"), conftest=conftest) == unknown
    assert kind(parametrized.format("t"), conftest=conftest) == "session"


PATCHED = {
    # A patch fills the first parameters that are left, whatever their names are.
    "@patch('x')\ndef test_it(x, s): s": "session",
    "@patch('x')\n@patch.object(mock, 'y', new_callable=int)\ndef test_it(y, x, s): s": "session",
    "@patch('x', 1)\n@patch('y', new=2)\n@patch.object(mock, 'y', 3)\ndef test_it(s): s": "session",
    "@patch.dict('x', a=1)\n@patch.multiple('x', a=1)\ndef test_it(s): s": "session",
    "@pytest.mark.skipif(patch is None, reason='')\ndef test_it(s): s": "session",
    "class TestIt:\n  @patch('x')\n  def test_it(self, x, s): s": "session",
    "@patch('x')\nclass TestIt:\n  @patch('y')\n  def test_it(self, y, x, s): s": "session",
    "@patch('x')\ndef test_it(s): s": "unknown",
    "@patch.object(mock, 'y')\n@patch('x')\ndef test_it(x, s): s": "unknown",
    "@patch.multiple('x', s=mock.DEFAULT)\ndef test_it(s): s": "unknown",
    "@patch.multiple('x', **{})\ndef test_it(s): s": "unknown",
    "@patch('x')\nclass TestIt:\n  def test_it(self, s): s": "unknown",
    "@patch(*names)\ndef test_it(x, s): s": "unknown",
    "@other.patch('x')\ndef test_it(x, s): s": "unknown",
}


@pytest.mark.parametrize("text", PATCHED, ids=range(len(PATCHED)))
def test_a_patch_leaves_fixtures_their_places(text):
    conftest = """
        import pytest
        from db import SessionLocal
        @pytest.fixture
        def s():
            return SessionLocal()
    """
    imports = "import pytest\nfrom unittest import mock\nfrom unittest.mock import patch\n"
    expected = "parameter `s` has no annotation" if PATCHED[text] == "unknown" else "session"

    assert kind(imports + text, conftest=conftest) == expected


def test_a_fixture_nearer_to_the_test_wins():
    far = (
        "import pytest\nfrom db import SessionLocal\n@pytest.fixture\n"
        "def s(): return SessionLocal()\n"
    )
    near = "import pytest\n@pytest.fixture\ndef s(s): return s\n"
    other = "import pytest\n@pytest.fixture\ndef s(): return 'text'\n"
    files = {"db.py": DB, "conftest.py": far, "a/conftest.py": near, "b/conftest.py": other}
    project = program({**files, "a/test_m.py": "def test(s): s", "b/test_m.py": "def test(s): s"})
    found = [module_of(project, path) for path in ("a/test_m.py", "b/test_m.py")]

    assert project.orm.session_of(found[0], last(found[0], "s")).kind == "session"
    assert project.orm.session_of(found[1], last(found[1], "s")) is None
