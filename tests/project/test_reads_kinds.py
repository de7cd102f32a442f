"""The kinds of places that read relationships beside plain attributes."""

from __future__ import annotations

from textwrap import dedent

import pytest
from programs import program

MODELS = """
    from sqlalchemy import ForeignKey, Integer, String, Column
    from sqlalchemy.ext.associationproxy import association_proxy
    from sqlalchemy.orm import declarative_base, relationship
    class Plain:
        def dump(self, key):
            return getattr(self, key)
    Base = declarative_base(cls=Plain)
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        code = Column(Integer)
        posts = relationship("Post", back_populates="author")
        titles = association_proxy("posts", "title")
        readers = association_proxy("posts", "readers")
        def __init__(self, posts):
            self.posts = posts
    class Post(Base):
        __tablename__ = "posts"
        id = Column(Integer, primary_key=True)
        author_id = Column(ForeignKey("users.id"))
        author = relationship("User", back_populates="posts")
        editor = relationship("User", uselist=False, active_history=True)
        readers = relationship("Reader", backref="post")
    class Reader(Base):
        __tablename__ = "readers"
        id = Column(Integer, primary_key=True)
        post_id = Column(ForeignKey("posts.id"))
"""
HEAD = """
    import lemur.users
    import operator
    from collections import namedtuple
    from operator import attrgetter
    from pydantic import BaseModel
    from flask import g, request
    from flask_login import current_user
    from sqlalchemy import inspect
    from sqlalchemy.orm import InstrumentedAttribute, Session, attributes
    from models import Post, User
    NAME = "posts"
    FIELDS = ("id", "posts")
    class Titled(BaseModel):
        titles: list[str]
        model_config = {"from_attributes": True}
    Shown = namedtuple("Shown", FIELDS)
"""


def reads(body, models=MODELS):
    text = dedent(HEAD) + "def f(user: User, post: Post, session: Session, key, asked: dict):\n"
    text += "".join(f"    {line}\n" for line in body.splitlines())
    found = program({"models.py": models, "m.py": text}).orm.reads.all()
    return sorted(
        (one.how, f"{one.owner.rpartition('.')[2]}.{one.attribute}")
        for one in found
        if one.place.path == "m.py"
    )


