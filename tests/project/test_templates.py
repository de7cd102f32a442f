"""What templates read of the objects that programs render them with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment
from jinja2.exceptions import UndefinedError

from awaken.project import Project, Snapshot
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, BY_KEY, Read
from awaken.project.frameworks.templates.template_files import parsed_tree
from awaken.project.frameworks.templates.template_reads import Source, reads_of
from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import FileProblem, decode, decode_settings

MODELS = """
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        posts: Mapped[list["Post"]] = relationship(back_populates="author")

    class Post(Base):
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        author: Mapped[User] = relationship(back_populates="posts")
"""


# Rendered, and compared


class Recorder:
    """An object that notes each attribute that is read of it, and of what it gives."""

    def __init__(self, log: set[tuple[str, ...]], path: tuple[str, ...]) -> None:
        self.__dict__.update(_log=log, _path=path)

    def __getattr__(self, name: str) -> Recorder:
        if name.startswith("__") or name == "jinja_pass_arg":
            raise AttributeError(name)
        return self._next(name)

    def _next(self, step: str) -> Recorder:
        if step[0].isalpha():
            self._log.add((*self._path, step))
        return Recorder(self._log, (*self._path, step))

    def __iter__(self) -> Iterator[Recorder]:
        return iter([self._next("[]")] * 2 if len(self._path) < 8 else [])

    def __getitem__(self, key: object) -> Recorder:
        if not isinstance(key, slice):
            raise TypeError
        return self

    def __call__(self, *_: object, **__: object) -> Recorder:
        return self._next("()")

    def __str__(self) -> str:
        self._log.add((*self._path, "__str__"))
        return "text"

    def __lt__(self, other: object) -> bool:
        return False

    def __len__(self) -> int:
        return 2


class Written:
    """Templates by name."""

    def __init__(self, templates: dict[str, str]) -> None:
        self.templates = templates

    def templates_called(self, name: str) -> tuple[tuple[Source, ...], str]:
        """Return the template with a name."""
        if name not in self.templates:
            return (), "it is not there"
        return (Source(name, parsed_tree(self.templates[name])),), ""


ROOTS = ("user", "users", "post")


def predicted(templates: dict[str, str]) -> set[tuple[str, ...]]:
    """Return the paths that the main template is told to read."""
    written = Written(templates)
    reads = reads_of(written.templates_called("main")[0][0], written)
    return {(one.root, *(re.sub(r"\[\d+\]", "[]", step) for step in one.path)) for one in reads}


def unforeseen(templates: dict[str, str]) -> set[tuple[str, ...]]:
    """Render the main template; return what it read that was not told."""
    extensions = ["jinja2.ext.do", "jinja2.ext.i18n", "jinja2.ext.loopcontrols"]
    environment = Environment(loader=DictLoader(templates), extensions=extensions)
    environment.install_null_translations()  # type: ignore[attr-defined]
    log: set[tuple[str, ...]] = set()
    context: dict[str, Any] = {root: Recorder(log, (root,)) for root in ROOTS}
    # What was read before an attribute was missing counts all the same.
    with suppress(UndefinedError, TypeError):
        environment.get_template("main").render(context)
    assert log
    told = predicted(templates)
    anything = {one[:-1] for one in told if one[-1] in {ANY, BY_KEY}}
    return {
        one
        for one in log
        if one not in told and not any(one[: len(each)] == each for each in anything)
    }


FORMS = {
    "filters": """
        {{ users|map(attribute="author.name")|join(",") }}{{ (users|first).a }}
        {{ users|sort(attribute="b")|selectattr("c")|list|length }}{{ user|attr("d") }}
        {% for row in users|batch(2) %}{% for one in row %}{{ one.e }}{% endfor %}{% endfor %}
        {{ (absent|default(user)).g }}
        {{ users|map("upper")|list }}{% filter upper %}{{ user.f }}{% endfilter %}
    """,
    "groups": """
        {% for key, group in users|groupby("author.x") %}{{ key.a }}
        {% for one in group %}{{ one.b }}{% endfor %}{% endfor %}
        {% for group in users|groupby("y") %}{{ group.grouper.c }}
        {% for one in group.list %}{{ one.d }}{% endfor %}{% endfor %}
    """,
    "macros": """
        {% macro row(one, other=post) %}{{ one.a }}{{ other.b }}
        {% if caller %}{{ caller(one.c) }}{% endif %}{% endmacro %}
        {{ row(user) }}{% call(given) row(user.d) %}{{ given.e }}{% endcall %}
        {% macro tree(node) %}{{ node.f }}
        {% for one in node.children %}{{ tree(one) }}{% endfor %}{% endmacro %}{{ tree(user) }}
    """,
    "lists and namespaces": """
        {% set found = [] %}{% set space = namespace(last=none) %}
        {% for one in users %}{% if space.last %}{{ space.last.a }}{% endif %}
        {% do found.append(one.b) %}{% set space.last = one.c %}{% endfor %}
        {% for one in found %}{{ one.d }}{% endfor %}{{ space.last.e }}
        {% set pairs = {"key": user} %}{{ pairs.key.f }}{{ pairs.get("key").g }}
        {% for key, value in pairs.items() %}{{ value.h }}{% endfor %}
    """,
    "loops": """
        {% for one in users recursive %}{{ loop.previtem.a if loop.previtem }}
        {{ loop(one.children) }}{% endfor %}
        {% for one in users if one.b %}{{ one.c }}{% else %}{{ post.d }}{% endfor %}
    """,
    "expressions": """
        {{ (user if post.a else post).b }}{{ user.c ~ post }}{{ "%s" % user.d }}
        {{ user["e"].f }}{{ user.g(post.h).i }}{{ user.j is defined }}{{ user[post.k] }}
        {% trans name=user.l %}Hello {{ name }}{% endtrans %}{{ users[1:].m }}
        {% set chosen = user.n or post %}{{ chosen.o }}
        {% if user.p %}{% set chosen = post %}{% endif %}{{ chosen.q }}
        {% with inner = user.r %}{{ inner.s }}{% endwith %}
    """,
}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_template_reads_is_told(form: str) -> None:
    """Nothing is read of an object, while the template is rendered, that was not told."""
    assert unforeseen({"main": FORMS[form]}) == set()


def test_templates_that_use_each_other_are_read_together() -> None:
    """Parents, blocks, included and imported templates read what they are given."""
    templates = {
        "main": """{% extends "parent" if user.a else "other" %}{% set title = user.title %}
            {% import "macros" as macros %}{% from "macros" import row as renamed %}
            {% block body %}{{ super() }}{{ title.b }}{{ macros.row(user) }}{{ renamed(post) }}
            {% for one in users %}{% include "row" %}{% endfor %}{% endblock %}
            {% block item %}{{ one.c }}{% endblock %}""",
        "parent": """{{ title.d }}{% block body %}{{ post.e }}{% endblock %}
            {% for one in users.f %}{% block item scoped %}{% endblock %}{% endfor %}""",
        "other": "{{ user.g }}",
        "row": "{{ one.h }}{% include ['absent', 'deep'] %}",
        "deep": "{{ one.i }}{{ user.j }}",
        "macros": "{% macro row(given) %}{{ given.k }}{% endmacro %}",
    }

    assert unforeseen(templates) == set()
    assert ("users", "f", "[]", "c") in predicted(templates)


def test_what_is_not_read_may_read_anything() -> None:
    """An unknown parent is given everything and renders any block; a macro has its arguments."""
    told = predicted(
        {
            "main": '{% extends "near" %}{% block body %}{{ user.b }}{% endblock %}',
            "near": """{% extends "x" %}{% import "y" as y %}{{ y.row(user.a) }}
                {% block body %}{{ user.c }}{% endblock %}""",
        }
    )

    assert {("*", ANY), ("user", "a", ANY), ("user", "b"), ("user", "c")} <= told


def test_templates_that_lead_back_to_themselves_end() -> None:
    """Neither circles of templates nor recursion goes on without an end; both say so."""
    circle = {"main": '{% extends "main" %}', "other": ""}
    include = {"main": '{% for user in user.x %}{% include "main" %}{% endfor %}'}
    macros = {"main": "{% macro a(x) %}{{ a(x.y) }}{{ a(x.z) }}{% endmacro %}{{ a(user) }}"}
    held = {"main": '{% set user = [user] %}{% include "main" %}'}
    deep = {"main": "{{ " + "(" * 20_000 + "user" + ")" * 20_000 + " }}"}

    assert ("*", ANY) in predicted(circle)
    assert ("*", ANY) in predicted(held)
    assert any(path[-1] == ANY for path in predicted(include))
    assert any(path[-1] == ANY for path in predicted(macros))
    with pytest.raises(ValueError, match="nested too deeply"):
        predicted(deep)


NAMES = st.sampled_from(["a", "b", "c"])
OBJECTS = st.recursive(
    st.sampled_from([*ROOTS, "one"]),
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner, NAMES),
        st.builds("{}['{}']".format, inner, NAMES),
        st.builds("{}.{}()".format, inner, NAMES),
        st.builds("({}|first)".format, inner),
        st.builds("({}|map(attribute='{}.{}')|list)".format, inner, NAMES, NAMES),
        st.builds("({} or {})".format, inner, inner),
        st.builds("({}|sort(attribute='{}'))".format, inner, NAMES),
        st.builds("[{}, {}]|last".format, inner, inner).map("({})".format),
    ),
    max_leaves=3,
)
BODIES = st.recursive(
    st.builds("{{{{ {} }}}}".format, OBJECTS),
    lambda inner: st.one_of(
        st.builds("{{% for one in {} %}}{}{{% endfor %}}".format, OBJECTS, inner),
        st.builds("{{% set one = {} %}}{}".format, OBJECTS, inner),
        st.builds("{{% with one = {} %}}{}{{% endwith %}}".format, OBJECTS, inner),
        st.builds("{{% if {} %}}{}{{% endif %}}{}".format, OBJECTS, inner, inner),
        st.builds("{{% include 'part' %}}{}".format, inner),
        st.builds("{{{{ macros.row({}) }}}}{}".format, OBJECTS, inner),
        st.builds(
            "{{% for key, group in {}|groupby('{}') %}}{{% for one in group %}}{}"
            "{{% endfor %}}{{% endfor %}}".format,
            OBJECTS,
            NAMES,
            inner,
        ),
    ),
    max_leaves=4,
)


@given(BODIES, BODIES)
def test_what_any_template_reads_is_told(body: str, macro: str) -> None:
    """Random templates read nothing that was not told."""
    part = "{{ one.part }}{% set one = one.d %}{{ one.e }}"
    start = "{% import 'macros' as macros %}{% set one = user.one %}{{ one.x }}"
    macros = macro.replace("{% include 'part' %}", "").replace("macros.row", "")
    templates = {
        "main": start + body,
        "part": part,
        "macros": "{% macro row(one) %}{% set user = one %}{% set users = one %}"
        "{% set post = one %}" + macros + "{% endmacro %}",
    }

    assert unforeseen(templates) == set()


# In programs


def template_reads(
    files: dict[str, str],
    *,
    reads: tuple[str, ...] = TEMPLATE_READS,
    unread: tuple[FileProblem, ...] = (),
) -> list[str]:
    """Return what templates read in a program, as ``file:line class.attribute <- loads``."""
    sources = {}
    for path, text in {"app/__init__.py": "", "app/models.py": MODELS, **files}.items():
        make = decode if path.endswith(".py") else decode_settings
        sources[path] = make(path, dedent(text).encode())
    settings = ProjectSettings(published=False, reads=reads, unread=unread)
    project = Project(Snapshot(sources), None, settings=settings)
    found = (one for one in project.orm.reads.all() if one.how == "template")
    return [told(project, one) for one in found]


def told(project: Project, read: Read) -> str:
    """Return a read in one line: its loads, or why they are not all known."""
    text = project.snapshot[read.place.path].text
    line = text.count(b"\n", 0, read.place.span.start) + 1
    loads = sorted({one.load.kind for one in read.traces})
    why = read.unknown[0].why if read.unknown else ", ".join(loads)
    owner = read.owner.rpartition(".")[2] or "?"
    return f"{read.place.path.rpartition('/')[2]}:{line} {owner}.{read.attribute} <- {why}"


VIEW = """
    from flask import render_template
    from sqlalchemy import select
    from app.models import Post, Session, User

    def _users(session: Session):
        return session.scalars(select(User)).all()
