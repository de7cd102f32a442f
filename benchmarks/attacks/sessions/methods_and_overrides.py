from sqlalchemy import select

from database import Post, SessionLocal, User, seed


class Base:
    model = None

    def __init__(self, db):
        self.db = db

    def all(self):
        return [self.show(one) for one in self.db.scalars(select(self.model).order_by(self.model.id))]

    def show(self, one):
        return one.id


class Users(Base):
    model = User

    def show(self, user):
        return user.name, [p.title for p in user.posts], self.extra(user)

    def extra(self, user):
        return None


class Posts(Base):
    model = Post

    def show(self, post):
        return post.title, post.author.name if post.author else None


class Loud(Users):
    def extra(self, user):
        return self.db.scalar(select(Post.title).where(Post.user_id == user.id).limit(1))


def main():
    seed()
    with SessionLocal() as db:
        for kind in (Users, Posts, Loud):
            print(kind(db).all())


if __name__ == "__main__":
    main()
