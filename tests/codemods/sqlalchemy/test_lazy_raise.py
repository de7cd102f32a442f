"""The option of lazy-raise, what it does beside sites that are left out, and a fact it rests on."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, ForeignKey, Integer, create_engine
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, declarative_base, relationship
from sqlalchemy.pool import StaticPool

from awaken import api
from awaken.settings import Settings

_MODELS = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list["Post"]] = relationship()
    drafts: Mapped[list["Post"]] = relationship(viewonly=True)


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
"""
_VIEWS = """\
from models import User
from sqlalchemy import select
from sqlalchemy.orm import Session


def count(session: Session) -> int:
    user = session.scalars(select(User)).one()
    session.rollback()
    return len(user.posts)


def drafts(session: Session) -> int:
    user = session.scalars(select(User)).one()
    return len(user.posts) + len(user.drafts)
"""


@pytest.fixture
def made(tmp_path):
    """Return what becomes of the models and of a file that reads them, and the reasons."""

    def run(mode="auto", models=_MODELS, views=_VIEWS):
        manifest = "[project]\nname = 'x'\nversion = '0'\n[tool.awaken]\npublished = false\n"
        manifest += f"[tool.awaken.rules.lazy-raise]\nmode = '{mode}'\n"
        (tmp_path / "pyproject.toml").write_text(manifest)
        (tmp_path / "models.py").write_text(models)
        (tmp_path / "views.py").write_text(views)
        settings = Settings(select=("lazy-raise",), unsafe_fixes=True)
        options = api.Options(settings=settings, jobs=1, use_cache=False)
        (root,) = api.run([tmp_path], options).roots
        after = {change.path: change.after.text.decode() for change in root.files}
        return after, [finding.reason for finding in root.findings], root.diagnostics

    return run


@pytest.mark.parametrize(
    ("mode", "posts", "drafts"),
    [
        ("auto", 'relationship(lazy="raise_on_sql")', 'lazy="raise"'),
        ("raise", "relationship()", 'lazy="raise"'),
        ("raise_on_sql", 'relationship(lazy="raise_on_sql")', 'lazy="raise_on_sql"'),
    ],
)
def test_the_mode_says_what_unloaded_relationships_do(made, mode, posts, drafts):
    after, reasons, diagnostics = made(mode)
    assert diagnostics == ()
    assert f'posts: Mapped[list["Post"]] = {posts}' in after["models.py"]
    assert f"relationship(viewonly=True, {drafts})" in after["models.py"]
    assert reasons == [None if mode != "raise" else "lazy-raise/needs-raise-on-sql", None]
    assert ("selectinload(User.posts)" in after["views.py"]) == (mode != "raise")


def test_a_side_that_is_suppressed_needs_no_loads(made):
    held = _MODELS.replace("relationship()", "relationship()  # awaken: ignore[lazy-raise]")
    after, _, diagnostics = made(models=held)
    assert diagnostics == ()
    assert "selectinload(User.posts)" not in after["views.py"]
    assert "selectinload(User.drafts)" in after["views.py"]


def test_a_file_that_does_not_parse_may_read_what_it_names(made):
    views = "def drafts(:\n    return user.drafts"
    after, reasons, _ = made(views=views)
    assert reasons == [None, "lazy-raise/unknown-object"]
    assert after["models.py"].count('lazy="raise"') == 1


_TITLED = _MODELS + "    user: Mapped[User] = relationship(viewonly=True)\n"
_RENDERED = (
    _VIEWS
    + """

def shown(session: Session, name: str) -> str:
    return render_template({}, user=session.scalars(select(User)).one())
"""
)


@pytest.mark.parametrize(
    ("template", "reason"), [("name", "lazy-raise/unknown-load"), ("'user.html'", None)]
)
def test_what_a_template_may_read_keeps_its_loading(made, tmp_path, template, reason):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "user.html").write_text("{{ user.drafts|length }}")
    views = "from flask import render_template\n" + _RENDERED.format(template)

    # Of the object itself: not of what it leads to.
    after, reasons, _ = made(models=_TITLED, views=views)

    assert reasons == [reason, reason, None]
    assert after.get("views.py", "").count("selectinload(User.drafts)") == (0 if reason else 2)


# ------------------------------------------------------------------------------ SQLAlchemy itself
@pytest.mark.parametrize("lazy", ["raise", "raise_on_sql"])
def test_a_flush_that_deletes_part_of_a_tree_reads_what_is_above_it(lazy):
    base = declarative_base()

    class Node(base):
        __tablename__ = "nodes"
        id = Column(Integer, primary_key=True)
        above_id = Column(ForeignKey("nodes.id"))
        below = relationship("Node", back_populates="above", cascade="all")
        above = relationship("Node", back_populates="below", remote_side="Node.id", lazy=lazy)

    engine = create_engine("sqlite://", poolclass=StaticPool)
    base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Node(id=1, below=[Node(id=2, below=[Node(id=3)])]))
        session.commit()
    with Session(engine) as session:
        session.delete(session.get(Node, 2))
        with pytest.raises(InvalidRequestError, match=f"lazy='{lazy}'"):
            session.flush()
    engine.dispose()


def test_the_context_of_alembic_has_no_relationships(made):
    after, reasons, _ = made(views="from alembic import context\n\nname = context.posts\n")
    assert reasons == [None, None]
    assert after["models.py"].count('lazy="raise"') == len(reasons)


@pytest.mark.parametrize(
    ("declared", "begin", "end"),
    [
        (">=1.4", "session.execute(select(User)", ").scalars().one_or_none().posts"),
        (">=2", "session.scalars(select(User)", ").one_or_none().posts"),
    ],
)
def test_a_get_becomes_a_select_that_the_declared_version_has(made, tmp_path, declared, begin, end):
    views = "from models import User\nfrom sqlalchemy.orm import Session\n\n\n"
    views += "def count(session: Session) -> int:\n    return len(session.get(User, 1).posts)\n"
    (tmp_path / "requirements.txt").write_text(f"sqlalchemy{declared}\n")
    after, _, _ = made(views=views)
    call = "".join(after["views.py"].split("return ")[1].split())
    assert call.startswith(f"len({begin}")
    assert end in call
