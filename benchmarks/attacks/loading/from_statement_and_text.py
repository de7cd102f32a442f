from sqlalchemy import select, text
from sqlalchemy.orm import Session

from blog import User, opened


def show(session: Session):
    statement = select(User).from_statement(text("select * from users order by id desc"))
    print([(user.name, len(user.posts)) for user in session.scalars(statement)])
    union = select(User).where(User.id == 1).union_all(select(User).where(User.id == 2))
    print([len(user.posts) for user in session.scalars(select(User).from_statement(union))])


show(opened())
