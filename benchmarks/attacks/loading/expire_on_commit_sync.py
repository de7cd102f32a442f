from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from blog import User, opened

Local = sessionmaker(opened().get_bind())


def rename(db: Session):
    user = db.get(User, 1)
    db.execute(update(User).where(User.id == 1).values(name="sql"), execution_options={"synchronize_session": False})
    db.commit()
    return user.name


with Local() as db:
    print(rename(db))
