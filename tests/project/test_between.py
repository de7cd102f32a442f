"""What may happen to a loaded object between its load and a read of it."""

from __future__ import annotations

import warnings
from textwrap import dedent

import pytest
from programs import last, module_of, program
from sqlalchemy import create_engine, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from awaken.knowledge.sessions import session_events

HEAD = """
    from sqlalchemy.orm import Session, sessionmaker
    from sqlalchemy.ext.asyncio import AsyncSession
    from models import User
    maker = sessionmaker()

    def save(session: Session):
        session.commit()
    def noted(session: Session):
        print(session)
    async def save_async(session: AsyncSession):
        await session.commit()
    def ping(session: Session, n):
        return pong(session, n)
    def pong(session: Session, n):
        session.rollback()
        return ping(session, n)
"""


def events(body, start="session.get(User, 1)", kind="Session", keyword="def"):
    text = dedent(HEAD) + f"{keyword} f(session: {kind}, x, unheard_of):\n"
    text += "".join(f"    {line}\n" for line in body.splitlines())
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    found = project.effects.events_between(module, last(module, start), last(module, "user.name"))
    return sorted({one.kind for one in found})


WAYS = {
    "user = session.get(User, 1)\nreturn user.name": [],
    "user = session.get(User, 1)\nsession.add(x)\nreturn user.name": [],
    "session.commit()\nuser = session.get(User, 1)\nreturn user.name": [],
    "user = session.get(User, 1)\nsession.commit()\nreturn user.name": ["commit"],
    "user = session.get(User, 1)\nprint(user.name)\nsession.commit()": [],
    "user = session.get(User, 1)\nif x: session.rollback()\nreturn user.name": ["rollback"],
    "user = session.get(User, 1)\nif x:\n    session.commit()\n    return\nreturn user.name": [],
    "user = session.get(User, 1)\nsession.expire(user)\nreturn user.name": ["expire"],
    "user = session.get(User, 1)\nsession.refresh(user)\nreturn user.name": ["refresh"],
    "user = session.get(User, 1)\nsession.expunge(user)\nreturn user.name": ["detach"],
    "user = session.get(User, 1)\nsession.flush()\nreturn user.name": ["flush"],
    "user = session.get(User, 1)\nsave(session)\nreturn user.name": ["commit"],
    "user = session.get(User, 1)\nnoted(session)\nreturn user.name": [],
    "user = session.get(User, 1)\nping(session, 1)\nreturn user.name": ["rollback"],
    "user = session.get(User, 1)\nunheard_of(session)\nreturn user.name": ["unknown"],
    "user = session.get(User, 1)\nfor one in x:\n    print(user.name)\n    session.commit()":
        ["commit"],
    "for one in x:\n    user = session.get(User, 1)\n    user.name\n    session.commit()": [],
    "user = session.get(User, 1)\ntry:\n    session.commit()\nexcept ValueError: pass\nuser.name":
        ["commit"],
    "user = session.get(User, 1)\ntry:\n    print(x)\nfinally:\n    session.close()\nuser.name":
        ["close"],
    "with session.begin():\n    user = session.get(User, 1)\nreturn user.name": ["commit"],
    "with session.begin():\n    user = session.get(User, 1)\n    return user.name": [],
    "while x:\n    with maker() as session:\n        user = session.get(User, 1)\n        break\n"
    "return user.name": ["close"],
    "try:\n    with maker() as session:\n        user = session.get(User, 1)\n        x.go\n"
    "except ValueError:\n    user.name": ["close"],
    "user = session.get(User, 1)\nyield 1\nuser.name": ["yield"],
    "user = session.get(User, 1)\nlater = lambda: session.commit()\nuser.name": [],
}  # fmt: skip


@pytest.mark.parametrize("body", WAYS)
def test_what_may_happen_on_the_way(body):
    assert events(body) == WAYS[body]


def test_the_last_of_many_events_of_a_function_counts():
    helper = "def helper():\n" + "    session.flush()\n" * 30 + "    session.commit()\n"

    found = events(f"{helper}user = session.get(User, 1)\nhelper()\nreturn user.name")

    assert found == ["commit", "flush"]


def test_leaving_the_block_of_a_new_session_closes_it():
    body = "with maker() as session:\n    user = session.get(User, 1)\nreturn user.name"

    assert events(body) == ["close"]


ASYNC = {
    "user = await session.get(User, 1)\nreturn user.name": [],
    "user = await session.get(User, 1)\nawait x\nreturn user.name": ["await"],
    "user = await session.get(User, 1)\nawait session.commit()\nuser.name": ["await", "commit"],
    "user = await session.get(User, 1)\nawait save_async(session)\nuser.name": ["await", "commit"],
    "user = await session.get(User, 1)\nx = save_async(session)\nuser.name": [],
    "user = await session.get(User, 1)\nx = [one async for one in x]\nuser.name": ["await"],
    "user = await session.get(User, 1)\nasync with session.begin():\n    pass\nuser.name":
        ["await", "commit"],
}  # fmt: skip


@pytest.mark.parametrize("body", ASYNC)
def test_what_may_happen_on_the_way_in_a_coroutine(body):
    assert events(body, kind="AsyncSession", keyword="async def") == ASYNC[body]


def test_a_call_says_by_which_way_it_comes_to_the_event():
    text = dedent(HEAD) + "def f(session: Session):\n    user = session.get(User, 1)\n"
    text += "    save(session)\n    return user.name\n"
    project = program({"m.py": text})
    module = module_of(project, "m.py")

    load, read = last(module, "session.get(User, 1)"), last(module, "user.name")
    (event,) = project.effects.events_between(module, load, read)

    assert module.text_of(last(module, "session.commit()")) == "session.commit()"
    assert [module.line_column(one.span)[0] for one in (event.place, *event.chain)] == [8, 20]


def test_places_of_two_functions_are_unknown():
    text = "def f(s):\n    user = s.get(1)\n    def g():\n        return user.name\n    return g\n"
    project = program({"m.py": text})
    module = module_of(project, "m.py")

    found = project.effects.events_between(
        module, last(module, "s.get(1)"), last(module, "user.name")
    )

    assert [one.why for one in found] == ["the two are in different functions"]


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as made:
        made.add(User(id=1, name="Ann"))
        made.commit()
        yield made
    engine.dispose()


CHANGES = {
    "commit": "commit", "rollback": "rollback", "expire_all": "expire", "close": "close",
    "reset": "close", "invalidate": "close", "expunge_all": "detach",
}  # fmt: skip


@pytest.mark.parametrize("method", CHANGES)
def test_each_event_expires_or_detaches_in_sqlalchemy(session, method):
    user = session.get(User, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(session, method)()

    state = inspect(user)
    assert state.expired or state.detached
    assert session_events().calls[f"sqlalchemy.orm.Session.{method}"] == CHANGES[method]


@pytest.mark.parametrize(
    "method", ["add", "execute", "get", "scalars", "in_transaction", "get_bind"]
)
def test_what_is_no_event_leaves_the_object_as_it_is(method):
    assert f"sqlalchemy.orm.Session.{method}" not in session_events().calls
