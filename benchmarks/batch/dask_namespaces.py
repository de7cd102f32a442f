"""A campaign on Dask: scheduler and two workers as processes in network namespaces of their own.

    sudo uv run python benchmarks/batch/dask_namespaces.py PLACE --repositories N [--kill-every S]

They speak TLS with certificates that the manifest names, over a bridge. With ``--kill-every`` a
worker is killed after so many seconds again and again; its nanny starts another. Needs root, ``ip``
and ``openssl``. Prints Markdown, and removes the namespaces.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from campaign import World, build, compare, run

BRIDGE, NETWORK = "awbr", "10.231.0"
NAMES = ("awsched", "awone", "awtwo")
MADE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=awaken -keyout ca.key -out ca.pem",
    "openssl req -newkey rsa:2048 -nodes -subj /CN=dask -keyout key.pem -out dask.csr",
    "openssl x509 -req -in dask.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem",
)


def ip(line: str, *, check: bool = True) -> None:
    """Run ``ip`` with the words of ``line``."""
    quiet = None if check else subprocess.DEVNULL
    subprocess.run(["ip", *line.split()], check=check, stderr=quiet)


def make_namespaces() -> None:
    """Make a bridge that is this machine's first address, and namespaces with the next ones."""
    remove_namespaces()
    ip(f"link add {BRIDGE} type bridge")
    ip(f"addr add {NETWORK}.1/24 dev {BRIDGE}")
    ip(f"link set {BRIDGE} up")
    for number, name in enumerate(NAMES, 2):
        ip(f"netns add {name}")
        ip(f"link add v{name} type veth peer name eth0 netns {name}")
        ip(f"link set v{name} master {BRIDGE} up")
        ip(f"-n {name} addr add {NETWORK}.{number}/24 dev eth0")
        ip(f"-n {name} link set eth0 up")
        ip(f"-n {name} link set lo up")


def remove_namespaces() -> None:
    """Remove what ``make_namespaces`` makes, as far as it is there."""
    for name in NAMES:
        ip(f"netns del {name}", check=False)
    ip(f"link del {BRIDGE}", check=False)


def start(name: str, world: World, *words: str) -> subprocess.Popen[bytes]:
    """Start a program of Dask in a namespace."""
    place = world.place / name
    place.mkdir()
    certificates = [
        word
        for option, file in (("ca-file", "ca"), ("cert", "cert"), ("key", "key"))
        for word in (f"--tls-{option}", str(world.place / f"{file}.pem"))
    ]
    dask = [sys.executable, "-m", "dask", *words, *certificates, "--no-dashboard"]
    return subprocess.Popen(
        ["ip", "netns", "exec", name, *dask],
        cwd=place,
        env=world.environment | {"TMPDIR": str(place)},
        stdout=(place / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )


def worker_of(nanny: int) -> int | None:
    """Return the process in which the worker of a nanny runs."""
    for file in Path(f"/proc/{nanny}/task").glob("*/children"):
        for pid in file.read_text("utf-8").split():
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and b"spawn_main" in command.read_bytes():
                return int(pid)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path)
    parser.add_argument("--repositories", type=int, default=20)
    parser.add_argument("--kill-every", type=float, default=0)
    asked = parser.parse_args()
    shutil.rmtree(asked.place, ignore_errors=True)
    asked.place.mkdir(parents=True)
    world = World(asked.place)
    for line in MADE:
        subprocess.run(line.split(), cwd=world.place, check=True, capture_output=True)
    expected, faults = build(world, asked.repositories)
    world.write(verify='command = "auto"', limits="size-mb = 8")
    with (world.campaign / "awaken-batch.toml").open("a", encoding="utf-8") as manifest:
        names = "\n".join(f'{name} = "{world.place}/{name}.pem"' for name in ("ca", "cert", "key"))
        manifest.write(f"[dask]\n{names}\n")
    world.faults(**faults)
    make_namespaces()
    before, started, kills = os.times(), time.monotonic(), 0
    address = f"tls://{NETWORK}.2:8786"
    cluster = [start("awsched", world, "scheduler", "--host", address)]
    time.sleep(5)
    worker = ("worker", address, "--nthreads", "1")
    cluster += [start(name, world, *worker) for name in NAMES[1:]]
    try:
        time.sleep(15)
        process = world.start("run", "--dask", address)
        while process.poll() is None:
            time.sleep(asked.kill_every or 1)
            pid = worker_of(cluster[1 + kills % 2].pid) if asked.kill_every else None
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                kills += 1
        wall = time.monotonic() - started
    finally:
        for each in cluster:
            each.send_signal(signal.SIGINT)
            each.wait(60)
        remove_namespaces()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user
    print(f"exit code {process.returncode}, {wall:.0f} s, CPU {cpu - before.children_system:.0f} s")
    # The directory of a clone stays behind where its worker was killed.
    clones = [
        clone.name.rpartition("-")[0]
        for name in NAMES[1:]
        for clone in (world.place / name).glob("awaken-batch-*/*-*")
    ]
    lost = [row["repository"] for row in world.records() if row.get("kind") == "killed"]
    print(f"{kills} workers killed, {len(clones)} clones interrupted, of {len(set(clones))}")
    print(f"repositories; given back {len(lost)} times after Dask lost them {3 + 1} times")
    run(world, "run", "--retry-errors")
    run(world, "approve", "--all")
    run(world, "publish")
    compare(world, expected, "scheduler and workers in namespaces")


if __name__ == "__main__":
    main()
