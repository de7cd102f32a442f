"""Sends the requests of an OpenAPI document to an application, as a run of tests that awaken reads.

It runs in the environment of the tests, on Python 3.8 and later, and imports nothing of awaken but
the plugin next to it. Called with the place of an application, it starts itself again as the
process that answers: a request that never ends, or ends the process, costs the others nothing.
"""

import asyncio
import base64
import ctypes
import importlib
import json
import os
import socket
import subprocess
import sys
import time
import types

PLACE = os.environ["AWAKEN_REQUESTS_PLACE"]
PHASE = os.environ["AWAKEN_REQUESTS_PHASE"]  # first, second (of the original too), later
SECONDS = float(os.environ.get("AWAKEN_REQUESTS_SECONDS", "15"))
START_SECONDS = 120.0
MOST_BYTES = 1 << 20
MOST_OF_ERROR = 240  # characters
MOST_ENDED = 8  # processes that a request ended; with more something else is wrong
UNCOMPARED = {"date", "server"}


def path_of(name):
    return os.path.join(PLACE, name)


def loaded(name):
    if not os.path.exists(path_of(name)):
        return None
    with open(path_of(name), encoding="utf-8") as file:
        return json.load(file)


def stored(name, document):
    with open(path_of(name) + ".new", "w", encoding="utf-8") as file:
        json.dump(document, file, default=str)
    os.replace(path_of(name) + ".new", path_of(name))


# ------------------------------------------------------------------------------------ supervising
def supervise(words):
    """Start the process that answers, and again behind each request that ends it."""
    first = 0
    for _ in range(MOST_ENDED):
        stored("progress.json", {"at": None, "since": time.time()})
        process = subprocess.Popen([sys.executable, __file__, *words[1:], "--answer", str(first)])
        ended = _watched(process)
        progress = loaded("progress.json")
        if progress.get("done") or progress["at"] is None:
            return process.returncode if ended else 3
        plan = loaded("plan.json")["requests"]
        document = {"frames": [], "statements": [], "count": 0, "lines": [], "seconds": SECONDS}
        why = "it ended the process" if ended else "no answer within %g s" % SECONDS
        document.update(test=plan[progress["at"]]["name"], outcome="failed", error=why, ended=True)
        with open(os.environ["AWAKEN_OBSERVE_RECORD"] + ".%d" % os.getpid(), "a") as file:
            file.write(json.dumps(document) + "\n")
        first = progress["at"] + 1
    return 0


def _watched(process):
    """Wait for the process; end it where a request takes too long, and return whether it ended."""
    parent = os.getppid()
    while process.poll() is None:
        time.sleep(0.05)
        if os.getppid() != parent:  # nobody waits for the answers
            process.kill()
            sys.exit(3)
        progress = loaded("progress.json") or {"at": None, "since": time.time()}
        limit = START_SECONDS if progress["at"] is None else SECONDS
        if not progress.get("done") and time.time() - progress["since"] > limit:
            process.kill()
            process.wait()
            return False
        if progress.get("done") and time.time() - progress["since"] > SECONDS:
            process.kill()  # all is said; a thread of the program goes on
    return True


# -------------------------------------------------------------------------------------- isolation
def close_network():
    """Let nothing connect: a request may send mail or pay."""

    def refuse(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            raise ConnectionRefusedError("awaken lets no request reach the network")
        return plain_connect(self, address)

    plain_connect = socket.socket.connect
    socket.socket.connect = refuse
    socket.socket.connect_ex = lambda self, address: refuse(self, address) or 0
    if sys.platform == "linux":
        user, group = os.getuid(), os.getgid()
        # A network of its own has no way out for drivers in C either, where the system allows it.
        try:
            if ctypes.CDLL(None).unshare(0x10000000 | 0x40000000) == 0:
                for name, words in (
                    ("setgroups", "deny"),
                    ("uid_map", "%d %d 1" % (user, user)),
                    ("gid_map", "%d %d 1" % (group, group)),
                ):
                    with open("/proc/self/" + name, "w") as file:
                        file.write(words)
        except (OSError, AttributeError):
            pass


def observer():
    """Return the plugin of pytest, which sees statements and lines, without pytest."""
    stub = types.ModuleType("pytest")
    stub.hookimpl = lambda *_words, **_names: lambda function: function
    # A program may ask whether pytest is there, and it is not.
    known = sys.modules.get("pytest")
    sys.modules["pytest"] = stub
    try:
        import awaken_observer
    finally:
        del sys.modules["pytest"]
        if known is not None:
            sys.modules["pytest"] = known
    return awaken_observer


# -------------------------------------------------------------------------------------- answering
class Transport:
    """Calls an application as ASGI says."""

    def __init__(self, app):
        self.app = app

    async def start(self):
        """Run the lifespan until it has started; return what it fails by."""
        self.inbox, started = asyncio.Queue(), asyncio.get_running_loop().create_future()
        self.state = {}

        async def send(message):
            if not started.done():
                failed = message["type"].endswith("startup.failed")
                started.set_result(message.get("message", "it failed") if failed else None)

        async def run():
            scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self.state}
            try:
                await self.app(scope, self.inbox.get, send)
            except BaseException as error:
                if not started.done():
                    started.set_result("%s: %s" % (type(error).__name__, error))
                self.error = error
            if not started.done():
                started.set_result(None)

        self.error = None
        self.task = asyncio.ensure_future(run())
        await self.inbox.put({"type": "lifespan.startup"})
        return await started

    async def stop(self):
        await self.inbox.put({"type": "lifespan.shutdown"})
        await asyncio.wait([self.task], timeout=5)

    def _scope(self, request):
        path, _, query = request["target"].partition("?")
        headers = {"host": "testserver", "accept": "*/*", "user-agent": "awaken"}
        headers.update(request["headers"], **{"content-length": str(len(request["body"].encode()))})
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request["method"],
            "scheme": "http",
            "path": _unquoted(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (name.encode(), text.encode("latin-1", "replace")) for name, text in headers.items()
            ],
            "client": ("testclient", 50000),
            "server": ("testserver", 80),
            "state": dict(self.state),
        }

    async def ask(self, request):
        """Send a request; return its answer and the exception that left the application."""
        scope = self._scope(request)
        messages = [{"type": "http.request", "body": request["body"].encode()}]
        answer = {"status": None, "headers": [], "body": b""}
        sent = asyncio.Event()

        async def receive():
            if messages:
                return messages.pop()
            await sent.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                answer["headers"] = [
                    (k.decode("latin-1").lower(), v.decode("latin-1"))
                    for k, v in message.get("headers", ())
                ]
            elif message["type"] == "http.response.body":
                if len(answer["body"]) < MOST_BYTES:
                    answer["body"] += message.get("body", b"")
                if not message.get("more_body"):
                    sent.set()

        try:
            await self.app(scope, receive, send)
        except Exception as error:
            return answer, error
        return answer, None