"""
LIST = "{% for one in users %}\n{{ one.posts|length }}\n{% endfor %}\n"


def view(body: str) -> str:
    """Return a module with a function that renders something."""
    inside = "\n".join(f"        {line}" for line in dedent(body).strip().splitlines())
    return f"{VIEW}\n    def show(session: Session, users=None):\n{inside}\n"


@pytest.mark.parametrize(
    "body",
    [
        'return render_template("list.html", users=_users(session))',
        'return render_template(f"{session.info}/list.html", users=_users(session))',
        (
            'context = {"other": 1}\ncontext["users"] = _users(session)\n'
            'return render_template("list.html", **context)'
        ),
        (
            "context = dict(other=1)\ncontext.update(users=_users(session))\n"
            'return templates.TemplateResponse("list.html", context)'
        ),
        'return templates.TemplateResponse(request, "list.html", {"users": _users(session)})',
        (
            "return templates.TemplateResponse(\n"
            '    request=request, name="list.html", context={"users": _users(session)})'
        ),
        'return env.get_template("list.html").render(users=_users(session))',
        'page = env.get_template("list.html")\nreturn page.render({"users": _users(session)})',
        'return _wrapped("list.html", users=_users(session))',
    ],
)
def test_every_form_of_rendering_is_found(body: str) -> None:
    """What the template reads comes from the statement in the program, however it is rendered."""
    wrapper = """
    def _wrapped(name, **context):
        return render_template(name, site="x", **context)
    """
    deeper = "session.info}/" in body
    path = "app/templates/pages/list.html" if deeper else "app/templates/list.html"
    files = {"app/views.py": view(body) + wrapper, path: LIST}

    assert template_reads(files) == ["list.html:2 User.posts <- select"]


def test_a_template_in_the_program_is_read() -> None:
    """The text that ``render_template_string`` is given reads attributes, too."""
    body = 'render_template_string("{{ user.posts }}", user=session.get(User, 1))'
    code = view(body).replace("import render_template", "import render_template_string")

    assert template_reads({"app/views.py": code}) == ["views.py:10 User.posts <- get"]


def test_names_that_every_template_sees() -> None:
    """Context processors, globals, ``g`` and the user of Flask-Login are followed."""
    code = (
        view('g.author = session.get(User, 1)\nreturn render_template("all.html")')
        + """
    from flask import g
    @app.context_processor
    def inject():
        return dict(newest=Session().get(Post, 1))
    @login.user_loader
    def load(user_id):
        return Session().get(User, user_id)
    app.jinja_env.globals["first"] = Session().get(User, 1)
    """
    )
    lines = ["newest.author", "current_user.posts", "g.author.posts", "first.posts"]
    lines += ["request.posts", "elsewhere.posts"]
    page = "".join(f"{{{{ {one} }}}}\n" for one in lines)

    assert template_reads({"app/views.py": code, "app/templates/all.html": page}) == [
        "all.html:1 Post.author <- get",
        "all.html:2 User.posts <- get",
        "all.html:3 User.posts <- get",
        "all.html:4 User.posts <- get",
        "all.html:6 ?.posts <- no visible call passes `elsewhere` to the template",
    ]


ONE = 'return render_template("x.html", user=session.get(User, 1))'


@pytest.mark.parametrize(
    ("name", "files", "why"),
    [
        ("x.html", {}, "the template `x.html` is not in the project"),
        ("../../x.html", {"x.html": ""}, "the template `../../x.html` is not in the project"),
        ("/etc/x.html", {"x.html": ""}, "the template `/etc/x.html` is not in the project"),
        (
            "x.html",
            {"app/templates/x.html": "a\n{% odd %}"},
            (
                "app/templates/x.html:2 is not read: it is not plain Jinja: "
                "Encountered unknown tag 'odd'."
            ),
        ),
    ],
)
def test_what_is_not_read_is_said(name: str, files: dict[str, str], why: str) -> None:
    """Any attribute of what a template is given may be read, if the template is not."""
    reads = template_reads({"app/views.py": view(ONE.replace("x.html", name)), **files})

    assert reads == [f"views.py:10 User.* <- {why}"]


def test_templates_that_no_rule_asks_for_are_not_read() -> None:
    """Without a rule that declares templates nothing is known of them, whether there or not."""
    files = {"app/views.py": view(ONE), "app/templates/x.html": "{{ user.posts }}"}
    left_out = (FileProblem("app/templates/x.html", 0, "is a symbolic link"),)
    alone = {"app/views.py": view(ONE)}

    assert template_reads(files, reads=()) == [
        "views.py:10 User.* <- the template `x.html` was not read"
    ]
    assert template_reads(alone, unread=left_out) == [
        "views.py:10 User.* <- app/templates/x.html is a symbolic link"
    ]


def test_templates_of_other_languages_are_not_read() -> None:
    """What Mako renders may be read there in any way."""
    code = (
        view('return lookup.get_template("x.html").render(user=session.get(User, 1))')
        + """
    from mako.lookup import TemplateLookup
    lookup = TemplateLookup(["templates"])
    """
    )

    assert template_reads({"app/views.py": code, "app/templates/x.html": ""}) == [
        "views.py:10 User.* <- templates of Mako are not read"
    ]
