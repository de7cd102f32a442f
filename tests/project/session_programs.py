"""Programs that ask what is a session, beside a file ``db.py`` that makes some."""

from __future__ import annotations

from programs import MODELS, last, module_of, program

from awaken.project.frameworks.sqlalchemy.sessions import SessionProof

DB = """
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from contextlib import contextmanager, asynccontextmanager
engine = create_engine("sqlite://")
SessionLocal = sessionmaker(bind=engine, autoflush=False)
AsyncLocal = async_sessionmaker(engine)
OldAsync = sessionmaker(engine, class_=AsyncSession)
db_session = scoped_session(sessionmaker(bind=engine))
maker = None
def start():
    global maker
    maker = sessionmaker()
def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
def get_typed() -> "Generator[Session, None, None]":
    yield make()
async def get_async():
    async with AsyncLocal() as session:
        yield session
def open_session():
    return SessionLocal()
@contextmanager
def session_scope():
    session = SessionLocal()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
class Box(str):
    pass
from typing import Generator
"""


def asked(text: str, receiver: str, **files: str):
    """Return what the project says of the last ``receiver`` in ``text``, beside ``db.py``."""
    others = {f"{name}.py": body for name, body in files.items()}
    project = program({"db.py": DB, "models.py": MODELS, **others, "m.py": text})
    module = module_of(project, "m.py")
    return project.orm.session_of(module, last(module, receiver))


def kind(text: str, receiver: str = "s", **files: str) -> str:
    """Return the kind of the proof, ``none``, or why it is unknown."""
    found = asked(text, receiver, **files)
    if isinstance(found, SessionProof):
        return found.kind
    return "none" if found is None else found.why
