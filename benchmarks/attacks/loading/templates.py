# announced: a read that awaken does not see now raises
from jinja2 import DictLoader, Environment
from sqlalchemy import select
from sqlalchemy.orm import Session

from blog import User, opened

pages = Environment(loader=DictLoader({"users": "{% for u in users %}{{ u.name }}:{% for p in u.posts %}{{ p.title }}{{ p.tags | length }};{% endfor %}{{ u.profile.city }}\n{% endfor %}"}))


def show(session: Session):
    users = session.scalars(select(User).order_by(User.id)).all()
    print(pages.get_template("users").render(users=users))
    print("{0.name} {0.profile.city}".format(users[0]), "%s" % len(users[0].posts))


show(opened())
