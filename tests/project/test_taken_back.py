"""Who calls the functions that FastAPI keeps, or reads their parameters."""

from __future__ import annotations

import pytest

from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

HEAD = """\
import inspect
from typing import get_type_hints
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute

app = FastAPI()
client = object()
"""
USES = {
    "for route in app.routes:\n    route.endpoint()\n": "route.endpoint()",
    "for route in app.routes:\n    run = route.endpoint\n    run()\n": "run()",
    "inspect.signature(client.endpoint)\n": "inspect.signature(client.endpoint)",
    "def f(r: Request):\n    return r.scope['endpoint'].__defaults__\n": (
        "r.scope['endpoint'].__defaults__"
    ),
    "g = app.scope.get('endpoint')\nget_type_hints(g, include_extras=True)\n": (
        "get_type_hints(g, include_extras=True)"
    ),
    "def f(r):\n    g = getattr(r, 'endpoint', None)\n    return inspect.signature(g)\n": (
        "inspect.signature(g)"
    ),
    "def f(route):\n    return [x.call() for x in route.dependant.dependencies]\n": "x.call()",
    "Depends(print).dependency()\n": "Depends(print).dependency()",
    "class Router(APIRouter):\n    def add_api_route(self, path, endpoint, **options):\n"
    "        print(inspect.signature(endpoint))\n": "inspect.signature(endpoint)",
    "class Route(APIRoute):\n    def __init__(self, path, endpoint, **options):\n"
    "        self.names = endpoint.__annotations__\n": "endpoint.__annotations__",
}
OTHERS = [
    "for route in app.routes:\n    print(route.endpoint.__name__, route.endpoint is print)\n",
    "for route in app.routes:\n    print(inspect.getsource(route.endpoint))\n",
    "for route in app.routes:\n    print(get_type_hints(route.endpoint))\n",
    "for route in app.routes:\n    print('db' in inspect.signature(route.endpoint).parameters)\n",
    "def f(route):\n    s = inspect.signature(route.endpoint)\n    return s.return_annotation\n",
    "def traced(endpoint):\n    return inspect.signature(endpoint)\n",
    "class Route(APIRoute):\n    def __init__(self, path, endpoint):\n        print(endpoint)\n",
    "print(client.call(), client.endpoints())\n",
]


def uses_in(text: str) -> list[str]:
    source = decode("m.py", f"{HEAD}{text}".encode())
    project = Project(Snapshot({"m.py": source}), Targets())
    return [shown for _, shown in project.web.taken_back.uses]


@pytest.mark.parametrize("text", USES)
def test_what_calls_an_endpoint_or_reads_its_parameters_takes_it_back(text):
    assert uses_in(text) == [USES[text]]


@pytest.mark.parametrize("text", OTHERS)
def test_names_sources_and_other_objects_are_no_such_use(text):
    assert uses_in(text) == []