def _unquoted(path):
    from urllib.parse import unquote

    return unquote(path)


# -------------------------------------------------------------------------------------- comparing
def readable(answer):
    """Return an answer as JSON can hold it."""
    body = answer["body"]
    try:
        content = {"json": json.loads(body)}
    except ValueError:
        content = {"bytes": base64.b64encode(body).decode()}
    headers = {}
    for name, text in answer["headers"]:
        if name not in UNCOMPARED:
            headers.setdefault(name, []).append(text)
    return {"status": answer["status"], "headers": headers, "content": content}


def differences(one, other, at="$"):
    """Return the places in two JSON documents that differ, each with what is said of it."""
    if type(one) is not type(other) or not isinstance(one, (dict, list)):
        return (
            []
            if one == other and type(one) is type(other)
            else [(at, "%s, not %s" % (_short(other), _short(one)))]
        )
    if isinstance(one, list):
        found = (
            [] if len(one) == len(other) else [(at, "%d items, not %d" % (len(other), len(one)))]
        )
        for first, second in zip(one, other):
            found += differences(first, second, at + "[*]")
        return found
    found = [(at + "." + name, "is missing") for name in one if name not in other]
    found += [(at + "." + name, "is new") for name in other if name not in one]
    for name in one:
        if name in other:
            found += differences(one[name], other[name], at + "." + name)
    return found


def _short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def compared(before, after):
    """Return what differs between two answers, by place."""
    found = [("status", "")] if before["status"] != after["status"] else []
    body = differences(before["content"], after["content"])
    # The length of a body follows from the body.
    names = sorted(
        {*before["headers"], *after["headers"]} - ({"content-length"} if body else set())
    )
    for name in names:
        if before["headers"].get(name) != after["headers"].get(name):
            found.append(("header " + name, ""))
    return found + [
        ("body " + at.replace("$.json", "$").replace("$.bytes", "$"), what) for at, what in body
    ]


class Answers:
    """The answers of the original, and which places of them vary by themselves."""

    def __init__(self):
        self.first = dict(appended("answers.jsonl"))
        self.varying = dict(appended("varying.jsonl"))

    def of(self, name, answer):
        """Return the words that tell an answer from that of the original; empty where none do."""
        own = readable(answer)
        if PHASE == "first":
            append("answers.jsonl", [name, own])
            return ""
        if name not in self.first:
            return ""
        found = compared(self.first[name], own)
        if PHASE == "second":
            append("varying.jsonl", [name, sorted({at for at, _ in found})])
            return ""
        left_out = set(self.varying.get(name, ()))
        found = [
            (at, what) for at, what in found if not _is_within(at, left_out) and at != "status"
        ]
        return "; ".join(("%s %s" % one).strip() for one in found[:2])

    def varies(self, name):
        return "status" in self.varying.get(name, ())


def appended(name):
    if not os.path.exists(path_of(name)):
        return []
    with open(path_of(name), encoding="utf-8") as file:
        return [json.loads(row) for row in file]


def append(name, document):
    with open(path_of(name), "a", encoding="utf-8") as file:
        file.write(json.dumps(document, default=str) + "\n")


def _is_within(at, places):
    return any(at == one or at.startswith((one + ".", one + "[")) for one in places)


