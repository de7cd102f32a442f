"""Test doubles that requests, dependencies and fixtures hand on, and limits of the search."""

from __future__ import annotations

import pytest
from doubles import LEGACY, held, of

from awaken.project import Project

ROUTES = """
    from typing import Annotated
    from fastapi import APIRouter, Depends
    from flask import Blueprint
    from app.storage import get_session
    from models import User

    router = APIRouter(prefix="/people")
    pages = Blueprint("pages", __name__)
    Given = Annotated[object, Depends(get_session)]

    def current(session: Given):
        return session.query(User).first()

    @router.get("/{name}")
    def read(name, session=Depends(get_session)):
        return session.query(User).one()

    @router.delete("/{name}")
    def remove(name, session=Depends(get_session)):
        return session.query(User).one()

    @router.get("/{name}/notes")
    def notes(name, session=Depends(get_session)):
        return session.query(User).one()

    @router.get("/notes")
    def all_notes(session=Depends(get_session)):
        return session.query(User).one()

    @pages.route("/pages", methods=["GET"])
    def page(session=Depends(get_session)):
        return session.query(User).one()

    @pages.route("/pages", methods=["POST", "PUT"])
    def write(session=Depends(get_session)):
        return session.query(User).one()

    @pages.route("/<name>/parts")
    def parts(name, session=Depends(get_session)):
        return session.query(User).one()

    @pages.route("/parts")
    def all_parts(session=Depends(get_session)):
        return session.query(User).one()

    @router.post("")
    def add(session: Given, user=Depends(current)):
        return session.query(User).all()
"""


@pytest.mark.parametrize(
    ("request_", "functions"),
    [
        ("client.get('/people/ann?x=1')", {"read"}),
        ("client.delete(f'/api/people/{client}')", {"remove"}),
        ("client.delete('/api/people/' + str(client))", {"remove"}),
        ("client.get('/people/' + client + '/notes')", {"notes"}),
        ("client.post('/people')", {"add", "current"}),
        ("client.get('/people/ann/notes')", {"notes"}),
        ("client.get('/people/notes')", {"all_notes"}),
        ("client.get('/pages')", {"page"}),
        ("client.open('/pages', method='GET')", {"page", "write"}),
        ("client.put('/pages')", {"write"}),
        ("client.get('/shop/ann/parts')", {"parts"}),
        ("client.put('/people/ann')", set()),
        ("client.get('/others/ann/notes')", set()),
    ],
)
def test_a_request_reaches_the_functions_of_its_path(request_, functions):
    test = f"""
    from app.storage import get_session

    @pytest.fixture
    def client(app):
        session = Mock()
        session.query.return_value = 1
        app.dependency_overrides[get_session] = lambda: session
        return Client(app)

    def test_one(client):
        {request_}
    """
    assert held(of(test, app__routes=ROUTES)) == functions


INCLUDING = """
    from fastapi import APIRouter, FastAPI
    from app import audit, plants
    from app.plants import router as plants_router
    from app.audit import make_logs

    api = APIRouter()
    app = FastAPI()
    {includes}
"""
ROUTER_OF_FILE = """
    from fastapi import APIRouter, Depends
    from app.storage import get_session
    from models import User

    router = APIRouter()
    make_logs = router

    @router.get("{path}")
    def {name}(session=Depends(get_session)):
        return session.query(User).one()
"""


