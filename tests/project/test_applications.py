"""Which application an expression is, what is registered on it, and what is given to whom."""

from __future__ import annotations

import pytest
from programs import last, module_of, program

from awaken.project import Project
from awaken.project.frameworks.web import installers
from awaken.project.frameworks.web.applications import Resolved

MAIN = """
    from fastapi import FastAPI, Request
    app = FastAPI()
    other: FastAPI = FastAPI()
    def make(title: str) -> FastAPI:
        made = FastAPI(title=title)
        return made
    class Server:
        def __init__(self):
            self.app = FastAPI()
"""
LINES = {3: "app", 4: "other", 6: "made", 10: "self.app"}


def seen(project: Project, resolved: Resolved) -> set[str]:
    """Return what the applications are called where they are made, ``?`` for an unknown one."""
    found = set()
    for one in resolved.applications:
        line, _ = module_of(project, one.made.path).line_column(one.made.span)
        found.add(LINES[line])
    return found | ({"?"} if resolved.unknown else set())


@pytest.mark.parametrize(
    ("text", "expression", "expected"),
    [
        ("from main import app\nuse(app)", "app", {"app"}),
        ("import main\nuse(main.other)", "main.other", {"other"}),
        ("from main import make\nx = make('a')\nuse(x)", "x", {"made"}),
        ("from main import Server\ns = Server()\nuse(s.app)", "s.app", {"self.app"}),
        ("from main import app, other\nx = app if other else other\nuse(x)", "x", {"app", "other"}),
        ("import main\ndef f(a): use(a)\nf(main.app)", "a", {"app"}),
        ("import main\ndef f(a: main.FastAPI): use(a)\nf(main.app)\nf(main.other)", "a",
         {"app", "other"}),
        ("import main\ndef f(a): g(a)\ndef g(b): use(b)\nf(a=main.other)", "b", {"other"}),
        ("import main\ndef f(a): use(a)\nf(main.app)\nsend(f)", "a",
         {"?"}),
        ("import main\ndef f(a: main.FastAPI): use(a)", "a",
         {"?"}),
        ("import main\ndef f(r: main.Request): use(r.app)", "r.app",
         {"?"}),
        ("from aiohttp import web\napp = web.Application()\nuse(app)", "app", set()),
        ("class App:\n    pass\napp = App()\nuse(app)", "app", set()),
    ],
)  # fmt: skip
def test_an_expression_is_told_by_the_call_that_made_it(text, expression, expected):
    project = program({"main.py": MAIN, "m.py": text})
    module = module_of(project, "m.py")
    node = last(module, f"use({expression})")
    resolved = project.web.applications.applications_of(module, node.args[0])
    found = seen(project, resolved)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@app.on_event('startup')\ndef f(): ...", [("decorator", "startup")]),
        ("app.on_event('shutdown')(f)", [("call", "shutdown")]),
        ("x = app.on_event('shutdown')(f)", [("other", "shutdown")]),
        ("app.router.add_event_handler('startup', f)", [("call", "startup")]),
        ("app.router.on_shutdown.append(f)", [("call", "shutdown")]),
        ("app.router.on_shutdown.insert(0, f)", [("other", "shutdown")]),
        ("print(app.router.on_startup)", [("other", "startup")]),
        ("FastAPI(on_startup=[f, g], on_shutdown=(h,))",
         [("list", "startup"), ("list", "startup"), ("list", "shutdown")]),
        ("FastAPI(on_startup=[*f])", [("other", "startup")]),
        ("getattr(app, 'on_event')('startup')", [("other", None)]),
        ("NAME = 'startup'\napp.on_event(NAME)(f)", [("call", "startup")]),
        ("app.on_event(find())(f)", [("call", None)]),
        ("bus.on_event('message')(f)", []),
        ("bus.on_event('startup')(f)", [("call", "startup")]),
        ("'@app.on_event(\"startup\")'", []),
    ],
)  # fmt: skip
def test_a_registration_is_read_in_every_form(text, expected):
    project = program({"main.py": MAIN, "m.py": f"from main import app, FastAPI\n{text}"})
    found = project.web.registrations.all
    assert [(one.form, one.event) for one in found] == expected


def test_a_router_belongs_to_every_application_that_includes_it():
    project = program(
        {
            "main.py": MAIN,
            "users.py": """
                from fastapi import APIRouter
                router = APIRouter()
                router.on_event("startup")(print)
            """,
            "api.py": """
                from fastapi import APIRouter
                from users import router
                from main import app, other
                outer = APIRouter()
                outer.include_router(router)
                app.include_router(outer, prefix="/v1")
                other.include_router(router=router)
                other.mount("/app", app)
            """,
        }
    )
    (registration,) = project.web.registrations.all
    (router,) = registration.to.applications
    roots = project.web.inclusions.roots(router)
    found = {(one.made.span.start, len(via)) for one, via in roots}
    app, other = sorted({start for start, _ in found})
    assert found == {(app, 2), (other, 1)}


def test_what_is_handed_through_too_many_functions_is_not_taken_for_uncalled():
    steps = "\n".join(f"def f{n}(a): f{n + 1}(a)" for n in range(30))
    text = f"import main\n{steps}\ndef f30(a): use(a)\nf0(main.app)"
    project = program({"main.py": MAIN, "m.py": text})
    module = module_of(project, "m.py")

    resolved = project.web.applications.applications_of(module, last(module, "use(a)").args[0])

    assert resolved.unknown is not None
    assert resolved.unknown.why == "too many calls have to be followed"
    assert not resolved.uncalled


def test_every_application_that_includes_a_router_is_found_by_however_many_ways():
    count = 30
    applications = "\n".join(f"app{n} = FastAPI()\napp{n}.include_router(r)" for n in range(count))
    text = f"""
from fastapi import APIRouter, FastAPI
r = APIRouter()
outer = APIRouter()
outer.include_router(r)
{applications}
outermost = APIRouter()
outermost.include_router(outer)
last = FastAPI()
last.include_router(outermost)
r.on_event("startup")(print)
"""
    project = program({"m.py": text})
    (registration,) = project.web.registrations.all
    (router,) = registration.to.applications

    roots = project.web.inclusions.roots(router)

    assert len({one.made for one, _ in roots}) == count + 1


def test_what_is_given_an_application_by_more_names_than_are_followed_is_unknown():
    steps = "\n".join(f"def f{n}(a): f{n + 1}(a)" for n in range(20))
    text = f"""
from fastapi import FastAPI
from library import install
app = FastAPI()
{steps}
def f20(a): install(a)
f0(app)
"""
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    made = last(module, "FastAPI()")
    application = project.web.applications.made_by(module, made)
    assert application is not None

    def names() -> list[str]:
        return [one.name for one in project.web.installations.installations_on(application)]

    assert names() == ["library.install"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(installers, "MOST_STEPS", 10)
        assert names() == ["f10"]


def test_dependencies_come_in_the_order_of_the_request():
    text = """
        from fastapi import Depends, FastAPI
        app = FastAPI()
        def settings(): ...
        def db(found=Depends(settings)): ...
        def user(db=Depends(db)): ...
        @app.get("/")
        def read(db=Depends(db), user=Depends(user)): ...
    """
    project = program({"main.py": text})
    module = module_of(project, "main.py")
    (read,) = (node for node in module.functions if node.name == "read")
    providers = [(module, default.args[0]) for default in read.args.defaults]
    names = [found.name for _, found in project.web.endpoints.depended_on(providers)]
    assert names == ["db", "user", "settings"]
