"""New objects after a commit: programs load, count and delete the same before and after."""

from __future__ import annotations

import pytest
from planned import printed, rewritten

NEW = """\
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker,
)

engine = create_engine("sqlite:///x.db")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class State(Base):
    __tablename__ = "states"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class City(Base):
    __tablename__ = "cities"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    state_id: Mapped[int] = mapped_column(ForeignKey("states.id"))
    state: Mapped[State] = relationship(lazy="joined")


def city_of(db: Session, name: str) -> City:
    row = db.scalar(select(City).where(City.name == name))
    if row is None:
        row = City(name=name, state_id=1)
        db.add(row)
        db.flush()
    return row


def main():
    Base.metadata.create_all(engine)
    with LocalSession() as db:
        db.add(State(id=1, name="Jalisco"))
        db.commit()
    for _ in range(2):
        with LocalSession() as db:
            print(city_of(db, "Guadalajara").state.name)
            db.commit()


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("lazy", ["joined", "selectin", "select"])
def test_what_the_mapping_loads_is_loaded_for_a_new_object(lazy, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = NEW.replace('"joined"', f'"{lazy}"')
    result = rewritten(shop=text)
    assert "async def city_of(" in result.files["shop.py"].decode()
    lines = list[str]()
    for number, files in enumerate([{"shop.py": text.encode()}, result.files]):
        lines.append(printed("shop.py", files, tmp_path / str(number), capsys, monkeypatch))
        (tmp_path / "x.db").unlink()
    assert lines == ["Jalisco\nJalisco\n"] * 2


COUNTED = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list["Post"]] = relationship(back_populates="tag")

    @property
    def post_count(self) -> int:
        return len(self.posts)


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"))
    tag: Mapped[Tag] = relationship(back_populates="posts")


engine = create_engine("sqlite://")


def counts(db: Session) -> None:
    tag = Tag(id=1)
    db.add(tag)
    db.commit()
    print(tag.post_count)
    db.add_all([Post(tag_id=1), Post(tag_id=1)])
    db.commit()
    db.refresh(tag)
    print(tag.post_count)


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        counts(db)


if __name__ == "__main__":
    main()
"""


def test_a_property_reads_a_relationship_after_the_first_commit(tmp_path, capsys, monkeypatch):
    result = rewritten(shop=COUNTED)
    lines = [
        printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
        for side, files in (("before", {"shop.py": COUNTED.encode()}), ("after", result.files))
    ]
    assert lines == ["0\n2\n"] * 2


DELETED = """\
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list["Post"]] = relationship(
        back_populates="user", lazy="selectin", cascade="all, delete-orphan"
    )


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship(back_populates="posts")


engine = create_engine("sqlite://")


def remove(db: Session) -> None:
    user = User(id=1)
    db.add(user)
    db.commit()
    db.refresh(user)
    db.add(Post(user_id=user.id))
    db.commit()
    db.delete(user)
    db.commit()
    print(db.scalar(select(func.count(Post.id))))


def forget(db: Session) -> None:
    user = User(id=2)
    db.add(user)
    db.commit()
    db.delete(user)
    db.commit()


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        remove(db)
        forget(db)


if __name__ == "__main__":
    main()
"""


def test_what_a_new_object_loads_between_two_commits_is_deleted(tmp_path, capsys, monkeypatch):
    result = rewritten(shop=DELETED)
    assert result.files["shop.py"].count(b'refresh(user, attribute_names=["posts"])') == 1
    lines = [
        printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
        for side, files in (("before", {"shop.py": DELETED.encode()}), ("after", result.files))
    ]
    assert lines == ["0\n"] * 2


def test_a_passive_deletion_loads_nothing(tmp_path, capsys, monkeypatch):
    text = DELETED.replace('cascade="all, delete-orphan"', "passive_deletes=True").replace(
        "    db.refresh(user)\n", ""
    )
    result = rewritten(shop=text)
    assert b"refresh(user" not in result.files["shop.py"]
    lines = [
        printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
        for side, files in (("before", {"shop.py": text.encode()}), ("after", result.files))
    ]
    assert lines == ["1\n"] * 2
