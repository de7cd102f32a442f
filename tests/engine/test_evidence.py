"""An answer is remembered over edits of files that it does not depend on, and over no others."""

from __future__ import annotations

import random
import re
from functools import partial
from zlib import crc32

import msgspec
import pytest
from fixture_cases import CASES, ONE_OF
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from awaken import api
from awaken.engine.remembering.evidence import Evidence, answer, evidence_for, still_holds
from awaken.engine.remembering.known_texts import KnownTexts
from awaken.engine.remembering.remembered import digest_of
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.report import Diagnostic, Remembered
from awaken.project.source.looked_at import LookedAt, Search, WatchedSnapshot, facts_search
from awaken.project.source.words import Words
from awaken.settings import Settings
from awaken.workspace.sources import Snapshot, decode

MADE_FROM = digest_of(["made from"], {})
NOTHING = Remembered(MADE_FROM, (), (), (), (), {}, (), 0, ())
NOISE = """\
\"\"\"What {number} programs have in common.\"\"\"

import json


def load(path):
    with open(path) as file:
        return json.load(file)
"""


def source(path, text):
    return decode(path, text.encode())


@pytest.fixture
def kept(tmp_path):
    return KnownTexts(ResultsCache(tmp_path / "a" / "b" / "c", b"key"))


@pytest.fixture
def proved(kept):
    """Return what becomes of evidence when the files are these."""

    def proved(known, texts, made_from=MADE_FROM):
        files = {path: source(path, text) for path, text in texts.items()}
        digests = {path: one.digest for path, one in files.items()}
        held = still_holds(known, made_from, digests, files.get, kept)
        return None if held is None else held.evidence

    return proved


TEXTS = {"a.py": "query = 1\n", "b.py": "x = 1\n", "c.py": "y = 1\n", "setup.cfg": "[a]\n"}


def evidence(looked_at, **parts):
    """Return the evidence of an answer with these parts, which looked at this."""
    files = {path: source(path, text) for path, text in TEXTS.items()}
    answer = structs.replace(NOTHING, **parts)
    return evidence_for(answer.files_shown(), answer.encoded_text(), MADE_FROM, files, looked_at)


@pytest.fixture
def known():
    looked_at = LookedAt()
    looked_at.note_search(Search("word", b"query"), ["a.py"])
    looked_at.note_answers(Search("exports", b"shop"), {})
    looked_at.note_read("b.py")
    return evidence(looked_at)


@pytest.mark.parametrize(
    "edit",
    [
        {},
        {"a.py": "import a\n\nquery = 2\n"},
        {"c.py": "queries = 1\n"},
        {"c.py": "syntax error\n"},
        {"a.py": "print(query)\n", "c.py": "shop = 1\n"},
    ],
)
def test_what_an_answer_does_not_depend_on_may_change(known, proved, edit):
    newer = proved(known, TEXTS | edit)

    assert newer is not None
    assert proved(newer, TEXTS | edit) == newer
    assert proved(newer, TEXTS) == known


@pytest.mark.parametrize(
    "edit",
    [
        {"a.py": "queries = 1\n"},
        {"b.py": "x = 2\n"},
        {"c.py": "query = 1\n"},
        {"c.py": "from shop import name\n"},
        {"c.py": "# awaken: skip-file\n"},
        {"setup.cfg": "[b]\n"},
        {"d.py": ""},
    ],
)
def test_what_an_answer_depends_on_may_not_change(known, proved, edit):
    assert proved(known, TEXTS | edit) is None


def test_an_answer_holds_for_the_same_files_and_versions_only(known, proved):
    fewer = {path: text for path, text in TEXTS.items() if path != "c.py"}

    assert proved(known, fewer) is None
    assert proved(known, fewer | {"e.py": TEXTS["c.py"]}) is None
    assert proved(known, TEXTS, digest_of(["other"], {})) is None


@pytest.mark.parametrize("text", ["# said\nx = 1\n", "x = 1  # said\n", "\nx = 1\n"])
def test_comments_of_a_file_that_was_read_may_change(known, proved, kept, text):
    kept.keep(source("b.py", TEXTS["b.py"]).digest, TEXTS["b.py"].encode())
    newer = proved(known, TEXTS | {"b.py": text})
    assert newer is not None
    assert proved(newer, TEXTS | {"b.py": text + "# again\n"}) is not None
    assert proved(newer, TEXTS | {"b.py": text + "x = 2\n"}) is None


@pytest.mark.parametrize("text", ["x = 1  # query\n", "x = 1  # awaken: ignore\n"])
def test_comments_count_where_they_are_searched(proved, kept, text):
    kept.keep(source("b.py", TEXTS["b.py"]).digest, TEXTS["b.py"].encode())
    looked_at = LookedAt(read={"b.py"})
    looked_at.note_search(Search("word", b"query"), ["a.py"])
    assert proved(evidence(looked_at), TEXTS) is not None
    assert proved(evidence(looked_at), TEXTS | {"b.py": text}) is None


def test_a_file_that_changes_meanwhile_proves_nothing(known, kept):
    files = {path: source(path, text) for path, text in TEXTS.items()}
    digests = {path: one.digest for path, one in files.items()}
    digests["c.py"] = source("c.py", "z = 1\n").digest

    assert still_holds(known, MADE_FROM, digests, files.get, kept) is None
    assert still_holds(known, MADE_FROM, digests, {}.get, kept) is None


