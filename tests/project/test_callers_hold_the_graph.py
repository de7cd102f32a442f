"""The law of callers: the graph knows each caller, and a complete answer has all of the graph.

So has what leads to a function, which is found from caller to caller.
"""

from __future__ import annotations

import pytest
from asked_callers import function_of, shown
from fixture_cases import CASES, costly
from programs import module_of, program

from awaken.project import Project, Snapshot
from awaken.project.source.trees import Function
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode, is_python


def assert_agreement(project):
    """Assert that `callers_of` has no more than the graph, and no less where it is complete.

    Of a call of an annotated table, `callers_of` knows more: the graph says that it does not know.
    """
    graph = project.calls.graph()
    unknown = {call.place for call in graph.calls() if call.kind == "unknown"}
    complete = {}
    for place in graph.functions():
        module = project.module(place.path)
        for function in module.walk():
            if isinstance(function, Function) and module.span(function).start == place.start:
                callers = project.calls.callers_of(module, function)
                sites = {site.place for site in callers.sites}
                calls = {call.place for call in graph.callers(place)}
                assert sites <= calls | unknown, place.qualname
                assert calls <= sites or not callers.complete, place.qualname
                complete[place] = callers.complete, project.calls.leading_to(module, function)
    for place, (_, leading) in complete.items():
        missing = {*graph.reaching([place])} - {*leading.functions}
        known = (complete.get(other, (True,))[0] for other in leading.functions)
        assert not missing or not all(known), place.qualname


@pytest.mark.parametrize("identifier", [costly(identifier) for identifier in CASES])
def test_callers_are_those_of_the_call_graph(identifier):
    files = CASES[identifier].before
    sources = {path: decode(path, files[path]) for path in files if is_python(path)}
    # Of a published program hardly an answer is complete.
    assert_agreement(Project(Snapshot(sources), None, settings=ProjectSettings(published=False)))


PROGRAMS = {
    "a protocol": (
        """
        from typing import Protocol
        class Users(Protocol):
            def run(self): ...
        class Sql:
            def run(self): ...
        def f(u: Users): u.run()
        f(Sql())
        """,
        {"Users.run": ["u.run()"], "Sql.run": ["u.run()"]},
    ),
    "a class inside of another one": (
        """
        class Shop:
            class Cart:
                def add(self): ...
            def open(self): return self.Cart()
        def f(shop: Shop): shop.open().add()
        """,
        {"Shop.Cart.add": ["shop.open().add()"]},
    ),
    "decorators": (
        """
        from functools import cache
        def traced(word): return lambda f: f
        @traced('x')
        def load(): ...
        @cache
        def kept(): ...
        kept()
        """,
        {"traced": ["traced('x')"], "kept": ["kept()"], "load": []},
    ),
    "an overload, which never runs": (
        """
        from typing import overload
        @overload
        def load(key: int): ...
        def load(key): ...
        load(1)
        """,
        {"load": ["load(1)"]},
    ),
    "super() in a diamond": (
        """
        class A:
            def run(self): ...
        class B(A):
            def run(self): return super().run()
        class C(A):
            def run(self): return super().run()
        class D(B, C):
            def run(self): return super().run()
        def f(d: D): d.run()
        """,
        # Python's order is D, B, C, A, and of a B alone B, A.
        {
            "A.run": ["super().run()", "super().run()"],
            "B.run": ["super().run()"],
            "C.run": ["super().run()"],
            "D.run": ["d.run()"],
        },
    ),
    "what makes and calls instances": (
        """
        class A:
            def __new__(cls): ...
            def __call__(self): ...
        def f(a: A): a()
        A()
        """,
        {"A.__new__": ["A()"], "A.__call__": ["a()"]},
    ),
    "values": (
        """
        def one(): ...
        def two(): ...
        TABLE = {'two': two}
        def g(k): TABLE[k]()
        def made():
            def inner(): ...
            return inner
        x = made()
        x()
        for each in (one, two): each()
        """,
        {"one": ["each()"], "two": ["TABLE[k]()", "each()"], "made.<locals>.inner": ["x()"]},
    ),
    "functions that functions and fixtures return": (
        """
        import pytest
        def made():
            def inner(): ...
            return inner
        (kept := made())()
        @pytest.fixture
        def make():
            def add(name): ...
            yield add
        def test_one(make): make('one')
        @pytest.fixture
        def filled(make): make('two')
        class TestOwn:
            @pytest.fixture
            def make(self): ...
            def test_own(self, make): make('own')
        """,
        {
            "made": ["made()"],
            "made.<locals>.inner": ["(kept := made())()"],
            "make.<locals>.add": ["make('one')", "make('two')"],
        },
    ),
    "functions of a table, called in a loop": (
        """
        def one(): ...
        def two(): ...
        def other(): ...
        STEPS = {'one': one, 'two': two}
        def g():
            for name, step in STEPS.items(): step()
            [each() for each in (one, other)]
        """,
        {"one": ["each()", "step()"], "two": ["step()"], "other": ["each()"]},
    ),
    "partial": (
        """
        from functools import partial
        def one(a, b): ...
        p = partial(one, 1)
        p(2)
        one(1, 2)
        """,
        {"one": ["one(1, 2)"]},
    ),
    "a file loaded by its path": (
        """
        from importlib.util import module_from_spec, spec_from_file_location
        spec = spec_from_file_location('one', 'one.py')
        one = module_from_spec(spec)
        one.run()
        """,
        {"run": ["one.run()"]},
    ),
}


@pytest.mark.parametrize("named", PROGRAMS)
def test_callers_and_the_graph_agree(named):
    text, expected = PROGRAMS[named]
    project = program({"m.py": text, "one.py": "def run(): ...\n"}, published=False)
    assert_agreement(project)
    for dotted, calls in expected.items():
        path = "one.py" if dotted == "run" else "m.py"
        function = function_of(project, path, dotted)
        graph = project.calls.graph()
        module = module_of(project, path)
        text = project.snapshot["m.py"].text.decode()
        both = [
            graph.callers(graph.place_of(module, function)),
            project.calls.callers_of(module, function).sites,
        ]
        # Of calls of instances, `callers_of` says that it does not know them.
        for callers in both[: 1 if function.name == "__call__" else 2]:
            spans = [call.place.span for call in callers]
            assert sorted(text[span.start : span.end] for span in spans) == sorted(calls), dotted


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
