"""The comments that hold sites back: what each covers, and which are none."""

from __future__ import annotations

import pytest

from awaken.contract import Span
from awaken.workspace.sources import decode
from awaken.workspace.suppressions import suppressions_in

IGNORE = "# awaken: ignore[rule]"


def read(text, newline="\n"):
    source = decode("a.py", text.replace("\n", newline).encode())
    return source, suppressions_in(source)


def covered(text, newline="\n"):
    """Return the lines, without white space, that the only comment covers; None for nothing."""
    source, (comment,) = read(text, newline)
    if comment.covers is None:
        return None
    part = source.text[comment.covers.start : comment.covers.end].decode()
    return [line.strip() for line in part.split(newline) if line.strip()]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"a()\nb()  {IGNORE}\nc()\n", [f"b()  {IGNORE}"]),
        (f"a()\nb()  {IGNORE}", [f"b()  {IGNORE}"]),
        (f"a()\n{IGNORE}\nb()\nc()\n", ["b()"]),
        (f"a()\n{IGNORE}\n# for a reason\n# of ours\nb()\n", ["b()"]),
        (f"a()\n# for a reason\n{IGNORE}\nb()\n", ["b()"]),
        (f"a()\n{IGNORE}\n\nb()\n", None),
        (f"a()\n{IGNORE}\n    \n# other\nb()\n", None),
        (f"a()\n{IGNORE}\n", None),
        (f"b(  {IGNORE}\n    1,\n    2,\n)\nc()\n", [f"b(  {IGNORE}", "1,", "2,", ")"]),
        (f"b(\n    1,\n    2,\n)  {IGNORE}\nc()\n", ["b(", "1,", "2,", f")  {IGNORE}"]),
        (f"b(\n    {IGNORE}\n\n    2,\n)\nc()\n", ["b(", IGNORE, "2,", ")"]),
        (f"b = 1 + \\\n    2  {IGNORE}\nc()\n", ["b = 1 + \\", f"2  {IGNORE}"]),
        (f'b = """\n\n"""  {IGNORE}\nc()\n', ['b = """', f'"""  {IGNORE}']),
        (f"a(); b()  {IGNORE}\n", [f"a(); b()  {IGNORE}"]),
        (f"if a:  {IGNORE}\n    b()\n", [f"if a:  {IGNORE}"]),
        (f"{IGNORE}\nif a:\n    b()\n", ["if a:"]),
        (f"if a:\n    {IGNORE}\n    b()\n    c()\n", ["b()"]),
        (f"if a:\n    b()\n    {IGNORE}\nelse:\n    c()\n", ["else:"]),
        (f"{IGNORE}\n@deco\ndef f(): pass\n", ["@deco"]),
        (f"@deco  {IGNORE}\ndef f(): pass\n", [f"@deco  {IGNORE}"]),
        (f"@deco\n{IGNORE}\ndef f(\n    a,\n):\n    pass\n", ["def f(", "a,", "):"]),
        (f"@deco(\n    {IGNORE}\n)\n@other\ndef f(): pass\n", ["@deco(", IGNORE, ")"]),
        (f"\f{IGNORE}\nb()\n", ["b()"]),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_it_covers_one_logical_line(text, lines, newline):
    assert covered(text, newline) == lines


def test_a_place_is_covered_by_where_it_starts():
    source, (comment,) = read(f"a()\nb(\n    c())  {IGNORE}\nd()\n")

    starts = {name: source.text.index(name.encode()) for name in "abcd"}

    assert {name for name, at in starts.items() if comment.covers_place(Span(at, at + 99))} == {
        "b",
        "c",
    }


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("# awaken: ignore[one]", ("one",)),
        ("#awaken:ignore[one]", ("one",)),
        ("#  awaken:  ignore [ one , two,one, ]", ("one", "two")),
        ("# awaken: ignore[one] until March, see #12", ("one",)),
        ("# noqa: E501  # awaken: ignore[one]", ("one",)),
        ("# type: ignore[x] # awaken: ignore[one]  # noqa", ("one",)),
        ("#: # awaken: ignore[one]", ("one",)),
    ],
)
def test_names_are_read_around_what_else_is_said(written, names):
    _, (comment,) = read(f"a()  {written}\n")

    assert (comment.names, comment.wrong) == (names, "")


