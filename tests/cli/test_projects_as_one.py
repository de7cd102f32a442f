"""Projects that are read as one: an application and a plug-in that imports it by its name."""

import subprocess
import sys

import pytest
from real_program import MANIFEST, awaken

SETTINGS = "\n[tool.awaken]\npublished = false\n"
MEMBERS = f'{SETTINGS}members = ["/plugins/*"]\n'
DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def make() -> Session:
    return SessionLocal()
"""
PLUGIN = """\
from shop.database import User, make


def names():
    with make() as db:
        return [user.name for user in db.query(User).order_by(User.id).all()]
"""
MAIN = """\
from mail.listing import names
from shop.database import Base, User, engine, make


def main():
    Base.metadata.create_all(engine)
    with make() as db:
        db.add_all([User(name="ann"), User(name="ben")])
        db.commit()
    print(names())


if __name__ == "__main__":
    main()
"""


@pytest.fixture
def shop(tmp_path):
    """Return a function that writes the application with its plug-in, and these settings."""

    def written(settings):
        root = tmp_path / "application"
        for name, text in {
            "pyproject.toml": MANIFEST + settings,
            "shop/__init__.py": "",
            "shop/database.py": DATABASE,
            "shop/main.py": MAIN,
            "plugins/mail/pyproject.toml": MANIFEST.replace("shop", "shop-mail"),
            "plugins/mail/mail/__init__.py": "",
            "plugins/mail/mail/listing.py": PLUGIN,
        }.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    return written


def printed(root):
    """Return what the application prints, with a database of its own."""
    (root / "shop.db").unlink(missing_ok=True)
    code = "import sys; sys.path[:0] = ['.', 'plugins/mail']; import runpy; "
    flags = ["-B", "-W", "error::RuntimeWarning"]
    done = subprocess.run(
        [sys.executable, *flags, "-c", f"{code}runpy.run_module('shop.main', None, '__main__')"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_plug_in_alone_does_not_see_the_application(shop):
    root = shop(SETTINGS)

    awaken("apply", "--select", "query-to-select", root)

    assert (root / "plugins/mail/mail/listing.py").read_text() == PLUGIN


def test_a_plug_in_that_is_a_member_is_rewritten_with_the_application(shop):
    root = shop(MEMBERS)
    before = printed(root)

    code, _ = awaken("apply", "--select", "query-to-select", root / "plugins/mail")

    assert code == 0
    assert (
        "db.scalars(select(User).order_by(User.id))"
        in (root / "plugins/mail/mail/listing.py").read_text()
    )
    assert printed(root) == before == "['ann', 'ben']\n"


def test_a_plug_in_that_is_a_member_becomes_asynchronous_with_the_application(shop):
    root = shop(MEMBERS)
    before = printed(root)

    rules = "query-to-select,session-to-async"
    code, _ = awaken("apply", "--unsafe-fixes", "--select", rules, root)

    assert code == 0
    assert "async def names():" in (root / "plugins/mail/mail/listing.py").read_text()
    assert "await names()" in (root / "shop/main.py").read_text()
    assert printed(root) == before
