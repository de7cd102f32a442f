"""Who calls the functions that FastAPI keeps, or reads their parameters."""

from __future__ import annotations

import pytest

from awaken.project import Project, Snapshot
from awaken.project.frameworks.web.taken_back import Use
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

READER = (
    HEAD
    + """\
from typing import Annotated, get_origin

class Scope: ...
class Meta(type): ...

def find(dependency):
    if isinstance(dependency, Scope):
        return dependency
    return None

def seen(dependency):
    return dependency

def first(dependency, /):
    if isinstance(dependency, Scope):
        return dependency
    return None

def any_of(*dependencies):
    return None

class Route(APIRoute):
    def __init__(self, path, endpoint, known=None):
        last = None
        for hint in get_type_hints(endpoint, include_extras=True).values():
            if get_origin(hint) is not Annotated:
                continue
            marker = hint.__metadata__[0]
            %s
        self.last = last
"""
)
REACTIONS = {
    "if isinstance(marker, Depends): self.names = 1": [{"fastapi.Depends"}],
    "if isinstance(marker, Scope): self.names = 1": [{"m.Scope"}],
    "if not isinstance(marker, Depends):\n                continue\n            self.names = 1": [
        {"fastapi.Depends"}
    ],
    "if isinstance(marker, Depends) and isinstance(marker.dependency, Scope): break": [
        {"fastapi.Depends", "m.Scope"}
    ],
    "if isinstance(marker.dependency, Scope): self.names = 1": [set(), {"m.Scope"}],
    "if isinstance(marker, Depends): found = find(marker.dependency)": [],
    "if isinstance(marker, Depends): found = first(marker.dependency)": [],
    "if isinstance(marker, Depends): found = any_of(marker.dependency)": [{"fastapi.Depends"}],
    "if isinstance(marker, Depends) and seen(marker.dependency) is not None: return": [
        {"fastapi.Depends"}
    ],
    "found = find(marker.dependency)": [set()],
    "if isinstance(known, Scope): self.names = 1": [set()],
    "if isinstance(endpoint, Scope): self.names = 1": [set()],
    "if isinstance(marker, Depends): return": [{"fastapi.Depends"}],
    "if not isinstance(marker, Depends): self.names = 1": [set()],
    "last = marker": [set()],
    "if isinstance(last, Depends): self.names = 1": [set()],
    "print(marker)": [set()],
    "return": [set()],
    "continue": [],
}


def uses_in(text: str) -> list[str]:
    return [use.text for use in uses_of(text)]


def uses_of(text: str) -> tuple[Use, ...]:
    source = decode("m.py", text.encode())
    project = Project(Snapshot({"m.py": source}), Targets())
    return project.web.taken_back.uses


@pytest.mark.parametrize("text", USES)
def test_what_calls_an_endpoint_or_reads_its_parameters_takes_it_back(text):
    assert uses_in(HEAD + text) == [USES[text]]


@pytest.mark.parametrize("text", OTHERS)
def test_names_sources_and_other_objects_are_no_such_use(text):
    assert uses_in(HEAD + text) == []


@pytest.mark.parametrize("body", REACTIONS)
def test_a_reader_of_hints_reacts_to_the_classes_that_it_checks(body):
    [use] = uses_of(READER % body)
    assert [*map(set, use.reactions)] == REACTIONS[body]


@pytest.mark.parametrize(
    ("text", "is_parsed"),
    [
        ("client.endpoint = (\n", False),  # no framework, and nothing reads parameters
        ("from fastapi import FastAPI\nendpoint = (\n", False),
        ("from fastapi import FastAPI\nroute.endpoint(\n", True),
        ("from inspect import signature\nsignature(endpoint\n", True),
    ],
)
def test_files_are_parsed_that_may_call_one_or_read_its_parameters(text, is_parsed):
    project = Project(Snapshot({"m.py": decode("m.py", text.encode())}), Targets())

    assert project.web.taken_back.uses == ()
    assert ("m.py" in project.parse_failures) is is_parsed
