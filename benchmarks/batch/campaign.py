"""A campaign over generated repositories behind a fake GitHub: final states, kills, Dask, secrets.

    uv run python benchmarks/batch/campaign.py PLACE [--repositories N] [--kills N --seconds S]
        [--dask] [--status N] [--cost N] [--dask-kills N] [--publish-kills]
        [--run N]

One in five repositories has a fault. Without options the campaign goes through run, approve and
publish, and the final state of each repository is compared with the expected one. With ``--kills``
coordinator and workers are killed meanwhile. ``--cost`` compares a run of N repositories without
tests, here and on Dask, with `git clone` and `awaken apply` of each. With ``--dask-kills`` a worker
of Dask is killed every N seconds. ``--run`` is a run of N without tests, alone. With
``--publish-kills`` programs ``git`` and ``gh`` kill the coordinator most times after a push, and
after a pull request was made. Prints Markdown; nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests" / "batch"
sys.path.insert(0, str(TESTS))

from campaigns import FILES, MODELS, TOKEN, World, git  # noqa: E402
from campaigns import TESTS as PASSING  # noqa: E402

RED = "def test_red():\n    assert False\n"
HOLDS = "def test_text():\n    assert 'session.query' in open('app.py').read()\n"
HOOK = "#!/bin/sh\necho 'remote: error: GH006: Protected branch update failed' >&2\nexit 1\n"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
FAULTS = (
    *("gone", "empty", "no-python", "archived", "default-branch", "submodule", "lfs", "taken"),
    *("protected", "bad-gateway", "red", "held", "no-push", "twice", "cases", "opt-out", "large"),
    *("broken-syntax", "odd-names", "long"),
)
EVERY = 5
"""One in so many repositories has a fault."""
RETRIES = 0.2
"""How often a run that is killed began with ``--retry-errors``."""


def mutated(number):
    """Return the files of a repository without a fault: one of some programs, made different."""
    queries = "".join(
        f"\n\ndef users_{n}(session: Session):\n"
        f"    return session.query(User).filter(User.id > {number + n}).all()\n"
        for n in range(number % 4)
    )
    files = FILES | {"app.py": MODELS + queries}
    return files | {"tests/test_app.py": PASSING} if number % 8 == 0 else files


def build(world, total):
    """Make the repositories; return the expected state of each, by name, and the host's faults."""
    expected, faults = {}, {"archived": [], "bad_gateway": [], "no_push": []}
    for number in range(total):
        kind = FAULTS[number // EVERY % len(FAULTS)] if number % EVERY == EVERY - 1 else ""
        name = f"org/{kind or 'plain'}-{number:04}"
        expected[name] = faulty(world, name, kind, number, faults)
    return expected, faults


def faulty(world, name, kind, number, faults):  # noqa: C901, PLR0912, PLR0915  a table
    """Make one repository and return the state in which it must end."""
    files, state = mutated(number), "PR open"
    match kind:
        case "gone":
            world.names.append(name)
            return "error"
        case "empty":
            world.add(name, {})
            return "error"
        case "no-python":
            files, state = {"README.md": "x\n"}, "nothing to do"
        case "archived":
            faults["archived"].append(name)
            state = "refused"
        case "bad-gateway":
            faults["bad_gateway"].append(name)
        case "no-push":
            faults["no_push"].append(name)
        case "lfs":
            files |= {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs\n", "a.bin": LFS}
        case "cases":
            files |= {"Readme.md": "a\n", "README.md": "b\n"}
        case "odd-names":
            files |= {"a b%20#c.txt": "x\n", "\u05d0\u202e.txt": "x\n"}
        case "broken-syntax":
            files |= {"broken.py": "def (:\n"}
        case "red":
            files, state = files | {"tests/test_app.py": RED}, "tests were red before"
        case "held":
            files, state = files | {"tests/test_app.py": HOLDS}, "verify failed"
        case "opt-out":
            files, state = files | {".no-awaken-batch": ""}, "refused"
        case "long":
            manual = "def f(session, m):\n    return session.query(m).all()\n"
            files |= {f"m{n}.py": manual.replace("f(", f"f{n}(") for n in range(400)}
        case "large":
            state = "error"
        case "protected" | "taken":
            state = "refused"
    remote = world.add(name, files)
    if kind == "large":
        clone = world.place / "clone"
        (clone / "blob").write_bytes(random.Random(number).randbytes(9 << 20))
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "-m", "large")
        git(clone, "push", "-q", "origin", "main")
    elif kind == "taken":
        world.commit(name, {"app.py": MODELS + "# of people\n"}, branch="awaken/upgrade")
    elif kind == "protected":
        (remote / "hooks").mkdir(exist_ok=True)
        (remote / "hooks/pre-receive").write_text(HOOK)
        (remote / "hooks/pre-receive").chmod(0o755)
    elif kind == "default-branch":
        git(remote, "branch", "-m", "main", "trunk")
        git(remote, "symbolic-ref", "HEAD", "refs/heads/trunk")
    elif kind == "submodule":
        clone = world.place / "clone"
        (clone / ".gitmodules").write_text('[submodule "s"]\n\tpath = s\n\turl = /nowhere\n')
        entry = f"160000,{'1' * 40},s"
        git(clone, "update-index", "--add", "--cacheinfo", entry)
        git(clone, "add", ".gitmodules")
        git(clone, "commit", "-q", "-m", "a submodule")
        git(clone, "push", "-q", "origin", "main")
    elif kind == "twice":
        world.names.append(f"https://github.com/{name.upper()}.git")
    return state


def states(world):
    """Return the last state of each repository by its name, from the list of ids."""
    last = {}
    for row in world.records():
        identity = row["repository"].removeprefix("github.com-").rpartition("-")[0]
        last[identity.replace("-", "/", 1)] = row["state"]
    return last


def compare(world, expected, title):
    """Print how many states are the expected ones, and what differs."""
    found = states(world)
    wrong = {n: (s, found.get(n)) for n, s in expected.items() if found.get(n) != s}
    heads = Counter((row["slug"], row["label"]) for row in world.requests())
    twice = [head for head, number in heads.items() if number > 1]
    lost = [name for name in expected if name not in found]
    print(
        f"| {title} | {len(expected)} | {len(expected) - len(wrong)} | {len(lost)} | {len(twice)} |"
    )
    for name, (wanted, got) in sorted(wrong.items()):
        print(f"<!-- {name}: expected {wanted}, is {got} -->")


def tokens(world):
    """Return how many files the campaign left, and those that hold the token."""
    files = [path for path in world.campaign.rglob("*") if path.is_file()]
    return len(files), [path for path in files if TOKEN.encode() in path.read_bytes()]


def run(world, *words):
    """Run ``awaken batch`` and return its seconds; an exit code of 1 is a result."""
    started = time.monotonic()
    done = subprocess.run(
        world.command(*words),
        cwd=world.campaign,
        env=world.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        print(f"<!-- {words}: exit code {done.returncode}: {done.stderr[-500:]} -->")
    return time.monotonic() - started


def whole(world, expected, title, *words):
    """Run, approve and publish; print the states and the seconds."""
    seconds = [run(world, "run", *words), run(world, "approve", "--all"), run(world, "publish")]
    compare(world, expected, title)
    spoken = ", ".join(f"{one:.1f} s" for one in seconds)
    print(f"<!-- {title}: run, approve, publish in {spoken} -->")


def killed(world, expected, kills, seconds):
    """The same while coordinator and workers are killed at random times."""
    chance = random.Random(1)
    ending = time.monotonic() + seconds
    done = Counter()
    while done.total() < kills and time.monotonic() < ending - seconds / 3:
        process = world.start("run", *(["--retry-errors"] if chance.random() < RETRIES else []))
        done += kill_some(process, chance)
    for _ in range(5):
        run(world, "run")
        run(world, "run", "--retry-errors")
    run(world, "approve", "--all")
    while done.total() < kills and time.monotonic() < ending:
        process = world.start("publish")
        time.sleep(chance.uniform(0.6, 3))
        process.kill()
        process.wait()
        done["publishing coordinator"] += 1
    run(world, "publish")
    compare(world, expected, f"{done.total()} kills")
    print(f"<!-- kills: {dict(done)} -->")


KILLER = """\
#!/bin/sh
{program} "$@"
code=$?
case " $* " in *{words}*)
    if [ $(od -An -N1 -tu1 /dev/urandom) -lt 205 ]; then echo "{name}" >> "{log}"; kill -9 $PPID; fi
esac
exit $code
"""


def killed_while_publishing(world, expected):
    """Run, and publish while the programs that publish kill their coordinator afterwards."""
    run(world, "run")
    run(world, "approve", "--all")
    tools, log = world.place / "tools", world.place / "kills"
    (tools / "gh").rename(tools / "gh-itself")
    for name, program, words in (
        ("git", shutil.which("git"), '" push "'),
        ("gh", tools / "gh-itself", '" POST "*"/pulls "'),
    ):
        (tools / name).write_text(
            KILLER.format(name=name, program=program, words=words, log=log), "utf-8"
        )
        (tools / name).chmod(0o755)
    while world.start("publish").wait() == -signal.SIGKILL:
        pass
    kills = Counter(log.read_text("utf-8").split())
    compare(world, expected, f"{kills['git']} kills after a push, {kills['gh']} after a request")


def killed_on_dask(world, expected, pause):
    """Run on Dask while one of its workers is killed every ``pause`` seconds."""
    process = world.start("run", "--dask", "local", "-j", "2")
    kills, started = 0, time.monotonic()
    while process.poll() is None:
        time.sleep(pause)
        children = Path(f"/proc/{process.pid}/task").glob("*/children")
        for pid in [pid for file in children for pid in file.read_text().split()]:
            line = Path(f"/proc/{pid}/cmdline")
            if line.exists() and b"spawn_main" in line.read_bytes():
                os.kill(int(pid), signal.SIGKILL)
                kills += 1
                break
    seconds = time.monotonic() - started
    run(world, "run", "--retry-errors")
    run(world, "approve", "--all")
    run(world, "publish")
    compare(world, expected, f"Dask, {kills} workers killed")
    attempts = Counter(row["repository"] for row in world.records() if row["state"] == "cloned")
    print(
        f"<!-- {seconds:.0f} s; repositories repeated: {sum(n > 1 for n in attempts.values())} -->"
    )


def kill_some(process, chance):
    """Kill workers of a coordinator, then itself; return the kills."""
    done = Counter()
    for _ in range(chance.randint(2, 8)):
        time.sleep(chance.uniform(0.5, 2))
        if process.poll() is not None:
            return done
        children = Path(f"/proc/{process.pid}/task").glob("*/children")
        workers = [pid for file in children for pid in file.read_text().split()]
        if workers:
            with_pid = int(chance.choice(workers))
            try:
                os.killpg(with_pid, signal.SIGKILL)
                done["worker"] += 1
            except OSError:
                pass
    process.kill()
    process.wait()
    done["coordinator"] += 1
    return done


def status_of(place, number):
    """Print how long ``status`` takes for so many repositories, each with five lines of log."""
    world = World(place)
    world.names = [f"org/r{n}" for n in range(number)]
    world.write()
    from awaken import api  # noqa: PLC0415
    from awaken.batch.manifest.manifest_file import read_manifest  # noqa: PLC0415

    entries = read_manifest(world.campaign, api.rules()).entries
    rows = [
        json.dumps({"at": 1.0, "repository": entry.id, "state": state, "key": "k", "patch": "p"})
        for entry in entries
        for state in ("cloned", "verified", "approved", "pushed", "PR open")
    ]
    (world.campaign / "state.jsonl").write_text("\n".join(rows) + "\n")
    run(world, "status")
    seconds = sorted(run(world, "status") for _ in range(5))
    print(f"`status` of {number} repositories: {seconds[2]:.2f} s (median of 5)")


def spent(call):
    """Return seconds of the clock and of the processors that ``call`` and its processes take."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu


def cost_of(world, total):
    """Print what a run costs, against `git clone` and `awaken apply` of each repository."""
    for number in range(total):
        world.add(f"org/plain-{number:04}", FILES)
    world.write()
    alone = world.place / "alone"
    alone.mkdir()

    def by_hand():
        for name in world.names:
            remote, clone = world.github / "remotes" / name, alone / name.rpartition("/")[2]
            git(alone, "clone", "-q", "--depth=1", f"file://{remote}", clone)
            words = [sys.executable, "-m", "awaken", "apply", "-q", "--select", "query-to-select"]
            subprocess.run(words, cwd=clone, env=world.environment, check=True)

    run(world, "run", "--limit", "1")  # what is cached for all is cached
    (world.campaign / "state.jsonl").unlink()
    print("| | wall | CPU | CPU of a repository |\n|---|---:|---:|---:|")
    for title, call in (
        ("`git clone` and `awaken apply`, one after the other", by_hand),
        ("`awaken batch run`", lambda: run(world, "run")),
        ("`awaken batch run --dask local`", lambda: run(world, "run", "--dask", "local")),
    ):
        (world.campaign / "state.jsonl").unlink(missing_ok=True)
        wall, cpu = spent(call)
        print(f"| {title} | {wall:.1f} s | {cpu:.1f} s | {cpu / total:.2f} s |", flush=True)


def run_of(world, total):
    """Print what ``run`` alone costs over so many repositories, and memory of its coordinator."""
    for number in range(total):
        world.add(f"org/plain-{number:04}", mutated(number))
    world.write()
    most = 0

    def watched():
        nonlocal most
        process = world.start("run")
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            lines = [row for row in status.read_text().splitlines() if row.startswith("VmHWM")]
            most = max([most, *(int(row.split()[1]) for row in lines)])
            time.sleep(1)

    wall, cpu = spent(watched)
    counted = Counter(states(world).values())
    print(f"{total} repositories: {wall:.1f} s; CPU {cpu:.1f} s, {cpu / total:.2f} s each")
    print(f"coordinator: at most {most / 1024:.0f} MB; states: {dict(counted)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path)
    parser.add_argument("--repositories", type=int, default=200)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("--dask-kills", type=float, default=0)
    parser.add_argument("--cost", type=int, default=0)
    parser.add_argument("--run", type=int, default=0)
    parser.add_argument("--publish-kills", action="store_true")
    asked = parser.parse_args()
    shutil.rmtree(asked.place, ignore_errors=True)
    asked.place.mkdir(parents=True)
    if asked.status:
        status_of(asked.place, asked.status)
        return
    world = World(asked.place)
    if asked.run:
        run_of(world, asked.run)
        return
    if asked.cost:
        cost_of(world, asked.cost)
        return
    expected, faults = build(world, asked.repositories)
    world.write(verify='command = "auto"', limits="size-mb = 8")
    world.faults(per_window=20, window=3.0, **faults)
    print("| campaign | repositories | as expected | lost | PRs twice |\n|---|---:|---:|---:|---:|")
    if asked.dask_kills:
        killed_on_dask(world, expected, asked.dask_kills)
    elif asked.publish_kills:
        killed_while_publishing(world, expected)
    elif asked.kills:
        killed(world, expected, asked.kills, asked.seconds)
    else:
        whole(world, expected, *(["dask", "--dask", "local"] if asked.dask else ["local"]))
    number, found = tokens(world)
    print(f"\n{number} files were left; {len(found)} hold the token.")


if __name__ == "__main__":
    main()
