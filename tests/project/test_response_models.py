"""What response models read of what endpoints return, against what FastAPI does."""

from __future__ import annotations

import pytest
from programs import program
from recorded_reads import MAPPED, asked, parsed, predicted, running

APP = """
    from typing import Annotated, Dict, Generic, List, Literal, Optional, TypeVar, Union
    from fastapi import APIRouter, FastAPI
    from fastapi.responses import JSONResponse
    from pydantic import (
        AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel, TypeAdapter,
        model_validator,
    )
    from mapped import Post, User, user

    T = TypeVar("T")
    app = FastAPI()
    router = APIRouter()

    class TagOut(BaseModel):
        name: str

    class PostOut(BaseModel):
        id: int
        tags: list[TagOut] = []

    class Titled(BaseModel):
        title: str

    class Base(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        id: int

    class UserOut(Base):
        posts: List["PostOut"]

    class Hidden(Base):
        secret: str = Field(exclude=True)
        _posts: list = []

    class Aliased(BaseModel):
        label: str = Field(alias="name")
        texts: list[Titled] = Field(validation_alias="posts")
        first: int = Field(validation_alias=AliasPath("posts", 0, "id"))
        other: str = Field(validation_alias=AliasChoices("nothing", "secret"))
        shown: Annotated[str, Field(serialization_alias="secret")] = Field(alias="items")

    class ByName(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        name: str = Field(alias="title")
        posts: "list[PostOut]"

    class Envelope(BaseModel, Generic[T]):
        data: T
        total: int = 0

    class Wrapped(Envelope[UserOut]):
        pass

    class Known(Base):
        posts: list[Base]

    class Plain(BaseModel):
        user: Known

    class Everyone(RootModel[list[UserOut]]):
        pass

    class Either(BaseModel):
        posts: list[Union[Titled, PostOut]]

    class Loose(BaseModel):
        posts: Optional["list[Titled]"] = None

    class Counted(BaseModel):
        name: str

        @model_validator(mode="before")
        @classmethod
        def counting(cls, data):
            if hasattr(data, "items"):
                assert len(data.posts) == 1
            return data

    class Checked(Counted):
        pass

    @app.get("/whole", response_model=UserOut)
    def whole():
        return user()

    @app.get("/annotated")
    def annotated() -> UserOut:
        return user()

    @app.get("/switched_off", response_model=None)
    def switched_off() -> UserOut:
        return JSONResponse({})

    @app.get("/overruled", response_model=Base)
    def overruled() -> UserOut:
        return user()

    @app.get("/excluded", response_model=UserOut, response_model_exclude={"posts"})
    def excluded():
        found = user()
        return found

    @app.get("/hidden", response_model=Hidden)
    async def hidden():
        return user()

    @app.get("/aliased", response_model=Aliased)
    def aliased():
        return user()

    @app.get("/by_name", response_model=ByName)
    def by_name():
        return user()

    @app.get("/counted", response_model=Counted)
    def counted():
        return user()

    @app.get("/checked", response_model=list[Checked])
    def checked():
        return [user()]

    @app.get("/many", response_model=list[UserOut])
    def many():
        return [user()]

    @app.get("/generated", response_model=List[Optional[UserOut]])
    def generated():
        return [one for one in [user()]]

    @app.get("/mapped", response_model=Dict[str, UserOut])
    def mapped():
        return {"a": user()}

    @app.get("/either", response_model=Either)
    def either():
        return user()

    @app.get("/loose", response_model=UserOut | Loose)
    def loose():
        return user()

    @app.get("/envelope", response_model=Envelope[list[UserOut]])
    def envelope():
        return {"data": [user()], "total": 1}

    @app.get("/unsaid", response_model=Envelope[UserOut])
    def unsaid():
        return Envelope(data=user())

    @app.get("/wrapped", response_model=Wrapped)
    def wrapped():
        found = {"data": user()}
        return found

    @app.get("/built")
    def built() -> Plain:
        return Plain(user=user())

    def through_by():
        return {"user": user()}

    @app.get("/through", response_model=Plain)
    def through():
        return through_by()

    @router.get("", response_model=Everyone)
    def everyone():
        return [user()]

    @app.get("/response", response_model=UserOut)
    def response():
        return JSONResponse({})

    @app.get("/done", response_model=UserOut)
    def done():
        return UserOut.model_validate(user(), from_attributes=True)

    @app.get("/adapted", response_model=None)
    def adapted():
        return TypeAdapter(list[UserOut]).validate_python([user()], from_attributes=True)

    def added():
        return user()

    app.add_api_route("/added", added, response_model=Base)

    def registered():
        return user()

    app.get("/registered", response_model=Base)(registered)
    app.include_router(router, prefix="/everyone")
"""


NAMES = """
    whole annotated switched_off overruled excluded hidden aliased by_name many generated mapped
    either loose envelope unsaid wrapped built through everyone response done adapted added
    registered counted checked
"""


@pytest.fixture(scope="module")
def both():
    found = predicted(parsed(APP))
    app, log = running(APP)

    def done(name):
        log.clear()
        assert asked(app.app, f"/{name}") == 200
        # The object may come from a function that the endpoint calls.
        return set(log), found.get(name) or found.get(f"{name}_by", set())

    return done


