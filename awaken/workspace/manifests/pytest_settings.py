"""The settings of pytest: the file that has them, and what they say.

pytest takes them from the first file that has some, the nearest directory first
(docs.pytest.org, "Configuration file formats" and "Finding the rootdir";
``_pytest.config.findpaths`` of pytest 9.2). Defaults are those of docs.pytest.org, "Configuration
Options", and of pytest-asyncio.readthedocs.io, "Configuration".
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct, structs

from awaken.workspace.formats.ini import NotIni, Sections, parse_ini
from awaken.workspace.formats.toml_text import tables_in
from awaken.workspace.reading import text_at, upwards
from awaken.workspace.sources import FileProblem
from awaken.workspace.text_files import Texts

TEST_LOOP_SCOPE = "asyncio_default_test_loop_scope"
"""The key of pytest-asyncio for the scope of the loop that tests run in."""


class PytestSettings(Struct, frozen=True):
    """The file that pytest takes its settings from, the table of it, and the settings.

    ``path`` is relative to the root, empty where no file has any; ``table`` is empty where the
    whole file is pytest's. ``unread`` are files that may have some and are not read: with one of
    them the settings may be others.
    """

    path: str = ""
    table: str = ""
    values: Mapping[str, Any] = {}
    unread: tuple[FileProblem, ...] = ()

    @property
    def addopts(self) -> Sequence[str]:
        """The options of every run, one word each."""
        return _words(self.values.get("addopts"))

    def value_of(self, key: str, option: str = "") -> tuple[str, str]:
        """Return the value of ``key``, and which of the settings has it: ``addopts`` or the key.

        An ``option`` in ``addopts`` wins over ``-o key=value`` there, and both over the key. Two
        empty strings where nothing is said.
        """
        for given in (self._option(option), self._overriding(key)):
            if given is not None:
                return given, "addopts"
        return (str(self.values[key]), key) if key in self.values else ("", "")

    def _option(self, option: str) -> str | None:
        """Return the value of the last ``--option=value`` or ``--option value`` in addopts."""
        return next(reversed([*_values_of(self.addopts, option)]), None) if option else None

    def _overriding(self, key: str) -> str | None:
        pairs = (value.partition("=") for value in _values_of(self.addopts, "-o", "--override-ini"))
        return next(reversed([value for name, _, value in pairs if name == key]), None)

    def list_of(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """Return a setting that is a list of words, such as ``testpaths``."""
        given = self._overriding(key)
        value = self.values.get(key) if given is None else given
        return tuple(default) if value is None else tuple(_words(value))

    @property
    def asyncio_mode(self) -> str:
        """The mode of pytest-asyncio: ``auto`` or ``strict``."""
        return self.value_of("asyncio_mode", "--asyncio-mode")[0].lower() or "strict"

    @property
    def fixture_loop_scope(self) -> str:
        """The scope of the loop that asynchronous fixtures run in; empty where nothing is said.

        It is ``function`` then since pytest-asyncio 1.0, and before that the scope of the fixture.
        """
        return self.value_of("asyncio_default_fixture_loop_scope")[0]

    @property
    def test_loop_scope(self) -> str:
        """The scope of the loop that asynchronous tests run in."""
        return self.value_of(TEST_LOOP_SCOPE)[0] or "function"

    @property
    def test_paths(self) -> tuple[str, ...]:
        """Where tests are looked for; empty for everywhere."""
        return self.list_of("testpaths")

    @property
    def python_files(self) -> tuple[str, ...]:
        """The patterns of the names of test files."""
        return self.list_of("python_files", ("test_*.py", "*_test.py"))

    @property
    def python_classes(self) -> tuple[str, ...]:
        """The prefixes or patterns of the names of test classes."""
        return self.list_of("python_classes", ("Test",))

    @property
    def python_functions(self) -> tuple[str, ...]:
        """The prefixes or patterns of the names of test functions."""
        return self.list_of("python_functions", ("test",))

    @property
    def filter_warnings(self) -> tuple[str, ...]:
        """The filters of warnings, the last of which that fits decides."""
        given = self._overriding("filterwarnings")
        value = self.values.get("filterwarnings") if given is None else given
        if isinstance(value, list):
            return tuple(map(str, value))
        lines = (line.strip() for line in str(value or "").split("\n"))
        return tuple(line for line in lines if line)

    @property
    def plugins(self) -> tuple[str, ...]:
        """The plugins that addopts load by name; ``no:x`` keeps ``x`` from being loaded."""
        return tuple(_values_of(self.addopts, "-p"))


def _words(value: object) -> list[str]:
    """Return the words of a setting, split as a shell does; a list has them split already."""
    if isinstance(value, list):
        return [str(item) for item in value]
    text = "" if value is None else str(value)
    try:
        return shlex.split(text, comments=False)
    except ValueError:  # a quotation mark that nobody closes: pytest does not start then
        return text.split()


def _values_of(words: Sequence[str], *options: str) -> Iterator[str]:
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        for option in options:
            if word == option:
                yield following
            elif option.startswith("--") and word.startswith(f"{option}="):
                yield word.removeprefix(f"{option}=")
            elif not option.startswith("--") and word.startswith(option):
                yield word.removeprefix(option)


TextOf = Callable[[str], str | None]
"""Gives the text of a file of one directory by its name; None where there is none."""


def settings_in(text_of: TextOf) -> PytestSettings | None:
    """Return the settings of the first file of one directory that has some, as pytest does."""
    for name, read in _READERS:
        text = text_of(name)
        pair = None if text is None else read(text)
        if pair is not None:
            return PytestSettings(name, *pair)
    return None


def nearest_settings(
    texts: Texts, tests: Iterable[str], above: PytestSettings | None
) -> PytestSettings:
    """Return the settings of a program in ``texts``, or else those ``above`` it.

    Those of the root, or of the directory that is nearest to all ``tests``, which pytest is run in.
    """
    homes = [posixpath.dirname(path) for path in tests]
    nearest = PurePosixPath(posixpath.commonpath(homes) if homes else "")
    folders = dict.fromkeys((PurePosixPath(), nearest, *nearest.parents))
    known = filter(None, (_in_folder(texts, folder) for folder in folders))
    settings = next(known, above) or PytestSettings()
    unread = (item for item in texts.unread if PurePosixPath(item.path).parent in folders)
    return structs.replace(settings, unread=tuple(unread))


def _in_folder(texts: Texts, folder: PurePosixPath) -> PytestSettings | None:
    def text_of(name: str) -> str | None:
        file = texts.files.get(str(folder / name))
        return None if file is None else file.text.decode()

    settings = settings_in(text_of)
    return settings and structs.replace(settings, path=str(folder / settings.path))


def pytest_settings(root: Path) -> PytestSettings | None:
    """Return the settings that pytest takes when it is run in ``root``, as it looks for them.

    Those of the nearest directory at or above ``root`` in which a file has some, up to the top of
    its repository; None without.
    """
    return _nearest(root, upwards(root))


def settings_above(root: Path) -> PytestSettings | None:
    """Return the settings that pytest takes in ``root`` if no file of ``root`` itself has any."""
    return _nearest(root, islice(upwards(root), 1, None))


def _nearest(root: Path, directories: Iterator[Path]) -> PytestSettings | None:
    for directory in directories:
        settings = settings_in(lambda name, place=directory: text_at(place / name))  # type: ignore[misc]
        if settings is not None:
            shown = os.path.relpath(directory / settings.path, root).replace(os.sep, "/")
            return PytestSettings(shown, settings.table, settings.values)
    return None


def _values_below(table: object, key: str) -> dict[str, Any]:
    result = table.get(key) if isinstance(table, dict) else None
    return result if isinstance(result, dict) else {}


_Found = tuple[str, Mapping[str, Any]]
"""The table of a file that is pytest's (empty for all of it), and what it says."""


