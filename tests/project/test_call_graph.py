from __future__ import annotations

import pytest
from programs import program

from awaken.project import Project
from awaken.project.graph.forwards.call_graph import Call, CallGraph, FunctionPlace


def shown(function: FunctionPlace) -> str:
    return f"{function.path.removesuffix('.py')}.{function.qualname}"


def named(graph: CallGraph, *names: str) -> list[FunctionPlace]:
    """Return the functions that are shown like this, in the order of the names."""
    by_name = {shown(one): one for one in graph.functions()}
    return [by_name[name] for name in names]


def resolved(project: Project, call: Call) -> str:
    """Return a call as text, with what it reaches."""
    text = project.snapshot[call.place.path].text[call.place.span.start : call.place.span.end]
    reached = " ".join(shown(one) for one in call.functions)
    return f"{text.decode()} -> {call.kind} {reached}".rstrip()


def calls(files: dict[str, str], caller: str) -> list[str]:
    """Return what the calls in the function ``caller`` reach."""
    project = program(files)
    graph = project.calls.graph()
    return [resolved(project, one) for one in graph.callees(named(graph, caller)[0])]


def why(files: dict[str, str], caller: str) -> list[str]:
    """Return why the calls in ``caller`` are unknown."""
    graph = program(files).calls.graph()
    return [one.why for one in graph.callees(named(graph, caller)[0]) if one.kind == "unknown"]


BASES = """
    class Base:
        def read(self): return self.load()
        def load(self): ...
    class Derived(Base):
        def load(self): return super().load()
    class Other:
        def load(self): ...
    class Both(Derived, Other): ...
    class Beside:
        def load(self): ...
    class Mixed(Beside, Base): ...
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(): g()\ndef g(): ...", ["g() -> one m.g"]),
        ("from a import g as h\ndef f(): h()", ["h() -> one a.g"]),
        ("import a\ndef f(): a.g()", ["a.g() -> one a.g"]),
        ("import a\ng = a.g\ndef f(): g()", ["g() -> one a.g"]),
        ("import os\ndef f(): os.getcwd()\ndef getcwd(): ...", ["os.getcwd() -> library"]),
        ("def f(): len([])\ndef g(len): len()", []),
        ("class C:\n    def __init__(self): ...\ndef f(): C()", ["C() -> class m.C.__init__"]),
        ("class C: ...\ndef f(): C()", ["C() -> class"]),
        (
            """
                class B:
                    def __init__(self): ...
                class C(B): ...
                class D(C):
                    def __init__(self): ...
                def f(): C()
            """,
            ["C() -> class m.B.__init__"],
        ),
        (
            "class C:\n    @classmethod\n    def make(cls): ...\ndef f(): C.make()",
            ["C.make() -> one m.C.make"],
        ),
        (
            "class C:\n    def run(self): ...\ndef f(c: C | None): c.run()",
            ["c.run() -> one m.C.run"],
        ),
        (
            "class C:\n    def __call__(self): ...\nc = C()\ndef f(): c()",
            ["c() -> one m.C.__call__"],
        ),
        ("def f():\n    def g(): ...\n    g()", ["g() -> one m.f.<locals>.g"]),
        (
            "import sys\nif sys:\n    def g(): ...\nelse:\n    def g(): ...\ndef f(): g()",
            ["g() -> several m.g m.g"],
        ),
        (
            "from typing import overload\n@overload\ndef g(): ...\ndef g(): ...\ndef f(): g()",
            ["g() -> one m.g"],
        ),
        ("def f(g): g()\ndef g(): ...", ["g() -> unknown"]),
        ("def f(x): x.g()\ndef g(): ...", ["x.g() -> unknown"]),
        ("def f(x: str): x.g()\ndef g(): ...", ["x.g() -> library"]),
        (
            "class C:\n    def run(self): ...\ndef f(c: C):\n    g = getattr(c, 'run')\n    g()",
            ["g() -> one m.C.run"],
        ),
        (
            """
                class C:
                    def run(self): ...
                    def go(self): ...
                def f(c: C):
                    g = getattr(c, "run", None) or getattr(c, "go")
                    if g is not None:
                        g()
            """,
            ["g() -> several m.C.run m.C.go"],
        ),
        (
            """
                class C:
                    def __init__(self):
                        self.kept: K | None = None
                class D(C):
                    def __init__(self):
                        super().__init__()
                        self.kept = K()
                class K:
                    def run(self): ...
                def f(c: C): c.kept.run()
            """,
            ["c.kept.run() -> one m.K.run"],
        ),
    ],
)  # fmt: skip
def test_a_call_is_resolved(text, expected):
    assert calls({"m.py": text, "a.py": "def g(): ..."}, "m.f") == expected


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("m.Base.read", ["self.load() -> several m.Base.load m.Derived.load m.Beside.load"]),
        # Also for an instance of `Both`, whose bases Python orders Derived, Base, Other.
        ("m.Derived.load", ["super().load() -> one m.Base.load"]),
    ],
)
def test_a_method_stands_for_its_family(caller, expected):
    assert calls({"m.py": BASES}, caller) == expected


def test_a_private_method_is_that_of_the_class_around_the_call():
    text = """
        class Base:
            def read(self, other): return self.__load(), other.__load()
            def __load(self): ...
        class Derived(Base):
            def __load(self): ...
    """

    assert calls({"m.py": text}, "m.Base.read") == [
        "self.__load() -> one m.Base.__load",
        "other.__load() -> one m.Base.__load",
    ]


def test_a_method_of_the_class_itself_is_no_other():
    text = BASES + "    def f(one): return Base.load(one), Base().load()\n"

    assert calls({"m.py": text}, "m.f") == [
        "Base.load(one) -> one m.Base.load",
        "Base().load() -> several m.Base.load m.Derived.load m.Beside.load",
        "Base() -> class",
    ]


def test_what_only_classes_below_have_is_found():
    files = {
        "m.py": """
            import abc
            class Base(abc.ABC):
                def read(self): return self._load()
            class One(Base):
                def _load(self): ...
            class Two(Base):
                def _load(self): ...
        """
    }

    assert calls(files, "m.Base.read") == ["self._load() -> several m.One._load m.Two._load"]


PROTOCOL = """
    from typing import Protocol
    class Store(Protocol):
        def save(self, one): ...
        def load(self): ...
    class Files:
        def save(self, one): ...
        def load(self): ...
    class Tables(Files):
        def save(self, one): ...
    class Named(Store):
        def load(self): ...
    class Half:
        def save(self, one): ...
    def f(store: Store):
        store.save(1)
        store.load()
