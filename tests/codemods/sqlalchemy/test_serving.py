"""Functions that use the database, and then run a server with an event loop of its own."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from planned import forgotten_coroutines, printed, reason_of, rewritten, session_to_async

DATABASE = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
from sqlalchemy.pool import NullPool

engine = create_engine("sqlite:///shop.db", poolclass=NullPool)
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)


def count():
    with LocalSession() as db:
        return len(db.scalars(select(Shop)).all())
"""
SCRIPT = """\
import uvicorn

from database import Base, LocalSession, Shop, count, engine


def prepare():
    with LocalSession() as db:
        db.add(Shop(id=1))
        db.commit()


def main(port: int = 8000) -> None:
    \"\"\"Start the server.\"\"\"
    print("first")
    Base.metadata.create_all(engine)
    prepare()
    number = count()
    print("shops", number)
    print("last")
    uvicorn.run("application:app", port=port)


if __name__ == "__main__":
    main()
"""
MAIN = "main(port: int = 8000) -> None:"


def of(script: str):
    return session_to_async({"database.py": DATABASE, "script.py": script})


def test_what_waits_is_run_before_it_serves(tmp_path, capsys, monkeypatch):
    serving = SimpleNamespace(run=lambda name, port: sys.stdout.write(f"serves {name} {port}\n"))
    monkeypatch.setitem(sys.modules, "uvicorn", serving)
    result = rewritten(database=DATABASE, script=SCRIPT)
    before = {"database.py": DATABASE.encode(), "script.py": SCRIPT.encode()}

    texts: list[str] = []
    for name, files in (("before", before), ("after", result.files)):
        (tmp_path / f"{name}-data").mkdir()
        monkeypatch.chdir(tmp_path / f"{name}-data")
        with forgotten_coroutines():
            texts.append(printed("script.py", files, tmp_path / name, capsys, monkeypatch))

    assert texts[0] == texts[1] == "first\nshops 1\nlast\nserves application:app 8000\n"
    written = result.files["script.py"].decode()
    assert f"\n\ndef {MAIN}\n" in written
    assert "async def before_main() -> None:\n    async with engine.begin()" in written
    assert "    number = await count()\n" in written


def test_one_call_is_run_where_it_stands():
    script = SCRIPT.replace("    Base.metadata.create_all(engine)\n", "")
    script = script.replace('    number = count()\n    print("shops", number)\n', "")
    written = rewritten(database=DATABASE, script=script).files["script.py"].decode()

    assert '    print("first")\n    asyncio.run(prepare())\n' in written
    assert '    print("last")\n    uvicorn.run(' in written


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Names of both sides.
        ("number = count()", "number = count() + port"),
        ("port=port)", "port=number)"),
        ('print("last")', "print(locals())"),
        ('print("last")', "print(dir())"),
        # It would end there.
        ("number = count()", "number = count()\n    if not number:\n        return"),
        # The server itself is among what waits.
        ('print("last")', "uvicorn.run('other:app')\n    count()"),
        # It serves inside of what waits.
        ("def main(", "def serve():\n    uvicorn.run('other:app')\n\n\ndef main("),
    ],
)
def test_what_cannot_be_run_before_it_is_reported(before, after):
    script = SCRIPT.replace(before, after)
    if after.startswith("def serve"):
        script = script.replace("number = count()", "number = count(); serve(); prepare()")
    found = of(script)

    assert "loop-inside" in {reason_of(one) for one in found.findings}
    assert not found.changes


def test_a_method_that_serves_is_reported():
    found = of(f"{SCRIPT.partition('def main')[0]}{METHOD}")

    assert "loop-inside" in {reason_of(one) for one in found.findings}


METHOD = """\
class Command:
    def main(self):
        prepare()
        uvicorn.run("application:app")


Command().main()
"""


def test_a_function_that_others_await_does_not_serve():
    script = f"{SCRIPT}\n\nasync def again():\n    main()\n"

    assert "runs-loop" in {reason_of(one) for one in of(script).findings}


def test_connections_that_cannot_be_closed_are_not_left_to_the_server():
    database = DATABASE.replace("engine = create", "engines = {}\nengines[0] = create")
    database = database.replace(", poolclass=NullPool", "")
    database = database.replace("sessionmaker(engine)", "sessionmaker(engines[0])")
    script = SCRIPT.replace("    Base.metadata.create_all(engine)\n", "").replace(", engine", "")
    texts = {"database.py": database, "script.py": script}

    assert "no-engine" in {reason_of(one) for one in session_to_async(texts).findings}


def test_of_several_engines_that_of_the_program_that_serves_is_closed():
    pooled = DATABASE.replace(", poolclass=NullPool", "")
    texts: dict[str, str] = {}
    for home in ("orders", "stock"):
        texts[f"{home}_database"] = pooled
        texts[f"serve_{home}"] = SCRIPT.replace("from database", f"from {home}_database")
    files = rewritten(**texts).files

    for home in ("orders", "stock"):
        assert "await engine.dispose()" in files[f"{home}_database.py"].decode()
        written = files[f"serve_{home}.py"].decode()
        assert f"from {home}_database import" in written
        assert "asyncio.run(closing_connections(before_main()))" in written
