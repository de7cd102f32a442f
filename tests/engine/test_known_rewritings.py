"""Which rewritten files of an earlier run are used again."""

from __future__ import annotations

import pytest
from msgspec import Struct, structs

from awaken.contract import Change, Level, NodeEdit, Place, Problem, SiteId, Span
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.edits.splices import Splice, splice
from awaken.engine.planning.in_memory import Processing, apply_in_memory
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.rewriting.rewritten import FileContext, RewrittenFile
from awaken.engine.units.known_units import Rewritings
from awaken.workspace.sources import Snapshot, decode

SOURCE = decode("a.py", b"x = old(1)\n")


class Renaming(Struct, frozen=True):
    name: str


class Wrapping(Struct, frozen=True):
    name: str


EDIT = NodeEdit(
    path="a.py",
    anchor=Span(4, 7),
    node="Name",
    rewriter="rename",
    data=Renaming("new"),
    site=SiteId("site"),
)
EDITS = [OwnedEdit("change", "own-rule", EDIT)]
CONTEXT = FileContext("a", frozenset({"a", "b"}), 88, frozenset({"x"}))
TEXT, MOVED = splice(SOURCE.text, [Splice(4, 7, b"newer"), Splice(8, 9, b"2")])
REWRITTEN = RewrittenFile(SOURCE.with_text(TEXT), MOVED)


@pytest.fixture
def known(tmp_path):
    cache = ResultsCache(tmp_path / "results" / "0123456789abcdef" / "cpython-3.11-1", b"k" * 32)
    return Rewritings(cache, {"own-rule"})


def test_a_rewritten_file_is_recalled_with_the_way_back(known):
    known.keep(known.key(SOURCE, EDITS, CONTEXT), REWRITTEN)

    recalled = known.recall(known.key(SOURCE, EDITS, CONTEXT), SOURCE)

    assert recalled.source == REWRITTEN.source
    assert recalled.moved.new_regions() == MOVED.new_regions()
    for span in (Span(0, 1), Span(4, 9), Span(10, 11), Span(12, 13)):
        assert recalled.moved.to_before(span) == MOVED.to_before(span)
        assert recalled.moved.to_after(span) == MOVED.to_after(span)


@pytest.mark.parametrize(
    ("source", "edits", "context"),
    [
        (SOURCE.with_text(b"x = old(2)\n"), EDITS, CONTEXT),
        (decode("b.py", SOURCE.text), EDITS, CONTEXT),
        (SOURCE, [*EDITS, *EDITS], CONTEXT),
        (SOURCE, [structs.replace(EDITS[0], level=Level.UNSAFE)], CONTEXT),
        (SOURCE, [structs.replace(EDITS[0], edit=structs.replace(EDIT, drops=("# a",)))], CONTEXT),
        (
            SOURCE,
            [structs.replace(EDITS[0], edit=structs.replace(EDIT, data=Wrapping("new")))],
            CONTEXT,
        ),
        (SOURCE, EDITS, structs.replace(CONTEXT, line_length=100)),
        (SOURCE, EDITS, structs.replace(CONTEXT, taken=frozenset())),
        (SOURCE, EDITS, structs.replace(CONTEXT, first_party=frozenset({"a"}))),
    ],
)
def test_other_inputs_are_rewritten_again(known, source, edits, context):
    known.keep(known.key(SOURCE, EDITS, CONTEXT), REWRITTEN)

    assert known.recall(known.key(SOURCE, EDITS, CONTEXT), SOURCE) is not None
    assert known.recall(known.key(source, edits, context), source) is None


def test_a_rewriting_with_problems_is_not_kept(known):
    problem = Problem(Place("a.py", Span(0, 1)), "it failed", ("change",))

    known.keep(known.key(SOURCE, EDITS, CONTEXT), structs.replace(REWRITTEN, problems=(problem,)))

    assert known.recall(known.key(SOURCE, EDITS, CONTEXT), SOURCE) is None


@pytest.mark.parametrize(
    "edit",
    [
        structs.replace(EDITS[0], rule="a-plug-in"),
        structs.replace(EDITS[0], edit=structs.replace(EDIT, data=object())),
    ],
)
def test_what_others_or_no_data_decide_is_not_kept(known, edit):
    known.keep(known.key(SOURCE, [edit], CONTEXT), REWRITTEN)

    assert known.recall(known.key(SOURCE, [edit], CONTEXT), SOURCE) is None


def test_a_known_file_needs_no_rewriter(known):
    """The second time no rewriter is loaded, and the snapshot is the same."""

    def renamed(node, data, _):
        return node.with_changes(value=data.name)

    change = Change(
        id="change",
        rule="own-rule",
        title="renames",
        level=Level.SAFE,
        sites=(EDIT.site,),
        edits=(EDIT,),
    )
    snapshot, processing = Snapshot({"a.py": SOURCE}), Processing(jobs=1, known=known)
    rewriters = {"own-rule": {"rename": renamed}}

    first = apply_in_memory(snapshot, [change], rewriters, processing=processing)
    again = apply_in_memory(snapshot, [change], {}, processing=processing)

    assert first.problems == again.problems == ()
    assert first.snapshot["a.py"] == again.snapshot["a.py"]
