"""Eager loads: what is written for the reads of a program, and that nothing is loaded after it."""

from __future__ import annotations

import importlib
from pathlib import Path
from textwrap import dedent

import pytest
from kit_loads import HEAD, MODELS, traces_of
from kit_programs import program
from sqlalchemy import event

from awaken.contract import Level, Phase
from awaken.kit.changes import Decided, plan_of, refused_together, rewritten_together
from awaken.kit.eager_loads import REASONS, plan_loads
from awaken.kit.rule import Rule
from awaken.kit.sites import Rewrite, Site
from awaken.testing import run_case
from awaken.testing.cases import Case, Settings
from awaken.testing.execution import Database, importable
from awaken.testing.running import diagnostics_of


class LoadAll(Rule):
    """Writes the loads of all reads of a program, in one change for each statement.

    Those of ``more``, paths for the first query, as well.
    """

    name = "load-all"
    family = "kit"
    phase = Phase.LOADING
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"session",)
    reasons = REASONS

    def __init__(self, more=()):
        self._more = more

    def plan(self, project, constraints):
        del constraints
        groups = {}
        for trace in traces_of(project, self._more):
            groups.setdefault(trace.load.place, []).append(trace)
        return plan_of(self._decided(project, *one) for one in sorted(groups.items()))

    def _decided(self, project, place, traces):
        module = project.module(place.path)
        node = next(one for one in module.walk() if _spans(module, one, place))
        site = Site(self.name, module, node)
        planned = plan_loads(self.name, project, traces)
        if planned.edits:
            texts = ", ".join(one.text for one in planned.added)
            return rewritten_together([site], Rewrite(texts, planned.edits, ["eager"]))
        if planned.refused:
            return refused_together([site], next(iter(planned.refused.values())))
        return Decided(())


def _spans(module, node, place):
    return hasattr(node, "lineno") and module.span(node) == place.span


def run(text, models="User", orm="joinedload", head=HEAD, more=()):
    """Return the program with all loads written, and the result of the run."""
    code = head.format(models=models, orm=orm) + dedent(text)
    files = {"models.py": MODELS.encode(), "case.py": code.encode()}
    case = Case(
        name="x",
        family="kit",
        rule="load-all",
        directory=Path(),
        settings=Settings(unsafe=True),
        before=files,
        after=files,
        program={},
    )
    result = run_case(case, [LoadAll(more)])
    assert not diagnostics_of(result), diagnostics_of(result)
    return files, result


def body(result):
    """Return the code below the imports as it was made."""
    return result.files["case.py"].decode().split("\n\n\n", 1)[-1].strip()


def executed(files):
    """Return what ``case`` gives, and the number of its statements."""
    with importable(files, {}):
        models = importlib.import_module("models")
        database = Database(models)
        statements = []
        event.listen(
            database.engine, "before_cursor_execute", lambda *given: statements.append(given[2])
        )
        try:
            observed = database.observe(importlib.import_module("case").case)
        finally:
            database.close()
    return observed.value, len(statements)


