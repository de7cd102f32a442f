from collections import defaultdict
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import Post, User, opened


def show(session: Session):
    users = sorted(session.scalars(select(User)), key=lambda u: (-len(u.posts), u.id))
    print([u.id for u in users])
    by_city = defaultdict(list)
    for user in users:
        by_city[user.profile.city if user.profile else None].append(user.id)
    print(dict(by_city))
    posts = session.scalars(select(Post).order_by(Post.id)).all()
    print([(k, len(list(g))) for k, g in groupby(posts, key=lambda p: p.author.name if p.author else "")])
    print(max(users, key=lambda u: len(u.posts)).id, any(u.posts for u in users), {u.id: u for u in users}[1].posts[0].id)


show(opened())
