from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from database import SessionLocal, User, seed


@dataclass
class Report:
    db: Session
    names: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.names = list(self.db.scalars(select(User.name).order_by(User.id)))

    def total(self):
        return len(self.names) + self.db.get(User, 1).id


def main():
    seed()
    with SessionLocal() as db:
        report = Report(db)
        print(report.names, report.total())


if __name__ == "__main__":
    main()
