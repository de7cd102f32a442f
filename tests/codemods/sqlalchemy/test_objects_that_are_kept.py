"""Objects that functions, iterators, classes and nested containers keep are as they were."""

from __future__ import annotations

import pytest
from compared_applications import compared
from endpoints_of_objects import PLAIN
from random_flows import HELPERS, IMPORTS

CLASSES = {
    "Box": """\
class Box:
    def __init__(self, db: Session, user: User) -> None:
        self.db, self.user = db, user

    def put(self, amount: int) -> None:
        self.db.add(Order(title="x", amount=amount, user_id=self.user.id))

    def size(self) -> int:
        return len(self.user.orders)
""",
    "Basket": """\
class Basket:
    def __init__(self):
        self.users = []

    def put(self, user: User):
        self.users.append(user)

    def names(self):
        return [each.name for each in self.users]

    def teams(self):
        return [each.team.name if each.team else None for each in self.users]
""",
    "Service": """\
class Service:
    def __init__(self, db: Session, user: User):
        self.db = db
        self.user = user

    def undone(self):
        self.user.name = "x"
        self.db.rollback()
        return self.user.name

    def saved(self):
        self.user.team_id = 2
        self.db.commit()
        return self.user.team.name if self.user.team else None

    def reset(self):
        self.db.rollback()

    def shown(self):
        return [self.user.name, len(self.user.orders)]
""",
    "Repository": """\
class Repository:
    def __init__(self, db: Session):
        self.db = db

    def save(self, item):
        self.db.add(item)
        self.db.flush()
        return item

    def save_all(self, items):
        self.db.add_all(items)
        self.db.flush()
""",
    "Pair": """\
@dataclass
class Pair:
    user: User
    team: Team | None

    def text(self):
        return f"{self.user.name} {self.team.name if self.team else ''}"
""",
}
GENERATORS = {
    "everyone": """\
def everyone(users):
    for each in users:
        yield each.name
""",
}
FUNCTIONS = {
    "def read after rollback": """
        user = db.get(User, key)
        if user is None:
            raise HTTPException(404)
        def name():
            return user.name
        user.name = "x"
        db.rollback()
        out.append(name())
    """,
    "lambda bound, called after rollback": """
        user = db.get(User, 1)
        name = lambda: user.name
        db.rollback()
        out.append(name())
    """,
    "team after commit": """
        user = db.get(User, 1)
        def team():
            return user.team.name if user.team else None
        out.append(team())
        user.team_id = 2
        db.commit()
        out.append(team())
    """,
    "team after rollback": """
        user = db.get(User, 1)
        def team():
            return user.team.name if user.team else None
        out.append(team())
        user.team_id = 2
        db.rollback()
        out.append(team())
    """,
    "orders after flush": """
        user = db.get(User, 1)
        def titles():
            return [order.title for order in user.orders]
        db.add(Order(title="other", amount=8, user_id=1))
        db.flush()
        out.append(titles())
    """,
    "list of users after rollback": """
        users = db.query(User).order_by(User.id).all()
        def teams_of():
            return [each.team.name if each.team else None for each in users]
        out.append(teams_of())
        db.rollback()
        out.append(teams_of())
    """,
    "rollback inside, then read inside": """
        user = db.get(User, 1)
        def undo():
            db.rollback()
            return user.name
        out.append(undo())
    """,
    "commit inside, then read inside": """
        user = db.get(User, 1)
        def save():
            user.team_id = 2
            db.commit()
            return user.team.name if user.team else None
        out.append(user.team.name if user.team else None)
        out.append(save())
        out.append(user.team.name if user.team else None)
    """,
    "one undoes, another reads": """
        user = db.get(User, 1)
        def undo():
            db.rollback()
        def name():
            return [user.name, len(user.orders)]
        undo()
        out.append(name())
    """,
    "called by another": """
        user = db.get(User, 1)
        def team():
            return user.team.name if user.team else None
        def twice():
            return [team(), team()]
        db.rollback()
        out.append(twice())
    """,
    "in a loop": """
        users = db.query(User).order_by(User.id).all()
        for user in users:
            def name():
                return user.name
            db.rollback()
            out.append(name())
    """,
    "under a condition": """
        user = db.get(User, 1)
        def name():
            if flag:
                return user.name
            return None
        db.rollback()
        out.append(name())
    """,
    "hands on to a helper": """
        user = db.get(User, 1)
        def show():
            return shown(user)
        db.rollback()
        out.append(show())
    """,
}
OBJECTS = {
    "box: put, size": """
        box = Box(db, db.get(User, 1))
        box.put(1)
        out.append(box.size())
    """,
    "box: size, put, size": """
        box = Box(db, db.get(User, 1))
        out.append(box.size())
        box.put(1)
        out.append(box.size())
    """,
    "keeper after rollback": """
        user = db.get(User, 1)
        k = Keeper(user)
        db.rollback()
        out += [k.name(), k.team()]
    """,
    "keeper after commit": """
        user = db.get(User, 1)
        k = Keeper(user)
        out.append(k.team())
        user.team_id = 2
        db.commit()
        out += [k.name(), k.team()]
    """,
    "basket after rollback": """
        basket = Basket()
        for user in db.query(User).order_by(User.id).all():
            basket.put(user)
        out.append(basket.teams())
        db.rollback()
        out += [basket.names(), basket.teams()]
    """,
    "service saved": """
        s = Service(db, db.get(User, 1))
        out.append(s.user.team.name if s.user.team else None)
        out.append(s.saved())
    """,
    "service shown after rollback": """
        s = Service(db, db.get(User, 1))
        out.append(s.shown())
        db.rollback()
        out.append(s.shown())
    """,
    "dataclass after rollback": """
        user = db.get(User, 1)
        p = Pair(user, user.team)
        db.rollback()
        out.append(p.text())
    """,
    "list of keepers": """
        ks = [Keeper(user) for user in db.query(User).order_by(User.id).all()]
        db.rollback()
        out += [k.name() for k in ks]
    """,
    "keeper in a dictionary": """
        ks = {user.id: Keeper(user) for user in db.query(User).order_by(User.id).all()}
        db.rollback()
        out.append(ks[1].name())
    """,
    "set from outside": """
        k = Keeper(db.get(User, 1))
        k.user = db.get(User, 2)
        db.rollback()
        out.append(k.team())
    """,
    "flush": """
        user = db.get(User, 1)
        s = Service(db, user)
        db.add(Order(title="other", amount=8, user_id=1))
        db.flush()
        out.append(s.shown())
    """,
}
NESTED = {
    "tuples in a list": """
        pairs = [(user, user.team) for user in db.query(User).order_by(User.id)]
        db.rollback()
        out.append([[u.name, t.name if t else None] for u, t in pairs])
    """,
    "tuples by number": """
        pairs = [(user.id, user) for user in db.query(User).order_by(User.id)]
        db.rollback()
        out.append([pair[1].name for pair in pairs])
        out.append(pairs[0][1].name)
    """,
    "lists in a dictionary": """
        groups = {}
        for user in db.query(User).order_by(User.id):
            groups.setdefault(user.team_id, []).append(user)
        db.rollback()
        out.append(sorted(user.name for users in groups.values() for user in users))
    """,
    "dictionary of dictionaries": """
        users = db.query(User).order_by(User.id).all()
        rows = [{"user": user, "n": 1} for user in users]
        db.rollback()
        out.append([row["user"].name for row in rows])
    """,
    "tuple unpacked after": """
        pair_ = (db.get(User, 1), db.get(User, 2))
        db.rollback()
        first, second = pair_
        out += [first.name, second.team.name if second.team else None]
    """,
    "list of lists": """
        users = db.query(User).order_by(User.id).all()
        parts = [users[:2], users[2:]]
        db.rollback()
        out.append([user.name for part in parts for user in part])
    """,
    "tuples, teams after commit": """
        pairs = [(user, user.id) for user in db.query(User).order_by(User.id)]
        out.append([u.team.name if u.team else None for u, _ in pairs])
        pairs[0][0].team_id = 2
        db.commit()
        out.append([u.team.name if u.team else None for u, _ in pairs])
    """,
}
LAZY = {
    "generator, rollback": """
        users = db.query(User).order_by(User.id).all()
        names = (u.name for u in users)
        db.rollback()
        out += list(names)
    """,
    "generator of teams, commit": """
        users = db.query(User).order_by(User.id).all()
        out += [u.team.name if u.team else None for u in users]
        teams = (u.team.name if u.team else None for u in users)
        users[0].team_id = 2
        db.commit()
        out += list(teams)
    """,
    "map, rollback": """
        users = db.query(User).order_by(User.id).all()
        names = map(lambda u: u.name, users)
        db.rollback()
        out += list(names)
    """,
    "filter, rollback": """
        users = db.query(User).order_by(User.id).all()
        many = filter(lambda u: u.team is not None, users)
        db.rollback()
        out.append(len(list(many)))
    """,
    "lambda default": """
        user = db.get(User, 1)
        name = lambda u=user: u.name
        db.rollback()
        out.append(name())
    """,
    "def default": """
        user = db.get(User, 1)
        def name(u=user):
            return u.team.name if u.team else None
        db.rollback()
        out.append(name())
    """,
    "sum of a generator variable": """
        users = db.query(User).order_by(User.id).all()
        sizes = (len(u.orders) for u in users)
        db.rollback()
        out.append(sum(sizes))
    """,
    "generator function": """
        users = db.query(User).order_by(User.id).all()
        def names():
            for u in users:
                yield u.name
        it = names()
        db.rollback()
        out += list(it)
    """,
    "zip": """
        users = db.query(User).order_by(User.id).all()
        pairs = zip(users, range(9))
        db.rollback()
        out += [[u.name, n] for u, n in pairs]
    """,
    "enumerate": """
        users = db.query(User).order_by(User.id).all()
        pairs = enumerate(users)
        db.rollback()
        for n, u in pairs:
            out.append([n, u.name])
    """,
    "iter and next": """
        users = db.query(User).order_by(User.id).all()
        it = iter(users)
        db.rollback()
        out.append(next(it).name)
        out += [u.name for u in it]
    """,
    "reversed variable": """
        users = db.query(User).order_by(User.id).all()
        it = reversed(users)
        db.rollback()
        out += [u.name for u in it]
    """,
    "generator of teams, rollback": """
        users = db.query(User).order_by(User.id).all()
        teams = (u.team.name if u.team else None for u in users)
        db.rollback()
        out += list(teams)
    """,
    "join of generator": """
        users = db.query(User).order_by(User.id).all()
        names = (u.name for u in users if u.team)
        db.rollback()
        out.append(",".join(names))
    """,
    "generator of one": """
        user = db.get(User, 1)
        titles = (o.title for o in user.orders)
        db.rollback()
        out += list(titles)
    """,
    "method default": """
        user, team = db.get(User, 1), db.get(Team, 1)
        def shown(a=user, *, b=team):
            return [a.name, b.name, len(a.orders)]
        db.rollback()
        out.append(shown())
    """,
    "generator of a helper": """
        users = db.query(User).order_by(User.id).all()
        it = everyone(users)
        db.rollback()
        out += list(it)
    """,
    "partly read": """
        users = db.query(User).order_by(User.id).all()
        names = (u.name for u in users)
        out.append(next(names))
        db.rollback()
        out += list(names)
    """,
    "orders written, generator": """
        user = db.get(User, 1)
        titles = (o.title for o in user.orders)
        db.add(Order(title="other", amount=8, user_id=1))
        db.flush()
        out += list(titles)
    """,
    "map with key set": """
        users = db.query(User).order_by(User.id).all()
        teams = map(lambda u: u.team.name if u.team else None, users)
        users[0].team_id = 2
        db.commit()
        out += list(teams)
    """,
}
SAVED = {
    "saved by a repository": """
        repository = Repository(db)
        order = Order(title="x", amount=1, user_id=1)
        repository.save(order)
        out.append([order.user.name, len(order.user.orders)])
    """,
    "saved by a repository, by keyword": """
        user = User(name="x", team_id=1)
        Repository(db).save(item=user)
        out.append([user.team.name, len(user.orders)])
    """,
    "saved by a repository, a list": """
        orders = [Order(title=n, amount=1, user_id=1) for n in ("x", "y")]
        Repository(db).save_all(orders)
        out.append([order.user.name for order in orders])
    """,
}
BODIES = FUNCTIONS | OBJECTS | NESTED | LAZY | SAVED
PREFIX = "from collections import defaultdict\nfrom dataclasses import dataclass\n\n"


def _application(name: str) -> str:
    lines = BODIES[name].strip("\n").splitlines()
    body = "\n".join(line[4:] for line in lines)
    helpers = [
        text for helper, text in (HELPERS | CLASSES | GENERATORS).items() if f"{helper}(" in body
    ]
    start = "def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):"
    endpoint = f'@app.post("/0/{{key}}")\n{start}\n    out = []\n{body.rstrip()}\n    return out\n'
    return IMPORTS + PREFIX + PLAIN + "\n\n".join([*helpers, endpoint])


@pytest.fixture(scope="module")
def outcomes():
    return dict(compared(BODIES, _application))


@pytest.mark.parametrize("name", BODIES)
def test_kept_objects_are_as_they_were(outcomes, name):
    outcome = outcomes[name]

    assert not outcome.refused
    assert outcome.differences == [], outcome.after
