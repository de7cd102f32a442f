"""A fake of GitHub's API on this machine, which refuses what the real one refuses."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pull_request import MOST, refusals

BOT = "github-actions[bot]"


class FakeGitHub:
    """The comments and reviews of one pull request.

    ``trouble`` are answers that come first, each once: a status with headers. ``before`` runs in
    front of each request, for what other people do meanwhile.
    """

    def __init__(self, head="a" * 40, number=7):
        self.head, self.number = head, number
        self.comments, self.reviews, self.remarks = [], [], []
        self.shown_lines = {}
        self.trouble, self.requests = [], []
        self.before = lambda _method, _path: None
        self.can_write = True
        self._ids = iter(range(1, 10_000))
        self._lock = threading.RLock()

    def comment(self, body, login=BOT):
        made = {"id": next(self._ids), "body": body, "user": {"login": login}}
        self.comments.append(made)
        return made

    def own(self):
        """Return the bodies of awaken's comments."""
        return [
            one["body"]
            for one in self.comments
            if one["user"]["login"] == BOT and one["body"].startswith("<!-- awaken -->")
        ]

    def answer(self, method, path, body):
        """Return the status, the headers and the data of one answer."""
        self.before(method, path)
        with self._lock:
            self.requests.append((method, path))
            if self.trouble:
                status, headers = self.trouble.pop(0)
                return status, headers, {"message": "no"}
            if method != "GET" and not self.can_write:
                return 403, {}, {"message": "Resource not accessible by integration"}
            return self._answer(method, path.partition("?")[0], path, body)

    def _answer(self, method, path, whole, body):
        rest = path.removeprefix("/repos/me/shop/")
        listed = {
            f"issues/{self.number}/comments": self.comments,
            f"pulls/{self.number}/reviews": self.reviews,
            f"pulls/{self.number}/comments": self.remarks,
        }
        if method == "GET" and rest == f"pulls/{self.number}":
            return 200, {}, {"number": self.number, "head": {"sha": self.head}}
        if method == "GET" and rest in listed:
            page = int(re.search(r"page=(\d+)$", whole)[1])
            return 200, {}, listed[rest][100 * (page - 1) : 100 * page]
        if method == "POST" and rest == f"issues/{self.number}/comments":
            if len(body["body"]) > MOST:
                return 422, {}, {"message": "body is too long"}
            return 201, {}, self.comment(body["body"])
        if method == "POST" and rest == f"pulls/{self.number}/reviews":
            return self._review(body)
        match = re.fullmatch(r"(issues|pulls)/comments/(\d+)", rest)
        if match is None:
            return 404, {}, {}
        items = self.comments if match[1] == "issues" else self.remarks
        item = next((one for one in items if one["id"] == int(match[2])), None)
        if item is None:
            return 404, {}, {}
        if method == "DELETE":
            items.remove(item)
            return 204, {}, None
        if len(body["body"]) > MOST:
            return 422, {}, {"message": "body is too long"}
        item["body"] = body["body"]
        return 200, {}, item

    def _review(self, body):
        said = refusals(body, self.shown_lines)
        if body["commit_id"] != self.head:
            said.append("the commit is not the head")
        if said:
            return 422, {}, {"message": said}
        made = {"id": next(self._ids), "body": body["body"], "user": {"login": BOT}}
        self.reviews.append(made)
        for comment in body["comments"]:
            remark = {"id": next(self._ids), "user": {"login": BOT}, **comment}
            self.remarks.append({**remark, "pull_request_review_id": made["id"]})
        return 200, {}, made


@contextmanager
def serving(github):
    """Serve ``github`` on the loopback; give its address."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, headers, data = github.answer(self.command, self.path, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            text = b"" if data is None else json.dumps(data).encode()
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  the names of http.server

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
