"""Write a large layered application: one component of session-to-async, as large as is asked for.

Each domain has models, a repository, a service, routes and tests, all on one session; services call
those of the domain before. The default is a thousand functions in 150 files. Usage:

    uv run python benchmarks/async_generated.py PLACE [--domains 30] [--methods 10]
"""

from __future__ import annotations

import argparse
from pathlib import Path

DATABASE = """from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
"""

MODELS = """from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Base


class Owner{n}(Base):
    __tablename__ = "owners{n}"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    things{n}: Mapped[list["Thing{n}"]] = relationship()


class Thing{n}(Base):
    __tablename__ = "things{n}"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners{n}.id"))
"""

REPOSITORY = """from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models{n} import Owner{n}, Thing{n}


class Repository{n}:
    def __init__(self, db: Session) -> None:
        self.db = db
"""

REPOSITORY_METHOD = """
    def find{m}(self, name: str) -> list[Owner{n}]:
        found = self.db.scalars(select(Owner{n}).where(Owner{n}.name == name, Owner{n}.id > {m}))
        return list(found)
"""

SERVICE = """from sqlalchemy.orm import Session

from app.repository{n} import Repository{n}
{before}

class Service{n}:
    def __init__(self, db: Session) -> None:
        self.db = db
        self.repository = Repository{n}(db)
"""

SERVICE_METHOD = """
    def count{m}(self, name: str) -> int:
        total = {below}
        for owner in self.repository.find{m}(name):
            total += len(owner.things{n})
        return total
"""

ROUTES = """from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from app.database import get_db
from app.service{n} import Service{n}

router = APIRouter(prefix="/domain{n}")
"""

ROUTE = """

@router.get("/count{m}")
def count{m}(name: str, db: Session = Depends(get_db)) -> int:
    return Service{n}(db).count{m}(name)
"""

MAIN = """from fastapi import FastAPI

{imports}
from app.database import Base, engine

Base.metadata.create_all(engine)

app = FastAPI()
{included}
"""

TESTS = """from app.database import SessionLocal
from app.models{n} import Owner{n}, Thing{n}
from app.service{n} import Service{n}
"""

TEST = """

def test_count{m}() -> None:
    with SessionLocal() as db:
        db.add(Owner{n}(name="one", things{n}=[Thing{n}(name="a")]))
        db.flush()
        assert Service{n}(db).count{m}("one") >= 0
        db.rollback()
"""


def program(domains: int, methods: int) -> dict[str, str]:
    """Return the files of an application, by their paths."""
    numbers = range(methods)
    imports = "\n".join(f"from app import routes{n}" for n in range(domains))
    included = "\n".join(f"app.include_router(routes{n}.router)" for n in range(domains))
    found = {
        "pyproject.toml": '[project]\nname = "large"\nversion = "1"\n'
        'dependencies = ["sqlalchemy>=2", "fastapi"]\n',
        "app/__init__.py": "",
        "app/database.py": DATABASE,
        "app/main.py": MAIN.format(imports=imports, included=included),
    }
    for n in range(domains):
        before = f"from app.service{n - 1} import Service{n - 1}\n" if n else ""
        found |= {
            f"app/models{n}.py": MODELS.format(n=n),
            f"app/repository{n}.py": REPOSITORY.format(n=n)
            + "".join(REPOSITORY_METHOD.format(n=n, m=m) for m in numbers),
            f"app/service{n}.py": SERVICE.format(n=n, before=before)
            + "".join(
                SERVICE_METHOD.format(
                    n=n, m=m, below=f"Service{n - 1}(self.db).count{m}(name)" if n else "0"
                )
                for m in numbers
            ),
            f"app/routes{n}.py": ROUTES.format(n=n)
            + "".join(ROUTE.format(n=n, m=m) for m in numbers),
            f"tests/test_domain{n}.py": TESTS.format(n=n)
            + "".join(TEST.format(m=m, n=n) for m in range(methods // 3 + 1)),
        }
    return found


def main() -> None:
    """Write the application."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path)
    parser.add_argument("--domains", type=int, default=30)
    parser.add_argument("--methods", type=int, default=10)
    given = parser.parse_args()
    for name, text in program(given.domains, given.methods).items():
        path = given.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
