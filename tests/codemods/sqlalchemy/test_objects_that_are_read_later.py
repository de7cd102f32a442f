"""What reads objects later than it is written, and objects that something else holds as well."""

from __future__ import annotations

import re

import pytest
from compared_applications import compared
from endpoints_of_objects import PLAIN
from random_flows import HELPERS, IMPORTS
from test_objects_that_are_kept import CLASSES, GENERATORS, PREFIX

SAVING = {
    "saved": """
def saved(db: Session, user: User) -> User:
    db.add(user)
    db.commit()
    return user
""",
    "stored": """
def stored(db: Session, user: User) -> User:
    db.add(user)
    db.flush()
    return user
""",
}
LABEL = """\
    def label(self):
        return f"{self.name} {self.team.name if self.team else None}"


class Order(Base):"""
ITERATORS = {
    "gen of a query": """
        names = (u.name for u in db.query(User).order_by(User.id).all())
        db.rollback()
        out += list(names)
    """,
    "gen of a query, commit": """
        names = (u.team.name if u.team else None for u in db.query(User).order_by(User.id).all())
        db.get(User, 1).team_id = 2
        db.commit()
        out += list(names)
    """,
    "map of scalars": """
        names = map(lambda u: u.name, db.scalars(select(User).order_by(User.id)).all())
        db.rollback()
        out += list(names)
    """,
    "zip of a query": """
        pairs = zip(db.query(User).order_by(User.id).all(), range(9))
        db.rollback()
        out += [u.name for u, _ in pairs]
    """,
    "enumerate of a query": """
        pairs = enumerate(db.query(User).order_by(User.id).all())
        db.rollback()
        for n, u in pairs:
            out.append([n, u.name])
    """,
    "iter of a query": """
        it = iter(db.query(User).order_by(User.id).all())
        db.rollback()
        out.append(next(it).name)
    """,
    "reversed of a query": """
        it = reversed(db.query(User).order_by(User.id).all())
        db.rollback()
        out += [u.name for u in it]
    """,
    "gen of a helper": """
        it = everyone(db.query(User).order_by(User.id).all())
        db.rollback()
        out += list(it)
    """,
    "gen of related": """
        titles = (o.title for o in db.get(User, 1).orders)
        db.rollback()
        out += list(titles)
    """,
    "tuple holds gen": """
        users = db.query(User).order_by(User.id).all()
        pair = ((u.name for u in users), 1)
        db.rollback()
        out += list(pair[0])
    """,
    "tuple holds gen, unpacked": """
        users = db.query(User).order_by(User.id).all()
        pair = (u.name for u in users), (len(u.orders) for u in users)
        db.rollback()
        names, sizes = pair
        out += [*names, *sizes]
    """,
    "list holds gen": """
        users = db.query(User).order_by(User.id).all()
        its = [(u.name for u in users)]
        db.rollback()
        out += [list(it) for it in its]
    """,
    "dict holds gen": """
        users = db.query(User).order_by(User.id).all()
        its = {"a": (u.name for u in users)}
        db.rollback()
        out += list(its["a"])
    """,
    "tuple holds map": """
        users = db.query(User).order_by(User.id).all()
        its = (map(lambda u: u.name, users), 2)
        db.rollback()
        out += list(its[0])
    """,
    "gen on two names": """
        users = db.query(User).order_by(User.id).all()
        names, teams = (u.name for u in users), (u.team_id for u in users)
        db.rollback()
        out += [*names, *teams]
    """,
    "loop over enumerate that rolls back": """
        users = db.query(User).order_by(User.id).all()
        for n, user in enumerate(users):
            out.append([n, user.name])
            db.rollback()
    """,
}
AFTER_WRITES = {
    "generator, flushed": """
        sizes = (len(u.orders) for u in db.query(User).order_by(User.id).all())
        db.add(Order(title="x", amount=1, user_id=1))
        db.flush()
        out += list(sizes)
    """,
    "generator of a variable, flushed": """
        users = db.query(User).order_by(User.id).all()
        sizes = (len(u.orders) for u in users)
        db.add(Order(title="x", amount=1, user_id=1))
        db.flush()
        out += list(sizes)
    """,
    "lambda, flushed": """
        user = db.get(User, 1)
        size = lambda: len(user.orders)
        db.add(Order(title="x", amount=1, user_id=1))
        db.flush()
        out.append(size())
    """,
    "lambda in a list, flushed": """
        user = db.get(User, 1)
        sizes = [lambda: len(user.orders)]
        db.add(Order(title="x", amount=1, user_id=1))
        db.flush()
        out += [size() for size in sizes]
    """,
    "generator in a tuple, flushed": """
        pair = (len(u.orders) for u in db.query(User).order_by(User.id).all()), 1
        db.add(Order(title="x", amount=1, user_id=1))
        db.flush()
        out += list(pair[0])
    """,
    "consumed before": """
        users = db.query(User).order_by(User.id).all()
        out.append(sum(len(u.orders) for u in users))
        db.add(Order(title="x", amount=1, user_id=1))
        db.flush()
        out.append(sum(len(u.orders) for u in users))
    """,
}
LOOPS = {
    "loop over gen that rolls back": """
        users = db.query(User).order_by(User.id).all()
        for name in (u.name for u in users):
            out.append(name)
            db.rollback()
    """,
    "loop over gen variable that rolls back": """
        users = db.query(User).order_by(User.id).all()
        names = (u.name for u in users)
        for name in names:
            out.append(name)
            db.rollback()
    """,
    "loop over helper gen that rolls back": """
        users = db.query(User).order_by(User.id).all()
        for name in everyone(users):
            out.append(name)
            db.rollback()
    """,
    "loop over gen that commits": """
        users = db.query(User).order_by(User.id).all()
        for size in (len(u.orders) for u in users):
            out.append(size)
            db.add(Order(title="x", amount=1, user_id=2))
            db.commit()
    """,
    "loop over map that rolls back": """
        users = db.query(User).order_by(User.id).all()
        for name in map(lambda u: u.name, users):
            out.append(name)
            db.rollback()
    """,
}
CALLABLES = {
    "partial": """
        user = db.get(User, 1)
        show = partial(shown, user)
        db.rollback()
        out.append(show())
    """,
    "partial commit": """
        user = db.get(User, 1)
        show = partial(shown, user)
        user.team_id = 2
        db.commit()
        out.append(show())
    """,
    "partial keyword": """
        user = db.get(User, 1)
        show = partial(shown, user=user)
        db.rollback()
        out.append(show())
    """,
    "partial of a lambda": """
        user = db.get(User, 1)
        show = partial(lambda u: u.name, user)
        db.rollback()
        out.append(show())
    """,
    "functools.partial": """
        user = db.get(User, 1)
        show = functools.partial(shown, user)
        db.rollback()
        out.append(show())
    """,
    "partial of a list": """
        users = db.query(User).order_by(User.id).all()
        show = partial(teams, users)
        db.rollback()
        out.append(show())
    """,
    "partial of a query": """
        show = partial(shown, db.get(User, 1))
        db.rollback()
        out.append(show())
    """,
    "partial in a list": """
        user = db.get(User, 1)
        shows = [partial(shown, user)]
        db.rollback()
        out += [show() for show in shows]
    """,
    "bound method": """
        user = db.get(User, 1)
        show = user.label
        db.rollback()
        out.append(show())
    """,
    "bound method commit": """
        user = db.get(User, 1)
        show = user.label
        user.team_id = 2
        db.commit()
        out.append(show())
    """,
    "bound method of a query": """
        show = db.get(User, 1).label
        db.rollback()
        out.append(show())
    """,
    "bound method in a list": """
        user = db.get(User, 1)
        shows = [user.label]
        db.rollback()
        out += [show() for show in shows]
    """,
    "bound method in a dict": """
        user = db.get(User, 1)
        shows = {"a": user.label}
        db.rollback()
        out.append(shows["a"]())
    """,
    "bound method of items": """
        users = db.query(User).order_by(User.id).all()
        shows = [u.label for u in users]
        db.rollback()
        out += [show() for show in shows]
    """,
    "bound method of a keeper": """
        keeper = Keeper(db.get(User, 1))
        show = keeper.name
        db.rollback()
        out.append(show())
    """,
    "bound append": """
        user = db.get(User, 1)
        put = user.orders.append
        db.rollback()
        put(Order(title="x", amount=1))
        db.commit()
        out.append(len(user.orders))
    """,
    "lambda default in a loop": """
        users = db.query(User).order_by(User.id).all()
        shows = []
        for u in users:
            shows.append(lambda u=u: u.name)
        db.rollback()
        out += [show() for show in shows]
    """,
    "lambda default in a comprehension": """
        users = db.query(User).order_by(User.id).all()
        shows = [lambda u=u: u.name for u in users]
        db.rollback()
        out += [show() for show in shows]
    """,
    "lambda default in a comprehension, commit": """
        users = db.query(User).order_by(User.id).all()
        shows = [lambda u=u: u.team.name if u.team else None for u in users]
        users[0].team_id = 2
        db.commit()
        out += [show() for show in shows]
    """,
    "lambda default in a dict comprehension": """
        users = db.query(User).order_by(User.id).all()
        shows = {u.id: lambda u=u: u.name for u in users}
        db.rollback()
        out += [show() for show in shows.values()]
    """,
    "partial in a comprehension": """
        users = db.query(User).order_by(User.id).all()
        shows = [partial(shown, u) for u in users]
        db.rollback()
        out += [show() for show in shows]
    """,
    "partial in a loop": """
        users = db.query(User).order_by(User.id).all()
        shows = []
        for u in users:
            shows.append(partial(shown, u))
        db.rollback()
        out += [show() for show in shows]
    """,
    "def default in a loop": """
        users = db.query(User).order_by(User.id).all()
        shows = []
        for u in users:
            def show(u=u):
                return u.name
            shows.append(show)
        db.rollback()
        out += [show() for show in shows]
    """,
}
NEW = {
    "tuple": """
        users = User(name="x", team_id=1), User(name="y", team_id=1)
        db.add_all(users)
        db.commit()
        out += [u.team.name for u in users]
    """,
    "tuple index": """
        users = User(name="x", team_id=1), User(name="y", team_id=1)
        db.add_all(users)
        db.commit()
        out.append(users[1].team.name)
    """,
    "tuple flushed": """
        users = User(name="x", team_id=1), User(name="y", team_id=1)
        db.add_all(users)
        db.flush()
        out += [u.team.name for u in users]
    """,
    "set": """
        users = {User(name="x", team_id=1), User(name="x", team_id=1)}
        db.add_all(users)
        db.commit()
        out += sorted(u.team.name for u in users)
    """,
    "dict saved": """
        users = {n: saved(db, User(name=n, team_id=1)) for n in "xy"}
        out += [u.team.name for u in users.values()]
    """,
    "list saved": """
        users = [saved(db, User(name=n, team_id=1)) for n in "xy"]
        out += [u.team.name for u in users]
    """,
    "list flushed": """
        users = [stored(db, User(name=n, team_id=1)) for n in "xy"]
        out += [u.team.name for u in users]
    """,
    "tuple saved": """
        users = saved(db, User(name="x", team_id=1)), saved(db, User(name="y", team_id=1))
        out += [u.team.name for u in users]
    """,
    "loop of saved": """
        users = []
        for n in "xy":
            users.append(saved(db, User(name=n, team_id=1)))
        out += [u.team.name for u in users]
    """,
    "dict comprehension": """
        users = {n: User(name=n, team_id=1) for n in "xy"}
        db.add_all(users.values())
        db.commit()
        out += [u.team.name for u in users.values()]
    """,
    "deque": """
        users = deque(User(name=n, team_id=1) for n in "xy")
        db.add_all(users)
        db.commit()
        out += [u.team.name for u in users]
    """,
    "list in a dict": """
        users = {"a": [User(name=n, team_id=1) for n in "xy"]}
        db.add_all(users["a"])
        db.commit()
        out += [u.team.name for u in users["a"]]
    """,
    "passed on": """
        users = User(name="x", team_id=1), User(name="y", team_id=1)
        db.add_all(users)
        db.commit()
        out.append(teams(users))
    """,
}
HELD = {
    "pair": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        db.rollback()
        out.append(user.team.name)
    """,
    "expired": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        db.expire_all()
        out.append(user.team.name)
    """,
    "item": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        order = user.orders[0]
        db.rollback()
        out.append(order.user.name)
    """,
    "item two": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        order = user.orders[0]
        db.rollback()
        out.append(order.user.team.name)
    """,
    "list": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        users = db.query(User).order_by(User.id).all()
        db.rollback()
        out += [each.team.name for each in users if each.team]
    """,
    "function of a list": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        users = db.query(User).order_by(User.id).all()
        db.rollback()
        out.append(teams(users))
    """,
    "function": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        db.rollback()
        out.append(shown(user))
    """,
    "loop": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        users = db.query(User).order_by(User.id).all()
        db.rollback()
        for each in users:
            out.append(each.team.name if each.team else None)
    """,
    "index": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        index = by_id(db)
        db.rollback()
        out += [each.team.name for each in index.values() if each.team]
    """,
    "list of teams": """
        user, teams = db.get(User, 1), db.query(Team).all()
        out.append([[each.name for each in team.users] for team in teams])
        db.rollback()
        out.append(user.team.name)
    """,
    "keeper": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        keeper = Keeper(user)
        db.rollback()
        out.append(keeper.team())
    """,
    "closure": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        def name():
            return user.team.name
        db.rollback()
        out.append(name())
    """,
    "several": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        db.rollback()
        out.append(user.name)
        db.rollback()
        out.append(user.name)
        db.rollback()
        out.append(user.team.name)
    """,
    "condition": """
        user, team = pair(db, 1)
        out.append([each.name for each in team.users])
        if flag:
            db.rollback()
        out.append(user.team.name)
    """,
}
WRITING_LOOPS = {
    "adds": """
        user = db.get(User, 1)
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            out.append(len(user.orders))
    """,
    "adds and flushes": """
        user = db.get(User, 1)
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            db.flush()
            out.append(len(user.orders))
    """,
    "after a commit": """
        user = db.get(User, 1)
        db.commit()
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            out.append([o.title for o in user.orders])
    """,
    "key": """
        user = db.get(User, 1)
        for n in (2, 1, 2):
            user.team_id = n
            db.flush()
            out.append(user.team.name)
    """,
    "key, after a commit": """
        user = db.get(User, 1)
        db.commit()
        for n in (2, 1, 2):
            user.team_id = n
            db.flush()
            out.append(user.team.name)
    """,
    "function": """
        user = db.get(User, 1)
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            db.flush()
            out.append(counted(user))
    """,
    "items": """
        user = db.get(User, 1)
        users = db.query(User).order_by(User.id).all()
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            db.flush()
            out.append([len(each.orders) for each in users])
    """,
    "while": """
        user = db.get(User, 1)
        n = 0
        while n < 3:
            n += 1
            db.add(Order(title="x", amount=n, user_id=1))
            db.flush()
            out.append(len(user.orders))
    """,
    "nested loops": """
        user = db.get(User, 1)
        for n in range(2):
            for m in range(2):
                db.add(Order(title="x", amount=n, user_id=1))
            out.append(len(user.orders))
    """,
    "commits": """
        user = db.get(User, 1)
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            db.commit()
            out.append(len(user.orders))
    """,
    "binds": """
        user = db.get(User, 1)
        for user in db.query(User).order_by(User.id).all():
            db.add(Order(title="x", amount=1, user_id=user.id))
            db.flush()
            out.append(len(user.orders))
    """,
    "read before": """
        user = db.get(User, 1)
        out.append(len(user.orders))
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            db.flush()
            out.append(len(user.orders))
    """,
    "condition": """
        user = db.get(User, 1)
        for n in range(3):
            db.add(Order(title="x", amount=n, user_id=1))
            if n:
                out.append(len(user.orders))
    """,
}
BODIES = {
    f"{group}: {name}": body
    for group, bodies in (
        ("iterator", ITERATORS),
        ("after writes", AFTER_WRITES),
        ("loop", LOOPS),
        ("callable", CALLABLES),
        ("new", NEW),
        ("held", HELD),
        ("writes", WRITING_LOOPS),
    )
    for name, body in bodies.items()
}
FURTHER = "import functools\nfrom collections import deque\nfrom functools import partial\n"


def _application(name: str) -> str:
    lines = BODIES[name].strip("\n").splitlines()
    body = "\n".join(line[4:] for line in lines).rstrip()
    texts = HELPERS | CLASSES | GENERATORS | SAVING
    helpers = [text for helper, text in texts.items() if re.search(rf"\b{helper}\b", body)]
    models = PLAIN.replace("class Order(Base):", LABEL, 1) if "label" in body else PLAIN
    start = "def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):"
    endpoint = f'@app.post("/0/{{key}}")\n{start}\n    out = []\n{body}\n    return out\n'
    return IMPORTS + FURTHER + PREFIX + models + "\n\n".join([*helpers, endpoint])


@pytest.fixture(scope="module")
def outcomes():
    return dict(compared(BODIES, _application))


@pytest.mark.parametrize("name", BODIES)
def test_what_is_read_later_is_as_it_was(outcomes, name):
    outcome = outcomes[name]

    assert not outcome.refused
    if name.startswith("loop"):
        # Nothing can be loaded between two items of an iterator.
        assert outcome.announced
    else:
        assert outcome.differences == [], outcome.after
