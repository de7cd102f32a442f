"""Objects that a model reads in a greenlet: whichever method loads them, they are reloaded."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, rewritten

SHOP = """\
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool

engine = create_engine(
    "sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool
)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list["Post"]] = relationship(back_populates="author")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="posts")


class PostRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int


class AuthorRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    posts: list[PostRead]


def shown(db: Session, model: type[BaseModel]) -> BaseModel:
    author = db.LOAD
    return model.model_validate(author)


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        kept = Author(id=1)
        db.add(kept)
        db.commit()
        print(shown(db, AuthorRead))
        db.add(Post(author_id=1))
        db.commit()
        print(shown(db, AuthorRead))
    engine.dispose()


if __name__ == "__main__":
    main()
"""
LOADS = {
    "execute": "execute(select(Author).where(Author.id == 1)).scalar_one()",
    "scalar": "scalar(select(Author).where(Author.id == 1))",
    "scalars": "scalars(select(Author).where(Author.id == 1)).one()",
}


@pytest.mark.parametrize("method", LOADS)
def test_an_object_that_a_model_reads_has_the_rows_after_a_commit(
    method, tmp_path, capsys, monkeypatch
):
    before = {"shop.py": SHOP.replace("LOAD", LOADS[method]).encode()}
    result = rewritten(shop=before["shop.py"].decode())
    expected = printed("shop.py", before, tmp_path / "before", capsys, monkeypatch)
    with forgotten_coroutines():
        after = printed("shop.py", result.files, tmp_path / "after", capsys, monkeypatch)

    assert b"await greenlet_spawn(model.model_validate, author)" in result.files["shop.py"]
    assert after == expected == "posts=[]\nposts=[PostRead(id=1)]\n"
