from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from database import SessionLocal, engine


class Base(DeclarativeBase):
    pass


class Job(Base):
    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="new")
    size: Mapped[int] = mapped_column(default=1)
    runs: Mapped[int] = mapped_column(default=0, onupdate=lambda: 7)


def main():
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        job = Job()
        db.add(job)
        db.flush()
        print(job.id, job.state, job.size)
        job.size = Job.size + 4
        db.flush()
        print(job.size, job.runs)
        db.commit()
        print(job.state, db.scalar(select(func.sum(Job.size))))


if __name__ == "__main__":
    main()
