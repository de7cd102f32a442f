"""Applications in which a row of a table is an endpoint, and what both sides of it do."""

from __future__ import annotations

from compared_applications import differences, migrated, observed
from endpoints_of_objects import ENDPOINT, HELPING
from random_objects import HEAD, HELPERS


def application(row, session=""):
    """Return the application in which a row, a response model and a body, is an endpoint."""
    model, body = row
    head = HEAD.format(session=session, base="DeclarativeBase", new="", default="", cascade="")
    endpoint = ENDPOINT.format(model=f", response_model={model}" if model else "")
    helpers = "\n\n".join([*HELPERS.values(), HELPING])
    return head + helpers + "\n\n" + endpoint + "".join(f"    {one}\n" for one in body.splitlines())


def applications(rows, holding_back=()):
    """Return the applications of a table, by name; some hold changes back from their loads."""
    return {
        name: application(row, ", autoflush=False" if name in holding_back else "")
        for name, row in rows.items()
    }


def result_of(texts):
    """Return what becomes of all applications as one project: it is planned once."""
    return migrated({f"{name}.py": text for name, text in texts.items()})


def differences_of(name, before, result, place, announced=()):
    """Return what differs between both sides of an application."""
    after = result.files[f"{name}.py"].decode()
    assert "create_async_engine" in after
    sides = [
        observed(text, f"{side}_{name}", place / side)
        for side, text in (("before", before), ("after", after))
    ]
    return [*differences(*sides, announced)]
