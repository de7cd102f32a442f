"""What awaken knows of the asynchronous classes is so in the SQLAlchemy that is installed."""

from __future__ import annotations

import inspect

import pytest
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from awaken.knowledge.asynchronous import twins

CLASSES = {
    "connection": (Connection, AsyncConnection),
    "engine": (Engine, AsyncEngine),
    "session": (Session, AsyncSession),
}
NO_METHODS = {"connection_callable", "dispatch"}


def public(kind):
    return {
        name
        for name in dir(kind)
        if name[0] != "_" and callable(getattr(kind, name)) and name not in NO_METHODS
    }


@pytest.mark.parametrize("resource", CLASSES)
def test_what_is_a_coroutine_function_there_is_known(resource):
    here, there = CLASSES[resource]
    known = twins()
    named = {*known.awaited.get(resource, ()), *known.entered.get(resource, ())}
    named |= {*known.missing.get(resource, ())}
    waiting = {name for name in public(there) if inspect.iscoroutinefunction(getattr(there, name))}
    assert waiting & public(here) <= named


@pytest.mark.parametrize("resource", CLASSES)
def test_what_is_not_there_is_known(resource):
    here, there = CLASSES[resource]
    known = twins()
    named = {*known.missing.get(resource, ()), *known.bridged.get(resource, ())}
    assert public(here) - public(there) <= named
