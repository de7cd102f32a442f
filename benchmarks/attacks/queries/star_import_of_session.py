from database import *


def count():
    return session.query(Author).filter(Author.age == 30).count()


print(count(), session.query(Author).first().name, [a.id for a in session.query(Author)])
# --- database.py
from shop import Author, opened

session = opened()
