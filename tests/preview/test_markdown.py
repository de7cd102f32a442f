from __future__ import annotations

import re
from pathlib import Path

import pytest
from awkward import ROOT, everything, only_diagnostics
from hypothesis import given
from hypothesis import strategies as st
from report_builders import RULE, file_change, finding, report, root_report, source

from awaken.contract import Finding, Level
from awaken.engine.report import FileChange, LeftToDo, Report, SuppressedBy, SuppressedSite
from awaken.preview.markdown.comment import write as write_comment
from awaken.preview.markdown.escaped_text import code, prose
from awaken.preview.markdown.remaining_work import LIMIT, markdown, write
from awaken.preview.streams.output import Asked

FILE = source("app/a.py", b"s.query(A)\ns.query(B)\ns.query(C)\ns.query(D)\n")


def of(report_: Report, command: str = "check", current: Path = ROOT) -> str:
    return markdown(report_, Asked(command, current))


def holding(*findings: Finding) -> Report:
    return report(root_report(ROOT, findings=findings, sources={FILE.path: FILE}))


def manual(text: str, **values: object) -> Finding:
    return finding(FILE, text, Level.MANUAL, **values)


def test_manual_places_stand_below_their_reason_and_its_cure() -> None:
    assert of(holding(manual("s.query(A)"), manual("s.query(B)"))) == (
        "## awaken: 2 places to look at\n\n"
        f"### Manual: `{RULE}/unknown-entity`, 2 places\n\n"
        "write this query as select()\n\n"
        "**What to do:** name the class in the call\n\n"
        "- [ ] `app/a.py:1`\n- [ ] `app/a.py:2`\n\n"
    )


def test_it_links_to_the_report_where_that_has_an_address() -> None:
    url = "https://host.example/runs/1?a=b&c=d"
    asked = Asked("check", ROOT, report_url=url)

    assert f"\n\n[The report]({url}) has every change.\n\n" in markdown(holding(), asked)
    assert "The report" not in of(holding())


def test_what_differs_is_said_of_each_place() -> None:
    text = of(
        holding(
            manual("s.query(A)", message="`A` is unknown", help="import it"),
            manual("s.query(B)", message="`B` is unknown"),
        )
    )

    assert text.endswith(
        f"### Manual: `{RULE}/unknown-entity`, 2 places\n\n"
        "- [ ] `app/a.py:1` `A` is unknown (import it)\n"
        "- [ ] `app/a.py:2` `B` is unknown (name the class in the call)\n\n"
    )


def test_what_is_the_same_for_several_places_is_said_once() -> None:
    lines = [f"s.query({name})" for name in "ABCDE"]
    file = source("app/a.py", "".join(f"{line}\n" for line in lines).encode())
    same = {"message": "`q` is passed on", "help": "Finish it."}
    found = [finding(file, line, Level.MANUAL, **same) for line in lines[:3]]
    other = finding(file, lines[3], Level.MANUAL, message="it is kept", help="Use it.")
    last = finding(file, lines[4], Level.MANUAL, **same)
    text = of(report(root_report(ROOT, findings=(*found, other, last), sources={file.path: file})))

    assert text.endswith(
        f"### Manual: `{RULE}/unknown-entity`, 5 places\n\n"
        "- [ ] `app/a.py:4` it is kept (Use it.)\n"
        "\n4 places: `q` is passed on (Finish it.)\n\n"
        "- [ ] `app/a.py:1`\n- [ ] `app/a.py:2`\n- [ ] `app/a.py:3`\n- [ ] `app/a.py:5`\n\n"
    )
    assert text.count("is passed on") == 1
    assert text.startswith("## awaken: 5 places to look at\n")


def test_groups_come_by_level_and_the_largest_first() -> None:
    text = of(
        holding(
            finding(FILE, "s", Level.ADVICE, rule="advisor"),
            finding(FILE, "s.query(A)", Level.UNSAFE),
            finding(FILE, "s.query(D)"),
            manual("s.query(B)", reason=f"{RULE}/rare"),
            manual("s.query(C)"),
            manual("s.query(D)"),
        )
    )

    assert re.findall("^### (.*)", text, re.MULTILINE) == [
        f"Manual: `{RULE}/unknown-entity`, 2 places",
        f"Manual: `{RULE}/rare`, 1 place",
        f"Unsafe: `{RULE}`, 1 place",
        f"Safe: `{RULE}`, 1 place",
        "Advice: `advisor`, 1 place",
    ]
    assert "`awaken apply --unsafe-fixes` rewrites these" in text
    assert "were left out or need an unsafe rewrite first" in text


