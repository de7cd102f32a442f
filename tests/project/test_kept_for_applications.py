"""What a program keeps in the state of its application, and asks of it in requests."""

from __future__ import annotations

import pytest
from programs import last, module_of, program

PROGRAM = """
from typing import Any
from fastapi import FastAPI, Request, WebSocket
from fastapi.testclient import TestClient


class Port:
    pass


app = FastAPI()


def attach(application: FastAPI, port: Port):
    application.state.port = port


def use({parameter}):
    found = {read}
    found
"""


@pytest.mark.parametrize(
    ("parameter", "read", "is_known"),
    [
        ("request: Request", "request.app.state.port", True),
        ("request: Request", 'getattr(request.app.state, "port", None)', True),
        ("socket: WebSocket", "socket.app.state.port", True),
        ("client: TestClient", "client.app.state.port", True),
        ("request", "app.state.port", True),
        ("request: Request", "request.state.other", False),
        ("request: Any", "request.app.state.port", False),
        ("request: Request", "request.app.others.port", False),
    ],
)
def test_it_is_what_was_put_there(parameter, read, is_known):
    project = program({"m.py": PROGRAM.format(parameter=parameter, read=read)}, published=False)
    module = module_of(project, "m.py")
    found = project.values.of(module, last(module, "found"))
    names = {getattr(one, "qualified", "") for one in found.alternatives} - {""}
    assert (names == {"m.Port"}) is is_known


@pytest.mark.parametrize(
    ("otherwise", "is_known"), [("None", True), ("object()", False), ("7", True)]
)
def test_a_class_of_a_library_that_may_be_missing_is_an_annotation(otherwise, is_known):
    text = f"""
        try:
            import redis
        except ImportError:
            redis = {otherwise}


        def close(client: redis.Redis):
            client
        """
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    found = project.values.of(module, last(module, "client"))
    names = {getattr(one, "qualified", "") for one in found.alternatives}
    assert (names == {"redis.Redis"}) is is_known
