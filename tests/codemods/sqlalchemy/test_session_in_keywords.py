"""A session that the wrapper of a decorator takes out of its packed keywords."""

import pytest
from planned import forgotten_coroutines, printed, rewritten

SHOP = """\
from functools import wraps

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool)
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Visit(Base):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def visited(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        db = TAKEN
        if db is not None:
            db.add(Visit(name=function.__name__))
            db.commit()
        return function(*args, **kwargs)

    return wrapper


@visited
def names(prefix: str, *, db: Session) -> list[str]:
    return [prefix + one.name for one in db.scalars(select(Visit).order_by(Visit.id))]


@visited
def count(*, db: Session) -> int:
    return len(db.scalars(select(Visit)).all())


def main() -> None:
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        print(names("of ", db=db), count(db=db))
    engine.dispose()


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("taken", ['kwargs["db"]', 'kwargs.get("db")', 'kwargs.get("db", None)'])
def test_it_waits_as_what_is_decorated_does(taken, tmp_path, capsys, monkeypatch):
    text = SHOP.replace("TAKEN", taken)
    result = rewritten(shop=text)

    assert not [one for one in result.report.findings if one.level == "manual"]
    assert f"db = {taken}" in result.files["shop.py"].decode()
    before = printed("shop.py", {"shop.py": text.encode()}, tmp_path / "a", capsys, monkeypatch)
    with forgotten_coroutines():
        after = printed("shop.py", result.files, tmp_path / "b", capsys, monkeypatch)
    assert after == before == "['of names'] 2\n"


@pytest.mark.parametrize("taken", ['kwargs.pop("db")', 'kwargs["session"]'])
def test_what_may_be_anything_else_stays(taken):
    result = rewritten(shop=SHOP.replace("TAKEN", taken))

    reasons = {(one.reason or "").rpartition("/")[2] for one in result.report.findings}
    assert "unknown-session" in reasons
    assert result.files["shop.py"].decode() == SHOP.replace("TAKEN", taken)
