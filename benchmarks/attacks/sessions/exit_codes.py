import sys

from sqlalchemy import select

from database import SessionLocal, User, seed


def main() -> int:
    seed()
    with SessionLocal() as db:
        print(db.scalar(select(User.name).where(User.id == 1)))
        if len(sys.argv) > 1:
            return 2
    return 3


if __name__ == "__main__":
    sys.exit(main())