def _own_toml(text: str) -> _Found | None:
    return "", _values_below(tables_in(text), "pytest")


def _pyproject(text: str) -> _Found | None:
    table = _values_below(_values_below(tables_in(text), "tool"), "pytest")
    native = {key: value for key, value in table.items() if key != "ini_options"}
    if native:
        return "[tool.pytest]", native
    if "ini_options" in table:
        return "[tool.pytest.ini_options]", _values_below(table, "ini_options")
    return None


def _own_ini(text: str) -> _Found | None:
    return "", _ini(text).get("pytest", {})


def _section(name: str) -> Callable[[str], _Found | None]:
    def read(text: str) -> _Found | None:
        settings = _ini(text)
        return (f"[{name}]", settings[name]) if name in settings else None

    return read


def _ini(text: str) -> Sections:
    try:
        return parse_ini(text)
    except NotIni:
        return {}


_READERS: tuple[tuple[str, Callable[[str], _Found | None]], ...] = (
    ("pytest.toml", _own_toml),
    (".pytest.toml", _own_toml),
    ("pytest.ini", _own_ini),
    (".pytest.ini", _own_ini),
    ("pyproject.toml", _pyproject),
    ("tox.ini", _section("pytest")),
    ("setup.cfg", _section("tool:pytest")),
)
"""The files in the order in which pytest asks them, and what reads each."""

PYTEST_READS = tuple(name for name, _ in _READERS)
"""What a rule declares in ``reads`` to ask for ``Project.pytest``."""
