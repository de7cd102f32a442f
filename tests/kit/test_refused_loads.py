"""The loads that are not written, each with its reason, and those of a mapping with a depth."""

from __future__ import annotations

from textwrap import dedent

import pytest
from kit_loads import HEAD, MODELS, traces_of
from kit_programs import program

from awaken.kit.eager_loads import plan_loads

REFUSED = {
    "unknown-entity": """
        def case(session: Session, model):
            return [one.posts for one in session.query(model)]
        """,
    "unknown-options": """
        def case(session: Session, *given):
            return [one.posts for one in session.query(User).options(*given)]
        """,
    "load-chosen": """
        def case(session: Session):
            return [one.posts for one in session.query(User).options(raiseload(User.posts))]
        """,
    "not-loaded-ahead": """
        def case(session: Session):
            return [one.logins for one in session.query(User)]
        """,
    "other-load": """
        def users(session: Session):
            return session.query(User)


        def case(session: Session):
            return [one.posts for one in users(session)]


        def other(session: Session):
            return users(session).options(subqueryload(User.posts)).all()
        """,
    "inner-code": """
        case = lambda session: [one.posts for one in session.query(User)]
        """,
    "no-refresh": """
        def case(session: Session):
            user = User()
            return user.posts
        """,
    "nested-refresh": """
        def case(session: Session):
            user = User()
            session.refresh(user)
            return [one.author.name for one in user.posts]
        """,
    "no-name": """
        def case(session: Session):
            def Post():
                users = session.query(User)
                return [one.tags for user in users for one in user.posts]

            return Post()
        """,
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_written_is_refused_with_the_reason(reason):
    more = [("models.User.posts",)] if reason in {"unknown-entity", "inner-code"} else ()
    text = HEAD.format(models="User", orm="raiseload, subqueryload") + dedent(REFUSED[reason])
    project = program({"models.py": MODELS, "case.py": text})

    planned = plan_loads("load-all", project, traces_of(project, more))

    refused = {one.reason.code: one.help for one in planned.refused.values()}
    assert refused[reason]


@pytest.mark.parametrize(("depth", "added"), [(0, True), (1, True), (2, False)])
def test_the_mapping_loads_as_many_steps_as_join_depth_says(depth, added):
    models = f"""
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

        class Base(DeclarativeBase):
            pass

        class Node(Base):
            __tablename__ = "nodes"
            id: Mapped[int] = mapped_column(primary_key=True)
            up_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))
            up: Mapped["Node | None"] = relationship(
                remote_side=[id], lazy="selectin", join_depth={depth}
            )
        """
    case = """
        from models import Node
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        def case(session: Session):
            return [node.up.up for node in session.scalars(select(Node))]
        """
    project = program({"models.py": dedent(models), "case.py": dedent(case)})

    planned = plan_loads("load-all", project, traces_of(project))

    assert bool(planned.added) == added
