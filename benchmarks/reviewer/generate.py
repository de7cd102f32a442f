"""Programs of many sites, of one long file and of many files.

uv run python benchmarks/reviewer/generate.py DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

MANIFEST = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2"]
"""
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
HEAD = "from sqlalchemy.orm import Session\n\nfrom models import User\n"
QUERY = (
    "\n\ndef f{0}(db: Session) -> list[User]:\n"
    "    return db.query(User).filter(User.id > {0}).all()\n"
)
PLAIN = "    x = 1\n"


def made(directory: Path, files: dict[str, str]) -> None:
    directory.mkdir(parents=True)
    for name, text in {"pyproject.toml": MANIFEST, "models.py": MODELS, **files}.items():
        (directory / name).write_text(text, "utf-8")


def queries(first: int, count: int, lines: int = 0) -> str:
    return "".join(QUERY.format(number) + PLAIN * lines for number in range(first, first + count))


def main() -> None:
    top = Path(sys.argv[1])
    made(top / "sites", {f"m{n}.py": HEAD + queries(n * 50, 50) for n in range(200)})
    made(top / "long", {"long.py": HEAD + queries(0, 5000, 6)})
    made(top / "files", {f"m{n}.py": HEAD + queries(n, 1) for n in range(3000)})


if __name__ == "__main__":
    main()