@pytest.mark.parametrize(("command", "verb"), [("diff", "rewrites"), ("apply", "rewrote")])
def test_what_awaken_does_is_counted_and_not_listed(command: str, verb: str) -> None:
    safe = finding(FILE, "s.query(A)")
    change = FileChange(FILE.path, FILE, FILE.with_text(b"x\n"), (safe,))
    whole = report(root_report(ROOT, change, file_change("new.py", None, b"")))

    done = f"`awaken apply` {verb} 1 site in 1 file, plus new.py."
    head = f"## awaken: nothing to do by hand\n\n{done}\n\n"
    text = of(whole, command)
    assert text.startswith(head)
    # After ``apply`` the files hold the changes.
    assert (text == head) is (command == "apply")
    assert ("<summary><code>app/a.py</code>, 1 site</summary>" in text) is (command == "diff")
    assert ("<summary><code>new.py</code></summary>" in text) is (command == "diff")


@pytest.mark.parametrize(
    "line", ["~~~~~", "```", "</details>", "<!-- -->", "\u202e", "\x1b[2J", "::error::x"]
)
def test_a_diff_stays_inside_its_fence(line: str) -> None:
    file = source("a`b<i>.py", f"# {line}\n{line!r}\n".encode())
    changed = FileChange(file.path, file, file.with_text(f"{line!r}\n{line!r}\n".encode()))
    text = of(report(root_report(ROOT, changed)), "diff")

    (fence,) = re.findall(r"(?m)^(~+)diff$", text)
    inside = text.partition(f"{fence}diff\n")[2].partition(f"\n{fence}\n")[0]
    assert fence not in inside
    assert text.endswith(f"{fence}\n\n</details>\n\n")
    assert "<code>a`b&lt;i&gt;.py</code>" in text


def test_files_without_room_are_counted() -> None:
    def changed(name: str, lines: int) -> FileChange:
        file = source(name, b"x = 1\n" * lines)
        return FileChange(name, file, file.with_text(b"y = 1\n" * lines))

    root = root_report(ROOT, changed("a.py", 9_000), changed("b.py", 2), changed("c.py", 9_000))
    comment = b"".join(write_comment(report(root), Asked("diff", ROOT)))

    assert comment.startswith(b"<!-- awaken -->\n## awaken: ")
    assert len(comment) <= LIMIT
    assert b"<code>b.py</code>" in comment
    assert comment.endswith(b"A comment has no room for 2 more files: see `awaken diff`.\n")


def test_held_sites_are_counted_and_not_listed() -> None:
    suppressed = SuppressedSite(manual("s.query(A)"), SuppressedBy.COMMENT, "# awaken: ignore")
    root = root_report(ROOT, findings=(), sources={FILE.path: FILE}, suppressed=(suppressed,))

    assert of(report(root)) == ("## awaken: nothing to do by hand\n\n1 held by a comment.\n\n")


def test_what_could_not_be_done_comes_first() -> None:
    assert of(only_diagnostics()) == (
        "## awaken: 1 place to look at\n\n"
        "### Could not be done, 1 place\n\n"
        "- [ ] `bad.py:3` does not parse\n\n"
    )


def test_lines_of_settings_that_are_left_to_do_are_tasks() -> None:
    left = (
        LeftToDo("setup.cfg", 3, "mode = auto\nb = 1", "[tool:pytest]", "it is not valid INI"),
        LeftToDo("uv.lock", 0, "", "", "run `uv lock`"),
    )

    assert of(report(root_report(ROOT, findings=(), left_to_do=left))) == (
        "## awaken: 2 places to look at\n\n"
        "### Settings left to do, 2 places\n\n"
        "- [ ] `setup.cfg:3` add `mode = auto` and `b = 1` to `[tool:pytest]` "
        "(it is not valid INI)\n"
        "- [ ] `uv.lock` (run `uv lock`)\n\n"
    )


def test_nothing_found_says_so() -> None:
    assert of(report()) == "## awaken: nothing to do by hand\n\n"


def test_after_apply_the_lines_are_those_that_it_left() -> None:
    safe = finding(FILE, "s.query(A)")
    after = FILE.with_text(b"import x\n" + FILE.text.replace(b"s.query(A)", b"one\ntwo"))
    change = FileChange(FILE.path, FILE, after, (safe,))
    root = root_report(ROOT, change, findings=(safe, manual("s.query(B)")))

    assert "`app/a.py:4`" in of(report(root), "apply")
    assert "`app/a.py:2`" in of(report(root), "diff")


