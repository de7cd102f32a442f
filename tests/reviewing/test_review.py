"""A review holds what GitHub accepts: one comment that it does not would lose the others."""

from __future__ import annotations

import ast
import json

import pytest
from pull_request import LEGACY, MOST, PullRequest, refusals, suggested
from shapes import SHAPES, A

from awaken.cli import main


@pytest.mark.parametrize("shape", SHAPES)
def test_github_accepts_the_review_and_each_suggestion_is_the_rewrite(tmp_path, shape):
    base, head, count = SHAPES[shape]
    pull = PullRequest(tmp_path / "program", base, head)
    review = pull.review()

    assert refusals(review, pull.shown_lines()) == []
    assert len(review["comments"]) == count
    assert review["event"] == "COMMENT"
    assert review["body"].startswith("<!-- awaken-review -->\nawaken ")

    pull.accept(review)
    for comment in review["comments"]:
        text = (pull.repository.path / comment["path"]).read_bytes()
        ast.parse(text)
    if count == 20:
        assert "5 more changes would fit" in review["body"]


def test_what_is_accepted_is_what_apply_writes(tmp_path):
    pull = PullRequest(tmp_path / "program", {}, {"a.py": A + "\n\nx = 1\n"})
    applied = PullRequest(tmp_path / "applied", {}, {"a.py": A + "\n\nx = 1\n"})

    pull.accept(pull.review())
    main(["apply", "-q", "--select", "running-loop", str(applied.repository.path)])

    texts = [one.repository.path / "a.py" for one in (pull, applied)]
    assert texts[0].read_bytes() == texts[1].read_bytes() != (A + "\n\nx = 1\n").encode()


def test_a_change_over_several_places_is_named_with_its_files(tmp_path):
    base, head, _ = SHAPES["an import far from the query"]
    review = PullRequest(tmp_path / "program", base, head).review()

    assert review["comments"] == []
    assert "1 change can't be a suggestion:\n\n- `query(...).all()` becomes" in review["body"]
    assert review["body"].endswith(": `a.py`")


@pytest.mark.slow
def test_thousands_of_changes_are_cut_and_counted(tmp_path):
    name = "long" * 40
    text = "import asyncio\n" + "".join(
        f"\n\nasync def f{number}():\n    # \u202e\n    return (\n        asyncio.get_event_loop()"
        f"  # \u202e\n    )\n"
        for number in range(450)
    )
    review = PullRequest(tmp_path / "program", {}, {f"{name}.py": text}).review()

    assert review["comments"] == []
    assert len(review["body"].encode()) < MOST
    assert review["body"].splitlines()[-1].startswith("- … and ")


def test_a_review_needs_the_base_of_the_pull_request(tmp_path, capsys):
    pull = PullRequest(tmp_path / "program", {}, {"a.py": A})

    code = main(["diff", "--output-format", "github-review", str(pull.repository.path)])

    assert code == 2
    assert capsys.readouterr() == (
        "",
        (
            "error: github-review suggests changes in the lines of a pull request; name its base, "
            "for example --since origin/main\n"
        ),
    )


def test_after_apply_nothing_is_left_to_suggest(tmp_path):
    pull = PullRequest(tmp_path / "program", {}, {"a.py": A})

    review = json.loads(pull.form("github-review", "--allow-dirty", command="apply"))

    assert review["comments"] == []
    assert "nothing to suggest" in review["body"]


def test_a_fence_is_longer_than_the_backticks_within(tmp_path):
    text = LEGACY.format("a").replace("loop()", "loop()  # `````")
    (comment,) = PullRequest(tmp_path / "program", {}, {"a.py": text}).review()["comments"]

    assert "``````suggestion\n" in comment["body"]
    assert suggested(comment) == "    return asyncio.get_running_loop()  # `````"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_comment_that_fits(tmp_path, shape):
    base, head, _ = SHAPES[shape]
    comment = PullRequest(tmp_path / "program", base, head).form("github-comment")

    assert comment.startswith("<!-- awaken -->\n")
    assert len(comment) < MOST
