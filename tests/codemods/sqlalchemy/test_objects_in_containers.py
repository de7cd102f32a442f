"""Objects that containers, loops, helpers and managers keep are as they were after a rewrite."""

from __future__ import annotations

import pytest
from compared_applications import compared
from endpoints_of_objects import PLAIN
from random_flows import HELPERS, IMPORTS

EXPIRED = {
    "values of an index": """
        index = {each.id: each for each in db.query(User).order_by(User.id)}
        db.rollback()
        out.append([each.name for each in index.values()])
    """,
    "index of a helper": """
        index = by_id(db)
        db.rollback()
        out.append([each.name for each in index.values()])
    """,
    "item by a variable": """
        index, number = by_id(db), 1
        db.rollback()
        out.append(index[number].name)
    """,
    "items of an index": """
        users = db.query(User).order_by(User.id).all()
        index = {each.id: each for each in users}
        db.rollback()
        out.append(sorted((each.name, key) for key, each in index.items()))
    """,
    "list of values": """
        index = by_id(db)
        db.rollback()
        values = list(index.values())
        out.append([user.name for user in values])
    """,
    "a loop over a list of values": """
        user = db.query(User).filter(User.id == 1).first()
        index = by_id(db)
        out.append([tag.name for tag in user.tags])
        db.expire_all()
        for each in list(index.values()):
            out.append([order.title for order in each.orders])
    """,
    "functions of expired objects": """
        users, index = others(db, []), by_id(db)
        db.rollback()
        out += [teams(users), [shown(user) for user in index.values()]]
    """,
    "keys of an index": """
        index = by_id(db)
        db.rollback()
        out += [len(index), 2 in index, list(index), index.get(9)]
    """,
    "changed in place, then refreshed": """
        user = db.get(User, 1)
        user.name = "other"
        db.rollback()
        user.name += "!"
        db.refresh(user)
        out.append(user.name)
    """,
    "loaded by an option, then reloaded": """
        user = db.query(User).filter(User.id == 1).first()
        out.append([tag.name for tag in user.tags])
        again, team = pair(db, key)
        out.append([tag.name for tag in user.tags])
    """,
}
WRITTEN = {
    "a function in a comprehension": """
        users = db.query(User).order_by(User.id).all()
        for user in users:
            user.team_id = 2
        {end}
        out += [shown(user) for user in users]
    """,
    "items with the name of their list": """
        users = db.query(User).order_by(User.id).all()
        for user in users:
            user.team_id = 2
        {end}
        out += [shown(users) for users in users]
    """,
    "a function of a list": """
        users = db.query(User).order_by(User.id).all()
        for user in users:
            user.team_id = 2
        {end}
        out.append(teams(users))
    """,
    "a schema in a comprehension": """
        users = db.query(User).order_by(User.id).all()
        for user in users:
            user.team_id = 2
        {end}
        out += [UserTeamOut.model_validate(user) for user in users]
    """,
    "a comprehension": """
        users = db.query(User).order_by(User.id).all()
        users[0].team_id = 2
        {end}
        out += [user.team.name if user.team else None for user in users]
    """,
    "added rows": """
        users = db.query(User).order_by(User.id).all()
        for user in users:
            db.add(Order(title="other", amount=8, user_id=user.id))
        {end}
        out += [counted(user) for user in users]
    """,
    "added rows, read in a loop": """
        users = db.query(User).order_by(User.id).all()
        db.add(Order(title="other", amount=8, user_id=users[0].id))
        {end}
        for user in users:
            out.append(counted(user))
    """,
    "values of an index": """
        index = by_id(db)
        for user in index.values():
            user.team_id = 2
        {end}
        out += [shown(user) for user in index.values()]
    """,
}
BODIES = EXPIRED | {
    f"{name}, {end}": body.replace("{end}", f"db.{end}()")
    for name, body in WRITTEN.items()
    for end in ("commit", "flush")
}


def _application(name: str) -> str:
    lines = BODIES[name].strip("\n").splitlines()
    body = "\n".join(line[4:] for line in lines)
    helpers = [text for helper, text in HELPERS.items() if f"{helper}(" in body]
    start = "def endpoint0(key: int, flag: bool = False, db: Session = Depends(get_db)):"
    endpoint = f'@app.post("/0/{{key}}")\n{start}\n    out = []\n{body.rstrip()}\n    return out\n'
    return IMPORTS + PLAIN + "\n\n".join([*helpers, endpoint])


@pytest.fixture(scope="module")
def outcomes():
    return dict(compared(BODIES, _application))


@pytest.mark.parametrize("name", BODIES)
def test_objects_of_containers_are_as_they_were(outcomes, name):
    outcome = outcomes[name]

    assert not outcome.refused
    assert outcome.differences == [], outcome.after
