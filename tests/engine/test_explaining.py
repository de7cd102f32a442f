"""What ``api.explain`` finds out about a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_repository import Repository
from msgspec import Struct
from rules_for_tests import OverFiles, RenameCalls, RequiresBase

from awaken import api
from awaken.contract import Phase, Plan, Reason, Status, UserError
from awaken.engine.planning import engine_reasons
from awaken.engine.report import SuppressedBy
from awaken.kit.rule import Rule
from awaken.settings import Settings
from awaken.settings.selection import IN_PREVIEW

QUERY = "from sqlalchemy.orm import Session\ndef f(s: Session):\n    return s.query(1)\n"


class Renaming(RenameCalls):
    """Renames ``old`` to ``new``, and says something of lines that mention neither."""

    name = "renaming"
    old, new = "old", "new"
    triggers = (b"old(",)
    per_file = True

    def why_no_site(self, project, place):
        text = project.snapshot[place.path].text[place.span.start : place.span.end]
        return "a cousin is no old one" if b"cousin" in text else None


class Failing(Rule):
    """Fails where it is asked."""

    name = "failing"
    family = "tests"
    phase = Phase.TIDY

    def plan(self, project, constraints):
        del project, constraints
        return Plan()

    def why_no_site(self, project, place):
        del project, place
        raise ZeroDivisionError("by zero")


@pytest.fixture
def explain(tmp_path, monkeypatch):
    """Return a function that writes a program and explains a line of its app.py."""
    root = tmp_path / "program"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n')
    monkeypatch.chdir(root)

    def run(text, line, column=None, *, path="app.py", more=(), **options):
        rules = options.pop("rules", (Renaming(),))
        for name, content in {path: text, **dict(more)}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return api.explain(
            root / path, line, column, api.Options(settings=Settings(**options)), rules
        )

    return run


def codes(explanation):
    return [why.code for why in explanation.whys]


# ------------------------------------------------------------------------------- sites
def test_a_site_comes_with_the_files_of_its_change_alone(explain):
    found = explain("old(1)\nold(2)\n", 2)

    (site,) = found.sites
    assert site.status == "rewritten"
    assert site.matched == "span"
    assert [file.after.text for file in site.files] == [b"old(1)\nnew(2)\n"]
    assert found.whys == ()


def test_all_sites_of_a_line_are_there_and_a_column_picks_one(explain):
    text = "x = old(1), old(2)\n"
    assert len(explain(text, 1).sites) == 2
    (site,) = explain(text, 1, 14).sites
    assert site.files[0].after.text == b"x = old(1), new(2)\n"
    assert explain(text, 1, 14).note == ""


def test_a_column_in_nested_sites_picks_the_innermost(explain):
    (site,) = explain("old(old(1))\n", 1, 6).sites
    assert site.finding.place.span.start == 4


def test_columns_count_characters(explain):
    (site,) = explain("x = 'äöü', old(1), old(2)\n", 1, 20).sites
    assert site.files[0].after.text == "x = 'äöü', old(1), new(2)\n".encode()


def test_a_column_in_no_site_is_said_and_the_line_explained(explain):
    found = explain("x = old(1), old(2)\n", 1, 2)
    assert len(found.sites) == 2
    assert found.note == "column 2 is not inside a site; these are the sites of the line"


@pytest.mark.parametrize("line", [2, 3, 4])
def test_every_line_that_a_site_covers_is_the_site(explain, line):
    (site,) = explain("x = (\n    old(\n\n    1)\n)\n", line).sites
    assert site.matched == "span"


@pytest.mark.parametrize("line", [1, 5])
def test_the_other_lines_of_its_statement_are_said_to_be_that(explain, line):
    (site,) = explain("x = (\n    old(\n\n    1)\n)\n", line).sites
    assert site.matched == "statement"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("if old(1):\n    pass\n", 2),
        ("try:\n    old(1)\nexcept E:\n    pass\n", 1),
        ("def f():\n    old(1)\n    return 1\n", 1),
        ("with a:\n    b\n    old(1)\n", 2),
        ("if a:\n    (b,\n     old(1))\nelse:\n    pass\n", 4),
        ("for x in old(1):\n    pass\nelse:\n    pass\n", 3),
    ],
)
def test_a_block_is_no_part_of_the_statement_that_holds_a_site(explain, text, line):
    assert explain(text, line).sites == ()


def test_a_header_over_several_lines_and_a_decorator_belong_to_their_statement(explain):
    assert explain("if (\n    old(1)\n):\n    pass\n", 1).sites
    assert explain("@a\n@old(\n1)\n@b\ndef f():\n    pass\n", 1).sites


def test_a_manual_site_has_the_documented_reason(explain):
    (site,) = explain("old(x=1)\n", 1).sites
    assert site.status == "left"
    assert site.reason is Renaming.reasons[0]
    assert site.files == ()


def test_a_reason_of_the_engine_is_documented_as_well(explain):
    class Needy(Renaming):
        needs = {"python": ">=3.99"}  # noqa: RUF012

    (site,) = explain("old(1)\n", 1, rules=(Needy(),)).sites
    assert site.finding.reason == "engine/needs-other-versions"
    assert site.reason is not None
    assert site.reason.code == "engine/needs-other-versions"


def test_a_site_beside_a_held_one_has_the_documented_reason(explain):
    class Stubborn(OverFiles):
        regroups = False

    text = "alpha(1)  # awaken: ignore[over-files]\nalpha(2)\n"
    (site,) = explain(text, 2, rules=(Stubborn(),)).sites
    assert site.finding.reason == "engine/held-back"
    assert site.reason is not None
    assert site.reason.code == "engine/held-back"


def test_every_reason_of_the_engine_is_documented():
    declared = {one.code: one for one in vars(engine_reasons).values() if isinstance(one, Reason)}
    assert set(declared.values()) == set(engine_reasons.ENGINE_REASONS)
    assert {code.partition("/")[0] for code in declared} == {"engine"}
    assert all(one.message and one.help for one in declared.values())


def test_a_change_that_a_check_rolls_back_is_explained(explain):
    (site,) = explain("old('broken')\n", 1).sites
    assert site.finding.reason == site.reason.code == "engine/rolled-back"


def test_a_change_over_files_is_not_refused_for_the_path_that_was_asked(explain):
    (site,) = explain("alpha(1)\n", 1, rules=(OverFiles(),), more={"b.py": "alpha(2)\n"}).sites
    assert site.status == "rewritten"
    assert site.change.paths == ("app.py", "b.py")
    assert [file.path for file in site.files] == ["app.py", "b.py"]


def test_what_a_change_requires_is_there(explain):
    text = "dependant(1)\ndependant(2)\n"
    (site,) = explain(text, 2, rules=(RequiresBase(),)).sites
    assert [change.id for change in site.requires] == ["requires-base-0"]
    assert site.files[0].after.text == b"depended(1)\ndepended(2)\n"
    (base,) = explain(text, 1, rules=(RequiresBase(),)).sites
    assert base.requires == ()


def test_a_held_site_says_by_what(explain):
    (site,) = explain("old(1)  # awaken: ignore[renaming]\n", 1).sites
    assert site.status == "held"
    assert site.suppressed.by is SuppressedBy.COMMENT


def test_only_sites_of_the_file_are_looked_for_where_rules_allow_that(explain):
    alone = {"rules": None, "select": ("query-to-select",)}
    report = explain(QUERY, 3, more={"b.py": QUERY}, **alone).report
    assert {finding.place.path for finding in report.findings} == {"app.py"}
    found = explain("alpha(1)\n", 1, rules=(OverFiles(),), more={"b.py": "alpha(1)\n"})
    assert {finding.place.path for finding in found.report.findings} == {"app.py", "b.py"}


def test_a_narrow_run_is_not_remembered_as_the_whole_one(explain, tmp_path):
    root = tmp_path / "program"
    explain(QUERY, 3, rules=None, more={"b.py": QUERY})
    assert {one.place.path for one in api.run([root]).roots[0].findings} == {"app.py", "b.py"}


# ----------------------------------------------------------------------------- no site
def test_the_nearest_sites_are_those_before_and_after(explain):
    text = "old(1)\nold(2)\nx = 1\ny = 2\nold(3)\nold(4)\n"
    assert explain(text, 4).nearest == (2, 5)
    assert explain("x = 1\nold(1)\n", 1).nearest == (2,)
    assert explain("x = 1\n", 1).nearest == ()


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("x = 1\n", 1, "no-trigger"),
        ("old(1)\nx = 1\n", 2, "not-this-line"),
        ("old(1)\n\n", 2, "blank"),
        ("old(1)\n   \n", 2, "blank"),
        ("# words\n", 1, "comment"),
        ('"""words"""\n', 1, "in-string"),
        ('x = """a\nb\n"""\n', 2, "in-string"),
        ('x = """a\n\n"""\n', 2, "in-string"),
        ("x = cousin\n", 1, "not-its-business"),
        ("def f(:\n", 1, "unparsable"),
        (b"\xff\xfe\n", 1, "unreadable"),
    ],
)
def test_the_reason_is_the_true_one(explain, text, line, code):
    found = explain(text, line)
    assert codes(found) == [code]
    assert found.sites == ()


def test_a_string_that_is_a_value_is_code(explain):
    assert codes(explain('old(1)\nx = "words"\n', 2)) == ["not-this-line"]


def test_what_no_rule_looks_for_is_said_in_words(explain):
    (why,) = explain("x = 1\n", 1).whys
    assert why.message == "renaming looks for `old(`, and this file contains none of them"
    (why,) = explain("x = 1\nold(1)\nold(2)\n", 1).whys
    assert why.message == (
        "renaming looks for `old(` and found 2 sites in this file, none on this line"
    )
    (why,) = explain("x = 1  # old(1)\n", 1).whys
    assert why.message == "renaming looks for `old(` and found no site in this file"


def test_where_a_file_cannot_be_read_is_said(explain):
    (why,) = explain("x = 1\ndef f(:\n", 1).whys
    assert "line 2: invalid syntax" in why.message
    (why,) = explain(b"x = 1\n\xff\n", 1).whys
    assert why.message.startswith("line 2: the file is not utf-8 text")


def test_a_rule_that_does_not_run_but_would_find_a_site_is_named(explain):
    (why,) = explain("old(1)\n", 1, ignore=("renaming",)).whys
    assert why.code == "not-selected"
    assert why.message.startswith(
        "renaming would find a site here (safe), but it does not run: ignored by "
    )
    assert "--select renaming" in why.help


def test_a_rule_that_does_not_run_is_asked_with_the_options_of_the_project(explain):
    class Words(Struct, frozen=True):
        word: str = "old"

    class Choosing(Renaming):
        options = Words

        def plan(self, project, constraints):
            return (
                super().plan(project, constraints)
                if constraints.options.word == "newer"
                else Plan()
            )

    def asked():
        found = explain("old(1)\n", 1, ignore=("renaming",), rules=(Choosing(),))
        return "not-selected" in codes(found)

    assert not asked()
    Path("awaken.toml").write_text('[rules.renaming]\nword = "newer"\n')
    assert asked()


def test_a_rule_in_preview_is_named_where_it_would_find_a_site(explain):
    class Coming(Renaming):
        status = Status.PREVIEW

    assert codes(explain("old(1)\n", 1, rules=(Coming(),))) == ["not-selected"]


def test_where_a_rule_for_a_word_of_the_line_has_a_site_no_other_rule_is_asked(explain):
    class Slow(Renaming):
        name = "slow"
        triggers = (b"def ",)

        def plan(self, *_):
            raise AssertionError(self.name)

    rules, text = (Slow(), Renaming()), "def f():\n    old(1)\n    new(1)\n"
    off = {"ignore": ("renaming", "slow"), "rules": rules}
    assert [why.rule for why in explain(text, 2, **off).whys] == ["renaming"]
    assert [why.rule for why in explain(text, 3, **off).whys] == ["slow"]


@pytest.mark.parametrize("is_by_file", [False, True])
def test_a_rule_that_reads_the_program_for_a_file_is_asked_for_words_of_the_line(
    explain, is_by_file
):
    class Slow(Renaming):
        name = "slow"
        triggers = (b"def ",)
        per_file = False
        decides_by = "file" if is_by_file else "program"

        def plan(self, *_):
            raise AssertionError(self.name)

    off = {"ignore": ("slow",), "rules": (Slow(),)}
    said = [why.rule for why in explain("def f():\n    other(1)\n", 2, **off).whys]
    assert ("slow" in said) is not is_by_file


def test_a_rule_that_does_not_run_and_cannot_be_asked_is_named(explain):
    class Reading(Renaming):
        status = Status.PREVIEW
        reads = ("/shop.toml",)

        def plan(self, project, constraints):
            project.texts("/shop.toml")
            return super().plan(project, constraints)

    (why,) = explain("old(1)\n", 1, rules=(Reading(),)).whys
    assert why.message == (f"renaming does not run, so its findings here are unknown: {IN_PREVIEW}")


def test_without_a_rule_that_is_said(explain):
    assert codes(explain("x = 1\n", 1, rules=())) == ["no-rule"]


def test_a_rule_that_fails_costs_only_its_own_answer(explain):
    found = explain("x = cousin\n", 1, rules=(Failing(), Renaming()))
    assert "internal error in failing: ZeroDivisionError: by zero" in {
        why.message for why in found.whys
    }
    assert "a cousin is no old one" in {why.message for why in found.whys}


@pytest.mark.parametrize(
    ("path", "more", "options", "message"),
    [
        (
            "build/app.py",
            {},
            {},
            "the directory build/ matches the pattern `build` that awaken excludes by d",
        ),
        (
            "a/gen/app.py",
            {".gitignore": "# words\n\ngen/\n", ".git/HEAD": ""},
            {},
            "the directory a/gen/ matches the pattern `gen/` in .gitignore:3",
        ),
        (
            "a/app.py",
            {"a/.gitignore": "*.py\n"},
            {},
            "the file matches the pattern `*.py` in a/.gitignore:1",
        ),
        (
            "a/app.py",
            {},
            {"extend_exclude": ("a/*.py",)},
            "the file matches the pattern `a/*.py` in the setting exclude (",
        ),
    ],
)
def test_what_leaves_a_file_out_is_named(explain, path, more, options, message):
    (why,) = explain("old(1)\n", 1, path=path, more=more, **options).whys
    assert why.code == "excluded"
    assert why.message.startswith(message)


@pytest.mark.parametrize(
    ("forced", "cure"), [(False, "Name the file itself"), (True, "Change the pattern. force-e")]
)
def test_naming_an_excluded_file_is_advised_only_where_it_helps(explain, forced, cure):
    (why,) = explain("old(1)\n", 1, extend_exclude=("app.py",), force_exclude=forced).whys
    assert why.help.startswith(cure)


def test_a_blank_line_below_a_comment_that_is_advised_about_is_blank(explain):
    text = "def f():\n    # awaken: ignore[renaming]\n\n    return 1\n"
    assert [site.finding.level for site in explain(text, 2).sites] == ["advice"]
    assert codes(explain(text, 3)) == ["blank"]


def test_a_file_that_an_inner_gitignore_keeps_is_explained(explain):
    more = {".gitignore": "*.py\n", "a/.gitignore": "!app.py\n", ".git/HEAD": ""}
    assert explain("old(1)\n", 1, path="a/app.py", more=more).sites


@pytest.mark.parametrize("above", ["", "../"])
def test_a_gitignore_counts_only_where_it_shall(explain, above):
    more = {f"{above}.gitignore": "*.py\n", f"{above}.git/HEAD": ""}
    assert codes(explain("old(1)\n", 1, more=more)) == ["excluded"]
    assert explain("old(1)\n", 1, more=more, respect_gitignore=False).sites


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("app.pyi", "a stub"),
        ("app.ipynb", "a notebook"),
        ("app.txt", "it is not a Python file"),
        ("script", "it is not a Python file"),
    ],
)
def test_a_file_that_is_not_python(explain, path, what):
    (why,) = explain("old(1)\n", 1, path=path).whys
    assert why.code == "not-python"
    assert why.message.startswith(what)


# ------------------------------------------------------------------------- no such place
@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a\n", 2, None, "app.py has no line 2: it ends with line 1"),
        ("a\n\n", 3, None, "app.py has no line 3: it ends with line 2"),
        ("a", 2, None, "app.py has no line 2: it ends with line 1"),
        ("", 1, None, "app.py has no line 1: it is empty"),
        ("ab\n", 1, 4, "app.py:1 has no column 4: the line has 2 characters"),
        ("old(1)\n", 1, 9, "app.py:1 has no column 9: the line has 6 characters"),
        ("def f(:\n", 5, None, "app.py has no line 5: it ends with line 1"),
    ],
)
def test_a_place_that_the_file_does_not_have(explain, text, line, column, message):
    with pytest.raises(UserError) as caught:
        explain(text, line, column)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("usres.py", "there is no file usres.py; did you mean 'users.py'?"),
        ("quite/other.py", "there is no file quite/other.py"),
        ("folder", "folder is a directory; name one of its files, as in folder/app.py:12"),
    ],
)
def test_a_file_that_is_none(tmp_path, monkeypatch, name, message):
    (tmp_path / "users.py").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        api.explain(Path(name), 1)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("path", "expected"), [("gen/app.py", None), ("gen/b/other.py", "excluded")]
)
def test_a_file_that_git_tracks_is_not_left_out_by_a_gitignore(explain, tmp_path, path, expected):
    top = tmp_path / "program"
    git = Repository(top)
    git.write(".gitignore", "gen/\n")
    git.write("gen/app.py", "")
    git("add", "--force", "gen/app.py")

    found = explain("old(1)\n", 1, path=path)

    assert ("excluded" if "excluded" in codes(found) else None, not found.sites) == (
        expected,
        expected is not None,
    )
