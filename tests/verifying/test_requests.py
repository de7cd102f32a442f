"""Requests that are sent to both sides of a verification."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from awaken import api
from awaken.contract import UserError
from awaken.settings import Settings
from awaken.verifying.requests import sending
from awaken.verifying.requests.sending import application_of
from awaken.verifying.verify_changes import Requests, verify

CHILD = Path(sending.__file__).parent / "child"
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
SELECTED = api.Options(settings=Settings(select=("query-to-select",)), use_cache=False)
PROGRAM = """\
import datetime
import os
import uuid

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///shop.sqlite")
app = FastAPI()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    orders: Mapped[list["Order"]] = relationship(lazy="joined")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class New(BaseModel):
    name: str


def get_db():
    with Session(engine) as db:
        yield db


@app.get("/users")
def users(limit: int = 100, db: Session = Depends(get_db)):
    return [one.name for one in db.query(User).order_by(User.id).limit(limit).all()]


@app.get("/users/{user_id}")
def user(user_id: int, db: Session = Depends(get_db)):
    found = db.query(User).filter(User.id == user_id).first()
    if found is None:
        raise HTTPException(404)
    return {"name": found.name, "orders": len(found.orders), "token": uuid.uuid4()}


@app.delete("/users/{user_id}/orders")
def remove(user_id: int, db: Session = Depends(get_db)):
    number = db.query(Order).filter(Order.user_id == user_id).delete()
    db.commit()
    return {"removed": number}


@app.post("/users", status_code=201)
def add(new: New, db: Session = Depends(get_db)):
    db.add(User(name=new.name))
    db.commit()
    return {"number": db.query(User).count()}


@app.get("/me")
def me():
    raise HTTPException(401)
"""
TEST = "def test_nothing():\n    pass\n"
MANIFEST = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
MANIFEST += 'dependencies = ["sqlalchemy>=2.0", "fastapi"]\n'


def module(name):
    specification = importlib.util.spec_from_file_location(name, CHILD / f"{name}.py")
    made = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(made)
    return made


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    root = tmp_path / "shop"
    root.mkdir()
    for name, text in {
        "pyproject.toml": MANIFEST,
        "main.py": PROGRAM,
        "test_shop.py": TEST,
    }.items():
        (root / name).write_text(text, "utf-8")
    monkeypatch.chdir(root)
    return root


@pytest.mark.slow
def test_requests_reach_what_no_test_reaches(shop):
    result = verify([Path()], SELECTED, PYTEST, requests=Requests())

    answers = {name: test.result for name, test in result.before.tests.items()}
    assert answers["GET /users"] == "answered 200"
    assert answers["GET /users/999999"] == "answered 404"
    assert answers["DELETE /users/1/orders"] == "answered 200"
    assert answers["POST /users"] == "answered 201"
    # A token that is another one each time is not compared.
    assert not [one for one in result.differences if one.is_failure]
    assert not result.left_out
    assert not result.not_exercised
    assert "1 have no answer but 401: they need a user who is logged in: GET /me." in result.notes
    assert [one for one in result.notes if "is reached by GET /users" in one]
    assert not (shop / "shop.sqlite").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("marked", "broken"),
    [
        ('"removed": number', '"removed": number + BROKEN'),
        (
            "    raise HTTPException(401)",
            "    while BROKEN:\n        pass\n    raise HTTPException(401)",
        ),
    ],
)
def test_an_answer_that_differs_names_the_change(shop, monkeypatch, marked, broken):
    monkeypatch.setenv("AWAKEN_REQUESTS_SECONDS", "2")
    # The program is another one where a change is made.
    text = PROGRAM.replace(
        "app = FastAPI()", 'BROKEN = "select(" + "User)" in open(__file__).read()\napp = FastAPI()'
    )
    text = text.replace(marked, broken, 1)
    (shop / "main.py").write_text(text, "utf-8")

    result = verify([Path()], SELECTED, PYTEST, requests=Requests())

    assert result.left_out
    assert all(one.before.name.partition(" ")[2] for left in result.left_out for one in left.tests)


@pytest.mark.slow
def test_a_server_is_never_connected_to(shop):
    text = PROGRAM.replace(
        'create_engine("sqlite:///shop.sqlite")',
        'create_engine("mysql+pymysql://u:p@localhost/x", module=__import__("sqlite3"))',
    )
    (shop / "main.py").write_text(text, "utf-8")

    result = verify([Path()], SELECTED, PYTEST, requests=Requests())

    assert result.before.tests["GET /users"].outcome == "skipped"
    assert [one for one in result.notes if "connects to mysql" in one]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import not_there", "cannot be imported: ModuleNotFoundError"),
        ("raise ValueError('1 error:\\n  database_url')", "ValueError: 1 error: database_url"),
        ("other = FastAPI()", r"several applications \(main:app, main:other\)"),
    ],
)
def test_what_cannot_be_asked_says_why(shop, line, message):
    (shop / "main.py").write_text(f"{PROGRAM}\n{line}\n", "utf-8")

    with pytest.raises(UserError, match=message):
        verify([Path()], SELECTED, PYTEST, requests=Requests())


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.py": "app = FastAPI()"}, "main:app"),
        ({"app/main.py": "from app import x\napi: FastAPI = FastAPI()"}, "app.main:api"),
        ({"src/shop/__init__.py": "", "src/shop/web.py": "app = FastAPI()"}, "shop.web:app"),
        ({"web.py": "def make():\n    return FastAPI()\n\nit = make()"}, "web:it"),
        ({"main.py": "app = FastAPI()", "tests/x.py": "app = FastAPI()"}, "main:app"),
        (
            {"a.py": "x = FastAPI()", "b.py": "y = FastAPI()", "Procfile": "web: uvicorn b:y"},
            "b:y",
        ),
    ],
)
def test_the_application_is_found(tmp_path, files, expected):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    assert application_of(tmp_path, tmp_path, None).place == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["pytest", "-q"], ["python"]),
        (["uv", "run", "--extra", "dev", "pytest"], ["uv", "run", "--extra", "dev", "python"]),
        (["/x/bin/pytest"], ["/x/bin/python"]),
        (["python3.9", "-m", "pytest"], ["python3.9"]),
    ],
)
def test_requests_run_in_the_python_of_the_tests(command, expected):
    assert sending._python(command) == expected


def test_requests_have_values_of_examples_schemas_and_rows():
    document = {
        "paths": {
            "/users/{user_id}": {
                "get": {
                    "parameters": [
                        {"name": "user_id", "in": "path", "schema": {"type": "integer"}},
                        {"name": "sort", "in": "query", "schema": {"enum": ["up", "down"]}},
                    ]
                }
            },
            "/users": {
                "post": {
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "examples": {"a": {"value": {"n": 1}}, "b": {"value": {"n": 2}}}
                            }
                        }
                    }
                }
            },
        }
    }
    asked = module("awaken_asking").Asked(document, {"users": [{"id": 7}, {"id": 8}]})

    requests = {one["name"]: one["body"] for one in asked.requests()}

    assert requests == {
        "GET /users/7": "",
        "GET /users/7?sort=up": "",
        "GET /users/7?sort=down": "",
        "GET /users/8": "",
        "GET /users/999999": "",
        "POST /users": '{"n": 1}',
        "POST /users (2)": '{"n": 2}',
    }
