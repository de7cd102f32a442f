"""Generated programs: whatever surrounds a call, only the call's name changes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from rules_for_tests import NeedsPong, OneByOne, OverFiles
from transaction_cases import MANIFEST, on_disk

from awaken import api

ARGUMENTS = st.sampled_from(
    ["1", "größe", "'é\\\\n'", "(1,  2)", "*rest", "# why\n  1,\n", "x\t+y"]
)
CALLS = st.recursive(
    st.builds(
        "@{}({}{}{})".format,
        st.sampled_from(["", " ", "  "]),
        st.sampled_from(["", " ", "\n    ", "\\\n"]),
        ARGUMENTS,
        st.sampled_from(["", " ", " # last\n"]),
    ),
    lambda inner: st.builds("@({}, [{}])".format, inner, inner),
    max_leaves=3,
)
# In these, ``{}`` is a call and ``\0`` an @ that is not the name of a function.
STATEMENTS = st.sampled_from(
    [
        "{}\n",
        "value = {}  # a comment\n",
        "größe = [{}, {}]; print(größe)\n",
        "if True:\n\tx = {}\n\tpass\n",
        "def function(a, b={}):\n    '''Doc.'''\n\n    return ({})  \n",
        "class Name:\n  field: int = {}\n\n\n",
        "\f\nx = \\\n    {}\n",
        "text = '''\0(1)\n  {{}} alpha(1) single(1)'''.format({})\n",
        "\0decorate({})\ndef decorated(): return {}\n",
        "x = lambda a: {} if {} else (yield_, not {})\n",
    ]
)


@st.composite
def statements(draw):
    """Return a statement in which ``@`` stands for the name of each function that is called."""
    template = draw(STATEMENTS)
    return template.format(*(draw(CALLS) for _ in range(template.count("{}"))))


NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "latin-1"])


class Program(Struct, frozen=True):
    """The same program with other names called."""

    statements: list[str]
    newline: str
    encoding: str
    final_newline: bool

    def content(self, name):
        """Return the bytes of the program in which the calls are of ``name``."""
        text = "".join(self.statements).replace("@", name).replace("\0", "@")
        if self.encoding == "latin-1":
            text = "# -*- coding: latin-1 -*-\n" + text
        if not self.final_newline:
            text = text.rstrip("\n")
        return text.replace("\n", self.newline).encode(self.encoding)


PROGRAMS = st.builds(
    Program, st.lists(statements(), min_size=1, max_size=5), NEWLINES, ENCODINGS, st.booleans()
)


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))


def run(root, rule, excluded=frozenset()):
    options = api.Options(jobs=1, excluded=frozenset(excluded), use_cache=False)
    return api.run([root], options, rules=[rule])


def compiles(content):
    try:
        compile(content, "generated", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def written(root, files):
    for path, content in {"pyproject.toml": MANIFEST.encode(), **files}.items():
        (root / path).write_bytes(content)
    return on_disk(root)


@given(PROGRAMS)
def test_only_the_name_of_the_call_changes(program):
    content = program.content("single")
    assert compiles(content)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        before = written(root, {"a.py": content})
        report = run(root, OneByOne())
        assert report.roots[0].diagnostics == ()
        api.apply(report)
        assert (root / "a.py").read_bytes() == program.content("double")
        api.undo(root)
        assert on_disk(root) == before


@given(PROGRAMS, st.data())
@pytest.mark.slow
def test_sites_left_out_stay_and_the_others_change(program, data):
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        written(root, {"a.py": program.content("single")})
        findings = run(root, OneByOne()).roots[0].findings
        chosen = data.draw(st.sets(st.sampled_from([f.site for f in findings])))
        report = run(root, OneByOne(), chosen).roots[0]
        made = {site for change in report.changes for site in change.sites}
        assert made == {finding.site for finding in findings} - chosen
        assert report.diagnostics == ()
        after = {change.path: change.after.raw() for change in report.files}
        assert after.get("a.py", b"").count(b"double") == len(made)


@given(st.lists(PROGRAMS, min_size=2, max_size=4), st.booleans())
@pytest.mark.slow
def test_a_change_over_files_is_made_in_all_or_none(programs, broken):
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        files = {f"m{number}.py": p.content("alpha") for number, p in enumerate(programs)}
        if broken:
            files["last.py"] = b'alpha("broken")\n'
        written(root, files)
        report = run(root, OverFiles()).roots[0]
        after = {change.path: change.after.raw() for change in report.files}
        wanted = {f"m{number}.py": p.content("beta") for number, p in enumerate(programs)}
        assert after == ({} if broken else wanted)


@given(PROGRAMS)
def test_imports_come_and_go_with_the_calls(program):
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        head = "from table import ping\n".replace("\n", program.newline).encode()
        plain = Program(program.statements, program.newline, "utf-8", program.final_newline)
        written(root, {"a.py": head + plain.content("ping")})
        report = run(root, NeedsPong()).roots[0]
        assert report.diagnostics == ()
        (change,) = report.files
        assert change.after.text == head.replace(b"ping", b"pong") + plain.content("pong")
