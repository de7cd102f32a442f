from sqlalchemy.orm import scoped_session, sessionmaker

from shop import Author, Base, opened

registry = scoped_session(sessionmaker(opened().get_bind()))
Base.query = registry.query_property()


def ids():
    return [a.id for a in Author.query.filter(Author.age == 30)]


print(ids(), Author.query.get(2).name, Author.query.count(), registry.query(Author).first().id)
registry.remove()
print(Author.query.filter_by(name="ann").one().age, Author.query.first() is Author.query.first())
