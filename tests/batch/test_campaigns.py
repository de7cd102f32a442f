"""Whole campaigns over a fake GitHub: run, review, approve, publish, update, close."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import time

import pytest
from campaigns import FILES, MODELS, TESTS, TOKEN, git

pytestmark = pytest.mark.slow

SEEN = """\
import json, os
from pathlib import Path
Path({place!r}).write_text(json.dumps(dict(os.environ)))
"""


def test_a_campaign_goes_from_its_list_to_its_pull_requests(world):
    world.add("org/one", FILES | {"tests/test_app.py": TESTS})
    world.add("org/two")
    world.add("org/nothing", {"app.py": "x = 1\n"})
    world.add("org/old", FILES | {"requirements.txt": "sqlalchemy>=1.3\n"})
    world.add("org/empty", {})
    world.names.append("org/gone")
    world.write(verify='command = "auto"')

    said = world.batch("run", code=1)
    assert "--failed" in said
    assert "org/old: nothing to do (1 site needs sqlalchemy>=1.4)" in said
    assert "1 x nothing to do: 1 site needs sqlalchemy>=1.4" in world.batch("status")
    assert world.states() == {
        "org/one": "verified",
        "org/two": "changed",
        "org/nothing": "nothing to do",
        "org/old": "nothing to do",
        "org/empty": "error",
        "org/gone": "error",
    }
    assert "0 approved" in world.batch("review")
    assert "Approved: 1 repository" in world.batch("approve", "org/one")
    world.batch("publish")
    (request,) = world.requests()
    assert request["slug"] == "org/one"
    assert request["draft"]
    assert "1 passed" in request["body"]
    assert "awaken apply --select query-to-select" in request["body"]
    assert (
        git(world.github / "remotes/org/one", "log", "-1", "--format=%an", "awaken/upgrade")
        == "Ada"
    )

    lines = len(world.records())
    world.batch("run", code=1)
    world.batch("publish")
    assert len(world.records()) == lines  # nothing is repeated
    page = (world.campaign / "review.html").read_text()
    assert 'href="results/github.com-org-one' in page


def test_no_secret_reaches_tests_logs_or_results(world):
    seen = world.place / "seen.json"
    spy = TESTS + SEEN.format(place=str(seen))
    world.add(
        "org/one", FILES | {"tests/test_app.py": spy + "print(open('/proc/self/environ').read())\n"}
    )
    world.write(verify='command = "pytest -q -s"')
    world.batch("run")
    world.batch("approve", "--all")
    world.batch("publish")

    environment = json.loads(seen.read_text())
    assert TOKEN not in environment.values()
    assert not environment.keys() & {"GH_TOKEN", "SSH_AUTH_SOCK", "GIT_CONFIG_KEY_0", "FAKE_GITHUB"}
    assert environment["HOME"] != world.environment["HOME"]
    for path in world.campaign.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path


REPLACES_THE_PAGE = """

def test_the_page():
    import io
    import marshal
    import os
    import pathlib
    import pickle

    from jinja2.bccache import bc_magic

    place, replaced = pathlib.Path(os.environ["AWAKEN_STATE_DIR"]).parent, 0
    for path in (path for path in place.rglob("*") if path.is_file()):
        content = path.read_bytes()
        at = content.find(bc_magic)
        if at >= 0:
            file = io.BytesIO(content[at + len(bc_magic) :])
            pickle.load(file)  # the digest of the source, before the code
            begin = at + len(bc_magic) + file.tell()
            code = marshal.dumps(compile("open({marker!r}, 'w')", "page", "exec"))
            path.write_bytes(content[:begin] + code.ljust(len(content) - begin, b"0"))
            replaced += 1
    assert replaced
