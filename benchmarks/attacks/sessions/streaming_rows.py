from sqlalchemy import select

from database import Post, SessionLocal, seed


def stream(db):
    for post in db.scalars(select(Post).order_by(Post.id).execution_options(yield_per=1)):
        yield post.title, post.author


def main():
    seed()
    with SessionLocal() as db:
        for title, author in stream(db):
            print(title, author and author.name)
            if title == "b":
                break
        result = db.execute(select(Post.id).order_by(Post.id), execution_options={"stream_results": True})
        print(next(iter(result)), result.fetchmany(1), result.scalars().all())


if __name__ == "__main__":
    main()
