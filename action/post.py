"""Keep one comment, and the newest suggestions, of awaken on a pull request.

    python post.py DIRECTORY [--from-fork]

Reads ``comment.md``, ``awaken.json``, ``review.json`` and ``pull.json``, as ``run.sh`` leaves them.
With ``--from-fork`` the folder is an artifact that anybody may have written: it is checked before
anything of it is posted. Needs Python 3.8 and nothing else. Whatever GitHub answers, it says what
happened and exits with 0, for a report must not fail a job. Exit 2: the call is wrong.
"""

import hashlib
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

MARK = "<!-- awaken -->"
REVIEW_MARK = "<!-- awaken-review -->"
LIMIT = 65_536  # characters of a comment
READ = 1_000_000  # bytes of a file of an artifact
PAGES = 30
TRIES = 4
PATIENCE = float(os.environ.get("AWAKEN_PATIENCE", "60"))  # seconds to wait for a rate limit in all
# What awaken writes outside of its fences: it escapes everything else.
FORBIDDEN = re.compile(r"@\w|://|!\[|\]\(|<(?!/?(?:details|summary|code)>|!-- -->|!-- awaken -->)")
FENCE = re.compile(r"(~{3,})diff")


class Refused(Exception):
    """GitHub, or the artifact, does not allow it; the text says why."""


class Api:
    """The REST API of the repository that the job runs for."""

    def __init__(self):
        host = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
        self._base = f"{host}/repos/{os.environ['GITHUB_REPOSITORY']}"
        self._waited = 0.0

    def __call__(self, method, path, body=None):
        """Return the answer as data; None for 404 and for an answer without a body."""
        for attempt in range(TRIES):
            try:
                with urllib.request.urlopen(
                    self._request(method, path, body), timeout=30
                ) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code in {404, 410}:
                    return None
                pause = _pause(error, attempt)
                if pause is None:
                    raise Refused(f"GitHub answered {error.code} {error.reason}") from error
            except (urllib.error.URLError, TimeoutError, ValueError) as error:
                # What was sent may have been done: the caller looks again before it repeats.
                if method == "POST":
                    raise Refused(f"no answer from GitHub: {error}") from error
                pause = 2.0**attempt
            if self._waited + pause > PATIENCE:
                break
            self._waited += pause
            time.sleep(pause)
        raise Refused("GitHub asks to wait for longer than this job does")

    def all(self, path):
        """Return the items of all pages."""
        items = []
        for page in range(1, PAGES + 1):
            more = self("GET", f"{path}?per_page=100&page={page}") or []
            items += more
            if len(more) < 100:
                break
        return items

    def _request(self, method, path, body):
        return urllib.request.Request(
            f"{self._base}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {os.environ.get('AWAKEN_TOKEN', '')}",
                "Accept": "application/vnd.github+json",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "awaken",
            },
        )


def _pause(error, attempt):
    """Return how many seconds to wait before the next try; None where none would help."""
    if error.headers.get("Retry-After", "").isdigit():
        return float(error.headers["Retry-After"])
    if error.code in {403, 429} and error.headers.get("X-RateLimit-Remaining") == "0":
        return max(float(error.headers.get("X-RateLimit-Reset", "0")) - time.time(), 1.0)
    if error.code == 429 or error.code >= 500:
        return 2.0**attempt
    return None


def keep_comment(api, number, text):
    """Leave exactly one comment of awaken with ``text``; none where ``text`` is None."""
    mine = _comments(api, number)
    if text is None:
        for comment in mine:
            api("DELETE", f"issues/comments/{comment['id']}")
        return "removed the comment" if mine else "nothing to say"
    if mine and mine[0]["body"] == text:
        said = "the comment is up to date"
    # Somebody may delete the comment between the two requests: then there is no answer.
    elif mine and api("PATCH", f"issues/comments/{mine[0]['id']}", {"body": text}) is not None:
        said = "updated the comment"
    else:
        api("POST", f"issues/{number}/comments", {"body": text})
        # Two jobs at once may both have posted: both keep the older comment.
        mine = _comments(api, number)
        if len(mine) > 1:
            api("PATCH", f"issues/comments/{mine[0]['id']}", {"body": text})
        said = "posted a comment"
    for comment in mine[1:]:
        api("DELETE", f"issues/comments/{comment['id']}")
    return said


def _comments(api, number):
    """Return the comments of awaken on the pull request, the oldest first."""
    return sorted(
        (one for one in api.all(f"issues/{number}/comments") if _is_own(one, MARK)),
        key=lambda comment: comment["id"],
    )


