from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from database import SessionLocal, User, seed


def name(key):
    with SessionLocal() as db:
        user = db.get(User, key)
        return user and user.name


def main():
    seed()
    with ThreadPoolExecutor(2) as pool:
        print(list(pool.map(name, (1, 2, 3))))
        print(pool.submit(name, 1).result())


if __name__ == "__main__":
    main()
