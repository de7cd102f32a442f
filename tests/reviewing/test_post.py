"""Whatever happens on GitHub, exactly one comment of awaken remains, and the job goes on."""

from __future__ import annotations

import importlib.util
import json
import threading
from pathlib import Path

import pytest
from fake_github import FakeGitHub, serving
from pull_request import LEGACY, MOST, PullRequest
from shapes import SHAPES, A

POST = Path(__file__).parents[2] / "action" / "post.py"
TEXT = "<!-- awaken -->\n## awaken: 1 place to look at\n"
REVIEW = {"event": "COMMENT", "body": "<!-- awaken-review -->\nawaken suggests.", "comments": []}


class Job:
    """One job of the action: the folder that ``run.sh`` left, and what it posts."""

    def __init__(self, directory, github, monkeypatch):
        self.directory, self.github = directory, github
        self._patch = monkeypatch
        directory.mkdir(exist_ok=True)
        self.leave(TEXT, sites=1)

    def leave(self, comment, sites, review=None):
        (self.directory / "comment.md").write_text(comment)
        summary = {"summary": {"sites": sites}, "diagnostics": []}
        (self.directory / "awaken.json").write_text(json.dumps(summary))
        (self.directory / "pull.json").write_text(json.dumps({"number": self.github.number}))
        if review is not None:
            (self.directory / "review.json").write_text(json.dumps(review))

    def post(self, *words, head=None, patience="5"):
        with serving(self.github) as address:
            variables = {
                "GITHUB_API_URL": address,
                "GITHUB_REPOSITORY": "me/shop",
                "AWAKEN_TOKEN": "secret-token",
                "AWAKEN_NUMBER": str(self.github.number),
                "AWAKEN_HEAD": head or self.github.head,
                "AWAKEN_PATIENCE": patience,
            }
            for name, value in variables.items():
                self._patch.setenv(name, value)
            spec = importlib.util.spec_from_file_location("post", POST)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.time = type("Clock", (), {"sleep": lambda _: None, "time": lambda: 0.0})
            return module.main([str(self.directory), *words])


@pytest.fixture
def job(tmp_path, monkeypatch):
    return Job(tmp_path / "awaken", FakeGitHub(), monkeypatch)


def test_the_comment_is_posted_updated_and_deleted(job):
    assert job.post() == 0
    job.leave(TEXT + "more\n", sites=2)
    assert job.post() == 0
    assert job.github.own() == [TEXT + "more\n"]
    job.leave(TEXT, sites=0)
    assert job.post() == 0
    assert job.github.comments == []


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_pushed_twice_has_one_comment_and_the_newest_suggestions(
    job, tmp_path, shape, capsys
):
    base, head, count = SHAPES[shape]
    pull = PullRequest(tmp_path / "program", base, head)
    job.github.shown_lines = pull.shown_lines()
    sites = json.loads(pull.form("json"))["summary"]["sites"]
    comment, review = pull.form("github-comment"), pull.review()
    job.leave(comment, sites, review)

    for _ in range(2):
        assert job.post() == 0

    assert job.github.own() == ([comment] if sites else [])
    assert len(job.github.remarks) == count
    assert len(job.github.reviews) == (1 if count else 0)
    assert "nothing posted" not in capsys.readouterr().out


@pytest.mark.parametrize(("known", "posted"), [("1", 1), ("2", 0), (None, 0)])
def test_a_fork_may_link_to_its_own_run_and_nowhere_else(job, monkeypatch, known, posted):
    run = "https://github.com/me/shop/actions/runs/"
    job.leave(f"{TEXT}\n[The report]({run}1) has every change.\n", sites=1)
    if known:
        monkeypatch.setenv("AWAKEN_REPORT_URL", run + known)

    assert job.post("--from-fork") == 0

    assert len(job.github.own()) == posted


def test_people_who_copy_the_mark_keep_their_comment(job):
    theirs = job.github.comment(TEXT + "mine", login="mallory")
    job.post()
    job.leave(TEXT, sites=0)
    job.post()
    assert job.github.comments == [theirs]


def test_a_comment_that_people_edited_is_awakens_again(job):
    job.post()
    job.github.comments[0]["body"] = TEXT + "edited by a person"
    job.post()
    assert job.github.own() == [TEXT]


def test_a_comment_that_is_deleted_in_between_is_posted_again(job):
    job.post()
    job.leave(TEXT + "more\n", sites=2)

    def delete(method, _path):
        if method == "PATCH":
            job.github.comments.clear()

    job.github.before = delete
    job.post()
    assert job.github.own() == [TEXT + "more\n"]


def test_two_jobs_at_once_leave_one_comment(job):
    posted, other = threading.Event(), []

    def meanwhile(method, _path):
        if method == "POST" and not posted.is_set():
            posted.set()
            other.append(job.github.comment(TEXT))

    job.github.before = meanwhile
    job.post()
    assert job.github.own() == [TEXT]
    assert job.github.comments == other


def test_a_comment_beyond_the_first_page_is_found(job):
    for number in range(150):
        job.github.comment(f"talk {number}", login="somebody")
    job.github.comment(TEXT + "old")
    job.post()
    assert job.github.own() == [TEXT]


def test_a_run_of_an_older_push_posts_nothing(job, capsys):
    job.post(head="b" * 40)
    assert job.github.comments == []
    assert "a newer push is there" in capsys.readouterr().out