@pytest.mark.parametrize(
    "includes",
    [
        (
            "app.include_router(audit.router, prefix='/api/audit');"
            " app.include_router(plants.router, prefix='/api/plants')"
        ),
        (
            "app.include_router(prefix='/api/audit', router=audit.router);"
            " app.include_router(plants_router, prefix='/api/plants')"
        ),
        (
            "api.include_router(audit.router, prefix='/audit');"
            " api.include_router(plants_router, prefix='/plants');"
            " app.include_router(api, prefix='/api')"
        ),
        (
            "api.include_router(audit.router, prefix='/audit');"
            " api.include_router(plants_router, prefix='/plants');"
            " app.include_router(api, prefix=settings.API)"
        ),
    ],
)
@pytest.mark.parametrize(
    ("asked", "function"), [("/api/audit/", "logs"), ("/api/plants/1", "plant")]
)
def test_a_request_reaches_the_function_behind_the_path_of_its_router(includes, asked, function):
    test = f"""
    from app.storage import get_session

    def test_one(app, client):
        {LEGACY}
        app.dependency_overrides[get_session] = lambda: session
        client.get("{asked}")
    """
    files = {
        "app__audit": ROUTER_OF_FILE.format(path="/", name="logs"),
        "app__plants": ROUTER_OF_FILE.format(path="/{plant_id}", name="plant"),
        "app__main": INCLUDING.format(includes=includes),
    }

    assert held(of(test, **files)) == {function}


def unseen(project: Project, path: str = "tests/test_users.py") -> list[bool]:
    return [one.unseen for one in project.doubles.in_file(path)]


def test_a_double_that_more_functions_get_than_are_followed_is_unseen():
    steps = "\n".join(f"def f{n}(s): f{n + 1}(s)" for n in range(310))
    long = f"from models import User\n{steps}\ndef f310(s): return s.query(User).first()"
    test = f"""
    from app.long import f0, f100

    def test_one():
        {LEGACY}
        f0(session)
    """

    assert unseen(of(test, app__long=long)) == [True]
    assert unseen(of(test.replace("f0(session)", "f100(session)"), app__long=long)) == [False]


def test_a_double_for_a_route_with_more_dependencies_than_are_followed_is_unseen():
    chain = "\n".join(f"def d{n}(x=Depends(d{n + 1})): ..." for n in range(310))
    routes = f"""
from fastapi import APIRouter, Depends
from app.storage import get_session
from models import User
router = APIRouter()
def d310(session=Depends(get_session)): return session.query(User).all()
{chain}
@router.get("/people")
def read(session=Depends(get_session), x=Depends(d0)): return session.query(User).one()
@router.get("/notes")
def notes(session=Depends(get_session), x=Depends(d100)): return session.query(User).one()
"""
    test = f"""
    from app.storage import get_session

    def test_one(app, client):
        {LEGACY}
        app.dependency_overrides[get_session] = lambda: session
        client.get("/people")
    """

    assert unseen(of(test, app__routes=routes)) == [True]
    assert unseen(of(test.replace("/people", "/notes"), app__routes=routes)) == [False]


@pytest.mark.parametrize(("count", "expected"), [(299, False), (300, True)])
def test_a_double_for_a_path_that_too_many_files_name_is_unseen(count, expected):
    others = {f"app__r{n}": "PATH = '/people'" for n in range(count)}
    test = f"""
    from app.storage import get_session

    def test_one(app, client):
        {LEGACY}
        first(session)
        app.dependency_overrides[get_session] = lambda: session
        client.post("/people")
    """

    assert unseen(of(test, app__routes=ROUTES, **others)) == [expected]


def test_a_double_behind_more_fixtures_than_are_followed_is_unseen():
    fixtures = "".join(
        f"""
    @pytest.fixture
    def g{n}(g{n + 1}):
        return g{n + 1}
"""
        for n in range(310)
    )

    def found(name: str) -> list[bool]:
        return unseen(
            of(f"""
    {fixtures}
    @pytest.fixture
    def g310():
        {LEGACY}
        return session

    def test_one({name}):
        first({name})
""")
        )

    assert found("g0") == [True]
    assert found("g100") == [False]


@pytest.mark.parametrize(("count", "expected"), [(298, [False]), (299, [True])])
def test_a_double_of_a_fixture_that_too_many_files_name_is_unseen(count, expected):
    conftest = f"""
    import pytest
    from unittest.mock import Mock

    @pytest.fixture
    def broken():
        {LEGACY}
        return session
    """
    others = {f"tests__test_{n}": "def test_one(broken): ..." for n in range(count)}
    project = of(
        "    def test_one(broken):\n        first(broken)\n", tests__conftest=conftest, **others
    )

    assert unseen(project, "tests/conftest.py") == expected