"""


def test_a_call_on_a_protocol_reaches_what_fulfils_it():
    assert calls({"m.py": PROTOCOL}, "m.f") == [
        "store.save(1) -> several m.Files.save m.Tables.save",
        "store.load() -> several m.Files.load m.Named.load",
    ]


@pytest.mark.parametrize(
    ("method", "fulfils"),
    [
        ("def save(self, user): ...", True),
        ("def save(self, other): ...", True),
        ("def save(self, user, copies=1): ...", True),
        ("def save(self, *rest): ...", True),
        ("def save(self, **others): ...", True),
        ("def save(self, user, *, user_id=None): ...", True),
        ("def save(self): ...", False),
        ("def save(self, user, copies): ...", False),
        ("def save(self, user, *, copies): ...", False),
        ("@classmethod\n    def save(cls, user): ...", True),
        ("@classmethod\n    def save(cls, name): ...", False),
        ("@staticmethod\n    def save(user): ...", True),
        ("@staticmethod\n    def save(name): ...", False),
        ("@traced\n    def save(): ...", True),
    ],
)
def test_what_cannot_be_passed_what_a_protocol_passes_does_not_fulfil_it(method, fulfils):
    text = (
        "from typing import Protocol\nfrom library import traced\n"
        "class Users(Protocol):\n    def save(self, user): ...\n"
        "class Files:\n    def save(self, user): ...\n"
        f"class Other:\n    {method}\n"
        "def f(users: Users): users.save(1)\n"
    )
    found = calls({"m.py": text}, "m.f")[0]

    assert ("m.Other.save" in found) == fulfils
    assert "m.Files.save" in found


def test_a_protocol_that_everything_fulfils_is_unknown():
    many = "".join(f"class C{n}:\n    def save(self): ...\n" for n in range(301))
    text = (
        "from typing import Protocol\nclass P(Protocol):\n    def save(self): ...\n"
        f"{many}def f(p: P): p.save()\n"
    )

    assert why({"m.py": text}, "m.f") == [
        "`m.P` is a protocol that too many classes fulfil",
    ]


DECORATORS = """
    import functools
    def same(f): return f
    def marked(f):
        f.mark = 1
        return f
    def wrapped(f):
        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            return f(*args, **kwargs)
        return wrapper
    def awaited(f):
        @functools.wraps(f)
        async def wrapper(self, *args, **kwargs):
            result = await f(self, *args, **kwargs)
            return result
        return wrapper
    def times(count):
        def decorator(f):
            @functools.wraps(f)
            def wrapper(*args, **kwargs):
                return f(*args, **kwargs)
            return wrapper
        return decorator
    def either(f=None, *, name=""):
        if f is None:
            return functools.partial(either, name=name)
        return wrapped(f)
    def kept(f=None):
        if f is None:
            return lambda function: function
        return f
    def lost(f=None):
        if f is None:
            return lambda function: print
        return f
    def injects(f):
        def wrapper(*args): return f(1, *args)
        return wrapper
    def replaces(f):
        def wrapper(*args): return 1
        return wrapper
    def rebinds(f):
        f = print
        return f
    def registers(f):
        HANDLERS.append(f)
    def stores(f):
        return Task(f)
