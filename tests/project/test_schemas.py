"""What schemas and dictionaries of fields read of what they write.

The libraries are not installed here: what is expected was seen when the same program ran.
"""

from __future__ import annotations

import pytest
from programs import program
from recorded_reads import MAPPED, parsed, predicted

from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY

MARSHMALLOW = """
    from marshmallow import Schema, fields
    from marshmallow_sqlalchemy import SQLAlchemyAutoSchema, SQLAlchemySchema, auto_field
    from mapped import Post, User, user

    class TagSchema(Schema):
        name = fields.Str()

    class PostSchema(Schema):
        id = fields.Int()
        title = fields.Str(load_only=True)
        tags = fields.List(fields.Nested("TagSchema"))

    class UserSchema(Schema):
        id = fields.Int()
        posts = fields.Nested(PostSchema, many=True)

    class Renamed(Schema):
        label = fields.Str(attribute="name")
        key = fields.Int(data_key="id", attribute="id")
        written = fields.Nested(lambda: PostSchema(only=("id",)), many=True, attribute="posts")
        fixed = fields.Constant(3)
        made = fields.Method("make")
        given = fields.Function(lambda one: 1)

        def make(self, one):
            return 2

    class Plucked(Schema):
        posts = fields.Pluck(PostSchema, "id", many=True)

    class Kept(UserSchema):
        name = fields.Str()

        class Meta:
            exclude: tuple[str, ...] = ("posts",)

    class Narrow(Kept):
        secret = fields.Str(load_only=True)

        class Meta(Kept.Meta):
            pass

    class Auto(SQLAlchemyAutoSchema):
        class Meta:
            model = User

    class Related(SQLAlchemyAutoSchema):
        class Meta:
            model = User
            include_relationships = True

    class Chosen(SQLAlchemySchema):
        class Meta:
            model = User

        posts = auto_field()

    users = UserSchema(many=True)
    brief = UserSchema(exclude=("posts.tags",))

    def nested():
        return UserSchema().dump(user())

    def many():
        return users.dump([user()])

    def excluded():
        return brief.dump(user())

    def only():
        return UserSchema(only=("posts.id",)).dumps(user())

    def renamed():
        return Renamed().dump(user())

    def plucked():
        return Plucked().dump(user())

    def kept():
        return Kept().dump(user())

    def narrow():
        schema = Narrow()
        found = user()
        return schema.dump(found)

    def auto():
        return Auto().dump(user())

    def related():
        return Related().dump(user())

    def chosen():
        return Chosen().dump(user())

    def mapping():
        return UserSchema().dump({"id": 1, "posts": user().posts})
"""
NESTED = {("User", "id"), ("User", "posts"), ("Post", "id"), ("Post", "tags"), ("Tag", "name")}
WRITTEN = {
    "nested": NESTED,
    "many": NESTED,
    "excluded": NESTED - {("Post", "tags"), ("Tag", "name")},
    "only": {("User", "posts"), ("Post", "id")},
    "renamed": {("User", "id"), ("User", "name"), ("User", "posts"), ("Post", "id")},
    "plucked": {("User", "posts"), ("Post", "id")},
    "kept": {("User", "id"), ("User", "name")},
    "narrow": {("User", "id"), ("User", "name")},
    "related": {("User", "posts")},
    "chosen": {("User", "posts")},
}

FIELDS = """
    from flask_restx import Model, Namespace, fields, marshal, marshal_with
    from mapped import Post, User, user

    api = Namespace("x")
    tag = {"name": fields.String}
    post = api.model("Post", {"id": fields.Integer, "tags": fields.List(fields.Nested(tag))})
    base = api.model("Base", {"id": fields.Integer})
    of_user = api.inherit("U", base, {})
    of_post = api.inherit("P", base, {"id": fields.Integer, "tags": fields.Raw})
    either = fields.Polymorph({User: of_user, Post: of_post})
    whole = api.inherit("User", base, {"posts": fields.Nested(post)})
    renamed_fields = {
        "label": fields.String(attribute="name"),
        "group": {"key": fields.Integer(attribute="id")},
        "made": fields.String(attribute=lambda one: "x"),
        "first": fields.Raw(attribute="posts.0.id"),
    }

    @api.marshal_with(whole)
    def nested():
        return user()

    @marshal_with({"posts": fields.List(fields.Nested(post))}, envelope="data")
    def listed():
        return [user()], 200

    @api.marshal_with({"posts": fields.List(either)})
    def chosen():
        return user()

    def called():
        return marshal(user(), renamed_fields)
"""
MARSHALLED = {
    "nested": NESTED,
    "listed": NESTED - {("User", "id")},
    "chosen": {("User", "posts"), ("Post", "tags"), ("Post", "id")},
    "called": {("User", "id"), ("User", "name"), ("User", "posts"), ("Post", "id")},
}


@pytest.mark.parametrize(
    ("text", "expected"), [(MARSHMALLOW, WRITTEN), (FIELDS, MARSHALLED)], ids=["schema", "fields"]
)
def test_what_is_read_is_what_a_run_has_read(text, expected):
    found = predicted(parsed(text))

    assert {name: found.get(name, set()) for name in expected} == expected


