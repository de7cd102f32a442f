from store import users

for user in users():
    print(user.name, [(post.title, [tag.name for tag in post.tags]) for post in user.posts])
    print(user.profile.city if user.profile else None)
# --- store.py
import sqlalchemy as sa

import blog


def users():
    return blog.opened().scalars(sa.select(blog.User).order_by(blog.User.id)).all()