"""


@pytest.mark.parametrize(
    ("decorator", "kind"),
    [
        ("same", "one"), ("marked", "one"), ("wrapped", "one"), ("awaited", "one"),
        ("times(3)", "one"), ("injects", "one"), ("functools.lru_cache(maxsize=1)", "one"),
        ("pytest.mark.slow", "one"), ("typing.final", "one"), ("app.get('/')", "one"),
        ("kept", "one"), ("kept()", "one"),
        ("lost", "unknown"), ("lost()", "unknown"), ("replaces", "unknown"),
        ("rebinds", "unknown"), ("registers", "unknown"),
        ("stores", "unknown"), ("times", "unknown"), ("same()", "unknown"),
        ("click.command()", "unknown"), ("app.task()", "unknown"), ("handlers[0]", "unknown"),
    ],
)  # fmt: skip
def test_a_decorator_hands_its_function_through(decorator, kind):
    text = (
        "import click, functools, pytest, typing\nfrom fastapi import FastAPI\n"
        f"from d import *\napp = FastAPI()\n@{decorator}\ndef g(): ...\ndef f(): g()\n"
    )

    assert calls({"m.py": text, "d.py": DECORATORS}, "m.f")[0].startswith(f"g() -> {kind}")


def test_a_class_with_getattr_is_unknown_where_it_has_no_such_method():
    text = """
        class C:
            def __getattr__(self, name): ...
            def own(self): ...
        def other(): ...
        def f(c: C):
            c.own()
            c.other()
    """

    assert why({"m.py": text}, "m.f") == ["`m.C` has a `__getattr__`"]


LAYERS = {
    "repositories.py": """
        class UserRepository:
            def __init__(self, session): self._session = session
            def load(self, key): return self._session.get(key)
        class CachedUsers:
            def load(self, key): return {}
    """,
    "services.py": """
        from typing import Protocol
        class Users(Protocol):
            def load(self, key): ...
        class UserService:
            def __init__(self, users: Users): self._users = users
            def find(self, key): return self._users.load(key)
            def plain(self): return 1
    """,
    "api.py": """
        from services import UserService
        def show(service: UserService): return again(service, 3)
        def again(service: UserService, times):
            return show(service) if times else service.find(1)
        def version(service: UserService): return service.plain()
        def unseen(service): return service.find(2)
    """,
}


def test_all_that_reaches_a_function_is_found_through_layers_and_protocols():
    graph = program(LAYERS).calls.graph()
    found = graph.reaching(named(graph, "repositories.UserRepository.load"))

    assert [shown(one) for one in found] == [
        "api.show", "api.again", "repositories.UserRepository.load", "services.UserService.find",
    ]  # fmt: skip
    names = {one.qualname.rpartition(".")[2] for one in found}
    assert [shown(one.caller) for one in graph.unresolved_calls(names)] == ["api.unseen"]


DECODED = """
import json
import httpx
from sqlalchemy import JSON, Column, Integer, PickleType, create_engine, inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class Row(Base):
    __tablename__ = "rows"
    id = Column(Integer, primary_key=True)
    data = Column(JSON)
    more = Column("rest", JSONB(none_as_null=True), nullable=False)
    pickled = Column(PickleType)

class Repository:
    def get(self, key): ...

