"""Statements after a commit, here or in a function that is called: both sides answer the same."""

from __future__ import annotations

import pytest
from applications_of_rows import differences_of, result_of
from compared_applications import migrated
from endpoints_of_objects import ENDPOINT
from random_objects import HEAD, HELPERS

ONE = """\
def one(db: Session, key: int) -> User:
    return db.scalars(select(User).where(User.id == key)).one()


def titles(db: Session, key: int) -> list[str]:
    return [order.title for order in one(db, key).orders]
"""
LOADING = {
    "t4_options_that_lead_back": "selectinload(User.orders).selectinload(Order.user)",
    "t4_options_that_lead_back_by_a_subquery": "selectinload(User.orders).subqueryload(Order.user)",
    "t4_options_that_lead_back_at_once": "selectinload(User.orders).immediateload(Order.user)",
    "t4_options_that_lead_back_by_a_join": "selectinload(User.orders).joinedload(Order.user)",
    "t4_options_in_options": "selectinload(User.orders).options(selectinload(Order.user))",
    "t4_options_of_a_variable": "*PARTS",
    "t4_options_of_a_function": "*parts()",
}
LOADED = """\
PARTS = (selectinload(User.orders).selectinload(Order.user),)


def parts():
    return [selectinload(User.orders).options(selectinload(Order.user))]


def one(db: Session, key: int) -> User:
    return db.scalars(select(User).where(User.id == key).options({options})).one()
"""
EVERY = """\
def every(db: Session) -> list[User]:
    return list(db.scalars(select(User).order_by(User.id)))
"""
USERS = """\
class Users:
    def __init__(self, db: Session) -> None:
        self.db = db

    def one(self, key: int) -> User:
        return self.db.scalars(select(User).where(User.id == key)).one()

    def give(self, key: int, title: str) -> User:
        user = self.one(key)
        self.db.add(Order(title=title, amount=len(user.orders), user_id=user.id))
        self.db.commit()
        return self.one(key)


class Counting:
    def __init__(self, users: Users) -> None:
        self.users = users

    def count(self, key: int) -> int:
        before = len(self.users.one(key).orders)
        self.users.give(key, "more")
        return len(self.users.one(key).orders) - before
"""
UNKNOWN_READER = """\
def described(rows) -> list:
    return [[len(one.orders), one.user] for one in rows]
"""
ADDED = 'db.add(Order(title="other", amount=8, user_id=user.id))'
UNSEEN = """\
db.execute(text("UPDATE users SET name = name || 'x' WHERE id = 1"))
"""
ROWS = {
    "t1_a_helper": (
        "",
        f"user = one(db, key)\n{ADDED}\ndb.commit()\nreturn len(one(db, key).orders)",
        ONE,
    ),
    "t1_a_helper_two_deep": (
        "",
        (
            f"user = one(db, key)\nbefore = len(user.orders)\n{ADDED}\ndb.commit()\n"
            "return [before, titles(db, key)]"
        ),
        ONE,
    ),
    "t1_a_helper_that_commits_before": (
        "",
        (
            "user = one(db, key)\nbefore = len(user.orders)\n"
            'store(db, Order(title="other", amount=8, user_id=user.id))\n'
            "return [before, len(one(db, key).orders), len(user.orders)]"
        ),
        ONE,
        HELPERS["store"],
    ),
    "t1_a_helper_before_and_after_a_commit": (
        "",
        (
            "user = one(db, key)\nuser.name = 'changed'\nfirst = one(db, key).name\n"
            f"{ADDED}\ndb.commit()\nreturn [first, one(db, key).name, len(one(db, key).orders)]"
        ),
        ONE,
    ),
    "t1_a_helper_in_a_loop": (
        "",
        (
            "counts = []\nfor number in range(3):\n    user = one(db, key)\n"
            f"    counts.append(len(user.orders))\n    {ADDED}\n    db.commit()\nreturn counts"
        ),
        ONE,
    ),
    "t1_a_helper_while_an_item_waits": (
        "",
        (
            "user = one(db, key)\nuser.orders.append(Order(title='a', amount=1))\n"
            "first = len(one(db, key).orders)\ndb.commit()\n"
            "return [first, len(one(db, key).orders)]"
        ),
        ONE,
    ),
    "t1_a_method": (
        "",
        (
            "users = Users(db)\nkept = users.one(key)\nbefore = len(kept.orders)\n"
            "user = users.give(key, 'more')\nreturn [before, len(user.orders), len(kept.orders)]"
        ),
        USERS,
    ),
    "t1_a_method_of_what_is_held": (
        "",
        "return Counting(Users(db)).count(key)",
        USERS,
    ),
    "t1_a_helper_behind_rows_that_change_unseen": (
        "",
        (
            f"kept = every(db)\n{UNSEEN}db.commit()\n"
            "return [[one.name for one in every(db)], len(kept)]"
        ),
        EVERY,
    ),
    "t1_a_helper_of_a_session_that_holds_back": (
        "",
        (
            f"user = one(db, key)\n{ADDED}\ndb.commit()\nfirst = len(one(db, key).orders)\n"
            "user.name = 'changed'\nreturn [first, one(db, key).name]"
        ),
        ONE,
    ),
    "t3_a_function_that_a_partial_holds": (
        "",
        (
            "from functools import partial\n"
            f"load = partial(one, db)\nuser = load(key)\n{ADDED}\ndb.commit()\n"
            "return [len(load(key).orders), len(user.orders)]"
        ),
        ONE,
    ),
    "t3_a_method_that_a_partial_holds": (
        "",
        (
            "from functools import partial\n"
            f"load = partial(Users(db).one, key)\nuser = load()\n{ADDED}\ndb.commit()\n"
            "return [len(load().orders), len(user.orders)]"
        ),
        USERS,
    ),
    "t3_a_partial_of_the_module": (
        "",
        f"user = late(db)\n{ADDED}\ndb.commit()\nreturn [len(late(db).orders), user.name]",
        f"{ONE}\n\nfrom functools import partial\n\nlate = partial(one, key=1)\n",
    ),
    "t3_a_partial_that_is_called_at_once": (
        "",
        (
            "from functools import partial\n"
            f"user = one(db, key)\n{ADDED}\ndb.commit()\n"
            "return len(partial(one, db, key)().orders)"
        ),
        ONE,
    ),
    "t3_a_lambda": (
        "",
        (
            f"user = one(db, key)\n{ADDED}\ndb.commit()\nload = lambda: one(db, key)\n"
            "return [len(load().orders), user.name]"
        ),
        ONE,
    ),
    "t3_another_name_after_a_rollback": (
        "",
        "user = one(db, key)\ndb.rollback()\nother = user\nreturn [other.name, len(other.orders)]",
        ONE,
    ),
    "t5_a_new_object_that_waits_and_holds_back": (
        "",
        (
            "user = User(name='new', team_id=1)\ndb.add(user)\n"
            "tag = get_or_create(db, Tag, name='new')\nuser.tags.append(tag)\n"
            "return [user.team is None, [one.name for one in user.tags]]"
        ),
        HELPERS["get_or_create"],
    ),
    "t5_a_new_object_that_a_branch_flushes_and_holds_back": (
        "",
        (
            "user = User(name='new', team_id=1)\ndb.add(user)\nif flag:\n    db.flush()\n"
            "user.tags.append(db.get(Tag, 1))\ndb.commit()\nreturn [one.name for one in user.tags]"
        ),
    ),
    "t5_parts_of_the_owner_of_a_new_object": (
        "",
        (
            "order = store(db, Order(title='new', amount=5, user_id=2))\n"
            "order.title = 'changed'\nwith db.begin_nested():\n    order.title = 'nested'\n"
            "return [order.title, len(order.user.orders)]"
        ),
        HELPERS["store"],
        UNKNOWN_READER,
    ),
    "t5_a_new_item_that_a_loop_keeps": (
        "",
        (
            "team = db.get(Team, 1)\nteam.users.append(User(name='more'))\n"
            "for user in list(team.users):\n    user.name += '!'\n"
            "db.commit()\ndb.refresh(team)\nreturn [len(one.orders) for one in team.users]"
        ),
        UNKNOWN_READER,
    ),
    "t5_a_new_item_that_a_name_keeps": (
        "",
        (
            "team = db.get(Team, 1)\nteam.users.append(User(name='more'))\nlast = team.users[-1]\n"
            "last.name += '!'\n"
            "db.commit()\ndb.refresh(team)\nreturn [len(one.orders) for one in team.users]"
        ),
        UNKNOWN_READER,
    ),
    "t6_items_that_the_other_side_gave_and_holds_back": (
        "",
        (
            "user = db.scalars(select(User).where(User.id == key)).one()\n"
            "user.team = db.get(Team, 2)\nif flag:\n    db.commit()\n"
            "return sorted(one.id for one in user.team.users)"
        ),
    ),
    "t6_items_of_a_variable_and_holds_back": (
        "",
        (
            "user = db.scalars(select(User).where(User.id == key)).one()\n"
            "team = db.get(Team, 2)\nuser.team = team\nif flag:\n    db.flush()\n"
            "return sorted(one.id for one in team.users)"
        ),
    ),
    "t6_items_of_a_new_object_and_holds_back": (
        "",
        (
            "user = db.get(User, key)\norder = Order(title='new', amount=5, user=user)\n"
            "db.add(order)\nif flag:\n    db.commit()\n"
            "return sorted(one.title for one in user.orders)"
        ),
    ),
    "t6_items_in_an_answer_and_holds_back": (
        "TeamUsersOut",
        (
            "user = db.get(User, key)\nteam = db.get(Team, 2)\nuser.team = team\n"
            "if flag:\n    db.flush()\nreturn team"
        ),
    ),
    "t2_an_object_that_was_read": (
        "",
        (
            "user = db.scalars(select(User).where(User.id == key)).one()\n"
            f"before = len(user.orders)\n{UNSEEN}db.commit()\n"
            "again = len(user.orders)\ndb.query(User).order_by(User.id).all()\n"
            "return [before, again, len(user.orders), user.name]"
        ),
    ),
    "t2_an_object_that_was_refreshed": (
        "UserOrdersOut",
        (
            "user = db.scalars(select(User).where(User.id == key)).one()\n"
            f"{UNSEEN}db.commit()\ndb.refresh(user)\n"
            "db.query(User).order_by(User.id).all()\nreturn user"
        ),
    ),
    "t2_an_object_that_a_key_gives_again": (
        "UserOrdersOut",
        (
            "user = db.scalars(select(User).where(User.id == key)).one()\n"
            f"{UNSEEN}db.commit()\ndb.refresh(user)\n"
            "same = db.get(User, key)\nreturn user"
        ),
    ),
    "t2_two_deep": (
        "TeamUsersOut",
        (
            "team = db.scalars(select(Team).where(Team.id == key)).one()\n"
            f"{UNSEEN}db.commit()\ndb.refresh(team)\n"
            "db.query(Team).order_by(Team.id).all()\nreturn team"
        ),
    ),
    "t2_an_owner": (
        "",
        (
            "order = db.scalars(select(Order).where(Order.id == key)).one()\n"
            f"first = describe_order(order)\n{UNSEEN}db.commit()\n"
            "db.refresh(order)\ndb.query(Order).all()\nreturn [first, describe_order(order)]"
        ),
        HELPERS["describe_order"],
    ),
    "t2_in_a_loop": (
        "",
        (
            "names = []\nfor number in (1, 2, 1):\n"
            "    user = db.scalars(select(User).where(User.id == number)).one()\n"
            "    every = db.scalars(select(User).order_by(User.id)).all()\n"
            f"    names.append([len(user.orders), [one.name for one in every]])\n    {UNSEEN}"
            "    db.commit()\nreturn names"
        ),
    ),
    "t2_by_a_helper": (
        "",
        (
            f"user = one(db, key)\nbefore = len(user.orders)\n{UNSEEN}db.commit()\n"
            "db.refresh(user)\nnames = [each.name for each in every(db)]\n"
            "return [before, names, len(user.orders)]"
        ),
        ONE,
        EVERY,
    ),
}