SERVED = {
    "a collection of a query": (
        "User",
        "joinedload",
        """
        def case(session: Session):
            return [len(user.posts) for user in session.query(User).order_by(User.id).all()]
        """,
        "session.query(User).options(selectinload(User.posts)).order_by(User.id).all()",
        2,
    ),
    "a to-one of a select": (
        "Post",
        "selectinload",
        """
        def case(session: Session):
            posts = session.scalars(select(Post).order_by(Post.id)).all()
            return [post.author.name for post in posts]
        """,
        "select(Post).options(joinedload(Post.author)).order_by(Post.id)",
        1,
    ),
    "several levels in the order of the source": (
        "User, Post",
        "Load",
        """
        def case(session: Session):
            found = []
            for user in session.scalars(select(User)):
                for post in user.posts:
                    found.append(post.author.name)
                    found.append([tag.name for tag in post.tags])
            return found
        """,
        "selectinload(User.posts).options(joinedload(Post.author), selectinload(Post.tags))",
        3,
    ),
    "an option that is there is extended": (
        "User, Post",
        "selectinload",
        """
        def case(session: Session):
            users = session.query(User).options(selectinload(User.posts)).all()
            return [[tag.name for tag in post.tags] for user in users for post in user.posts]
        """,
        "session.query(User).options(selectinload(User.posts).selectinload(Post.tags)).all()",
        3,
    ),
    "an option below another": (
        "User, Post",
        "selectinload",
        """
        def case(session: Session):
            query = session.query(User).options(selectinload(User.posts).selectinload(Post.tags))
            return [(post.tags, post.author.name) for user in query for post in user.posts]
        """,
        "selectinload(User.posts).options(selectinload(Post.tags), joinedload(Post.author))",
        3,
    ),
    "the mapping loads the middle": (
        "Cart, Item",
        "Load",
        """
        def case(session: Session):
            return [item.tag.name for cart in session.query(Cart) for item in cart.items]
        """,
        "session.query(Cart).options(defaultload(Cart.items).joinedload(Item.tag))",
        2,
    ),
    "to-one with FOR UPDATE": (
        "Post",
        "Load",
        """
        def case(session: Session):
            return [p.author.name for p in session.scalars(select(Post).with_for_update())]
        """,
        "select(Post).options(selectinload(Post.author)).with_for_update()",
        2,
    ),
    "an alias": (
        "User",
        "aliased",
        """
        def case(session: Session):
            boss = aliased(User)
            return [len(one.posts) for one in session.query(boss).order_by(boss.id)]
        """,
        "session.query(boss).options(selectinload(boss.posts))",
        2,
    ),
    "several entities": (
        "Post, Cart",
        "Load",
        """
        def case(session: Session):
            rows = session.query(Post, Cart).filter(Post.id == Cart.id).all()
            return [(post.author.name, cart.user.name) for post, cart in rows]
        """,
        "session.query(Post, Cart).options(joinedload(Post.author), joinedload(Cart.user))",
        2,
    ),
    "a class that leads to itself": (
        "User",
        "Load",
        """
        def case(session: Session):
            user = session.query(User).filter(User.id == 1).one()
            return user.boss.boss.boss.name
        """,
        "joinedload(User.boss).joinedload(User.boss).joinedload(User.boss)",
        1,
    ),
    "get": (
        "User",
        "selectinload",
        """
        def case(session: Session):
            return [post.id for post in session.get(User, 1).posts]
        """,
        "session.get(User, 1, options=[selectinload(User.posts)]).posts",
        2,
    ),
    "get with options": (
        "User, Post",
        "selectinload",
        """
        def case(session: Session):
            user = session.get(User, 1, options=[selectinload(User.posts)])
            return [post.tags for post in user.posts], user.boss.name
        """,
        "options=[selectinload(User.posts).selectinload(Post.tags), joinedload(User.boss)]",
        3,
    ),
    "options that begin with the same relationship": (
        "User, Post",
        "selectinload",
        """
        def case(session: Session):
            users = session.query(User).options(
                selectinload(User.posts).load_only(Post.id),
                selectinload(User.posts).selectinload(Post.tags),
            )
            return [(post.tags, user.boss) for user in users for post in user.posts]
        """,
        "selectinload(User.posts).selectinload(Post.tags), joinedload(User.boss))",
        3,
    ),
    "a statement in a variable": (
        "Post",
        "Load",
        """
        def case(session: Session):
            posts = select(Post)
            posts = posts.order_by(Post.id)
            return [post.author.name for post in session.scalars(posts)]
        """,
        "posts = select(Post).options(joinedload(Post.author))\n",
        1,
    ),
    "a statement of a helper": (
        "Post",
        "Load",
        """
        def recent(session: Session):
            return session.query(Post).order_by(Post.id)


        def case(session: Session):
            return [post.author.name for post in recent(session).all()]
        """,
        "return session.query(Post).options(selectinload(Post.author)).order_by(Post.id)\n",
        2,
    ),
    "a class that is not imported": (
        "User",
        "Load",
        """
        def case(session: Session):
            users = session.query(User).all()
            return [[tag.name for tag in post.tags] for user in users for post in user.posts]
        """,
        "session.query(User).options(selectinload(User.posts).selectinload(Post.tags)).all()",
        3,
    ),
    "a new object": (
        "User",
        "Load",
        """
        def case(session: Session):
            user = User(name="new")
            session.add(user)
            session.commit()
            session.refresh(user)
            return user.id, list(user.posts)
        """,
        'session.refresh(user)\n    session.refresh(user, attribute_names=["posts"])\n',
        4,
    ),
    "a chain over lines": (
        "User",
        "Load",
        """
        def case(session: Session):
            users = (
                session.query(User)
                .filter(User.id > 1)
                .all()
            )
            return [user.posts for user in users]
        """,
        "session.query(User)\n        .options(selectinload(User.posts))\n        .filter(",
        2,
    ),
    "a line that gets too long": (
        "User, Post",
        "Load",
        """
        def case(session: Session):
            users = session.query(User).filter(User.id > 1).order_by(User.name).all()
            return [post.tags for user in users for post in user.posts]
        """,
        "session.query(User)\n        .options(selectinload(User.posts).selectinload(Post.tags))\n",
        3,
    ),
}


