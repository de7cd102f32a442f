from sqlalchemy import select

from database import Post, SessionLocal, User, seed


def report(db):
    total = 0

    def count(user):
        nonlocal total
        total += len(user.posts)

        def inner():
            return db.scalar(select(Post.title).where(Post.user_id == user.id).order_by(Post.id))

        return inner

    makers = [count(user) for user in db.scalars(select(User).order_by(User.id))]
    return total, [make() for make in makers]


def main():
    seed()
    with SessionLocal() as db:
        print(report(db))


if __name__ == "__main__":
    main()
