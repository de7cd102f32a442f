"""Relationships that are read behind a commit, of objects of before: they are read anew."""

from __future__ import annotations

import pytest
from example_models import FACTORY_AND_BASE
from planned import rewritten

MODELS = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database import Base


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped["User"] = relationship(back_populates="posts")


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list[Post]] = relationship(back_populates="user", lazy="selectin")
"""
USING = """\
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import LocalSession
from models import Post, User


def add(db: Session, user_id: int) -> None:
    db.add(Post(user_id=user_id))
    db.commit()


def add_elsewhere(user_id: int) -> None:
    with LocalSession() as db:
        add(db, user_id)


def add_by_a_block(db: Session, user_id: int) -> None:
    with db.begin():
        db.add(Post(user_id=user_id))


def add_by_a_factory(user_id: int) -> None:
    with LocalSession.begin() as db:
        db.add(Post(user_id=user_id))


def count(user: User) -> int:
    return len(user.posts)


def counted(user: User) -> int:
    return count(user=user)


def replaced(user: User) -> int:
    user = User(posts=[])
    return len(user.posts)


class Counter:
    def count(self, user: User) -> int:
        return counted(user)

    @staticmethod
    def identified(user: User) -> int:
        return user.id


def used(db: Session, user_id: int) -> int:
    user = db.scalars(select(User).where(User.id == user_id)).one()
    first = len(user.posts)
"""
ANEW = 'await db.refresh(user, attribute_names=["posts"])'


def used(lines, **others):
    """Return how often posts are read anew, and the function with these lines."""
    text = USING + "".join(f"    {line}\n" for line in lines)
    result = rewritten(database=FACTORY_AND_BASE, models=MODELS, using=text, **others)
    after = result.files["using.py"].decode()
    assert "async def used" in after, result.findings
    return after.count(ANEW), after.partition("async def used")[2]


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (["add(db, user_id)", "return len(user.posts)"], 1),
        (["add_by_a_block(db, user_id)", "return len(user.posts)"], 1),
        # Nothing is committed there of what this session has.
        (["add_elsewhere(user_id)", "return len(user.posts)"], 0),
        (["add_by_a_factory(user_id)", "return len(user.posts)"], 0),
        # What functions read that are given the object, and hand it on.
        (["add(db, user_id)", "return count(user)"], 1),
        (["add(db, user_id)", "return count(user=user)"], 1),
        (["add(db, user_id)", "return counted(user)"], 1),
        (["add(db, user_id)", "return Counter().count(user)"], 1),
        (["add(db, user_id)", "return Counter.identified(user)"], 0),
        (["add(db, user_id)", "return replaced(user)"], 0),
        # Once behind each commit.
        (["add(db, user_id)", "count(user)", "return counted(user)"], 1),
        (["add(db, user_id)", "count(user)", "add(db, user_id)", "return counted(user)"], 2),
        # A refresh loads it as well.
        (["add(db, user_id)", "db.refresh(user)", "return count(user)"], 0),
        (["db.refresh(user)", "add(db, user_id)", "return count(user)"], 1),
    ],
)
def test_what_is_read_behind_a_call_that_commits_is_read_anew(lines, times):
    found, after = used(lines)

    assert found == times, after


@pytest.mark.slow
def test_however_much_is_committed_it_is_followed():
    committing = "from sqlalchemy.orm import Session\n\n\n"
    committing += "".join(
        f"def save_{number}(db: Session) -> None:\n    db.commit()\n\n\n" for number in range(510)
    )
    assert used(["add(db, user_id)", "return count(user)"], committing=committing)[0] == 1


LISTED = """\
def all_of(db: Session) -> list[int]:
    users = db.scalars(select(User)).all()
    for user in users:
        db.add(Post(user_id=len(user.posts)))
    db.commit()