def _is_own(item, mark):
    author = os.environ.get("AWAKEN_AUTHOR", "github-actions[bot]")
    return (item.get("user") or {}).get("login") == author and item["body"].startswith(mark)


def keep_review(api, number, head, review):
    """Replace the suggestions of earlier reviews by those of ``review``, unless they are equal."""
    digest = hashlib.sha256(json.dumps(review, sort_keys=True).encode()).hexdigest()[:16]
    body = review["body"].replace(REVIEW_MARK, f"{REVIEW_MARK}<!-- {digest} -->", 1)
    earlier = [one for one in api.all(f"pulls/{number}/reviews") if _is_own(one, REVIEW_MARK)]
    if earlier and digest in earlier[-1]["body"].partition("\n")[0]:
        return "the suggestions are up to date"
    reviews = {one["id"] for one in earlier}
    comments = api.all(f"pulls/{number}/comments")
    answered = {one.get("in_reply_to_id") for one in comments}
    for comment in comments:
        # A suggestion that somebody answered is a talk of people.
        if comment.get("pull_request_review_id") in reviews and comment["id"] not in answered:
            api("DELETE", f"pulls/comments/{comment['id']}")
    if not review["comments"]:
        return "no suggestion fits"
    # A new review says where it belongs, or a push in between would move its lines.
    api("POST", f"pulls/{number}/reviews", {**review, "body": body, "commit_id": head})
    return f"suggested {len(review['comments'])} changes"


def checked(directory, number, report=""):
    """Return the comment of an artifact. Raises Refused for what awaken would not write.

    The only address in it may be ``report``, that of the run which the artifact is from.
    """
    pull = json.loads(_read(directory / "pull.json"))
    if not isinstance(pull, dict) or pull.get("number") != number:
        raise Refused("the artifact names another pull request than the run")
    summary = json.loads(_read(directory / "awaken.json")).get("summary")
    if not isinstance(summary, dict) or not isinstance(summary.get("sites"), int):
        raise Refused("the artifact has no summary of awaken")
    text = _read(directory / "comment.md")
    fence, before = None, ""
    link = f"[The report]({report}) has every change." if report else None
    for line in text.split("\n"):
        opening = FENCE.fullmatch(line)
        if fence is not None:
            if re.fullmatch("~+", line) and len(line) >= len(fence):
                fence = None
        elif opening and not before:
            fence = opening[1]
        elif line == link:
            pass
        elif opening or line.startswith(("~~~", "```", "    ", "\t")) or FORBIDDEN.search(line):
            raise Refused("the comment of the artifact has text that awaken does not write")
        before = line
    if not text.startswith(MARK) or fence is not None:
        raise Refused("the comment of the artifact has text that awaken does not write")
    return text


def _read(path):
    if path.is_symlink() or not path.is_file() or path.stat().st_size > READ:
        raise Refused(f"{path.name} of the artifact is missing, or too large")
    return path.read_bytes().decode()


def main(words):
    """Post what ``words`` name; return the exit code."""
    is_from_fork = "--from-fork" in words
    names = [word for word in words if word != "--from-fork"]
    if len(names) != 1 or not os.environ.get("AWAKEN_NUMBER", "").isdigit():
        print("usage: post.py DIRECTORY [--from-fork], with AWAKEN_NUMBER set", file=sys.stderr)
        return 2
    directory, number = Path(names[0]), int(os.environ["AWAKEN_NUMBER"])
    head = os.environ.get("AWAKEN_HEAD", "")
    try:
        report = os.environ.get("AWAKEN_REPORT_URL", "")
        text = (
            checked(directory, number, report) if is_from_fork else _read(directory / "comment.md")
        )
        if len(text) > LIMIT:
            raise Refused("the comment is longer than GitHub takes")
        data = json.loads((directory / "awaken.json").read_bytes())
        api = Api()
        pull = api("GET", f"pulls/{number}")
        if pull is None:
            raise Refused(f"there is no pull request {number}, or the token can't read it")
        if head and pull["head"]["sha"] != head:
            _say("a newer push is there, and its own run posts")
            return 0
        if os.environ.get("AWAKEN_COMMENT", "true") == "true":
            has_sites = bool(data["summary"]["sites"]) or bool(data.get("diagnostics"))
            _say(keep_comment(api, number, text if has_sites else None))
        review = directory / "review.json"
        if review.is_file() and not is_from_fork:
            _say(keep_review(api, number, head, json.loads(review.read_bytes())))
    except Refused as error:
        _say(f"nothing posted: {error}. The summary of the job has the report")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _say(f"nothing posted: unreadable data ({type(error).__name__})")
    return 0


def _say(sentence):
    print(f"awaken: {sentence}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
