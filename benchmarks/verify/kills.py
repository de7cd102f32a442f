"""Kills `awaken verify --apply` at random points, and counts what the next start leaves over.

    uv run python benchmarks/verify/kills.py --number 200
    uv run python benchmarks/verify/kills.py --number 200 --command migrate

A small project is made in a temporary directory. After each kill `awaken verify` starts once more,
without `--apply`. It must end well; then nothing of the killed run may be there: no copy, no
process with its mark, and each file is whole, as it was before or after the changes. With `--while
writing` each kill hits the writing itself: the journal has its originals by then. With `--command
migrate` it is `awaken migrate --verify` in a repository, and the next start makes the step: then
there is one commit of it, and nothing that is not committed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

MANIFEST = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2.0"]

[tool.awaken.recipes.queries]
summary = "Queries."

[[tool.awaken.recipes.queries.steps]]
summary = "Write select."
rules = { query-to-select = "safe" }
"""
MODULE = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def everyone(db: Session):
    return db.query(User).order_by(User.id).all()
"""
TEST = """\
import subprocess
import sys

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from shop import Base, everyone


def test_everyone():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        assert everyone(session) == []


def test_child():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)"], check=True)
"""
MANY = 60
"""More files to write, so that a kill hits some of them."""
SECONDS_OF_WRITING = 0.02
MARK = b"AWAKEN_OBSERVE_TOP="
AUTHOR = {
    f"GIT_{who}_{what}": "kills" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}
WORDS = {
    "verify": ["verify", "--select", "query-to-select", "--no-cache"],
    "migrate": ["migrate", "queries", "--verify", "--no-cache"],
}
TESTS = ["--", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
QUICK = ["--", sys.executable, "-c", "print('passed')"]
"""What the next start runs: it has to clean up, whatever the tests are."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=33)
    parser.add_argument("--while", dest="phase", choices=["any", "writing"], default="any")
    parser.add_argument("--command", choices=WORDS, default="verify")
    asked = parser.parse_args()
    words = WORDS[asked.command]
    chance = random.Random(asked.seed)
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        environment = {**os.environ, "AWAKEN_STATE_DIR": str(place / "state"), **AUTHOR}
        environment.pop("PYTEST_ADDOPTS", None)
        longest = 0.0
        for number in range(-1, asked.number):
            make(place / "shop", MANY if asked.phase == "writing" else 0)
            if asked.command == "migrate":
                commit_all(place / "shop", environment)
            started = time.monotonic()
            first = ["--apply"] if asked.command == "verify" else []
            process = start(place, environment, [*words, *first, *TESTS])
            if number < 0:
                process.wait()
                longest = time.monotonic() - started
                whole = (place / "shop" / "shop.py").read_text("utf-8")
                continue
            if asked.phase == "writing":
                await_writing(process, place)
                time.sleep(chance.uniform(0, SECONDS_OF_WRITING))
            else:
                # Also after its end, for the last steps are the shortest.
                time.sleep(chance.uniform(0, longest * 1.05))
            counted["killed" if process.poll() is None else "had ended"] += 1
            # It may end between the two, and nobody has waited for it yet.
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            counted.update(left_over(place, environment, whole, [*words, *QUICK]))
            if asked.command == "migrate":
                counted.update(uncommitted(place / "shop", environment))
            print(number + 1, dict(counted), flush=True)


def await_writing(process: subprocess.Popen[bytes], place: Path) -> None:
    """Wait until the journal says that files are written, or the process ends."""
    while process.poll() is None and not list((place / "state/journal").glob("*.applying")):
        time.sleep(0.0005)


def make(shop: Path, more: int) -> None:
    shutil.rmtree(shop, ignore_errors=True)
    shop.mkdir()
    for name, text in (("pyproject.toml", MANIFEST), ("shop.py", MODULE), ("test_shop.py", TEST)):
        (shop / name).write_text(text, "utf-8")
    for number in range(more):
        (shop / f"more_{number}.py").write_text(MODULE, "utf-8")


def git(shop: Path, environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=shop, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit_all(shop: Path, environment: dict[str, str]) -> None:
    git(shop, environment, "init", "-q", "-b", "main")
    git(shop, environment, "add", ".")
    git(shop, environment, "commit", "-q", "-m", "Begin")


def uncommitted(shop: Path, environment: dict[str, str]) -> Counter[str]:
    """Return what a migration left besides one commit of its step."""
    found: Counter[str] = Counter()
    found["files not committed"] += (
        len(git(shop, environment, "status", "--porcelain").split("\n")) - 1
    )
    commits = int(git(shop, environment, "rev-list", "--count", "HEAD"))
    found["commits too many or too few"] += abs(commits - 2)
    found["locks of git"] += len(list((shop / ".git").glob("*.lock")))
    return found


def start(place: Path, environment: dict[str, str], words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "awaken", *words],
        cwd=place / "shop",
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if QUICK[-1] in words else subprocess.DEVNULL,
    )


def left_over(
    place: Path, environment: dict[str, str], whole: str, words: list[str]
) -> Counter[str]:
    """Start once more, and return what is still there of the run before."""
    found: Counter[str] = Counter()
    process = start(place, environment, words)
    _, said = process.communicate()
    if b"restored" in said:
        found["taken back"] += 1
    if process.returncode:
        found[f"the next start ended with {process.returncode}"] += 1
        print(said.decode(errors="replace"))
    found["copies left"] += len(list((place / "state" / "verifying").glob("*")))
    sign = MARK + str(place).encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            found["processes left"] += sign in entry.read_bytes()
        except OSError:
            continue
    texts = {
        one.read_text("utf-8")
        for one in (place / "shop").glob("*.py")
        if not one.name.startswith("test_")
    }
    if len(texts) > 1 or not texts <= {MODULE, whole}:
        found["files half written"] += 1
    drafts = [one for one in (place / "shop").iterdir() if one.name.startswith(".")]
    drafts = [one for one in drafts if one.name != ".git"]
    found["drafts left"] += len(drafts)
    return found


if __name__ == "__main__":
    main()
