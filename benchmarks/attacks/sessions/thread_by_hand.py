import threading

from database import SessionLocal, User, seed

found = []


def work(key):
    with SessionLocal() as db:
        found.append(db.get(User, key).name)


def main():
    seed()
    threads = [threading.Thread(target=work, args=(key,)) for key in (1, 2)]
    for thread in threads:
        thread.start()
        thread.join()
    print(found)


if __name__ == "__main__":
    main()