LEADING = {
    name: (
        "",
        (
            f"user = one(db, key)\nbefore = len(user.orders)\n{ADDED}\ndb.commit()\n"
            "again = one(db, key)\nnames = [each.user.name for each in again.orders[:1]]\n"
            "return [before > 0, names]"
        ),
        LOADED.format(options=options),
    )
    for name, options in LOADING.items()
}
ROWS |= LEADING

TEAM = """\
def team_of(db: Session, key: int) -> Team:
    statement = select(Team).where(Team.id == key).options({options})
    return db.scalars(statement).unique().one()
"""
CHAINS = {
    "of_two": ("selectinload(Team.users).selectinload(User.orders)", ""),
    "in_options": ("selectinload(Team.users).options(selectinload(User.orders))", ""),
    "of_a_join": ("joinedload(Team.users).selectinload(User.orders)", ""),
    "to_a_join": ("selectinload(Team.users).joinedload(User.orders)", ""),
    "twice": (
        (
            "selectinload(Team.users).selectinload(User.orders), "
            "selectinload(Team.users).selectinload(User.tags)"
        ),
        "tags",
    ),
    "of_a_join_and_back": ("joinedload(Team.users).selectinload(User.team)", "team"),
    "and_one_more": ("selectinload(Team.users).selectinload(User.orders)", "back"),
    "and_the_team": ("selectinload(Team.users).selectinload(User.orders)", "team"),
}
READ = {
    "": "[]",
    "tags": "[len(each.tags) for each in again.users]",
    "back": "[item.user.name for each in again.users for item in each.orders[:1]]",
    "team": "[each.team.name for each in again.users]",
}
ROWS |= {
    f"t4_a_chain_{name}": (
        "",
        (
            'first = Team(name="t", users=[User(name="n")])\ndb.add(first)\ndb.commit()\n'
            "team = team_of(db, first.id)\nbefore = [len(each.orders) for each in team.users]\n"
            'db.add(Order(title="o", amount=8, user_id=team.users[0].id))\ndb.commit()\n'
            "again = team_of(db, first.id)\nafter = [len(each.orders) for each in again.users]\n"
            f"return [before, after, {READ[read]}]"
        ),
        TEAM.format(options=options),
    )
    for name, (options, read) in CHAINS.items()
}


