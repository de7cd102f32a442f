from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    for user in session.query(User).order_by(User.id):
        print(user.name, len(user.posts))
    for post in session.query(Post).filter(Post.user_id == 1).order_by(Post.id).limit(1).all():
        print(post.author.name, [t.name for t in post.tags])
    print(session.query(User).order_by(User.id).first().profile.city)
    print([len(u.posts) for u, _ in session.query(User, Post).join(Post).order_by(Post.id)])
    print(session.query(User).count(), session.query(Post).get(3).author.name)
    for user in session.query(User).order_by(User.id).yield_per(2):
        print(len(user.posts))


show(opened())
