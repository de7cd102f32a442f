"""Campaigns on this machine: repositories behind a fake GitHub, and ``awaken batch``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TOKEN = "ghp_" + "secretsecret0123456789"
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def users(session: Session):
    return session.query(User).filter(User.id > 0).all()
"""
TESTS = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app import Base, User, users


def test_users():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(id=1))
        session.commit()
        assert [user.id for user in users(session)] == [1]
"""
FILES = {"app.py": MODELS, "requirements.txt": "sqlalchemy>=2.0\n"}
MANIFEST = """\
[campaign]
name = "upgrade"
branch = "awaken/upgrade"
title = "Use select()"
author = "Ada <ada@example.com>"
{campaign}
[awaken]
select = ["query-to-select"]
[verify]
{verify}
[limits]
pause-seconds = 0.1
free-disk-mb = 1
jobs = 2
{limits}
[publish]
host = "{host}"
per-hour = 100000
{publish}
"""
_GIT = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")


def git(place, *words):
    """Run git in ``place`` and return what it prints."""
    done = subprocess.run(
        ["git", *_GIT, *words], cwd=place, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class World:
    """A fake GitHub, and a campaign over some of its repositories."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.github = place / "github"
        self.campaign = place / "campaign"
        self.names: list[str] = []
        self.server = ""  # before each name on the list, with a slash
        (self.github / "remotes").mkdir(parents=True)
        self.campaign.mkdir()
        tools = place / "tools"
        tools.mkdir()
        for name in ("gh", "glab"):
            program = Path(__file__).with_name(f"fake_{name}.py")
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
            (tools / name).chmod(0o755)
        bin_of_tests = Path(sys.executable).parent
        self.environment = {
            **{name: os.environ[name] for name in ("LANG", "HOME") if name in os.environ},
            "PATH": os.pathsep.join(map(str, (tools, bin_of_tests, "/usr/bin", "/bin"))),
            "AWAKEN_STATE_DIR": str(place / "state"),
            "XDG_CACHE_HOME": str(place / "cache"),
            "FAKE_GITHUB": str(self.github),
            "GH_TOKEN": TOKEN,
            "SSH_AUTH_SOCK": str(place / "agent"),
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": f"url.file://{self.github}/remotes/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/",
            "GIT_CONFIG_KEY_1": f"url.file://{self.github}/remotes/.insteadOf",
            "GIT_CONFIG_VALUE_1": "https://gitlab.com/",
        }

    def add(self, name, files=None, *, suffix=""):
        """Make a repository ``owner/name`` with ``files`` and put it on the list."""
        remote = self.github / "remotes" / name
        remote.mkdir(parents=True)
        git(remote, "init", "-q", "--bare", "-b", "main")
        # Addresses end with .git.
        remote.with_name(f"{remote.name}.git").symlink_to(remote.name)
        if files != {}:
            self.commit(name, files or FILES)
        self.names.append(self.server + name + suffix)
        return remote

    def commit(self, name, files, branch="main"):
        """Put a commit with ``files`` on a branch of a repository."""
        clone = self.place / "clone"
        subprocess.run(["rm", "-rf", clone], check=True)
        git(self.place, "clone", "-q", self.github / "remotes" / name, clone)
        if branch in git(clone, "branch", "-r"):
            git(clone, "checkout", "-q", branch)
        else:
            git(clone, "checkout", "-q", "-b", branch)
        for path, text in files.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_text(text)
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "-m", "a commit of people")
        git(clone, "push", "-q", "origin", branch)

    def write(self, *, host="github", campaign="", verify="", limits="", publish=""):
        """Write the manifest and the list."""
        parts = {"campaign": campaign, "verify": verify, "limits": limits, "publish": publish}
        (self.campaign / "awaken-batch.toml").write_text(MANIFEST.format(host=host, **parts))
        (self.campaign / "repos.txt").write_text("\n".join(self.names) + "\n")

    def faults(self, **faults):
        """Let the fake host do something wrong."""
        (self.github / "faults.json").write_text(json.dumps(faults))

    def command(self, *words):
        """Return the command line of ``awaken batch`` with ``words``."""
        return [sys.executable, "-m", "awaken", "batch", *words]

    def batch(self, *words, code=0):
        """Run ``awaken batch`` in the campaign and return what it printed, on both streams."""
        done = subprocess.run(
            self.command(*words),
            cwd=self.campaign,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    def start(self, *words):
        """Start ``awaken batch`` in the campaign."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.campaign,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def requests(self):
        """Return the pull requests that the fake host has."""
        file = self.github / "state.json"
        return json.loads(file.read_text())["requests"] if file.exists() else []

    def records(self):
        """Return the lines of the log."""
        text = (self.campaign / "state.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def states(self):
        """Return the last state of each repository, by the name that it has in its id."""
        return {
            next((n for n in self.names if n.replace("/", "-") in row["repository"]), ""): row[
                "state"
            ]
            for row in self.records()
        }
