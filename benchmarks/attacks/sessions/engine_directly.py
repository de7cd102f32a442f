from sqlalchemy import inspect, text

from database import Base, User, engine, seed


def main():
    seed()
    with engine.connect() as connection:
        print(connection.execute(text("select name from users order by id")).all())
        result = connection.execute(text("select count(*) from posts"))
        print(result.scalar(), result.closed)
    with engine.begin() as connection:
        connection.execute(text("delete from posts"))
        print(connection.execute(User.__table__.select()).fetchone().name)
    print(sorted(inspect(engine).get_table_names()), engine.dialect.name, engine.url.database)
    Base.metadata.drop_all(engine)
    print(inspect(engine).has_table("users"))


if __name__ == "__main__":
    main()