def test_a_watched_snapshot_notes_what_is_read():
    looked_at = LookedAt()
    files = WatchedSnapshot(Snapshot({p: source(p, text) for p, text in TEXTS.items()}), looked_at)

    assert files.file_to_search("c.py").text == b"y = 1\n"
    assert (list(files), len(files), "c.py" in files) == (list(TEXTS), len(TEXTS), True)
    assert looked_at.read == set()

    assert files["a.py"] is files.file_to_search("a.py")
    assert files.get("b.py") is files.file_to_search("b.py")
    assert looked_at.read == {"a.py", "b.py"}


def test_files_that_are_searched_only_are_not_read():
    looked_at = LookedAt({Search("bytes", b"1"): frozenset({"a.py", "b.py", "c.py"})}, {"b.py"})

    known = evidence(looked_at, diagnostics=(Diagnostic("a.py", 1, "told"),))

    read = {path for path, seen in known.files.items() if seen.answers is None}
    assert read == {"a.py", "b.py", "setup.cfg"}
    assert isinstance(known, Evidence)


SEARCHES = {
    "word": Words.files_with,
    "inherited": partial(Words.files_of_kind, kind="inherited"),
    "renamed": partial(Words.files_of_kind, kind="renamed"),
    "called": partial(Words.files_of_kind, kind="called"),
    "defined": Words.defined_in,
    "imported": Words.imported_in,
    "read": Words.read_in,
}
PIECES = st.sampled_from(
    [
        "Base",
        "Basé",
        "x",
        "class ",
        "class A(",
        "):",
        " as ",
        " = ",
        "(",
        ")",
        ".",
        "\n",
        "import ",
        "#",
        "\\",
    ]
)


@given(st.sampled_from(sorted(SEARCHES)), st.sampled_from(["Base", "Basé", "x"]), st.lists(PIECES))
def test_one_file_answers_as_it_did_among_all(kind, word, pieces):
    file = source("a.py", "".join(pieces))
    looked_at = LookedAt()
    files = WatchedSnapshot(Snapshot({"a.py": file}), looked_at)
    words = Words(files, lambda sought: ["a.py"] if sought[0] in file.text else [])

    paths = SEARCHES[kind](words, word)

    search = Search(kind, word.encode())
    assert looked_at.searched[search] == frozenset(paths)
    assert (answer(search, file) is not None) == bool(paths)


# ------------------------------------------------------------------- whole runs on edited programs
SEVERAL = [
    pytest.param(
        identifier,
        id=identifier,
        marks=() if crc32(identifier.encode()) % (2 * ONE_OF) == 0 else pytest.mark.slow,
    )
    for identifier, case in CASES.items()
    # What foreign code makes of a program is not remembered.
    if len(case.before) > 1 and case.settings.foreign is None
]
EDITS = 8
_WORDS = re.compile(rb"\w+")


def edited(chance, files):
    """Return one of ``files`` by its path, with a line or a word that was not there before."""
    path = chance.choice(sorted(files))
    lines = files[path].splitlines(keepends=True)
    others = [line for text in files.values() for line in text.splitlines(keepends=True)]
    at = chance.randrange(len(lines) + 1)
    match chance.randrange(8):
        case 0:
            lines.insert(at, chance.choice(others))
        case 1:
            del lines[at:][:1], lines[at : at + 1]
        case 2:
            lines.insert(at, b"# awaken: skip-file\n")
        case 3:
            words = _WORDS.findall(b"".join(others))
            text = b"".join(lines)
            old = chance.choice(_WORDS.findall(text) or [b"no word"])
            return path, text.replace(old, chance.choice(words), 1)
        case 4:
            lines.append(b"# a comment\n")
        case 5:
            lines.insert(at, chance.choice([b"\n", b"# a comment\n", b"        # a comment\n\n"]))
        case 6 if at < len(lines):
            lines[at] = lines[at].rstrip() + b"  # a comment\n"
        case 7:
            free = [n for n, line in enumerate(lines) if line.lstrip()[:1] in {b"", b"#"}]
            for number in chance.sample(free, min(len(free), 1)):
                del lines[number]
    return path, b"".join(lines)


def picture(report):
    roots = [
        msgspec.structs.replace(root, seconds=0, baseline=None, root=None) for root in report.roots
    ]
    return report.diagnostics, roots


@pytest.mark.parametrize("identifier", SEVERAL)
@pytest.mark.slow
def test_memory_never_changes_an_answer(identifier, tmp_path):
    """Whatever is edited, the report is the one of a run that remembers nothing."""
    case = CASES[identifier]
    root = tmp_path / "program"
    files = {"pyproject.toml": b'[project]\nname = "p"\n'} | dict(case.before)
    files |= {f"noise_{number}.py": NOISE.format(number=number).encode() for number in range(3)}
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    chance = random.Random(identifier)
    settings = Settings(
        select=(case.rule,),
        unsafe_fixes=True,
        target=dict(case.settings.targets),
        cache_dir=str(tmp_path / "cache"),
    )

    def run(*, use_cache):
        return picture(api.run([root], api.Options(settings=settings, jobs=1, use_cache=use_cache)))

    run(use_cache=True)
    for _ in range(EDITS):
        path, content = edited(chance, files)
        files[path] = content
        (root / path).write_bytes(content)
        assert run(use_cache=True) == run(use_cache=False), path


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        (b"from shop import users\n", True),
        (b"from shop import get\nusers = 1\n", False),
        (b"from shop import (\n    get,\n    users,\n)\n", True),
        (b"shop = users = 1\n", False),
    ],
)
def test_one_file_answers_whether_it_imports_words(text, imports):
    file = source("a.py", text.decode())

    both = answer(Search("imported", b"shop\0users"), file)
    alone = answer(facts_search("a.py", "imports", "users"), file)

    assert (both, alone) == ((b"", b"") if imports else (None, None))
