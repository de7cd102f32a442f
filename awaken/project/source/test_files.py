"""Files of tests and of what tests use, told by their paths, and by their text alone."""

from __future__ import annotations

import re

_AROUND_TESTS = re.compile(
    r"(?:^|[/_.-])(?:tests?|testing|testlib|conftest|mocks?|fakes?|stubs?|doubles?)(?:[/_.-]|$)"
)

_CONFIGURED = re.compile(
    rb"query\.[\w.]*(?:return_value|side_effect|assert_|call)"
    rb"|query\([^\n]*(?:return_value|side_effect|assert_)"
    rb"|\.query[\"']|[\"']query\.|\.query\s*=[^=]"
    rb"|(?:object|setattr)\(.{0,150}?[\"']query[\"']|(?:Mock|Namespace)\(.{0,150}?\bquery\s*="
    rb"|AlchemyMagicMock|def query\(|\.(?:method|mock)_calls\b|\.assert_has_calls\(",
    re.DOTALL,
)
DOUBLE_WORDS = (b"query", b"method_calls", b"mock_calls")
"""Words, of which each test file with a double has one."""


def is_test_file(path: str) -> bool:
    """Whether a file is one of tests, as pytest and unittest find them, or lies among them."""
    *folders, name = path.split("/")
    if name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py"):
        return True
    return bool({"tests", "test"}.intersection(folders))


def conftest_paths(path: str) -> list[str]:
    """Return where pytest looks for a ``conftest.py`` for a file of tests, the nearest first."""
    folders = path.split("/")[:-1]
    return ["/".join([*folders[:depth], "conftest.py"]) for depth in range(len(folders), -1, -1)]


def is_around_tests(path: str) -> bool:
    """Whether a file is named like tests or like what they use: mocks, fakes, a testing package.

    Such a package may be public, as ``sqlalchemy.testing`` is: ``is_test_file`` is not for it.
    """
    return _AROUND_TESTS.search(path) is not None


def is_of_program(path: str) -> bool:
    """Whether a file is the program's own, and not named like tests."""
    return not is_around_tests(path)


def may_configure(text: bytes) -> bool:
    """Whether the text of a test file may hold a mock of Query; nothing is parsed for that."""
    return any(item in text for item in DOUBLE_WORDS) and _CONFIGURED.search(text) is not None
