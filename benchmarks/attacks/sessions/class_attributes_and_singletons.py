from sqlalchemy import select

from database import SessionLocal, User, seed


class Registry:
    _cache: dict = {}
    session = None

    def __new__(cls):
        if "one" not in cls._cache:
            cls._cache["one"] = super().__new__(cls)
            cls._cache["one"].session = SessionLocal()
        return cls._cache["one"]

    @classmethod
    def name(cls, key):
        if key not in cls._cache:
            cls._cache[key] = cls().session.get(User, key).name
        return cls._cache[key]

    @staticmethod
    def count():
        return len(Registry().session.scalars(select(User)).all())


def main():
    seed()
    print(Registry.name(1), Registry().name(2), Registry.count(), Registry() is Registry())


if __name__ == "__main__":
    main()
