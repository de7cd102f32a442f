"""A program ``glab`` that answers as GitLab does, from the directory of ``fake_gh``."""

import time
from urllib.parse import parse_qs, unquote

from fake_gh import PLACE, answer, commit_of, keep, main


def serve(method, path, document, state, faults):
    path, _, query = path.partition("?")
    _, project, *rest = path.split("/")
    slug = unquote(project)
    remote = PLACE / "remotes" / slug
    if "/" in project or not remote.exists():
        answer(404, {"message": "404 Project Not Found"})
    match (method, rest):
        case ("GET", []):
            level = 20 if slug in faults.get("no_push", []) else 40
            access = {"project_access": None, "group_access": {"access_level": level}}
            archived = slug in faults.get("archived", [])
            answer(200, {"default_branch": "main", "archived": archived, "permissions": access})
        case ("GET", ["merge_requests"]):
            (branch,) = parse_qs(query)["source_branch"]
            rows = [
                row
                for row in state["requests"]
                if (row["slug"], row["source_branch"]) == (slug, branch)
            ]
            answer(200, rows[::-1])
        case ("POST", ["merge_requests"]):
            create(slug, remote, document, state, faults)
        case (_, ["merge_requests", number, *notes]):
            numbered = {row["iid"]: row for row in state["requests"] if row["slug"] == slug}
            row = numbered[int(number)]
            if notes:
                row["notes"].append(document["body"])
            elif method == "PUT":
                closed = {"state": "closed"} if document.pop("state_event", "") == "close" else {}
                row |= document | closed
            answer(200, row)


def create(slug, remote, document, state, faults):
    now = time.time()
    recent = [at for at in state["creates"] if at > now - faults.get("window", 1.0)]
    if len(recent) >= faults.get("per_window", 10**9):
        answer(429, {"message": "429 Too Many Requests"}, {"Retry-After": "1"})
    commit = commit_of(remote, document["source_branch"])
    if not commit:
        answer(400, {"message": ["The source branch does not exist"]})
    alike = [row for row in state["requests"] if row["slug"] == slug and row["state"] == "opened"]
    if any(row["source_branch"] == document["source_branch"] for row in alike):
        answer(409, {"message": ["Another open merge request already exists"]})
    number = sum(row["slug"] == slug for row in state["requests"]) + 1
    known = {
        "slug": slug,
        "iid": number,
        "state": "opened",
        "web_url": f"https://gitlab.com/{slug}/-/merge_requests/{number}",
        "sha": commit,
        "notes": [],
    }
    keep(document | known, [*recent, now], state, faults)


if __name__ == "__main__":
    main(serve)
