"""Programs that run and write down which attributes of mapped objects are read, and by whom.

What is predicted of such a program must be what it does.
"""

from __future__ import annotations

import asyncio
import sys
from textwrap import dedent
from types import ModuleType
from typing import Any

from programs import module_of, program

from awaken.project import Project
from awaken.project.source.trees import Function

MAPPED = """
    from sqlalchemy import Column, ForeignKey, Integer, String
    from sqlalchemy.orm import declarative_base, relationship

    LOG = []
    NAMES = set("id name title secret items posts author tags parent children".split())

    class Recording:
        def __getattribute__(self, name):
            if name in NAMES:
                LOG.append((type(self).__name__, name))
            return object.__getattribute__(self, name)

    Base = declarative_base(cls=Recording)

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        secret = Column(String)
        items = Column(String)
        posts = relationship("Post", back_populates="author")

    class Post(Base):
        __tablename__ = "posts"
        id = Column(Integer, primary_key=True)
        title = Column(String)
        author_id = Column(Integer, ForeignKey("users.id"))
        author = relationship("User", back_populates="posts")
        tags = relationship("Tag")

    class Tag(Base):
        __tablename__ = "tags"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        post_id = Column(Integer, ForeignKey("posts.id"))

    class Node(Base):
        __tablename__ = "nodes"
        id = Column(Integer, primary_key=True)
        parent_id = Column(Integer, ForeignKey("nodes.id"))
        children = relationship("Node", back_populates="parent")
        parent = relationship("Node", remote_side=[id], back_populates="children")

    def user() -> User:
        posts = [Post(id=2, title="t", tags=[Tag(id=3, name="x")])]
        found = User(id=1, name="n", secret="s", items="i", posts=posts)
        LOG.clear()
        return found
"""
NAMES = frozenset(
    ["id", "name", "title", "secret", "items", "posts", "author", "tags", "parent", "children"]
)


def parsed(text: str) -> Project:
    """Return the program of the mapped classes and one more file."""
    return program({"mapped.py": MAPPED, "app.py": text})


def running(text: str) -> tuple[Any, list[tuple[str, str]]]:
    """Return the file after it was imported, and the log of the attributes that are read."""
    mapped, app = ModuleType("mapped"), ModuleType("app")
    kept = {name: sys.modules.get(name) for name in ("mapped", "app")}
    try:
        # Models look for their annotations in the module that they say they are of.
        sys.modules |= {"mapped": mapped, "app": app}
        exec(dedent(MAPPED), mapped.__dict__)
        exec(dedent(text), app.__dict__)
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return app, mapped.LOG


def predicted(project: Project) -> dict[str, set[tuple[str, str]]]:
    """Return what is read by class and attribute, for each function that the objects come from."""
    module = module_of(project, "app.py")
    found: dict[str, set[tuple[str, str]]] = {}
    for sight in project.orm.schemas.reading(NAMES):
        function = sight.module.enclosing_function(sight.node)
        if sight.module is module and isinstance(function, Function):
            own = found.setdefault(function.name, set())
            own.add((_owner(sight.path), sight.path[-1]))
    return found


def _owner(path: tuple[str, ...]) -> str:
    owners = {"posts": "Post", "author": "User", "tags": "Tag"}
    found = [owners[one] for one in path[:-1]]
    return found[-1] if found else "User"


def asked(application: Any, path: str) -> int:
    """Return the status with which an application answers ``GET path``."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "path": path, "raw_path": path.encode(), "root_path": "", "scheme": "http",
        "query_string": b"", "headers": [], "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    asyncio.run(application(scope, receive, send))
    return sent[0]["status"]