@pytest.mark.parametrize(
    "trouble",
    [
        [(502, {})],
        [(500, {}), (503, {})],
        [(429, {"Retry-After": "1"})],
        [(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3"})],
    ],
    ids=["bad gateway", "two errors", "too many requests", "rate limit"],
)
def test_what_passes_is_waited_for(job, trouble):
    job.github.trouble = trouble
    assert job.post() == 0
    assert job.github.own() == [TEXT]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ([(403, {"Retry-After": "3600"})], "wait for longer"),
        ([(401, {})], "GitHub answered 401"),
        ([(404, {})], "there is no pull request 7"),
        ([(500, {})] * 9, "wait for longer"),
    ],
    ids=["a limit of an hour", "a bad token", "no pull request", "down"],
)
def test_what_does_not_pass_fails_no_job(job, capsys, trouble, said):
    job.github.trouble = trouble
    assert job.post() == 0
    out = capsys.readouterr().out
    assert said in out
    assert "The summary of the job has the report" in out
    assert "secret-token" not in out
    assert job.github.comments == []


def test_a_token_without_rights_fails_no_job(job, capsys):
    job.github.can_write = False
    assert job.post() == 0
    assert "GitHub answered 403" in capsys.readouterr().out


def test_a_comment_that_is_too_long_is_not_sent(job, capsys):
    job.leave(TEXT + "x" * MOST, sites=1)
    assert job.post() == 0
    assert job.github.requests == []
    assert "longer than GitHub takes" in capsys.readouterr().out


def test_a_suggestion_that_somebody_answered_stays(job, tmp_path):
    pull = PullRequest(tmp_path / "program", {}, {"a.py": A, "b.py": LEGACY.format("b")})
    job.github.shown_lines = pull.shown_lines()
    review = pull.review()
    job.leave(TEXT, 1, review)
    job.post()
    answered = job.github.remarks[0]
    job.github.remarks.append({"id": 999, "in_reply_to_id": answered["id"], "body": "why?"})
    job.leave(TEXT, 1, {**review, "comments": review["comments"][:1]})

    job.post()

    assert answered in job.github.remarks
    assert len(job.github.remarks) == 3  # the answered one, its answer, and the new one
    assert len(job.github.reviews) == 2


def test_one_bad_suggestion_loses_only_the_review(job, capsys):
    comment = {"path": "a.py", "line": 99, "side": "RIGHT", "body": "no"}
    job.leave(TEXT, 1, {**REVIEW, "comments": [comment]})
    assert job.post() == 0
    assert job.github.own() == [TEXT]
    assert "GitHub answered 422" in capsys.readouterr().out


@pytest.mark.parametrize("shape", SHAPES)
def test_an_artifact_that_awaken_wrote_is_posted(job, tmp_path, shape, capsys):
    base, head, _ = SHAPES[shape]
    comment = PullRequest(tmp_path / "program", base, head).form("github-comment")
    job.leave(comment, sites=1)
    assert job.post("--from-fork") == 0
    assert job.github.own() == [comment], capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "@everyone",
        "https://example.org",
        "![](x)",
        "[a](b)",
        "<img src=x>",
        "<script>alert(1)</script>",
        "<details open>",
        "<!-- other -->",
        "text\n~~~diff\n@all\n~~~",
        "\n~~~diff\nx",
        "\n~~~diff\n~~~\n@all",
        "\n~~~~diff\n~~~\n~~~~\n@all",
        "```\n@all\n```",
        "    @all",
        "\n~~~python\n@all\n~~~",
    ],
)
def test_an_artifact_with_other_text_is_refused(job, text, capsys):
    job.leave(f"{TEXT}{text}\n", sites=1)
    assert job.post("--from-fork") == 0
    assert job.github.comments == []
    assert "text that awaken does not write" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pull.json", b'{"number": 8}'),
        ("pull.json", b'{"number": "7"}'),
        ("pull.json", b"[" * 100_000),
        ("pull.json", b"7"),
        ("awaken.json", b"{}"),
        ("awaken.json", b'{"summary": {"sites": "1"}}'),
        ("awaken.json", b"not json"),
        ("comment.md", b"no mark"),
        ("comment.md", b"\xff\xfe"),
        ("comment.md", b"<!-- awaken -->" + b"x" * 2_000_000),
        ("comment.md", None),
    ],
)
def test_an_artifact_of_another_form_is_refused(job, name, content, capsys):
    (job.directory / name).unlink()
    if content is not None:
        (job.directory / name).write_bytes(content)
    assert job.post("--from-fork") == 0
    assert job.github.comments == []
    assert "nothing posted" in capsys.readouterr().out


def test_an_artifact_leads_to_no_other_file(job, tmp_path):
    (tmp_path / "secret").write_text(TEXT + "secret")
    (job.directory / "comment.md").unlink()
    (job.directory / "comment.md").symlink_to(tmp_path / "secret")
    job.post("--from-fork")
    assert job.github.comments == []


def test_an_artifact_posts_no_review(job):
    job.leave(TEXT, 1, {**REVIEW, "comments": [{"path": "a.py", "line": 1, "body": "x"}]})
    job.post("--from-fork")
    assert (len(job.github.comments), job.github.reviews) == (1, [])


def test_a_wrong_call_is_said(job, capsys):
    assert job.post("another") == 2
    assert "usage" in capsys.readouterr().err
