"""What may happen to an object between the call that loads it and a read, over functions."""

from __future__ import annotations

from textwrap import dedent

import pytest
from programs import program

MODELS = """
    from sqlalchemy import Column, ForeignKey, Integer
    from sqlalchemy.orm import Mapped, declarative_base, relationship
    Base = declarative_base()
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        posts = relationship("Post")
    class Post(Base):
        __tablename__ = "posts"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))
"""
HEAD = """
    from fastapi import Depends
    from sqlalchemy import select
    from sqlalchemy.orm import Session, sessionmaker
    from models import Post, User
    engine = object()
    maker = sessionmaker(engine)
    class Form:
        def __init__(self, session: Session):
            session.rollback()
"""


def kinds(body, head=HEAD):
    """Return what may happen on the traces of the reads of `posts`, read by read."""
    files = {"models.py": MODELS, "m.py": dedent(head) + dedent(body)}
    project = program(files, published=False)
    reads = [one for one in project.orm.reads.all() if one.place.path == "m.py"]
    assert reads
    return [
        sorted({event.kind for event in project.orm.reads.between_load_and_read(trace, read)})
        for read in reads
        for trace in read.traces
    ]


WAYS = {
    """
    def f(session: Session):
        user = session.get(User, 1)
        session.commit()
        return user.posts
    """: [["commit"]],
    """
    def f(session: Session):
        session.commit()
        for user in session.scalars(select(User).order_by(User.id)).all():
            print(user.posts)
    """: [[]],
    """
    def f(session: Session):
        user = session.get(User, 1)
        return show(user)
    def show(user: User):
        return user.posts
    """: [[]],
    """
    def f(session: Session):
        user = session.get(User, 1)
        session.commit()
        return show(session, user)
    def show(session: Session, user: User):
        session.expire(user)
        return user.posts
    """: [["commit", "expire"]],
    """
    def f(session: Session):
        user = session.get(User, 1)
        show(user)
        session.commit()
    def show(user):
        return user.posts
    """: [[]],
    """
    def f(session: Session):
        user = found(session)
        session.refresh(user)
        return user.posts
    def found(session: Session):
        user = session.get(User, 1)
        session.rollback()
        return user
    """: [["refresh", "rollback"]],
    """
    def f():
        return found().posts
    def found():
        with maker() as session:
            return session.get(User, 1)
    """: [["close"]],
    """
    def f():
        return found().posts
    def found():
        session = maker()
        try:
            return session.get(User, 1)
        finally:
            session.close()
    """: [["close"]],
    """
    def f(session: Session):
        user = outer(session)
        session.expunge(user)
        show(user)
    def show(user: User):
        return user.posts
    def outer(session: Session):
        return found(session)
    def found(session: Session):
        user = session.get(User, 1)
        session.commit()
        return user
    """: [["commit", "detach"]],
    """
    def f(session: Session):
        users = session.scalars(select(User)).all()
        return sum(len(user.posts) for user in users)
    """: [[]],
    """
    def f(session: Session):
        users = session.scalars(select(User)).all()
        later = (user.posts for user in users)
        session.commit()
        return later
    """: [["unknown"]],
    """
    def f(session: Session, callback):
        user = session.get(User, 1)
        callback()
        return user.posts
    """: [["unknown"]],
    """
    def f(session: Session, thing):
        user = session.get(User, 1)
        thing.strip()
        return user.posts
    """: [[]],
    """
    def f(session: Session, thing):
        user = session.get(User, 1)
        thing.strip(session)
        return user.posts
    """: [["unknown"]],
    """
    def f(session: Session, thing):
        user = session.get(User, 1)
        thing.commit()
        return user.posts
    """: [["commit"]],
    """
    class Store:
        def keep(self, session: Session):
            session.flush()
    def f(session: Session, thing):
        user = session.get(User, 1)
        thing.keep(1)
        return user.posts
    """: [["flush"]],
    """
    class Store:
        def __init__(self, keep):
            self.keep = keep
    def f(session: Session, thing):
        user = session.get(User, 1)
        thing.keep(1)
        return user.posts
    """: [["unknown"]],
    """
    def f(session: Session, test_client):
        user = session.get(User, 1)
        test_client.get("/")
        return user.posts
    """: [["unknown"]],
    """
    def f(session: Session):
        user = session.get(User, 1)
        Post(user_id=1)
        return user.posts
    """: [[]],
    """
    def f(session: Session):
        user = session.get(User, 1)
        Form(session)
        return user.posts
    """: [["rollback"]],
    """
    def get_session():
        with maker() as session:
            yield session
    def current(session: Session = Depends(get_session)):
        user = session.get(User, 1)
        session.commit()
        return user
    def f(limit: int, user=Depends(current), session: Session = Depends(get_session)):
        return user.posts
    """: [["commit"]],
}  # fmt: skip


MAKERS = {
    "maker = sessionmaker(engine, expire_on_commit=False)": [],
    "maker = sessionmaker(engine, expire_on_commit=True)": ["commit"],
    "maker = sessionmaker(engine)": ["commit"],
    "maker = sessionmaker(**options)": ["commit"],
    "maker = sessionmaker(engine, expire_on_commit=False)\nother = Session(engine)": ["commit"],
    "maker = sessionmaker(engine, expire_on_commit=False)\nother = maker(expire_on_commit=True)":
        ["commit"],
    "": ["commit"],
}  # fmt: skip