def plain(raw, file):
    row = Row()
    (row.data or {}).get("m")
    row.more["x"].get("n")
    httpx.post("a").json().get("a")
    json.loads(raw).get("b")
    json.loads(raw)["x"].get("c")
    for one in json.load(file):
        one.get("d")
    [each.get("e") for each in json.loads(raw)["items"]]
    for value in json.loads(raw).values():
        value.get("f")
    for key in inspect(create_engine("sqlite://")).get_foreign_keys("t"):
        key.get("g")

def unseen(raw, thing):
    json.loads(raw, object_hook=Repository).get("h")
    thing.get("i")
    inspect(thing).object.get("j")
    Row().pickled.get("k")
"""


def test_plain_data_has_no_methods_of_the_program():
    project = program({"app.py": DECODED})
    module = project.module("app.py")
    calls = project.calls.graph().unresolved_calls(["get"])

    assert [module.text_of(module.calls_at(one.place.span)[0])[-4:-2] for one in calls] == [
        '"h', '"i', '"j', '"k',
    ]  # fmt: skip


CONTAINER = {
    **LAYERS,
    "containers.py": """
        from dependency_injector import containers, providers
        from repositories import UserRepository
        from services import UserService
        def connect():
            yield UserRepository(1)
        def token(): return 1
        class Stores(containers.DeclarativeContainer):
            users = providers.Factory(UserRepository, session=1)
        class Container(containers.DeclarativeContainer):
            stores = providers.Container(Stores)
            service = providers.Singleton(UserService, users=stores.users)
            connection = providers.Resource(connect)
            token = providers.Callable(token)
    """,
    "app.py": """
        from dependency_injector.wiring import Provide, inject
        from containers import Container
        container = Container()
        def first(): return Container.service().find(1)
        def second(): return container.service().find(1)
        def third(): return container.stores.users().load(1)
        def fourth(): return container.connection().load(1)
        def fifth(): return container.token()
        @inject
        def sixth(service=Provide[Container.service]): return service.find(2)
        def seventh(): return sixth()
    """,
}


def test_a_container_makes_what_its_providers_say():
    graph = program(CONTAINER).calls.graph()
    found = graph.reaching(named(graph, "repositories.UserRepository.load"))

    assert [one.qualname for one in found if one.path == "app.py"] == [
        "first", "second", "third", "fourth", "sixth", "seventh",
    ]  # fmt: skip
    assert graph.unresolved_calls({one.qualname.rpartition(".")[2] for one in found}) == [
        one for one in graph.calls() if one.caller.qualname == "unseen"
    ]


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("app.third", "container.stores.users() -> class repositories.UserRepository.__init__"),
        ("app.fifth", "container.token() -> one containers.token"),
        ("app.fourth", "container.connection() -> one containers.connect"),
    ],
)
def test_a_call_of_a_provider_is_a_call_of_what_it_provides(caller, expected):
    assert expected in calls(CONTAINER, caller)


def test_what_an_entry_point_reaches():
    graph = program(LAYERS).calls.graph()
    start, end, other = named(graph, "api.show", "repositories.CachedUsers.load", "api.version")

    assert end in graph.reachable([start])
    reached = [shown(one) for one in graph.reachable([other])]
    assert reached == ["api.version", "services.UserService.plain"]


def test_the_graph_is_the_same_whatever_was_asked_before():
    asked = program(LAYERS)
    for path in ("api.py", "services.py"):
        module = asked.module(path)
        for node in module.walk():
            if hasattr(node, "decorator_list") and hasattr(node, "args"):
                asked.calls.callers_of(module, node)

    assert list(asked.calls.graph().calls()) == list(program(LAYERS).calls.graph().calls())


def test_a_container_that_is_taken_out_of_itself_ends():
    text = """
        def run(): ...
        def f(text):
            node = {}
            for part in text:
                node = node[part]
                node["run"] = run
            return node.run()
    """
    graph = program({"m.py": text}).calls.graph()

    assert [one.name for one in graph.calls()] == ["run"]


def test_the_calls_of_one_file_are_those_of_the_program_that_stand_in_it():
    files = {"a.py": "from b import f\nf()\ndef g(): f()\n", "b.py": "def f(): h()\n", "c.py": ""}
    graph = program(files).calls.graph()

    assert [[one.place.span.start for one in graph.calls_in(path)] for path in sorted(files)] == [
        [one.place.span.start for one in graph.calls() if one.place.path == path]
        for path in sorted(files)
    ]
    assert len(list(graph.calls_in("a.py"))) == 2