def application(model, body, *helpers, session=""):
    """Return an application of one endpoint, and no more functions than it needs.

    What others read may have the mapping load a relationship with every object.
    """
    head = HEAD.format(session=session, base="DeclarativeBase", new="", default="", cascade="")
    endpoint = ENDPOINT.format(model=f", response_model={model}" if model else "")
    lines = "".join(f"    {one}\n" for one in body.splitlines())
    imports = "from sqlalchemy import text\n"
    if helpers and "load(" in helpers[0]:
        loaders = "immediateload, joinedload, selectinload, subqueryload"
        imports += f"from sqlalchemy.orm import {loaders}\n"
    return imports + "\n\n".join([head, *helpers, endpoint + lines])


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.sampled(4)
def test_a_row_is_as_it_was(name, tmp_path):
    text = application(*ROWS[name], session=", autoflush=False" if "holds_back" in name else "")

    assert differences_of(name, text, result_of({name: text}), tmp_path) == []


def test_a_test_that_commits_says_nothing_of_what_it_calls():
    text = application("", "return len(one(db, key).orders)", ONE)
    tests = (
        "from shop import Order, SessionLocal, one\n\n\n"
        "def test_one():\n    with SessionLocal() as db:\n"
        "        db.add(Order(title='a', amount=1, user_id=1))\n        db.commit()\n"
        "        assert one(db, 1).orders\n"
    )
    result = migrated({"shop.py": text, "tests/test_shop.py": tests})

    after = result.files["shop.py"].decode()
    assert "populate_existing" not in after[after.index("def one") :]