@pytest.mark.parametrize("shape", SERVED)
@pytest.mark.sampled(4)
def test_what_is_read_is_loaded_with_the_objects(shape):
    models, orm, text, wanted, statements = SERVED[shape]

    files, result = run(text, models, orm)

    made = result.files["case.py"].decode()
    assert wanted in made or "".join(wanted.split()) in "".join(made.split()).replace(
        ",)", ")"
    ).replace(",]", "]")
    (before, _), (after, count) = executed(files), executed(result.files)
    assert after == before
    assert count == statements


@pytest.mark.parametrize("shape", SERVED)
def test_what_is_loaded_is_left(shape):
    models, orm, text, _, _ = SERVED[shape]
    _, first = run(text, models, orm)

    _, second = run("", head=first.files["case.py"].decode().replace("{", "{{").replace("}", "}}"))

    assert second.files["case.py"] == first.files["case.py"]


def test_what_a_subclass_has_is_loaded_at_the_level_of_its_base():
    files, result = run(
        """
        def case(session: Session):
            found = session.query(Employee).order_by(Employee.id).all()
            return [one.skill.name for one in found if isinstance(one, Engineer)]
        """,
        "Employee, Engineer",
        more=[("models.Engineer.skill",)],
    )

    text = "".join(result.files["case.py"].decode().split())
    assert "options(selectin_polymorphic(Employee,[Engineer]),joinedload(Engineer.skill))" in text
    (before, _), (after, count) = executed(files), executed(result.files)
    assert (after, count) == (before, 2)


PRESENT = {
    "from a function": """
        def ahead():
            return [selectinload(User.posts)]


        def case(session: Session):
            return [one.posts for one in session.query(User).options(*ahead())]
        """,
    "from a variable, further down": """
        AHEAD = selectinload(User.posts)


        def case(session: Session):
            users = session.query(User)
            users = users.options(AHEAD)
            return [one.posts for one in users]
        """,
    "in words": """
        def case(session: Session):
            return [one.posts for one in session.query(User).options(selectinload("posts"))]
        """,
    "by a refresh with its name": """
        def case(session: Session):
            user = User()
            session.refresh(user, ["posts"])
            return user.posts
        """,
}


@pytest.mark.parametrize("what", PRESENT)
def test_what_is_loaded_is_present(what):
    text = HEAD.format(models="User", orm="selectinload") + dedent(PRESENT[what])
    project = program({"models.py": MODELS, "case.py": text})
    traces = [one for one in traces_of(project) if one.load.place.path == "case.py"]

    planned = plan_loads("load-all", project, traces)

    assert traces
    assert planned.present == frozenset(traces)
    assert not planned.edits


def test_a_list_that_grows_may_hold_any_option():
    text = """
        def case(session: Session):
            options = []
            options.append(selectinload(User.posts))
            return [one.posts for one in session.query(User).options(*options)]
        """
    text = HEAD.format(models="User", orm="selectinload") + dedent(text)
    project = program({"models.py": MODELS, "case.py": text})
    (trace,) = [one for one in traces_of(project) if one.load.place.path == "case.py"]

    planned = plan_loads("load-all", project, [trace])

    assert planned.refused[trace].reason.code == "unknown-options"
