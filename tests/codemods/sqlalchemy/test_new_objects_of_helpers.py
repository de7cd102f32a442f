"""New objects that another function writes: their relationships are loaded after its call."""

from __future__ import annotations

import pytest
from compared_applications import differences, migrated, observed
from endpoints_of_objects import ENDPOINT
from random_objects import HEAD

HELPERS = {
    "flushes": ["db.flush()"],
    "flushes_at_times": ["if flag:", "    db.flush()"],
    "commits": ["db.commit()"],
    "flushes_below": ["written(db)"],
    "flushes_and_goes_on": [
        *("try:", "    if flag:", "        raise ValueError", "    db.flush()"),
        *("except ValueError:", "    pass"),
    ],
}
ENDS = {
    "": ["return [order.title, order.user is None]"],
    "OrderUserOut": ["return order"],
}
WRITTEN = "def written(db: Session):\n    db.flush()\n\n"


def application(lines, model, session):
    head = HEAD.format(session=session, base="DeclarativeBase", new="", default="", cascade="")
    body = ["db.add(order)", *lines]
    helper = "".join(f"    {line}\n" for line in body)
    endpoint = ENDPOINT.format(model=f", response_model={model}" if model else "")
    made = ['order = Order(title="n", amount=1, user_id=key)', "saved(db, order, flag)"]
    return (
        f"{head}{WRITTEN}def saved(db: Session, order: Order, flag: bool):\n{helper}\n\n{endpoint}"
        + "".join(f"    {line}\n" for line in [*made, *ENDS[model]])
    )


TEXTS = {
    f"{name}_{model}_{bool(session)}": application(lines, model, session)
    for name, lines in HELPERS.items()
    for model in ENDS
    for session in ("", ", autoflush=False")
}


@pytest.fixture(scope="module")
def result():
    return migrated({f"{name}.py": text for name, text in TEXTS.items()})


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.slow
def test_what_is_read_of_it_is_loaded(name, result, tmp_path):
    sides = [
        observed(text, f"{side}_{name}", tmp_path / side)
        for side, text in (("before", TEXTS[name]), ("after", result.files[f"{name}.py"].decode()))
    ]
    assert [*differences(*sides, ())] == []


def test_it_is_loaded_after_the_call():
    files = {"shop.py": application(HELPERS["flushes"], "", "")}

    after = migrated(files).files["shop.py"].decode()

    assert "db.run_sync(lambda _: order.user)" in after[after.index("await saved(") :]