# ---------------------------------------------------------------------------------------- running
class Answering:
    """One process that answers requests."""

    def __init__(self, application, first):
        self.seen = observer()
        from awaken_rows import Databases

        self.databases = Databases(PLACE)
        self.first = first
        self.notes = {}
        self.has_sql = True
        try:
            self.databases.listen()
        except ImportError:
            self.has_sql = False
        module, _, name = application.partition(":")
        self.app = getattr(importlib.import_module(module), name.rstrip("()"))
        if name.endswith("()"):
            self.app = self.app()
        self.answers = Answers()

    async def run(self):
        transport = Transport(self.app)
        failed = await self._started(transport)
        start = loaded("start.json") or {}
        if PHASE == "first" and self.first == 0:
            # Tests often run without a lifespan as well; what needs it answers alike on both sides.
            start["failed"] = failed and failed.strip().splitlines()[-1]
            stored("start.json", start)
        elif failed and not start.get("failed"):
            raise SystemExit("the application does not start: %s" % failed.strip().splitlines()[-1])
        if not hasattr(self.app, "openapi"):
            raise SystemExit("the application has no OpenAPI document")
        plan = loaded("plan.json") or self._plan()
        only = self.seen.OBSERVER.only
        for number, request in enumerate(plan["requests"]):
            if number >= self.first and (not only or request["name"] in only):
                await self._ask(transport, number, request)
        stored("progress.json", {"done": True, "at": None, "since": time.time()})
        if PHASE == "first":
            stored("notes.json", self.notes)
        self.seen.OBSERVER.pytest_sessionfinish(None)
        await transport.stop()
        self.databases.remove()

    async def _started(self, transport):
        made = os.path.exists(self.databases.template)
        start = loaded("start.json") or {}
        if self.has_sql and not made:
            self.databases.make()
        if start.get("empty"):
            self.databases.empty_all()
            os.rename(self.databases.template, self.databases.template + ".kept")
        failed = await transport.start()
        if failed and not made and self.has_sql:
            # A program that makes its own tables, as migrations do, starts without any.
            os.unlink(self.databases.template)
            self.databases.empty_all()
            failed = await transport.start()
            if not failed:
                stored("start.json", {"empty": True})
            self.databases.make(next(iter(self.databases.files.values()), None))
        elif start.get("empty"):
            os.rename(self.databases.template + ".kept", self.databases.template)
        return failed

    def _plan(self):
        from awaken_asking import Asked

        asked = Asked(json.loads(json.dumps(self.app.openapi())), self.databases.keys)
        requests = asked.requests()
        if getattr(self.app, "openapi_url", None):
            name = "GET %s" % self.app.openapi_url
            own = {
                "method": "GET",
                "target": self.app.openapi_url,
                "headers": {},
                "body": "",
                "name": name,
            }
            requests.append(own)
        self.notes = {"without": asked.without, "empty": sorted(self.databases.empty)}
        self.notes["failed"] = (loaded("start.json") or {}).get("failed")
        plan = {"requests": requests}
        stored("plan.json", plan)
        return plan

    async def _ask(self, transport, number, request):
        stored("progress.json", {"at": number, "since": time.time()})
        own = self.databases.reset() if self.has_sql else True
        servers = set(self.databases.servers)
        # Code that ran on import and in the lifespan belongs to no request.
        outside, test = self.seen.OBSERVER.test, self.seen.Test(request["name"])
        self.seen.OBSERVER.test = test
        self.seen.OBSERVER.listen()
        answer, error = await transport.ask(request)
        # Tasks of the request may go on after the answer.
        await asyncio.sleep(0)
        self.seen.OBSERVER.test = outside
        words = self.answers.of(request["name"], answer)
        if self.databases.servers:
            self.notes["servers"] = sorted(self.databases.servers)
        if self.databases.servers != servers or not own:
            outcome, words = "skipped", ""
        elif self.answers.varies(request["name"]):
            outcome, words = "varies by itself", ""
        elif error is not None:
            outcome, words = "failed", type(error).__name__
            test.frames = self.seen.frames_of(error)
        else:
            outcome = "answered %s" % answer["status"]
        test.outcome, test.error = outcome, words
        self.seen.OBSERVER.write(**test.document())


def main(words):
    application = words[1]
    os.chdir(os.environ["AWAKEN_REQUESTS_HOME"])
    sys.path[:0] = json.loads(os.environ["AWAKEN_REQUESTS_ROOTS"])
    if "--answer" not in words:
        return supervise(words)
    close_network()
    try:
        answering = Answering(application, int(words[-1]))
        asyncio.run(answering.run())
    except SystemExit as error:
        print("awaken: %s" % error, file=sys.stderr)
        return 3
    except BaseException as error:
        # Missing settings take several lines, the first of which names none of them.
        why = " ".join(str(error).split())[:MOST_OF_ERROR]
        said = (application, type(error).__name__, why)
        print("awaken: %s cannot be imported: %s: %s" % said, file=sys.stderr)
        return 3
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    # Threads of the program, and connections that nobody closes, must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
