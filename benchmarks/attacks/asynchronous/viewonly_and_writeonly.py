from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, WriteOnlyMapped, mapped_column, relationship

engine = create_engine("sqlite:///a.db")


class Base(DeclarativeBase):
    pass


class Feed(Base):
    __tablename__ = "feeds"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: WriteOnlyMapped["Post"] = relationship(order_by="Post.id")
    hot: Mapped[list["Post"]] = relationship(primaryjoin="and_(Feed.id == Post.feed_id, Post.score > 5)", viewonly=True)


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    score: Mapped[int]
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id"))


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        feed = Feed()
        db.add(feed)
        db.flush()
        feed.posts.add_all([Post(score=1), Post(score=9)])
        db.flush()
        print([p.score for p in feed.hot])
        feed.posts.add(Post(score=10))
        db.commit()
        print([p.score for p in feed.hot], db.scalars(feed.posts.select()).all()[0].score)
        print(db.scalar(select(func.count()).select_from(Post)))


if __name__ == "__main__":
    main()
