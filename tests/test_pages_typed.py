"""The examples of all pages under type checkers: the side after has no error that before had not.

Each side of each example is a package of its own, so that one run reads all of them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from fixture_cases import CASES

MYPY = "[mypy]\nignore_missing_imports = true\ncheck_untyped_defs = true\n"
KNOWN = {
    # `when()` of asyncio is None for a timeout that has no deadline; the package fails there.
    "async-timeout-to-asyncio/page-1": 1,
    # A function without annotations gets no `cast` that tells of `rowcount`.
    "query-to-select/page-2": 1,
}
"""How many errors are new in an example, where its new words cannot do without."""
PYRIGHT = {"typeCheckingMode": "standard", "reportMissingImports": False}
EXAMPLES = {name: case for name, case in CASES.items() if case.name.startswith("page-")}
_METHOD = re.compile(r' to "\w+" of "\w+"')
_ERROR = re.compile(r"^(\w+)/(.+?):\d+: error: (.*)$")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Write the sides of all examples; return where, and the names of both packages of each."""
    root, names = tmp_path_factory.mktemp("pages"), {}
    for number, (name, case) in enumerate(EXAMPLES.items()):
        names[name] = f"before{number}", f"after{number}"
        for package, files in zip(names[name], (case.before, case.after), strict=True):
            _write(root / package, package, files)
    return root, names


def _write(directory, package, files):
    tops = "|".join(sorted({re.escape(path.split("/")[0].removesuffix(".py")) for path in files}))
    beside = re.compile(rf"^( *)from ({tops})\b(?=[. ])", re.MULTILINE)
    module = re.compile(rf"^( *)import ({tops})$", re.MULTILINE)
    directory.mkdir()
    for path in (path for path in files if path.endswith(".py")):
        text = files[path].decode()
        text = module.sub(rf"\1from {package} import \2", beside.sub(rf"\1from {package}.\2", text))
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    for folder in (directory, *(one.parent for one in directory.rglob("*.py"))):
        (folder / "__init__.py").touch()


def _new_errors(found, names):
    """Return the errors of each side after that the side before has not."""
    new = {}
    for name, (before, after) in names.items():
        errors = {
            side: Counter(
                # What `filter()` of a Query does not take, `where()` of a Select need not take.
                (path, _METHOD.sub("", message.replace(f"{side}.", "")))
                for package, path, message in found
                if package == side
            )
            for side in (before, after)
        }
        more = errors[after] - errors[before]
        if more.total() > KNOWN.get(name, 0):
            new[name] = sorted(more)
    return new


@pytest.mark.slow
def test_mypy_has_nothing_to_say_about_what_is_new(packages):
    root, names = packages
    (root / "mypy.ini").write_text(MYPY)
    paths = [str(root / package) for sides in names.values() for package in sides]
    options = ["--config-file", str(root / "mypy.ini"), "--no-incremental"]
    # In this process it would raise the limit of recursion for every test behind it.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    matched = (_ERROR.match(line.removeprefix(f"{root}/")) for line in lines)

    assert re.match(r"Success|Found \d+ errors", lines[-1])
    assert not _new_errors([one.groups() for one in matched if one], names)


@pytest.mark.slow
def test_pyright_has_nothing_to_say_about_what_is_new(packages):
    root, names = packages
    (root / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    command = [sys.executable, "-m", "basedpyright", "-p", str(root), "--outputjson"]
    command += ["--pythonpath", sys.executable]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = []
    for one in json.loads(run.stdout)["generalDiagnostics"]:
        package, _, path = one["file"].removeprefix(f"{root}/").partition("/")
        if one["severity"] == "error":
            found.append((package, path, one["message"]))

    assert not _new_errors(found, names)