@pytest.mark.parametrize("made", MAKERS)
def test_a_commit_that_expires_nothing_is_no_event(made):
    body = "def f(session: Session):\n    user = session.get(User, 1)\n"
    body += "    session.commit()\n    return user.posts\n"

    assert kinds(body, dedent(HEAD).replace("maker = sessionmaker(engine)", made)) == [MAKERS[made]]


NEW = {
    "user = User()\n    return user.posts": [],
    "user = User()\n    session.add(user)\n    return user.posts": ["add"],
    "user = User()\n    session.add_all([user])\n    return user.posts": ["add"],
    "user = User()\n    x.user = user\n    return user.posts": ["add"],
    "user = User()\n    user.save()\n    return user.posts": ["add"],
    "user = User(id=Post())\n    session.add(x)\n    return user.posts": [],
}


@pytest.mark.parametrize("body", NEW)
def test_a_new_object_may_get_into_a_session(body):
    assert kinds(f"def f(session: Session, x):\n    {body}\n") == [NEW[body]]


@pytest.mark.parametrize("body", WAYS)
def test_what_may_happen_on_the_way(body):
    assert kinds(body) == WAYS[body]


def test_an_event_says_by_which_calls_it_is_reached():
    body = """
    def f(session: Session):
        user = session.get(User, 1)
        save(session)
        return user.posts
    def save(session: Session):
        session.commit()
    """
    project = program({"models.py": MODELS, "m.py": dedent(HEAD) + dedent(body)})
    (read,) = (one for one in project.orm.reads.all() if one.place.path == "m.py")
    (event,) = project.orm.reads.between_load_and_read(read.traces[0], read)
    module = project.module("m.py")

    lines = [module.line_column(one.span)[0] for one in (event.place, *event.chain)]
    assert [module.source.text.decode().splitlines()[one - 1].strip() for one in lines] == [
        "session.commit()",
        "save(session)",
    ]


RESPONSES = """
    from fastapi import FastAPI
    from pydantic import BaseModel, ConfigDict
    app = FastAPI()
    class PostOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        id: int
    class UserOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        posts: list[PostOut]
    def get_session():
        with maker() as session:
            yield session
    @app.get("/first", response_model=UserOut)
    def first(session: Session = Depends(get_session)):
        return session.get(User, 1)
    @app.get("/second", response_model=UserOut)
    def second(session: Session = Depends(get_session)):
        user = session.get(User, 1)
        session.commit()
        return user
"""


def _events_of_responses(body=""):
    """Return the kinds of events of each load for a response, by the function that loads."""
    text = dedent(HEAD) + dedent(RESPONSES) + dedent(body)
    files = {"models.py": MODELS, "m.py": text, "tests/test_m.py": _TEST}
    project = program(files, published=False)
    result = {}
    for read in project.orm.reads.all():
        for trace in read.traces:
            events = project.orm.reads.between_load_and_read(trace, read)
            before = text[: trace.load.place.span.start]
            name = before[before.rindex("def ") :].partition("(")[0].removeprefix("def ")
            result.setdefault(name, set()).update(event.kind for event in events)
    return result


_TEST = """\
from m import loaded, maker
def test_loaded():
    with maker() as session:
        loaded(session)
        session.rollback()
"""


def test_a_response_is_read_when_the_view_has_returned():
    assert _events_of_responses() == {"first": set(), "second": {"commit"}}


@pytest.mark.parametrize(("after", "kinds"), [("pass", set()), ("session.commit()", {"commit"})])
def test_a_response_is_read_when_the_view_that_calls_the_load_has_returned(after, kinds):
    events = _events_of_responses(f"""
        def loaded(session: Session) -> User:
            return session.get(User, 3)
        def shown(session: Session) -> User:
            return loaded(session)
        @app.get("/third", response_model=UserOut)
        def third(session: Session = Depends(get_session)):
            user = shown(session)
            {after}
            return user
    """)

    assert events["loaded"] == kinds


@pytest.mark.parametrize(("body", "kinds"), [("", set()), ("session.commit()", {"commit"})])
def test_a_response_of_a_dependency_is_read_when_the_view_has_returned(body, kinds):
    events = _events_of_responses(f"""
        def current(session: Session = Depends(get_session)) -> User:
            return session.get(User, 3)
        @app.get("/third", response_model=UserOut)
        def third(user: User = Depends(current), session: Session = Depends(get_session)):
            {body}
            return user
    """)

    assert events["current"] == kinds


def test_a_caller_that_does_not_return_the_object_of_a_response_is_not_on_the_way():
    events = _events_of_responses("""
        def loaded(session: Session) -> User:
            return session.get(User, 3)
        def check(session: Session):
            loaded(session)
        def put(session: Session):
            check(session)
            session.commit()
        @app.get("/third", response_model=UserOut)
        def third(session: Session = Depends(get_session)):
            return loaded(session)
        @app.get("/fourth", response_model=UserOut)
        def fourth(session: Session = Depends(get_session)):
            return first(session)
        @app.put("/fifth")
        def fifth(session: Session = Depends(get_session)):
            put(session)
    """)

    assert events["loaded"] == set()


@pytest.mark.parametrize(("after", "kinds"), [("pass", set()), ("session.commit()", {"commit"})])
def test_a_response_of_a_function_in_a_table_is_read_when_the_view_has_returned(after, kinds):
    events = _events_of_responses(f"""
        def loaded(session: Session) -> User:
            return session.get(User, 3)
        HANDLERS = {{"user": loaded}}
        @app.get("/third", response_model=UserOut)
        def third(session: Session = Depends(get_session)):
            user = HANDLERS["user"](session)
            {after}
            return user
    """)

    assert events["loaded"] == kinds
