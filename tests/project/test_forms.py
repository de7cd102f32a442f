"""Reads by forms, of the objects that they are filled from and that they fill.

WTForms is not installed here: what is expected is what its documentation says.
"""

from __future__ import annotations

from textwrap import dedent

import pytest
from programs import program
from recorded_reads import MAPPED

HEAD = """
    from sqlalchemy.orm import Session
    from flask_wtf import FlaskForm
    from wtforms import FieldList, Form, FormField, IntegerField, StringField
    from mapped import Post, User
    class TagForm(Form):
        name = StringField()
    class PostForm(Form):
        title = StringField()
        author = StringField()
        tags = FieldList(FormField(TagForm))
    class Plain(FlaskForm):
        name = StringField("posts")
        items = "no field"
    class Whole(Plain):
        id = IntegerField()
        posts = FieldList(FormField(PostForm))
    class Short(Form):
        posts: StringField = StringField()
    class Taking(Form):
        posts = StringField()
        def __init__(self, asked, other, **more):
            super().__init__(**more)
    class Own(Form):
        posts = StringField()
        def __init__(self, user: User):
            super().__init__(None, user)
    class View:
        form = None
        def shown(self, user: User):
            return self.form(obj=user)
    class UserView(View):
        form = Short
    class Other:
        def __init__(self, obj): pass
"""
WHOLE = {"User.posts", "Post.author", "Post.tags"}
READS = {
    "Whole(obj=user)": WHOLE,
    "Whole(data={}, obj=session.get(User, 1))": WHOLE,
    "Plain(obj=user)": set(),
    "Short(asked, user)": {"User.posts"},
    "Short(asked, obj=user)": {"User.posts"},
    "Short(asked, None, user)": set(),
    "Taking(asked, user)": set(),
    "Taking(asked, 1, obj=user)": {"User.posts"},
    "Short(asked).process(asked, user)": {"User.posts"},
    "Short(data=user.__dict__)": set(),
    "PostForm(obj=post)": {"Post.author", "Post.tags"},
    "Other(obj=user)": set(),
    "asked(obj=user)": {"User.*"},
    "Short().populate_obj(user)": {"User.posts"},
    "Whole().populate_obj(user)": {"User.posts"},
    "PostForm().populate_obj(post)": {"Post.tags"},
    "asked.populate_obj(user)": {"User.*"},
}  # fmt: skip


def reads(body: str) -> dict[str, set[str]]:
    text = f"{dedent(HEAD)}def f(user: User, post: Post, session: Session, asked):\n    {body}\n"
    found: dict[str, set[str]] = {}
    for one in program({"mapped.py": MAPPED, "app.py": text}).orm.reads.all():
        if one.place.path == "app.py":
            code = text.encode()[one.place.span.start : one.place.span.end].decode()
            found.setdefault(code, set()).add(f"{one.owner.rpartition('.')[2]}.{one.attribute}")
    return found


@pytest.mark.parametrize("body", READS)
def test_what_a_form_reads(body):
    assert reads(body).get(body, set()) == READS[body]


def test_forms_are_found_in_classes_of_forms_and_of_views():
    found = reads("pass")

    assert found["super().__init__(None, user)"] == {"User.posts"}
    assert found["self.form(obj=user)"] == {"User.posts"}
