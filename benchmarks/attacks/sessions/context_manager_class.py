from database import SessionLocal, User, seed


class Unit:
    def __init__(self):
        self.log = []

    def __enter__(self):
        self.db = SessionLocal()
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            self.db.rollback()
        else:
            self.db.commit()
        self.db.close()
        self.log.append(kind and kind.__name__)
        return kind is KeyError


def main():
    seed()
    unit = Unit()
    with unit:
        unit.db.get(User, 1).name = "x"
    with unit as u:
        u.db.get(User, 1).name = "y"
        raise KeyError
    with unit:
        print(unit.db.get(User, 1).name, unit.log)


if __name__ == "__main__":
    main()
