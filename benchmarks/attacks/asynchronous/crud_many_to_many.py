from sqlalchemy import Column, ForeignKey, Table, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from collections.abc import Iterator

engine = create_engine("sqlite:///a.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


links = Table("links", Base.metadata, Column("post_id", ForeignKey("posts.id"), primary_key=True), Column("tag_id", ForeignKey("tags.id"), primary_key=True))


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    posts: Mapped[list["Post"]] = relationship(secondary=links, back_populates="tags")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[list[Tag]] = relationship(secondary=links, back_populates="posts", order_by=Tag.name)



def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()

def tag(db: Session, name: str) -> Tag:
    found = db.scalars(select(Tag).where(Tag.name == name)).one_or_none()
    if not found:
        found = Tag(name=name)
        db.add(found)
    return found


@app.post("/posts")
def create(tags: list[str], db: Session = Depends(get_db)) -> list[str]:
    post = Post(tags=[tag(db, t) for t in tags])
    db.add(post)
    db.commit()
    return [t.name for t in post.tags]


@app.put("/posts/{key}")
def put(key: int, tags: list[str], db: Session = Depends(get_db)) -> dict:
    post = db.get(Post, key)
    post.tags.clear()
    for name in tags:
        post.tags.append(tag(db, name))
    db.commit()
    return {t.name: len(t.posts) for t in post.tags}


def main() -> None:
    with TestClient(app) as client:
        print(client.post("/posts", json=["b", "a"]).json(), client.post("/posts", json=["a"]).json())
        print(client.put("/posts/1", json=["c", "a"]).json())


if __name__ == "__main__":
    main()