"""
ITEMS = 'for item in users:\n        await db.refresh(item, attribute_names=["posts"])'


@pytest.mark.parametrize(
    ("lines", "is_anew"),
    [
        ("return [len(one.posts) for one in users]", True),
        ("return [one.id for one in users]", False),
        ("for one in users:\n        print(one.posts)\n    return []", True),
        ("users = db.scalars(select(User)).all()\n    return [len(x.posts) for x in users]", False),
    ],
)
def test_items_of_lists_are_read_anew(lines, is_anew):
    text = USING.partition("def used")[0] + LISTED + f"    {lines}\n"
    result = rewritten(database=FACTORY_AND_BASE, models=MODELS, using=text)
    after = result.files["using.py"].decode()

    assert (ITEMS in after) == is_anew, after


API = """\
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import LocalSession
from models import Post, User

app = FastAPI()


def get_db():
    with LocalSession() as db:
        yield db


class PostOut(BaseModel, from_attributes=True):
    id: int


class UserOut(BaseModel, from_attributes=True):
    FIELD


@app.post("/users", response_model=MODEL)
def posted(db: Session = Depends(get_db)):
    found = db.scalars(select(User)).METHOD()
    db.add(Post(user_id=1))
    db.commit()
    REFRESH
    return found
"""


@pytest.mark.parametrize(
    ("field", "model", "refresh", "after"),
    [
        ("posts: list[PostOut]", "UserOut", "pass", "    pass\n    await db.refresh(found, att"),
        ("posts: list[PostOut]", "list[UserOut]", "pass", "    for item in found:\n        await"),
        ("posts: list[PostOut]", "UserOut", "db.refresh(found)", "(found)\n    return found"),
        ("id: int", "UserOut", "pass", "    pass\n    return found"),
    ],
)
def test_what_responses_have_of_an_object_is_read_anew(field, model, refresh, after):
    method = "all" if model.startswith("list") else "one"
    text = API.replace("FIELD", field).replace("MODEL", model)
    text = text.replace("METHOD", method).replace("REFRESH", refresh)
    result = rewritten(database=FACTORY_AND_BASE, models=MODELS, main=text)

    assert after in result.files["main.py"].decode(), result.files["main.py"].decode()


COMMENTS = MODELS.replace(
    "class User(Base):",
    """class Comment(Base):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    post: Mapped[Post] = relationship(back_populates="comments")


class User(Base):""",
).replace(
    '    user: Mapped["User"]',
    '    comments: Mapped[list["Comment"]] = relationship(back_populates="post", lazy="selectin")\n'
    '    user: Mapped["User"]',
)
COUNTING = """\
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Comment, Post, User


def comment(db: Session, post_id: int) -> None:
    db.add(Comment(post_id=post_id))
    db.commit()


def publish(db: Session, user_id: int) -> None:
    db.add(User(id=user_id))
    db.commit()


def comments_of(user: User):
    WAY


def count(user: User) -> int:
    return len(list(comments_of(user)))


def used(db: Session) -> int:
    user = db.scalars(select(User)).one()
    CHANGE
    return count(user)
"""
OF_ITEMS = """\
    await db.refresh(user, attribute_names=["posts"])
    for item in user.posts:
        await db.refresh(item, attribute_names=["comments"])
"""


@pytest.mark.parametrize(
    ("way", "change", "is_anew"),
    [
        ("for post in user.posts:\n        yield from post.comments", "comment(db, 1)", True),
        ("return [one for post in user.posts for one in post.comments]", "comment(db, 1)", True),
        ("return [post.id for post in user.posts]", "comment(db, 1)", False),
        # Nobody comments.
        ("return [one for post in user.posts for one in post.comments]", "publish(db, 1)", False),
    ],
)
def test_what_functions_read_of_items_is_read_anew(way, change, is_anew):
    text = COUNTING.replace("WAY", way).replace("CHANGE", change)
    result = rewritten(database=FACTORY_AND_BASE, models=COMMENTS, using=text)
    after = result.files["using.py"].decode()

    assert (OF_ITEMS in after) == is_anew, after


TEST = """\
from fastapi.testclient import TestClient

from database import LocalSession
from main import app
from models import User


def test_users():
    client = TestClient(app)
    with LocalSession() as db:
        first = db.get(User, 1)
        LINES
        assert db.get(User, 1).id == first.id