"""


def test_the_tests_of_a_repository_cannot_replace_the_page_of_their_report(world):
    marker = world.place / "marker"
    text = TESTS + REPLACES_THE_PAGE.replace("{marker!r}", repr(str(marker)))
    world.add("org/one", FILES | {"tests/test_app.py": text})
    world.write(verify='command = "pytest -q"')
    world.batch("run")

    assert world.states() == {"org/one": "verified"}
    assert not marker.exists()


def test_a_task_that_another_process_wrote_is_not_done(tmp_path):
    (tmp_path / "start").write_bytes(b"of another process")
    code = "from awaken.batch.working.child import main; main()"
    with (tmp_path / "alive").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)  # as the process that waits for the child
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), "0" * 64],
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )

    assert done.returncode == 1
    assert "was changed by another one" in done.stderr


def test_what_the_tests_say_decides(world):
    red = "def test_red():\n    assert False\n"
    counts = "def test_text():\n    assert 'query' in open('app.py').read()\n"
    world.add("org/red", FILES | {"tests/test_app.py": red})
    world.add("org/held", FILES | {"tests/test_app.py": counts})
    world.add("org/out", FILES | {".no-awaken-batch": ""})
    world.add("org/bare", FILES | {"tests/test_app.py": "import of_its_environment\n"})
    world.write(verify='command = "pytest -q"')
    world.batch("run", code=1)

    assert world.states() == {
        "org/red": "tests were red before",
        "org/held": "verify failed",
        "org/out": "refused",
        "org/bare": "error",
    }
    said = world.batch("status")
    assert "its owners want no campaign" in said
    assert "With query-to-select a test fails" in said
    assert "in [verify], `environment` makes what tests need" in said


def test_hosts_that_refuse_break_or_pause_cost_only_what_they_must(world):
    for name in ("archived", "broken", "forked", "plain", "taken"):
        world.add(f"org/{name}")
    world.commit("org/taken", {"app.py": MODELS + "# of people\n"}, branch="awaken/upgrade")
    world.faults(
        archived=["org/archived"],
        bad_gateway=["org/broken"],
        no_push=["org/forked"],
        per_window=1,
        window=5.0,
    )
    world.write()
    world.batch("run")
    world.batch("approve", "--all")
    said = world.batch("publish")

    assert "pausing for 1 s" in said
    assert "not of this campaign" in said
    made = [(row["slug"], row["label"].partition(":")[0]) for row in world.requests()]
    assert sorted(made) == [("org/broken", "org"), ("org/forked", "me"), ("org/plain", "org")]
    assert world.states() == {
        "org/archived": "refused",
        "org/broken": "PR open",
        "org/forked": "PR open",
        "org/plain": "PR open",
        "org/taken": "refused",
    }


def test_a_token_that_ends_stops_and_the_rest_goes_on_with_another(world):
    for name in ("a", "b", "c"):
        world.add(f"org/{name}")
    world.faults(token_ends_after=1)
    world.write()
    world.batch("run")
    world.batch("approve", "--all")
    said = world.batch("publish", code=2)
    assert "log in again" in said
    assert "awaken batch publish" in said
    assert len(world.requests()) == 1

    world.faults()
    world.batch("publish")
    assert sorted(row["slug"] for row in world.requests()) == ["org/a", "org/b", "org/c"]


def test_an_update_keeps_branch_and_request_and_never_overwrites_people(world):
    world.add("org/ours")
    world.add("org/theirs")
    world.write()
    world.batch("run")
    world.batch("approve", "--all")
    world.batch("publish")
    more = "\n\ndef again(session: Session):\n    return session.query(User).all()\n"
    for name in ("org/ours", "org/theirs"):
        world.commit(name, {"app.py": MODELS + more})
    world.commit("org/theirs", {"more.py": "x = 1\n"}, branch="awaken/upgrade")
    before = git(world.github / "remotes/org/theirs", "rev-parse", "awaken/upgrade")

    world.batch("update")
    assert "2 ready, 0 approved" in world.batch("review")
    world.batch("approve", "--all")
    world.batch("publish")
    assert len(world.requests()) == 2
    assert "again" in git(world.github / "remotes/org/ours", "show", "awaken/upgrade:app.py")
    assert git(world.github / "remotes/org/theirs", "rev-parse", "awaken/upgrade") == before
    assert world.states() == {"org/ours": "PR open", "org/theirs": "refused"}

    said = world.batch("close", "--all")
    assert "the branch is deleted" in said
    assert {row["state"] for row in world.requests()} == {"closed"}


def test_a_coordinator_that_is_killed_loses_and_repeats_nothing(world):
    for number in range(4):
        world.add(f"org/r{number}")
    world.write()
    for pause in (1.5, 2.5, 4.0):
        process = world.start("run")
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
    world.batch("run")
    assert set(world.states().values()) == {"changed"}
    finished = [row["repository"] for row in world.records() if row["state"] == "changed"]
    assert len(finished) == len(set(finished)) == 4
    world.batch("approve", "--all")
    for pause in (0.8, 1.0, 1.2, 1.4):
        process = world.start("publish")
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
    world.batch("publish")
    assert sorted(row["slug"] for row in world.requests()) == [f"org/r{n}" for n in range(4)]
    assert set(world.states().values()) == {"PR open"}


def test_a_second_coordinator_refuses(world):
    world.add(
        "org/one", FILES | {"tests/test_app.py": "import time\n\ndef test():\n    time.sleep(60)\n"}
    )
    world.write(verify='command = "pytest -q"')
    process = world.start("run")
    try:
        ending = time.monotonic() + 30
        while not (world.campaign / ".coordinator").exists() and time.monotonic() < ending:
            time.sleep(0.05)
        assert "another `awaken batch` works on this campaign" in world.batch("run", code=2)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_run_that_takes_too_long_is_ended_and_not_tried_again(world):
    world.add(
        "org/one", FILES | {"tests/test_app.py": "import time\n\ndef test():\n    time.sleep(60)\n"}
    )
    world.write(verify='command = "pytest -q"', limits="seconds = 8")
    world.batch("run", code=1)
    (row,) = [row for row in world.records() if row["state"] == "error"]
    assert row["kind"] == "time"
    assert row["attempt"] == 1


def test_shards_add_up_to_the_campaign(world):
    for number in range(3):
        world.add(f"org/r{number}")
    world.write()
    whole = world.campaign
    for shard in ("1/2", "2/2"):
        world.campaign = world.place / f"shard{shard[0]}"
        subprocess.run(["cp", "-r", whole, world.campaign], check=True)
        world.batch("run", "--shard", shard)
    world.campaign = whole
    shards = [str(world.place / f"shard{number}") for number in (1, 2)]
    world.batch("merge", *shards)
    lines = len(world.records())
    world.batch("merge", *shards)
    assert len(world.records()) == lines
    assert set(world.states().values()) == {"changed"}
    assert len(world.states()) == 3
    world.batch("approve", "--all")
    world.batch("publish")
    assert len(world.requests()) == 3


def test_dask_does_what_this_machine_does(world):
    pytest.importorskip("distributed")
    for number in range(2):
        world.add(f"org/r{number}")
    world.write()
    world.batch("run", "--dask", "local")
    assert set(world.states().values()) == {"changed"}
    world.batch("approve", "--all")
    world.batch("publish")
    assert len(world.requests()) == 2


def test_tests_without_a_network_see_none_and_no_process_of_ours(world):
    alone = (
        "import os\nimport socket\n\n\ndef test_alone():\n"
        "    assert {name for _, name in socket.if_nameindex()} <= {'lo'}\n"
        "    assert len([name for name in os.listdir('/proc') if name.isdecimal()]) < 10\n"
    )
    names = ("org/one", "org/two")  # at once, each as the first process of its own
    for name in names:
        world.add(name, FILES | {"tests/test_app.py": TESTS, "tests/test_alone.py": alone})
    world.write(verify='command = "pytest -q"\nnetwork = false')
    world.batch("run")
    assert world.states() == dict.fromkeys(names, "verified")
    assert "2 passed" in world.batch("review")
