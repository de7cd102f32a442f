"""A program ``gh`` that answers as GitHub does, from a directory, with its limits of rates.

FAKE_GITHUB names the directory: ``remotes/OWNER/NAME`` are bare repositories, ``state.json`` holds
pull requests, and ``faults.json`` what goes wrong: a repository that is archived or where nobody
may push, an answer 502 after a pull request was made, a token that ends after so many.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

PLACE = Path(os.environ["FAKE_GITHUB"])


def main(serve):
    """Answer the request of the command line by ``serve``, one at a time."""
    words = sys.argv[1:]
    assert words[0] == "api", words
    method = words[words.index("--method") + 1]
    document = json.loads(sys.stdin.read() or "null") if "--input" in words else None
    if not os.environ.get("GH_TOKEN"):
        answer(401, {"message": "Bad credentials"})
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = PLACE / "state.json"
        state = json.loads(file.read_text()) if file.exists() else {"requests": [], "creates": []}
        faults_file = PLACE / "faults.json"
        faults = json.loads(faults_file.read_text()) if faults_file.exists() else {}
        try:
            serve(method, words[-1], document, state, faults)
        finally:
            draft = file.with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps(state))
            draft.rename(file)


def serve(method, path, document, state, faults):  # noqa: C901  a table
    path, _, query = path.partition("?")
    _, owner, name, *rest = path.split("/")
    slug = f"{owner}/{name}"
    remote = PLACE / "remotes" / owner / name
    if not remote.exists():
        answer(404, {"message": "Not Found"})
    if state.get("made", 0) >= faults.get("token_ends_after", 10**9):
        answer(401, {"message": "Bad credentials"})
    match (method, rest):
        case ("GET", []):
            said = {
                "full_name": slug,
                "default_branch": "main",
                "archived": slug in faults.get("archived", []),
                "permissions": {"push": slug not in faults.get("no_push", [])},
            }
            parent = state.get("forks", {}).get(slug)
            answer(200, said | ({"fork": True, "parent": {"full_name": parent}} if parent else {}))
        case ("DELETE", []):
            subprocess.run(["rm", "-rf", str(remote)], check=True)
            answer(204, None)
        case ("POST", ["forks"]):
            fork = PLACE / "remotes" / "me" / name
            if not fork.exists():
                subprocess.run(["git", "clone", "-q", "--bare", remote, fork], check=True)
                fork.with_name(f"{name}.git").symlink_to(name)
            state.setdefault("forks", {})[f"me/{name}"] = slug
            answer(202, {"full_name": f"me/{name}"})
        case ("GET", ["pulls"]):
            head = re.search(r"head=([^&]*)", query)[1].replace("%3A", ":").replace("%2F", "/")
            rows = [r for r in state["requests"] if r["slug"] == slug and r["label"] == head]
            answer(200, rows[::-1])
        case ("POST", ["pulls"]):
            create(slug, owner, document, state, faults)
        case (_, ["pulls", number]):
            row = next(
                r for r in state["requests"] if r["slug"] == slug and r["number"] == int(number)
            )
            if method == "PATCH":
                row |= document
                state["edits"] = state.get("edits", 0) + 1
            answer(200, row)
        case _:
            answer(200, {})


def create(slug, owner, document, state, faults):
    now = time.time()
    recent = [at for at in state["creates"] if at > now - faults.get("window", 1.0)]
    if len(recent) >= faults.get("per_window", 10**9):
        message = "You have exceeded a secondary rate limit. Please wait"
        answer(403, {"message": message}, {"Retry-After": "1"})
    label = document["head"] if ":" in document["head"] else f"{owner}:{document['head']}"
    owner_of_head, _, branch = label.partition(":")
    place = PLACE / "remotes" / owner_of_head / slug.partition("/")[2]
    commit = commit_of(place, branch)
    if not commit:
        answer(422, {"message": "Validation Failed", "errors": [{"message": "head is invalid"}]})
    if len(document["body"]) > 65_536:
        answer(422, {"message": "body is too long (maximum is 65536 characters)"})
    if any(
        r["slug"] == slug and r["label"] == label and r["state"] == "open"
        for r in state["requests"]
    ):
        answer(422, {"message": "A pull request already exists"})
    number = len(state["requests"]) + 1
    row = {
        "slug": slug,
        "label": label,
        "number": number,
        "html_url": f"https://github.com/{slug}/pull/{number}",
        "state": "open",
        "title": document["title"],
        "body": document["body"],
        "draft": document["draft"],
        "base": document["base"],
        "head": {"sha": commit},
    }
    keep(row, [*recent, now], state, faults)


def commit_of(remote, branch):
    """Return the commit of a branch of a bare repository, empty where there is none."""
    words = ["git", "-C", remote, "rev-parse", f"refs/heads/{branch}"]
    done = subprocess.run(words, capture_output=True, check=False)
    return "" if done.returncode else done.stdout.decode().strip()


def keep(row, creates, state, faults):
    """Keep a request and answer with it, or as a server that broke after it made it."""
    state["requests"].append(row)
    state["creates"] = creates
    state["made"] = state.get("made", 0) + 1
    slug = row["slug"]
    if slug in faults.get("bad_gateway", []) and slug not in state.setdefault("broke", []):
        state["broke"].append(slug)
        answer(502, {"message": "Server Error"})
    answer(201, row)


def answer(status, document, headers=()):
    lines = [f"HTTP/2.0 {status} X", *(f"{name}: {text}" for name, text in dict(headers).items())]
    body = "" if document is None else json.dumps(document)
    sys.stdout.write("\r\n".join(lines) + "\r\n\r\n" + body)
    if status >= 400:
        sys.stderr.write(f"gh: {document['message']} (HTTP {status})\n")
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main(serve)
