from sqlalchemy import insert, select

from database import Post, SessionLocal, User, seed


def main():
    seed()
    with SessionLocal() as db:
        db.bulk_save_objects([User(id=5, name="e"), User(id=6)])
        db.bulk_insert_mappings(Post, [{"title": "m", "user_id": 5}])
        db.bulk_update_mappings(User, [{"id": 6, "name": "f"}])
        print(db.scalars(insert(User).returning(User.id), [{"name": "g"}, {"name": "h"}]).all())
        db.commit()
        print(db.scalars(select(User.name).order_by(User.id)).all(), len(db.get(User, 5).posts))


if __name__ == "__main__":
    main()