READS = {
    "user.posts": [("attribute", "User.posts")],
    "if user.posts: pass": [("attribute", "User.posts")],
    "user.posts.append(post)": [("attribute", "User.posts")],
    "user.posts += [post]": [("attribute", "User.posts")],
    "user.posts = []": [("assigned", "User.posts")],
    "post.author = user": [],
    "post.editor = user": [("assigned", "Post.editor")],
    "del user.posts": [],
    "setattr(user, 'posts', [])": [("assigned", "User.posts")],
    "setattr(post, 'author', user)": [],
    "getattr(user, 'posts', None)": [("getattr", "User.posts")],
    "getattr(user, NAME)": [("getattr", "User.posts")],
    "hasattr(user, 'posts')": [("hasattr", "User.posts")],
    "for name in FIELDS: getattr(user, name)": [("getattr", "User.posts")],
    "for name, x in [('posts', 1)]: getattr(user, name)": [("getattr", "User.posts")],
    "[getattr(post, name) for name in ('id', 'author_id')]": [],
    "getattr(user, key)": [("dynamic", "User.posts")],
    "getattr(key, key)": [],
    "for name in Shown._fields: getattr(user, name)": [("getattr", "User.posts")],
    "key.author = key.editor = key.posts = 1": [("assigned", ".editor"), ("assigned", ".posts")],
    "getattr(post, f'{key}_id')": [],
    "getattr(post, f'a{key}')": [("dynamic", "Post.author")],
    "for name in asked: setattr(user, name, asked[name])": [("dynamic", "User.posts")],
    "setattr(post, f'a{key}', user)": [],
    "for c in User.__table__.columns: getattr(user, c.name)": [],
    "for c in user.__mapper__.columns.keys(): getattr(user, c)": [],
    "for c in inspect(user).mapper.column_attrs: getattr(user, c.key)": [],
    "from sqlalchemy import inspect as look\nfor c in look(User).columns: getattr(user, c.key)": [],
    "mapper = inspect(User)\nfor c in mapper.columns: getattr(user, c.key)": [],
    "mapper = key\nfor c in mapper.columns: getattr(user, c.key)": [("dynamic", "User.posts")],
    "for r in inspect(User).relationships: getattr(user, r.key)": [("dynamic", "User.posts")],
    "for c in key.columns: getattr(user, c)": [("dynamic", "User.posts")],
    "current_user.author": [("attribute", ".author")],
    "getattr(current_user, 'posts', None)": [("getattr", ".posts")],
    "setattr(current_user, 'posts', [])": [("assigned", ".posts")],
    "g.someone.posts": [("attribute", ".posts")],
    "g.posts, request.posts, lemur.users.posts, operator.posts, Session.posts": [],
    "next(map(key, key), *key).posts": [("attribute", ".posts")],
    "vars(user), user.__dict__, inspect(user).unloaded": [],
    "inspect(user).attrs.posts.value": [("attribute", "User.posts")],
    "inspect(user).attrs.posts.history": [],
    "attrgetter('author.posts')(post)": [("getattr", "Post.author"), ("getattr", "User.posts")],
    "sorted(user.posts, key=operator.attrgetter('author.id'))":
        [("attribute", "User.posts"), ("getattr", "Post.author")],
    "'{0.posts}'.format(user)": [("attribute", "User.posts")],
    "'{} {u.posts[0]} {u.posts} {'.format(user, u=user)": [],
    "'{} {u.posts}'.format(1, u=user)": [("attribute", "User.posts")],
    "'{u.posts[0].author}'.format(u=user)": [("getattr", ".author"), ("getattr", ".posts")],
    "text = '{u.posts}'\ntext.format_map({'u': user})": [("getattr", ".posts")],
    "match user:\n    case User(posts=[]): pass": [("attribute", "User.posts")],
    "match (1, user):\n    case (1, User(posts=[])): pass": [("attribute", ".posts")],
    "get = attrgetter('author.name')\nget(post)": [("getattr", ".author")],
    "{'a': attrgetter(NAME)}": [("getattr", ".posts")],
    "user.__getattribute__('posts')": [("getattr", "User.posts")],
    "object.__getattribute__(user, 'posts')": [("getattr", "User.posts")],
    "User.posts.__get__(user, User)": [("getattr", "User.posts")],
    "attributes.get_attribute(user, 'posts')": [("getattr", "User.posts")],
    "attributes.set_attribute(user, 'posts', [])": [("assigned", "User.posts")],
    "inspect(user).attrs['posts'].value": [("getattr", "User.posts")],
    "inspect(user).attrs['posts'].history": [],
    "state = inspect(user)\nstate.attrs.get('posts')": [("getattr", ".posts")],
    "for one in inspect(user).attrs: one.value": [("dynamic", "User.posts")],
    "eval('user.posts')": [("getattr", ".posts")],
    "names = {'a': 'posts', 'b': 'id'}\ngetattr(user, names[key])": [("getattr", "User.posts")],
    "names = {'a': 'posts'}\nnames[key] = key\ngetattr(user, names[key])":
        [("dynamic", "User.posts")],
    "for name, _ in {'posts': 1}.items(): getattr(user, name)": [("getattr", "User.posts")],
    "for pair in [('id', 1), ('posts', 2)]: getattr(user, pair[0])": [("getattr", "User.posts")],
    "names = key.__mapper__.column_attrs.keys()\nfor c in names: getattr(user, c)": [],
    "getattr(key(), f'{key}osts')": [("dynamic", ".posts")],
    # A variable that is said to be an object, and holds a class.
    "one: User = User\nfound: InstrumentedAttribute = getattr(one, key)": [],
    "one: User = User\nfound: object = getattr(one, key)": [],
    "one: User = user\nfound: InstrumentedAttribute = getattr(one, key)":
        [("dynamic", "User.posts")],
    "getattr(session.scalars(key).one(), key)":
        [("dynamic", f".{name}") for name in ("author", "editor", "post", "posts", "readers")],
    "getattr(session.exec(key).one(), key)":
        [("dynamic", f".{name}") for name in ("author", "editor", "post", "posts", "readers")],
    "setattr(session.scalars(key).one(), key, [])":
        [("dynamic", f".{name}") for name in ("editor", "posts", "readers")],
    "user.titles": [("proxy", "User.posts")],
    "user.readers": [("proxy", "Post.readers"), ("proxy", "User.posts")],
    "Titled.model_validate(user)": [("schema", "User.posts")],
    "Titled.model_validate(post)": [],
    "User.titles.any()": [],
    "User.posts.any(), User.posts": [],
    "session.refresh(user, ['posts'])": [],
    "user.awaitable_attrs.posts": [("awaitable", "User.posts")],
    "session.run_sync(lambda _: user.posts)": [("run_sync", "User.posts")],
    "def g(_):\n    return user.posts\nsession.run_sync(g)": [("run_sync", "User.posts")],
}  # fmt: skip


@pytest.mark.parametrize("body", READS)
def test_what_a_place_reads(body):
    assert reads(body) == READS[body]


def test_a_name_that_is_not_known_gives_its_reason():
    files = {"models.py": MODELS, "m.py": "from models import User\ngetattr(User([]), input())\n"}
    found = [one for one in program(files).orm.reads.all() if one.place.path == "m.py"]

    assert [why.why for one in found for why in one.unknown] == [
        "`getattr(User([]), input())` may mean any relationship"
    ]
    assert not found[0].is_traced


