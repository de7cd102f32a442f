from sqlalchemy.orm import Session

from shop import Author, opened


def counted(session: Session, age=30):
    query = session.query(Author)

    def of(age):
        return query.filter(Author.age == age).count()

    def with_name(name, query=query):
        query = query.filter(Author.name == name)
        return query.count()

    return of(age), with_name("ann"), query.count()


print(counted(opened()))