def test_two_on_one_line_are_two():
    _, comments = read("a()  # awaken: ignore[one]  # awaken: ignore[two] because\n")

    assert [comment.text for comment in comments] == [
        "# awaken: ignore[one]",
        "# awaken: ignore[two]",
    ]


def test_its_span_is_what_is_shown_of_it():
    source, comments = read(
        "é = 'é'  # ü  # awaken: ignore[one] why\n# awaken: skip-file, for now\n"
    )

    spans = [source.text[one.span.start : one.span.end].decode() for one in comments]

    assert spans == [one.text for one in comments]
    assert spans == ["# awaken: ignore[one]", "# awaken: skip-file"]


@pytest.mark.parametrize(
    "text",
    [
        f'a = "{IGNORE}"\n',
        f'a = """\n{IGNORE}\n# awaken: skip-file\n"""\n',
        f"a()  # write `{IGNORE}` there\n",
        f'a()  # as in "{IGNORE}"\n',
        "a()  # awaken: sleepers are woken here\n",
        "awaken: int = 1\n",
        "a()  # see awaken: ignore[rule]\n",
        f"a(  {IGNORE}\n",
    ],
)
def test_what_only_looks_like_one_is_none(text):
    assert read(text)[1] == ()


@pytest.mark.parametrize(
    ("written", "text", "wrong"),
    [
        ("# awaken: ignore", "# awaken: ignore", "names no rule in brackets"),
        ("# awaken: ignore query-to-select", "# awaken: ignore", "names no rule in brackets"),
        ("# awaken: ignore(rule)", "# awaken: ignore(rule)", "names no rule in brackets"),
        ("# awaken: ignore[]", "# awaken: ignore[]", "names no rule"),
        ("# awaken: ignore[ , ]", "# awaken: ignore[ , ]", "names no rule"),
        ("# awaken: ignore[rule", "# awaken: ignore[rule", "has no closing bracket"),
        ("# awaken: ignroe[rule]", "# awaken: ignroe[rule]", "is no comment that awaken knows"),
        ("# awaken: Ignore[rule]", "# awaken: Ignore[rule]", "is no comment that awaken knows"),
        ("# awaken: noqa", "# awaken: noqa", "is no comment that awaken knows"),
        ("# awaken: skip_file", "# awaken: skip_file", "is no comment that awaken knows"),
        ("# awaken: skip-file[rule]", "# awaken: skip-file[rule]", "is no comment"),
        ("# awaken: skip-file", "# awaken: skip-file", "follows code"),
    ],
)
def test_a_malformed_one_says_what_is_wrong(written, text, wrong):
    _, (comment,) = read(f"a()  {written}\n")

    assert comment.text == text
    assert comment.wrong.startswith(wrong)
    assert comment.help.endswith(".")
    assert comment.covers is None


@pytest.mark.parametrize(
    "text",
    [
        "# awaken: skip-file\na()\n",
        "a()\n\n    # awaken: skip-file generated\n",
        "a()\n# awaken: skip-file: generated",
        "a(\n    # awaken: skip-file\n)\n",
    ],
)
def test_skip_file_covers_the_file_from_a_line_of_its_own(text):
    source, (comment,) = read(text)

    assert comment.whole_file
    assert comment.covers == Span(0, len(source.text))


@pytest.mark.parametrize(
    "text", [f"{IGNORE}\n  \xa0 # a", f"x \\\n{IGNORE}\\"], ids=["no-break space", "backslash"]
)
def test_a_file_that_is_no_python_has_suppressions_all_the_same(text):
    assert all(one.covers is None or one.covers.end <= len(text.encode()) for one in read(text)[1])