EXTENSION = """
    from flask import Flask
    from flask_marshmallow import Marshmallow
    from flask_smorest import Blueprint
    from mapped import Post, User, user

    app = Flask("x")
    ma = Marshmallow(app)
    blueprint = Blueprint("users", "users")

    class PostSchema(ma.SQLAlchemyAutoSchema):
        class Meta:
            model = Post
            include_relationships = True
            exclude = ("author",)

    class UserSchema(ma.Schema):
        posts = ma.Nested("PostSchema", many=True)

    @blueprint.route("/users")
    @blueprint.response(200, UserSchema(many=True))
    def decorated():
        return [user()]

    def written():
        return UserSchema().jsonify(user())
"""


def test_schemas_of_an_extension_are_found_and_what_decorated_functions_return():
    found = predicted(parsed(EXTENSION))

    expected = {("User", "posts"), ("Post", "tags")}
    assert found == {"decorated": expected, "written": expected}


HOSTILE = """
    from marshmallow import Schema, fields
    from flask_restx import fields as rest, marshal, marshal_with
    from mapped import user
    from elsewhere import Other

    class Twice(Schema):
        posts = fields.Nested("Twice")

    class Twice(Schema):
        posts = fields.Nested("self", only=("posts",), exclude=names())

    class Circle(Circle, Schema):
        class Meta(Meta):
            fields = names()
        posts = fields.Nested(lambda: Circle)
        tags = fields.Nested(Other)
        author = fields.Nested(fields.Nested)
        parent = fields.Nested()
        items = fields.Pluck("", "")
        children = fields.List()

    one = two
    two = one
    own = {"posts": rest.Nested(lambda: own), **own, 1: rest.Raw}
    own["tags"] = rest.Nested(own)

    @marshal_with(own)
    def end():
        return Circle(only=names()).dump(user()), Twice().dump(user()), one.dump(user())

    def other(fields):
        return marshal(user(), fields), marshal(user(), two), marshal(user(), own)
"""


def test_what_cannot_be_read_is_unknown_and_nothing_fails():
    project = program({"mapped.py": MAPPED, "app.py": HOSTILE})
    project.orm.reads.all()

    unread = [one.module.text_of(one.node) for one in project.orm.schemas.unread_items]
    assert unread == ["user()", "user()"]


def test_what_is_not_known_of_a_schema_may_read_any_attribute():
    text = """
        from marshmallow import Schema, fields
        from flask_restx import Namespace, marshal_with
        from mapped import user
        from elsewhere import PostSchema, post_fields

        api = Namespace("x")

        class Posts(fields.Field):
            pass

        class UserSchema(Schema):
            posts = fields.Nested(PostSchema, many=True)

        class Custom(Schema):
            name = Posts()
            posts = Posts()

        class Known(Schema):
            posts = fields.Raw()

        def dumped():
            return UserSchema().dump(user())

        def custom():
            return Custom().dump(user()), Known().dump(user())

        def given(schema):
            return schema.dump(user())

        @marshal_with(post_fields)
        def decorated():
            return user()

        @api.response(200, "as written", {"posts": fields.Raw})
        def documented():
            return user()
    """
    reads = program({"mapped.py": MAPPED, "app.py": text}).orm.reads.all()

    found = {(one.owner, one.attribute, one.how) for one in reads if one.owner}
    assert found == {
        ("mapped.User", "posts", "schema"),
        ("mapped.Post", ANY, "schema"),
        ("mapped.User", ANY, "schema"),
        ("mapped.User", ANY, "response"),
    }
    assert all(one.unknown for one in reads if one.attribute == ANY)


OLDER = """
    from typing import List, Optional
    from pydantic import BaseModel, Field, parse_obj_as
    from mapped import user

    class Base(BaseModel):
        class Config:
            orm_mode = True

    class TagOut(BaseModel):
        name: str

    class PostOut(Base):
        key: int = Field(alias="id")

    class UserOut(Base):
        posts: Optional[List[PostOut]]

    class Users(BaseModel):
        __root__: List[UserOut]

    class Page(BaseModel):
        items: List[UserOut]

    def made():
        return UserOut.from_orm(user())

    def listed():
        return parse_obj_as(List[UserOut], [user()])

    def held():
        return Users(__root__=[user()])

    def page():
        found = user()
        return Page(items=[found])
"""


def test_older_models_read_what_a_run_with_pydantic_1_has_read():
    found = predicted(parsed(OLDER))

    expected = {("User", "posts"), ("Post", "id")}
    assert found == dict.fromkeys(["made", "listed", "held", "page"], expected)


SQLMODEL = """
    from sqlmodel import Field, Relationship, SQLModel
    from fastapi import APIRouter
    from mapped import user

    router = APIRouter()

    class Post(SQLModel, table=True):
        id: int = Field(primary_key=True)
        author_id: int = Field(foreign_key="user.id")
        author: "User" = Relationship(back_populates="posts")

    class User(SQLModel, table=True):
        id: int = Field(primary_key=True)
        posts: list[Post] = Relationship(back_populates="author")

    class PostPublic(SQLModel):
        id: int

    class UserPublic(SQLModel):
        posts: list[PostPublic] = []

    def public():
        return UserPublic.model_validate(user())

    def copied():
        return User.model_validate(user())

    @router.get("/table", response_model=User)
    def table():
        return user()

    @router.get("/public", response_model=list[UserPublic])
    def answered():
        return [user()]
"""


def test_tables_of_sqlmodel_read_relationships_only_where_they_are_validated():
    found = predicted(parsed(SQLMODEL))

    public = {("User", "posts"), ("Post", "id")}
    copied = {("User", "id"), ("User", "posts")}
    assert found == {
        "public": public, "copied": copied, "table": {("User", "id")}, "answered": public
    }  # fmt: skip