"""
AGAIN = "db.get(User, 1, populate_existing=True)).id"


@pytest.mark.parametrize(
    ("lines", "is_anew"),
    [
        (["db.commit()", 'client.post("/users")'], True),
        (['client.post("/users")', "db.commit()"], True),
        # Nothing is expired, or nobody else writes.
        (['client.post("/users")'], False),
        (["db.commit()"], False),
    ],
)
def test_what_is_loaded_after_a_commit_and_a_request_is_read_anew(lines, is_anew):
    text = API.replace("FIELD", "id: int").replace("MODEL", "UserOut")
    text = text.replace("METHOD", "one").replace("REFRESH", "pass")
    models = MODELS.replace(', lazy="selectin"', ', lazy="noload"')
    test = TEST.replace("LINES", "\n        ".join(lines))
    result = rewritten(database=FACTORY_AND_BASE, models=models, main=text, test_main=test)
    after = result.files["test_main.py"].decode()

    assert (AGAIN in after) == is_anew, after


SHARED = """\
import pytest
from fastapi.testclient import TestClient

from database import LocalSession, get_db
from main import app
from models import User


@pytest.fixture
def db():
    with LocalSession() as session:
        yield session


@pytest.fixture
def client(db):
    OVERRIDE
    yield TestClient(app)


def test_users(client, db):
    first = db.get(User, 1)
    db.commit()
    client.post("/users")
    assert db.get(User, 1).id == first.id
"""


OVERRIDE = "def override():\n        yield {}\n    app.dependency_overrides[get_db] = override"


@pytest.mark.parametrize(
    ("override", "is_anew"),
    [
        (OVERRIDE.format("db"), False),
        ("app.dependency_overrides[get_db] = lambda: db", False),
        (OVERRIDE.format("LocalSession()"), True),
    ],
)
def test_a_test_has_the_objects_of_requests_that_use_its_session(override, is_anew):
    text = API.replace("FIELD", "id: int").replace("MODEL", "UserOut")
    text = text.replace("METHOD", "one").replace("REFRESH", "pass")
    models = MODELS.replace(', lazy="selectin"', ', lazy="noload"')
    test = SHARED.replace("OVERRIDE", override)
    result = rewritten(database=FACTORY_AND_BASE, models=models, main=text, test_main=test)
    after = result.files["test_main.py"].decode()

    assert (AGAIN in after) == is_anew, after


CONFTEST = """\
import pytest
from sqlalchemy.orm import Session

from database import LocalSession
from models import Post, User


@pytest.fixture
def db():
    with LocalSession() as session:
        yield session


@pytest.fixture
def other_db():
    with LocalSession() as session:
        yield session


@pytest.fixture
def user(db: Session):
    user = User()
    db.add(user)
    db.commit()
    db.refresh(user)
    return user


@pytest.fixture
def post(SESSION: Session, user: User):
    SESSION.add(Post(user_id=1))
    SESSION.commit()


@pytest.fixture
def first(db: Session):
    db.add(Post(user_id=1))
    db.commit()
"""


@pytest.mark.parametrize(
    ("session", "test", "is_anew"),
    [
        ("db", "def test_posts(user: User, post):\n    assert len(user.posts) == 1\n", True),
        ("db", "def test_posts(post, user: User):\n    assert len(user.posts) == 1\n", True),
        ("db", "def test_posts(user: User, post):\n    assert user.id == 1\n", False),
        # Set up before, with another session, or read again by the test.
        ("db", "def test_posts(first, user: User):\n    assert len(user.posts) == 1\n", False),
        ("other_db", "def test_posts(user: User, post):\n    assert len(user.posts) == 1\n", False),
        (
            "db",
            "def test_posts(db, user: User, post):\n    db.refresh(user)\n    assert user.posts\n",
            False,
        ),
    ],
)
def test_what_a_test_reads_of_a_fixture_is_read_anew_if_a_later_fixture_commits(
    session, test, is_anew
):
    conftest = CONFTEST.replace("SESSION", session)
    test = f"from models import User\n\n\n{test}"
    result = rewritten(database=FACTORY_AND_BASE, models=MODELS, conftest=conftest, test_posts=test)
    after = result.files.get("test_posts.py", test.encode()).decode()
    anew = 'await async_object_session(user).refresh(user, attribute_names=["posts"])'

    assert b"async def post" in result.files["conftest.py"], result.findings
    assert (anew in after) == is_anew, after
