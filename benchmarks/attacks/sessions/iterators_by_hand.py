from sqlalchemy import select

from database import Post, SessionLocal, User, seed


class Posts:
    def __init__(self, db):
        self.db, self.last = db, 0

    def __iter__(self):
        return self

    def __next__(self):
        post = self.db.scalar(select(Post).where(Post.id > self.last).order_by(Post.id).limit(1))
        if post is None:
            raise StopIteration
        self.last = post.id
        return post.title


class Pages:
    def __init__(self, db):
        self.db = db

    def __iter__(self):
        for user in self.db.scalars(select(User).order_by(User.id)):
            yield user.name, [p.title for p in user.posts]


def main():
    seed()
    with SessionLocal() as db:
        print(list(Posts(db)), list(Pages(db)), dict(Pages(db)), [*Posts(db)])
        for title in Posts(db):
            print(title)


if __name__ == "__main__":
    main()
