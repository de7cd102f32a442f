"""Reads of relationships asked for in part, and again after a file was edited."""

from pathlib import Path

import msgspec
import pytest

from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, Wanted
from awaken.workspace.sources import Snapshot
from tests.project.programs import program

FILES = {
    "models.py": """
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
        from sqlalchemy.ext.associationproxy import association_proxy
        class Base(DeclarativeBase): pass
        class Tag(Base):
            __tablename__ = "tags"
            id: Mapped[int] = mapped_column(primary_key=True)
        class Post(Base):
            __tablename__ = "posts"
            id: Mapped[int] = mapped_column(primary_key=True)
            tags: Mapped[list["Tag"]] = relationship()
        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)
            posts: Mapped[list["Post"]] = relationship()
            tags = association_proxy("posts", "tags")
        class Plain:
            friends = relationship("Plain")
    """,
    "shown.py": """
        from operator import attrgetter
        from models import User
        def show(user: User, name, other):
            setattr(user, name, []), getattr(user, "posts"), other.tags, other.friends
            return [[one.tags for one in user.posts], attrgetter("posts.tags")(user), user.tags]
    """,
    "main.py": """
        from sqlalchemy import select
        from sqlalchemy.orm import Session
        from models import User
        from shown import show
        def run(session: Session):
            for user in session.scalars(select(User)):
                show(user, "posts", None)
    """,
}


@pytest.mark.parametrize("first", [{"posts"}, {"tags"}, {"friends", ANY}, {"posts", "tags"}])
def test_a_part_of_the_reads_is_told_as_among_all(first):
    everything = program(FILES).orm.reads.all()
    orm = program(FILES).orm

    for attributes in (frozenset(first), frozenset({"posts", "tags", "friends", ANY})):
        expected = tuple(one for one in everything if one.attribute in attributes)
        assert orm.reads.reads_of(Wanted(attributes)) == expected
    assert orm.reads.all() == everything
    assert {one.attribute for one in everything} == {"posts", "tags", "friends"}
    assert any(one.how == "dynamic" for one in everything)


def test_kinds_and_places_that_are_not_wanted_are_left_out():
    everything = program(FILES).orm.reads.all()
    wanted = Wanted(
        frozenset({"posts", "tags"}),
        frozenset({"dynamic", "getattr"}),
        lambda _, place: place.path == "shown.py",
    )

    found = program(FILES).orm.reads.reads_of(wanted)

    assert found == tuple(one for one in everything if _is_plain(one))
    assert {one.how for one in found} >= {"attribute", "proxy"}


def _is_plain(read):
    is_asked = read.how not in {"dynamic", "getattr"} and read.attribute in {"posts", "tags"}
    return is_asked and read.place.path == "shown.py"


def test_only_names_of_mapped_classes_can_have_an_owner():
    assert program(FILES).orm.reads.names_of_mapped() == {"posts", "tags"}
    made = """
        from sqlalchemy.orm import declarative_base as base
        from models import Plain as Given
        Made = base(cls=Given)
        class Person(Made):
            __tablename__ = "people"
    """
    found = program({**FILES, "made.py": made})
    assert found.orm.reads.names_of_mapped() == {"friends", "posts", "tags"}


def test_what_was_told_of_a_file_does_not_outlive_its_edit():
    earlier = program(FILES)
    told = earlier.orm.reads.reads_of(Wanted(frozenset({"posts"})))
    path = Path("main.py").as_posix()
    edited = earlier.snapshot[path].text.replace(b"select(User)", b"select(User).limit(1)")
    files = {one: earlier.snapshot[one] for one in earlier.snapshot}
    changed = Snapshot({**files, path: msgspec.structs.replace(files[path], text=b"\n" + edited)})

    later = Project(changed, None, earlier)

    assert earlier.is_of(Snapshot(files))
    assert not earlier.is_of(changed)
    assert not earlier.is_of(Snapshot({"models.py": files["models.py"]}))
    found = later.orm.reads.reads_of(Wanted(frozenset({"posts"})))
    moved = {trace.load.place.span.start for one in found for trace in one.traces}
    assert moved == {one.load.place.span.start + 1 for read in told for one in read.traces}
    assert moved
