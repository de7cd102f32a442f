from functools import cache, cached_property, lru_cache

from database import SessionLocal, User, seed

calls = []


@lru_cache(maxsize=8)
def name(key):
    calls.append(key)
    with SessionLocal() as db:
        return db.get(User, key).name


class Holder:
    def __init__(self, key):
        self.key = key

    @cached_property
    def user_name(self):
        return name(self.key)


def main():
    seed()
    print(name(1), name(1), name(2), calls, name.cache_info().hits)
    holder = Holder(1)
    print(holder.user_name, holder.user_name)


if __name__ == "__main__":
    main()
