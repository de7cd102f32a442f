"""The proof of session-to-async sees each word that is left out of what the rule wrote.

On all of its cases: their applications, tests and doubles. One word after the other is left out of
the side after, or written as before.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from zlib import crc32

import pytest
from fixture_cases import CASES
from mutants_of_awaiting import mutants

from awaken.codemods.sqlalchemy.session_to_async import SessionToAsync
from awaken.codemods.sqlalchemy.session_to_async.proof.call_proof import Before
from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems
from awaken.contract import Change, ChangeId, Level, SiteId, Span, TextEdit
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

UNSEEN = tomllib.loads((Path(__file__).parents[2] / "data" / "unseen_words.toml").read_text())
"""The words that the proof does not see yet, by case."""
ONE_OF = 48
"""Of so many mutants one is proved in the quick run."""
REWRITTEN = [
    identifier
    for identifier, case in CASES.items()
    if case.rule == "session-to-async" and case.before != case.after
]


def proved(identifier, files):
    """Return what the proof says of ``files``, the side after of a case or a mutant of it."""
    case = CASES[identifier]
    paths = [path for path in files if path.endswith(".py")]
    changed = [path for path in paths if case.before.get(path) != case.after[path]]
    edits = [TextEdit(path=path, anchor=Span(0, 0), text="", site=SiteId("")) for path in changed]
    change = Change(
        id=ChangeId("all"),
        rule=case.rule,
        title="",
        level=Level.UNSAFE,
        sites=(),
        edits=tuple(edits),
    )
    snapshot = Snapshot({path: decode(path, files[path]) for path in paths})
    settings = ProjectSettings(case.settings.published, reads=SessionToAsync.reads)
    before = Before(Snapshot({path: decode(path, text) for path, text in case.before.items()}))
    return list(problems(before, Project(snapshot, Targets(), settings=settings), [change]))


def told(identifier):
    """Return the mutants of a case that do something else than the side after."""
    case = CASES[identifier]
    return [
        one
        for one in mutants(case.before, case.after)
        if not is_the_same(case.after, one) and not is_of_manager(case.after, one)
    ]


def is_the_same(files, mutant):
    """Whether an endpoint becomes a plain function that waits for nothing."""
    if mutant.word or not mutant.text.startswith("async def"):
        return False
    for node in ast.walk(ast.parse(files[mutant.path])):
        if isinstance(node, ast.AsyncFunctionDef) and node.lineno == mutant.line:
            inner = [one for one in ast.walk(node) if isinstance(one, ast.AsyncFunctionDef)][1:]
            own = set(ast.walk(node)) - {one for each in inner for one in ast.walk(each)}
            waits = any(isinstance(one, ast.Await | ast.AsyncFor | ast.AsyncWith) for one in own)
            return not waits and any(
                isinstance(one, ast.Call) and getattr(one.func, "attr", "") in {"get", "post"}
                for one in node.decorator_list
            )
    return False


def is_of_manager(files, mutant):
    """Whether a test enters the mock that changes: a MagicMock is entered in both ways.

    Only running the test tells them apart, as the case of these mocks does on both sides.
    """
    around = [
        node
        for node in ast.walk(ast.parse(files[mutant.path]))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno < mutant.line <= node.end_lineno
    ]
    entered = {
        node.value.id
        for function in around
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and node.attr == "__aenter__"
        and isinstance(node.value, ast.Name)
    }
    begins = tuple(f"{name}{end}" for name in entered for end in (".__a", " = MagicMock("))
    return bool(entered) and mutant.text.startswith(begins)


def unseen(identifier, chosen):
    files = CASES[identifier].after
    return {str(one) for one in chosen if not proved(identifier, one.of(files))}


@pytest.mark.slow
@pytest.mark.parametrize("identifier", REWRITTEN)
def test_every_word_that_is_left_out_is_seen(identifier):
    assert not proved(identifier, CASES[identifier].after)
    chosen = told(identifier)
    assert chosen
    assert unseen(identifier, chosen) == {*UNSEEN.get(identifier, ())}


@pytest.mark.slow
def test_some_words_that_are_left_out_are_seen():
    seen = 0
    for identifier in REWRITTEN:
        some = [one for one in told(identifier) if crc32(str(one).encode()) % ONE_OF == 0]
        assert unseen(identifier, some) <= {*UNSEEN.get(identifier, ())}
        seen += len(some)
    assert seen