OWN = "def test_users():\n    with Session(engine) as db:\n        "
OWN_SESSIONS = {
    "no other": ("", False),
    "in a block": (f"{OWN}db.add(User(name='x'))\n        db.commit()\n", False),
    "in a variable": ("def test_users():\n    db = Session(engine)\n    db.commit()\n", False),
    "handed on": (f"{OWN}assert one(db, 1).orders == []\n", True),
    "yielded": ("def db():\n    with Session(engine) as db:\n        yield db\n", True),
    "a bound method": (f"{OWN}add = db.add\n        add(User(name='x'))\n", True),
    "of a module": ("db = Session(engine)\n", True),
}


@pytest.mark.parametrize("name", OWN_SESSIONS)
@pytest.mark.sampled(2)
def test_a_session_that_expires_and_is_handed_to_nobody_says_nothing_of_others(name):
    tests, is_read_again = OWN_SESSIONS[name]
    # What was read before is kept by a session that expires nothing.
    first = "user = one(db, key)\nbefore = len(user.orders)"
    body = f"{first}\n{ADDED}\ndb.commit()\nreturn before + len(one(db, key).orders)"
    imports = "from shop import User, engine, one\nfrom sqlalchemy.orm import Session\n\n"
    text = application("", body, ONE, session=", expire_on_commit=False")
    result = migrated({"shop.py": text, "test_shop.py": imports + tests})

    assert ("populate_existing" in result.files["shop.py"].decode()) is is_read_again


BADGE = """\
class Badge(Base):
    __tablename__ = "badges"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped["User"] = relationship(back_populates="badge")


def badge_of(db: Session, key: int) -> Badge:
    return db.scalars(select(Badge).where(Badge.user_id == key)).one()
"""


@pytest.mark.parametrize(
    ("option", "owner"),
    [
        ("", "badge_of(db, key).user.name"),
        (".options(joinedload(Badge.user))", "badge_of(db, key)"),
    ],
    ids=["read", "option"],
)
def test_a_statement_loads_the_way_back_that_it_resets(option, owner, tmp_path):
    body = (
        'if one(db, key).badge is None:\n    db.add(Badge(name="b", user_id=key))\n'
        f"    db.commit()\nuser = one(db, key)\nname = user.badge.name\nowner = {owner}\n"
        "return [name, owner is not None, user.badge.name]"
    )
    badge = BADGE.replace("select(Badge)", f"select(Badge){option}")
    text = application("", body, f"{badge}\n\n{ONE}")
    tags = '    tags: Mapped[list["Tag"]] ='
    side = '    badge: Mapped["Badge | None"] = relationship(back_populates="user")\n'
    text = "from sqlalchemy.orm import joinedload\n" + text.replace(tags, f"{side}{tags}")

    assert differences_of("it", text, result_of({"it": text}), tmp_path) == []
