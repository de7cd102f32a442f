"""The law of callers: an answer that says complete holds every call that the graph knows."""

from __future__ import annotations

import pytest
from asked_callers import function_of, shown
from fixture_cases import CASES, costly
from programs import module_of, program

from awaken.project import Project, Snapshot
from awaken.project.source.trees import Function
from awaken.workspace.manifests.project_settings import ProjectSettings
from awaken.workspace.sources import decode, is_python


@pytest.mark.parametrize("identifier", [costly(identifier) for identifier in CASES])
def test_callers_that_are_complete_hold_those_of_the_call_graph(identifier):
    files = CASES[identifier].before
    sources = {path: decode(path, files[path]) for path in files if is_python(path)}
    # Of a published program hardly an answer is complete.
    project = Project(Snapshot(sources), None, settings=ProjectSettings(published=False))
    graph = project.calls.graph()
    for place in graph.functions():
        module = project.module(place.path)
        for function in module.walk():
            if isinstance(function, Function) and module.span(function).start == place.start:
                callers = project.calls.callers_of(module, function)
                sites = {site.place for site in callers.sites}
                lost = [call.place for call in graph.callers(place) if call.place not in sites]
                assert not (callers.complete and lost), place.qualname


CALLED = ["m: u.run()"]
IMPLEMENTED = "from m import Users\nclass Sql:\n    def run(self): ...\n"


@pytest.mark.parametrize(
    ("declared", "more", "expected"),
    [
        ("class Users(Protocol):\n    def run(self): ...", "", (CALLED, [])),
        ("class Users(Protocol[T]):\n    def run(self) -> T: ...", "", (CALLED, [])),
        (
            "class P(Protocol):\n    def run(self): ...\nclass Users(P, Protocol): ...",
            "",
            (CALLED, []),
        ),
        ("class Users(Shape):\n    def run(self): ...", "", (CALLED, [])),
        ("class Users(Protocol):\n    run: Callable[[], int]", "", (CALLED, [])),
        ("@runtime_checkable\nclass Users(Protocol):\n    def run(self): ...", "", (CALLED, [])),
        ("class Users(Protocol):\n    def run(self, one, two): ...", "", ([], [])),
        ("class Users(Protocol):\n    def run(self): ...\n    def end(self): ...", "", ([], [])),
        # Only a class below has the rest.
        (
            "class Users(Protocol):\n    def run(self): ...\n    def end(self): ...",
            "class Below(Sql):\n    def end(self): ...",
            (CALLED, []),
        ),
        # What runs for it is another method.
        (
            "class Users(Protocol):\n    def run(self): ...\n    def end(self): ...",
            "class Below(Sql):\n    def end(self): ...\n    def run(self): ...",
            ([], []),
        ),
        # The rest may come from a base out of sight, or be made by `__getattr__`.
        (
            "class Users(Protocol):\n    def run(self): ...\n    def end(self): ...",
            "from lib import Base\nclass Below(Sql, Base): ...",
            ([], ["unresolved"]),
        ),
        (
            "class Users(Protocol):\n    def run(self): ...\n    def end(self): ...",
            "class Below(Sql):\n    def __getattr__(self, name): ...",
            ([], ["unresolved"]),
        ),
        # A protocol that asks for nothing is fulfilled by everything.
        ("class Users(Protocol): ...", "", ([], ["unresolved"])),
        ("class Users:\n    def run(self): ...", "", ([], [])),
        # Python's order of the bases: `Below.run` is `Before.run`.
        (
            "class Users: ...",
            """
class Top:
    def run(self): ...
class Before(Top): ...
class Below(Before, Sql, Users): ...
""",
            ([], []),
        ),
        ("class Users: ...", "class Below(Sql, Users): ...", (CALLED, [])),
    ],
)
def test_a_call_over_a_type_that_the_class_does_not_name(declared, more, expected):
    text = (
        "from typing import Callable, Protocol, TypeVar, runtime_checkable\n"
        "from names import Shape\nT = TypeVar('T')\n"
        f"{declared}\ndef f(u: Users): u.run()\n"
    )
    files = {"m.py": text, "names.py": "from typing import Protocol as Shape\n"}
    files["sql.py"] = f"{IMPLEMENTED}{more}\n"
    project = program(files, published=False)
    found = project.calls.callers_of(
        module_of(project, "sql.py"), function_of(project, "sql.py", "Sql.run")
    )
    assert shown(project, found) == expected


def test_a_class_inside_of_another_one_is_made_by_its_instances():
    text = """
        class Shop:
            class Cart:
                def __init__(self): ...
            def open(self): return self.Cart()
        def f(shop: Shop): return shop.Cart()
    """
    project = program({"m.py": text}, published=False)
    found = project.calls.callers_of(
        module_of(project, "m.py"), function_of(project, "m.py", "Shop.Cart.__init__")
    )
    assert shown(project, found) == (["m: self.Cart()", "m: shop.Cart()"], [])