@pytest.mark.parametrize(
    "name",
    NAMES.split(),
)
def test_what_is_read_is_what_is_predicted(both, name):
    done, found = both(name)

    assert found == done
    assert done or name in {"switched_off", "response"}


def test_endpoints_are_told_with_their_models_and_what_they_return():
    project = parsed(APP)

    found = {
        one.function.name: (
            one.model and one.home.text_of(one.model),
            [one.module.text_of(returned) for returned in one.returned_expressions],
        )
        for one in project.web.responses.all
    }
    assert len(found) == len(NAMES.split())
    assert "through_by" not in found
    assert found["annotated"] == ("UserOut", ["user()"])
    assert found["switched_off"] == (None, ["JSONResponse({})"])
    assert found["overruled"] == ("Base", ["user()"])
    assert found["added"] == ("Base", ["user()"])
    assert found["everyone"] == ("Everyone", ["[user()]"])


READS = """
    from __future__ import annotations
    from fastapi import APIRouter, Depends
    from pydantic import BaseModel
    from sqlalchemy.orm import Session
    from mapped import Node, User

    router = APIRouter()

    class PostOut(BaseModel):
        title: str
        author: UserOut | None

    class UserOut(BaseModel):
        name: str
        posts: list[PostOut]

    class NodeOut(BaseModel):
        children: list[NodeOut]

    @router.get("/users", response_model=list[UserOut])
    def users(db: Session):
        return db.query(User).all()

    @router.get("/nodes/{id}")
    def node(db: Session, id: int) -> NodeOut:
        return db.get(Node, id)
"""


def told(files):
    reads = program({"mapped.py": MAPPED, **files}).orm.reads.all()
    return [one for one in reads if one.how in {"response", "schema"}]


def test_a_read_has_the_load_of_the_endpoint_and_the_way_to_it():
    found = [one for one in told({"app.py": READS}) if one.owner.startswith("mapped.")]
    ways = {
        (trace.load.kind, *(step.rpartition(".")[2] for step in trace.path))
        for one in found
        for trace in one.traces
    }

    assert {("query", "posts"), ("query", "posts", "author"), ("get", "children")} <= ways
    assert all(one.place.path == "app.py" and one.how == "response" for one in found)


def test_models_that_hold_themselves_end_in_an_unknown_load():
    found = [one for one in told({"app.py": READS}) if one.owner == "mapped.Node"]

    assert found
    assert any("too long" in why.why for one in found for why in one.unknown)
    assert max(len(one.path) for read in found for one in read.traces) <= 4


HOSTILE = {
    "of one name": """
        from mapped import user
        from fastapi import APIRouter
        from pydantic import BaseModel
        router = APIRouter()
        class Out(BaseModel):
            posts: list
        class Out(BaseModel):
            items: list
        @router.get("/", response_model=Out)
        def end():
            return user()
    """,
    "out of sight": """
        from mapped import user
        from fastapi import APIRouter
        from elsewhere import Out, make
        router = APIRouter()
        @router.get("/", response_model=make(Out))
        def end():
            return user()
    """,
    "no annotation": """
        from mapped import user
        from fastapi import APIRouter
        from pydantic import BaseModel
        router = APIRouter()
        class Out(BaseModel):
            posts: "list[" = 1
            tags: "(" * 3
            author: lambda: 0
            class Config: orm_mode = (yield)
        @router.get("/", response_model="(((")
        def end():
            return user()
        @router.get("/out", response_model=Out)
        def out():
            return user()
    """,
    "a circle of classes": """
        from mapped import user
        from fastapi import APIRouter
        from pydantic import BaseModel, RootModel
        router = APIRouter()
        class One(Two, BaseModel):
            posts: "Two"
        class Two(One, BaseModel):
            author: "One"
        class Root(RootModel["Root"]):
            root: "list[Root]"
        @router.get("/", response_model=One)
        def end():
            return user()
        @router.get("/root", response_model=Root)
        def root():
            return user()
    """,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_read_is_unknown_and_nothing_fails(text):
    project = program({"mapped.py": MAPPED, "app.py": text})

    assert len(project.web.responses.all) >= 1
    project.orm.reads.all()
    assert all(one.why.why for one in project.orm.schemas.unread_items)


def test_a_model_out_of_sight_is_unknown_where_its_object_is_returned():
    project = program({"mapped.py": MAPPED, "app.py": HOSTILE["out of sight"]})

    (unread,) = project.orm.schemas.unread_items
    assert unread.module.text_of(unread.node) == "user()"


@pytest.mark.slow
def test_the_work_on_many_models_of_many_fields_has_an_end():
    fields = "".join(f"    posts{number}: list['Out{number % 10}']\n" for number in range(200))
    models = "".join(
        f"class Out{number}(BaseModel):\n    posts: list['Out{number}']\n{fields}"
        for number in range(10)
    )
    end = "@router.get('/', response_model=Out0)\ndef end():\n    return user()\n"
    start = (
        "from mapped import user\nfrom fastapi import APIRouter\nfrom pydantic import BaseModel\n"
    )
    text = f"{start}router = APIRouter()\n{models}{end}"
    project = program({"mapped.py": MAPPED, "app.py": text})

    assert 0 < len(list(project.orm.schemas.reading({"posts"}))) <= 2_000
    assert [one.why.why for one in project.orm.schemas.unread_items] == [
        "`app.Out0` leads to too many others to follow"
    ]