def test_every_place_is_a_task_whatever_its_names_hold() -> None:
    text = of(everything())

    tasks = re.findall(r"^- \[ \] .*", text, re.MULTILINE)
    # manual, unsafe and advice in eight files; the diagnostics; what is left to do
    number = 8 * 3 + 5 + 4
    assert len(tasks) == number
    assert f"## awaken: {number} places" in text
    assert "``one/back`tick/p|pe [x](y).py:4``" in text
    assert "`one/<b>/new\\nline.py:4`" in text
    assert "`one/caf\\udce9.py:4`" in text
    assert write(everything(), Asked("check", ROOT)).__next__().decode() == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text, as (it) is.", "plain text, as (it) is."),
        ("`a_b[c]` is *not* c_d", r"`a_b[c]` is \*not\* c\_d"),
        ("odd ` tick and ``two`` <b>", r"odd \` tick and \`\`two\`\` \<b\>"),
        ("[x](http://e.org) ![y](z)", r"\[x\](http:<!-- -->//e.org) !\[y\](z)"),
        ("ask @me, see #12 and GH-3", "ask @<!-- -->me, see #<!-- -->12 and GH<!-- -->-3"),
        ("www.example.org :smile:", "www<!-- -->.example.org :<!-- -->smile:"),
        ("1. two\nlines", r"1\. two lines"),
        ("# no heading", r"\# no heading"),
        ("- no list", r"\- no list"),
        ("a\\b ~c~ $d$ &amp; e|f", r"a\\b \~c\~ \$d\$ \&amp; e\|f"),
        ("\x1b[31m\u202e", r"\\x1b\[31m\\u202e"),
    ],
)
def test_a_message_is_read_as_it_stands(text: str, written: str) -> None:
    assert prose(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a```", "```` a``` ````"),
     ("a\nb", "`a\\nb`"), (" a", "`  a `")],
)  # fmt: skip
def test_code_holds_any_number_of_backticks(text: str, written: str) -> None:
    assert code(text) == written


def many(reasons: dict[str, int], message: str = "m") -> Report:
    file = source("a.py", b"s\n" * 10)
    found = [
        finding(file, "s", Level.MANUAL, reason=f"{RULE}/{reason}", message=f"{message} {number}")
        for reason, count in reasons.items()
        for number in range(count)
    ]
    return report(root_report(ROOT, findings=tuple(found), sources={"a.py": file}))


def test_a_group_without_room_is_left_out_whole_and_counted() -> None:
    text = of(many({"large": 900, "middle": 800, "small": 3}, "é" * 20))

    assert len(text.encode()) <= 65_000
    assert "## awaken: 1,703 places to look at" in text
    assert len(re.findall(r"^- \[ \] ", text, re.MULTILINE)) == 903
    assert text.endswith(
        "### Left out\n\nAn issue has no room for 800 places:\n\n"
        f"- Manual: `{RULE}/middle`, 800 places\n"
    )


def test_a_group_that_is_too_long_by_itself_is_cut() -> None:
    text = of(many({"large": 5000, "small": 1, "other": 20}))

    tasks = len(re.findall(r"^- \[ \] ", text, re.MULTILINE))
    assert 64_000 < len(text.encode()) <= 65_000
    assert f"… and {5021 - tasks:,} more places: see `awaken check`." in text
    assert re.findall("^### (.*)", text, re.MULTILINE) == [
        f"Manual: `{RULE}/large`, 5,000 places",
        f"Manual: `{RULE}/other`, 20 places",
        f"Manual: `{RULE}/small`, 1 place",
    ]


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(1, 400), max_size=12),
    st.text(max_size=300),
)
@pytest.mark.slow
def test_it_always_fits_into_an_issue(reasons: dict[str, int], message: str) -> None:
    text = of(many(reasons, message))

    assert len(text.encode("utf-8", "backslashreplace")) <= 65_000
    tasks = len(re.findall(r"^- \[ \] ", text, re.MULTILINE))
    left = re.search(r"no room for ([\d,]+) place", text)
    cut = re.search(r"and ([\d,]+) more place", text)
    gone = [int(match[1].replace(",", "")) for match in (left, cut) if match]
    assert tasks + sum(gone) == sum(reasons.values())