def test_the_base_of_models_reads_the_relationships_of_all_of_them():
    found = program({"models.py": MODELS}).orm.reads.all()

    assert {(one.owner, one.attribute) for one in found if one.how == "dynamic"} == {
        ("models.User", "posts"),
        ("models.Post", "author"),
        ("models.Post", "editor"),
        ("models.Post", "readers"),
        ("models.Reader", "post"),
    }


def test_what_a_base_reads_is_read_of_subclasses_that_declare_it_themselves():
    text = """
        from models import Base, User, relationship
        class Mixin:
            def shown(self):
                return self.posts
        class Special(User):
            posts = relationship("Post", viewonly=True)
        class Other(Mixin, Base):
            __tablename__ = "others"
            posts = relationship("Post", viewonly=True)
        def f(user: User):
            user.posts
    """
    found = program({"models.py": MODELS, "m.py": text}).orm.reads.all()

    reads = {(one.owner, one.attribute): one for one in found if one.place.path == "m.py"}
    assert set(reads) == {("models.User", "posts"), ("m.Special", "posts"), ("m.Other", "posts")}
    assert not reads["m.Special", "posts"].is_traced
    assert not reads["m.Other", "posts"].is_traced


def test_an_object_that_is_being_made_loads_nothing():
    found = program({"models.py": MODELS}).orm.reads.all()
    assert not [one for one in found if one.how == "assigned"]


# The third is that of SQLModel's sessions, which flush first as all others do.
@pytest.mark.parametrize(
    "call", ["self.flush()", "self.run.execute(posts)", "self.run.exec(posts)"]
)
def test_an_object_that_may_be_flushed_while_it_is_made_loads_what_is_replaced(call):
    flushing = MODELS.replace("self.posts = posts", f"self.save(); {call}; self.posts = posts")
    found = program({"models.py": flushing}).orm.reads.all()
    assert [one.attribute for one in found if one.how == "assigned"] == ["posts"]


DATACLASSES = """
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
    from sqlalchemy.orm import relationship
    class Base(MappedAsDataclass, DeclarativeBase{options}): pass
    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        posts: Mapped[list["Post"]] = relationship(default_factory=list{field})
        {method}
    class Post(Base, repr=False, order=True):
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        user: Mapped[User] = relationship(default=None, repr=False, compare=False)
"""


@pytest.mark.parametrize(
    ("options", "field", "method", "expected"),
    [
        ("", "", "", ["`__repr__` and `__eq__`"]),
        (", repr=False", "", "", ["`__eq__`"]),
        ("", ", compare=False", "", ["`__repr__`"]),
        ("", ", compare=False, repr=False", "", []),
        ("", ", compare=False", "def __repr__(self): return ''", []),
        (", eq=False, unsafe_hash=True", "", "", ["`__repr__` and `__hash__`"]),
    ],
)
def test_generated_methods_read_relationships(options, field, method, expected):
    text = DATACLASSES.format(options=options, field=field, method=method)
    found = program({"models.py": text}).orm.reads.all()

    assert {one.how for one in found} <= {"generated"}
    assert [one.unknown[0].why for one in found] == [
        f"the generated {one} of `User` read it" for one in expected
    ]


@pytest.mark.parametrize(
    ("owner", "attribute", "expected"),
    [
        ("User", "posts", ("models.Post", "author", True)),
        ("Post", "author", ("models.User", "posts", False)),
        ("Post", "readers", ("models.Reader", "post", True)),
        ("Reader", "post", ("models.Post", "readers", False)),
        ("Post", "editor", None),
        ("User", "unheard_of", None),
        ("Unheard", "posts", None),
    ],
)
def test_the_side_that_leads_back(owner, attribute, expected):
    found = program({"models.py": MODELS}).orm.reads.inverse_of(f"models.{owner}", attribute)

    assert (found and (found.owner, found.attribute, found.by_key)) == expected


def test_files_that_may_read_a_name_are_told_by_how_they_look():
    """One that does not parse counts as a reader only if it is among them."""
    texts = {
        "behind_a_dot": "user.posts",
        "in_a_format": "'{0.posts}'.format(user)",
        "by_getattr": "getattr(user, 'posts')",
        "by_getter": "attrgetter('posts')(user)",
        "by_pattern": "match user:\n    case User(posts=[]): pass",
        "broken": "user.posts (",
        "another_name": "user.posts_count",
        "a_variable": "posts = load()",
        "a_case": "case = posts",
        "other_getattr": "getattr(user, 'notes')",
    }
    files = {f"{name}.py": text for name, text in texts.items()}

    found = program(files).orm.reads.files_reading("posts")

    assert found == sorted(f"{name}.py" for name in list(texts)[:6])
