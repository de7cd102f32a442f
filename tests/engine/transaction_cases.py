"""The transactions that the engine must carry, each as a small project before and after."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager

from msgspec import Struct
from rules_for_tests import (
    HELPERS,
    Bystander,
    Downwards,
    FirstStep,
    NeedsPong,
    NeedsPongToo,
    OneByOne,
    OverFiles,
    RequiresBase,
    SecondStep,
    Upwards,
    WithHelper,
    WithSetting,
)

from awaken import api
from awaken.engine.machine.filesystem import FileSystem
from awaken.kit.rule import Rule

MANIFEST = '[project]\nname = "shop"\nversion = "1"\ndependencies = [\n    "fastapi",\n]\n'


class Transaction(Struct, frozen=True, kw_only=True):
    """A project before and after; ``levels`` are those of its findings in order of place.

    ``diagnostics`` are words that the run's diagnostics hold, one entry each.
    """

    rules: tuple[type[Rule], ...]
    before: dict[str, str]
    after: dict[str, str]
    levels: list[str]
    diagnostics: tuple[tuple[str, ...], ...] = ()

    def rule_instances(self):
        return [rule() for rule in self.rules]

    def write(self, root):
        """Write the project to ``root``, which may hold an earlier one."""
        root.mkdir(exist_ok=True)
        for path, text in self.before.items():
            (root / path).write_bytes(text.encode())


ROLLED_BACK = ("rolled back",)

TRANSACTIONS = {
    "a-over-three-files": Transaction(
        rules=(OverFiles,),
        before={"pyproject.toml": MANIFEST, "a.py": "alpha(1)\n", "b.py": "x = alpha(2)  # two\n"},
        after={"a.py": "beta(1)\n", "b.py": "x = beta(2)  # two\n"},
        levels=["safe", "safe"],
    ),
    "a-third-file-fails": Transaction(
        rules=(OverFiles,),
        before={
            "pyproject.toml": MANIFEST,
            "a.py": "alpha(1)\n",
            "b.py": "alpha(2)\n",
            "c.py": 'alpha("broken")\n',
        },
        after={},
        levels=["manual", "manual", "manual"],
        diagnostics=(("c.py", *ROLLED_BACK),),
    ),
    "b-one-of-two-is-guilty": Transaction(
        rules=(OneByOne,),
        before={
            "pyproject.toml": MANIFEST,
            "a.py": 'single(1)\nsingle("broken")\nsingle(2, key=3)\n',
        },
        after={"a.py": 'double(1)\nsingle("broken")\nsingle(2, key=3)\n'},
        levels=["safe", "manual", "manual"],
        diagnostics=(("a.py", *ROLLED_BACK),),
    ),
    "c-shared-file-and-requirement": Transaction(
        rules=(WithHelper,),
        before={"pyproject.toml": MANIFEST, "a.py": "legacy(1)\n", "b.py": "legacy(2)\n"},
        after={
            "pyproject.toml": MANIFEST.replace('"fastapi",\n', '"fastapi",\n    "httpx>=0.27",\n'),
            "a.py": "from helpers import helper\n\nhelper(1)\n",
            "b.py": "from helpers import helper\n\nhelper(2)\n",
            "helpers.py": HELPERS,
        },
        levels=["safe", "safe"],
    ),
    "c-keys-of-settings": Transaction(
        rules=(WithSetting,),
        before={
            "pyproject.toml": MANIFEST,
            "setup.cfg": "# c\r\n[tool:pytest]\r\nasyncio_mode=strict\r\n[x]\r\n",
            "a.py": "unset(1)\n",
            "b.py": "unset(2)\n",
        },
        after={
            "pyproject.toml": f'{MANIFEST}\n[tool.pytest.ini_options]\nasyncio_mode = "auto"\n',
            "setup.cfg": "# c\r\n[tool:pytest]\r\nasyncio_mode=auto\r\n[x]\r\n",
            "a.py": "configured(1)\n",
            "b.py": "configured(2)\n",
        },
        levels=["safe", "safe"],
    ),
    "c-settings-that-cannot-be-written": Transaction(
        rules=(WithHelper, WithSetting),
        before={
            "pyproject.toml": '[tool.poetry]\nname = "shop"\n',
            "a.py": "unset(1)\nlegacy(1)\n",
        },
        after={
            "pyproject.toml": (
                '[tool.poetry]\nname = "shop"\n\n[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'
            ),
            "a.py": "from helpers import helper\n\nconfigured(1)\nhelper(1)\n",
            "helpers.py": HELPERS,
        },
        levels=["safe", "safe"],
    ),
    "c-last-dependant-is-guilty": Transaction(
        rules=(WithHelper,),
        before={"pyproject.toml": MANIFEST, "a.py": 'legacy("broken")\n'},
        after={},
        levels=["manual"],
        diagnostics=(("a.py", *ROLLED_BACK),),
    ),
    "c-the-required-change-is-guilty": Transaction(
        rules=(RequiresBase, OneByOne),
        before={
            "pyproject.toml": MANIFEST,
            "a.py": 'dependant("broken")\nsingle(1)\n',
            "b.py": "dependant(2)\n",
        },
        after={"a.py": 'dependant("broken")\ndouble(1)\n'},
        levels=["manual", "safe", "manual"],
        diagnostics=(("a.py", *ROLLED_BACK),),
    ),
    "d-sites-after-another-edit": Transaction(
        rules=(FirstStep, SecondStep),
        before={
            "pyproject.toml": MANIFEST,
            "a.py": '"""Doc."""\n\nx = [\n    step_one(1),\n]\ny = step_two(2)\n',
        },
        after={
            "a.py": (
                '"""Doc."""\n\nfrom steps import step_three\n\n'
                "x = [\n    step_three(1),\n]\ny = step_three(2)\n"
            ),
        },
        levels=["safe", "safe", "safe"],
    ),
    "e-imports-nested-and-adjacent": Transaction(
        rules=(NeedsPong, NeedsPongToo),
        before={
            "pyproject.toml": MANIFEST,
            "a.py": "from table import ping, zing\n\nping(zing(ping(1)), zing(2)); ping(3)\n",
            "b.py": "from table import ping\n\nping(1)\nprint(ping)\n",
        },
        after={
            "a.py": "from table import pong, zing\n\npong(pong(pong(1)), pong(2)); pong(3)\n",
            "b.py": "from table import ping, pong\n\npong(1)\nprint(ping)\n",
        },
        levels=["safe"] * 6,
    ),
    "f-rules-that-undo-each-other": Transaction(
        rules=(Upwards, Downwards, Bystander),
        before={"pyproject.toml": MANIFEST, "a.py": "down(1)\ncalm(3)\n", "b.py": "calm(2)\n"},
        after={"a.py": "down(1)\nstill(3)\n", "b.py": "still(2)\n"},
        levels=["manual", "safe", "safe"],
        diagnostics=(("downwards", "upwards", "internal error"),),
    ),
}


def run(transaction, root, *, paths=None, jobs=1, excluded=frozenset()):
    """Run the transaction's rules below ``root`` and return the whole report."""
    options = api.Options(jobs=jobs, excluded=excluded, use_cache=False)
    return api.run(paths or [root], options, rules=transaction.rule_instances())


def shown(report):
    """Return the text of every file that the run would write."""
    return {change.path: change.after.raw().decode() for change in report.roots[0].files}


def on_disk(root):
    """Return the bytes of every file below ``root``, whatever its name."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def dependencies(manifest):
    """Return the dependencies that the text of a pyproject.toml declares."""
    return tomllib.loads(manifest)["project"]["dependencies"]


OPERATIONS = [name for name in vars(FileSystem) if not name.startswith("_")]


@contextmanager
def failing_at(monkeypatch, number, error):
    """Inside, the ``number``-th operation that changes the disk raises ``error``.

    Yields the list of operations done so far; with a number past the end nothing fails. Nothing
    waits for the disk.
    """
    done = []

    def wrap(original):
        def operation(self, *arguments):
            done.append(original.__name__)
            if len(done) == number:
                raise error
            return None if "sync" in original.__name__ else original(self, *arguments)

        return operation

    with monkeypatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(FileSystem, name, wrap(getattr(FileSystem, name)))
        yield done
