"""Programs of one shape and any size, over names, classes and calls, that once took too long."""

from __future__ import annotations

from collections.abc import Callable

_HEAD = """
from sqlalchemy import Column, Integer
from sqlalchemy.orm import Session, declarative_base
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
"""
_ROUTES = """
from fastapi import APIRouter, Depends, FastAPI
app = FastAPI()
"""

Files = dict[str, str]


def star_imports_of_each_other(size: int) -> Files:
    """Every module star-imports all the others; the name is in none of them."""
    modules = {
        f"m{one}.py": "".join(f"from m{other} import *\n" for other in range(size) if other != one)
        for one in range(size)
    }
    main = "import sqlalchemy\nfrom m0 import *\ndef ask(db):\n    return db.query(User).all()\n"
    return {**modules, "main.py": main}


def star_imports_of_neighbours(size: int) -> Files:
    """Every module star-imports the next three, in a circle; one defines the name."""
    modules = {
        f"m{one}.py": "".join(f"from m{(one + step) % size} import *\n" for step in (1, 2, 3))
        for one in range(size)
    }
    modules[f"m{size // 2}.py"] += _HEAD
    main = """from m0 import *
def ask(db: Session):
    return db.query(User).filter(Missing.id == 1).all()
"""
    return {**modules, "main.py": main}


def star_imports_of_many_names(size: int) -> Files:
    """A circle of star imports is asked for as many names as it has modules."""
    files = star_imports_of_neighbours(size)
    files["main.py"] += "".join(
        f"def ask{one}(db: Session):\n    return db.query(Missing{one}).all()\n"
        for one in range(size)
    )
    return files


def star_imports_in_layers(size: int) -> Files:
    """Two modules per layer, each star-imports both of the next: 2 ** n ways to the name."""
    files = {
        f"{side}{one}.py": f"from a{one + 1} import *\nfrom b{one + 1} import *\n"
        for one in range(size)
        for side in "ab"
    }
    files |= {f"a{size}.py": _HEAD, f"b{size}.py": "x = 1\n"}
    files["main.py"] = "from a0 import *\ndef ask(db: Session):\n    return db.query(User).all()\n"
    return files


def imports_in_layers(size: int) -> Files:
    """A name is imported in a ``try`` from either of two modules, over n layers."""
    files = {
        f"{side}{one}.py": f"try:\n    from a{one + 1} import User\n"
        f"except ImportError:\n    from b{one + 1} import User\n"
        for one in range(size)
        for side in "ab"
    }
    files |= {f"a{size}.py": _HEAD, f"b{size}.py": f"from a{size} import User\n"}
    files["main.py"] = """from sqlalchemy.orm import Session
from a0 import User
def ask(db: Session):
    return db.query(User).all()
"""
    return files


def imports_of_each_other(size: int) -> Files:
    """Every module imports one name from each of the others."""
    files = {
        f"m{one}.py": "".join(
            f"try:\n    from m{other} import User\nexcept ImportError:\n    pass\n"
            for other in range(size)
            if other != one
        )
        for one in range(size)
    }
    files["main.py"] = """from sqlalchemy.orm import Session
from m0 import User
def ask(db: Session):
    return db.query(User).all()
"""
    return files


def chain_of_reexports(size: int) -> Files:
    """A name is handed on by n modules, which all use it."""
    files = {
        f"m{one}.py": f"""from m{one + 1} import User, Session
def ask{one}(db: Session):
    return db.query(User).all()
"""
        for one in range(size)
    }
    return {**files, f"m{size}.py": _HEAD}


def chain_of_all(size: int) -> Files:
    """``__all__`` of each module is that of the next and one name more."""
    files = {
        f"m{one}.py": f"""from m{one + 1} import *
from m{one + 1} import __all__ as more
def f{one}(db: Session):
    return db.query(User).all()
__all__ = [*more, "f{one}"]
"""
        for one in range(size)
    }
    return {**files, f"m{size}.py": _HEAD + "__all__ = ['User', 'Session']\n"}


def aliases_of_each_other(size: int) -> Files:
    """Names of one module that are assigned to each other, in a circle with two ways each."""
    lines = [
        f"if x:\n    n{one} = n{(one + 1) % size}\nelse:\n    n{one} = n{(one + 2) % size}\n"
        for one in range(size)
    ]
    main = "from sqlalchemy.orm import Session\n" + "".join(lines)
    return {"main.py": main + "def ask(db: Session):\n    return db.query(n0).all()\n"}


def aliases_in_layers(size: int) -> Files:
    """Local names that are either of the two before: 2 ** n ways to the first."""
    lines = [
        f"    if x:\n        n{one} = n{one - 1}\n    else:\n        n{one} = n{one - 2}\n"
        for one in range(2, size + 2)
    ]
    body = "".join(lines)
    main = f"""{_HEAD}
def ask(db: Session, x):
    n0 = User
    n1 = User
{body}
    return db.query(n{size + 1}).all()
"""
    return {"main.py": main}


def super_through_a_hierarchy(size: int) -> Files:
    """Each class calls the method of the one above by ``super()``."""
    classes = "".join(
        f"""class C{one}(C{one - 1}):
    def _q(self, db: Session):
        return super()._q(db).filter(User.id > {one})
"""
        for one in range(1, size)
    )
    return {
        "main.py": f"""{_HEAD}
class C0:
    def _q(self, db: Session):
        return db.query(User)
{classes}
def _ask(db: Session):
    return C{size - 1}()._q(db).all()
"""
    }


def overrides_of_one_method(size: int) -> Files:
    """Many classes override one method, each with a query of its own."""
    classes = "".join(
        f"""class _C{one}(_C):
    def _q(self, db: Session):
        return db.query(User).filter(User.id > {one})
"""
        for one in range(size)
    )
    return {
        "main.py": f"""{_HEAD}
class _C:
    def _q(self, db: Session):
        return db.query(User)
{classes}
def _ask(db: Session, c: _C):
    return c._q(db).all()
"""
    }


def overrides_in_many_files(size: int) -> Files:
    """The same over many files, and each override asks as well."""
    files = {
        f"c{one}.py": f"""from base import C, Session, User
class C{one}(C):
    def _q(self, db: Session):
        return db.query(User).filter(User.id > {one})
    def _ask(self, db: Session):
        return self._q(db).all()
"""
        for one in range(size)
    }
    files["base.py"] = f"""{_HEAD}
class C:
    def _q(self, db: Session):
        return db.query(User)
"""
    return files


def subclasses_in_many_files(size: int) -> Files:
    """A receiver whose class has n subclasses, which all set the attribute."""
    files = {
        f"c{one}.py": f"""from base import Entity, Session
class Camera{one}(Entity):
    def __init__(self, db: Session) -> None:
        self.db = db
"""
        for one in range(size)
    }
    files["base.py"] = f"""{_HEAD}
class Entity:
    def ask(self):
        return self.db.query(User).all()
"""
    return files


def subclasses_of_subclasses(size: int) -> Files:
    """A receiver with two levels of subclasses, of which no one sets the attribute."""
    files = {
        f"c{one}.py": f"""from base import Entity
class Camera{one}(Entity):
    pass
class Other{one}(Camera{one}):
    pass
"""
        for one in range(size)
    }
    files["base.py"] = f"""{_HEAD}
class Entity:
    def ask(self):
        return self.db.query(User).all()
"""
    return files


def subclasses_asked_for_many_attributes(size: int) -> Files:
    """The class is asked for n attributes that none of its n subclasses sets."""
    files = subclasses_of_subclasses(size)
    files["base.py"] += "".join(
        f"    def ask{one}(self):\n        return self.db{one}.query(User).all()\n"
        for one in range(size)
    )
    return files


def hierarchy_of_diamonds(size: int) -> Files:
    """Each class inherits from two that inherit from the one before: 2 ** n paths."""
    classes = "".join(
        f"""class A{one}(C{one - 1}):
    pass
class B{one}(C{one - 1}):
    pass
class C{one}(A{one}, B{one}):
    pass
"""
        for one in range(1, size + 1)
    )
    return {
        "main.py": f"""{_HEAD}
class C0:
    def ask(self):
        return self.db.query(User).all()
{classes}
class Last(C{size}):
    def __init__(self, db: Session):
        self.db = db
        super().__init__()
    def again(self):
        return self.db.query(User).all()
"""
    }


def deep_hierarchy(size: int) -> Files:
    """n classes below each other, each asks for an attribute that only the first one sets."""
    classes = "".join(
        f"""class C{one}(C{one - 1}):
    def ask{one}(self):
        return self.db.query(User).all()
"""
        for one in range(1, size)
    )
    return {
        "main.py": f"""{_HEAD}
class C0:
    def __init__(self, db: Session):
        self.db = db
{classes}
"""
    }


def circle_of_bases(size: int) -> Files:
    """n modules whose classes inherit from each other in a circle."""
    return {
        f"m{one}.py": f"""import sqlalchemy
from m{(one + 1) % size} import C{(one + 1) % size}
class C{one}(C{(one + 1) % size}):
    def ask{one}(self):
        return self.db.query(C0).all()
"""
        for one in range(size)
    }


def many_mixins(size: int) -> Files:
    """One class of n mixins, which all use what another one sets."""
    mixins = "".join(
        f"class M{one}:\n    def ask{one}(self):\n        return self.db.query(User).all()\n"
        for one in range(size)
    )
    bases = ", ".join(f"M{one}" for one in range(size))
    return {
        "main.py": f"""{_HEAD}
class Last:
    def __init__(self, db: Session):
        self.db = db
{mixins}
class All({bases}, Last):
    pass
"""
    }


def methods_over_protocols(size: int) -> Files:
    """n protocols with a method of one name, and one class that has them all."""
    protocols = "".join(
        f"class P{one}(Protocol):\n    def _q(self, db: Session):\n        ...\n"
        for one in range(size)
    )
    calls = "".join(
        f"def _ask{one}(p: P{one}, db: Session):\n    return p._q(db).all()\n"
        for one in range(size)
    )
    bases = ", ".join(f"P{one}" for one in range(size))
    return {
        "main.py": f"""from typing import Protocol
{_HEAD}
{protocols}
class All({bases}):
    def _q(self, db: Session):
        return db.query(User)
{calls}
"""
    }


def methods_of_one_name(size: int) -> Files:
    """n classes with a method of one name, which have nothing to do with each other."""
    return {
        "main.py": _HEAD
        + "".join(
            f"""class C{one}:
    def _q(self, db: Session):
        return db.query(User)
    def _ask(self, db: Session):
        return self._q(db).all()
"""
            for one in range(size)
        )
    }


def name_in_many_files(size: int) -> Files:
    """A word that stands in n files is a private function's name, which one file calls."""
    files = {
        f"c{one}.py": f"""import base
def f{one}(db):
    run = {one}
    return db.run(run)
"""
        for one in range(size)
    }
    files["base.py"] = f"""{_HEAD}
def _run(db):
    return db.query(User).all()
def ask(db: Session):
    return _run(db)
"""
    return files


def functions_that_hand_on(size: int) -> Files:
    """f0 calls f1, which calls f2, over n files: the last one asks."""
    files = {
        f"m{one}.py": f"""from m{one + 1} import _f{one + 1}
def _f{one}(db):
    return _f{one + 1}(db)
"""
        for one in range(size)
    }
    files["main.py"] = """from sqlalchemy.orm import Session
from m0 import _f0
def ask(db: Session):
    return _f0(db)
"""
    return {
        **files,
        f"m{size}.py": f"""{_HEAD}
def _f{size}(db):
    return db.query(User).all()
""",
    }


def functions_that_hand_back(size: int) -> Files:
    """f0 returns what f1 returns, over n files; each one asks."""
    files = {
        f"m{one}.py": f"""from m{one + 1} import _f{one + 1}, User
def _f{one}():
    return _f{one + 1}()
def ask{one}():
    return _f{one}().query(User).all()
"""
        for one in range(size)
    }
    return {
        **files,
        f"m{size}.py": f"""{_HEAD}
def _f{size}():
    return Session()
""",
    }


def functions_that_call_two(size: int) -> Files:
    """Each function returns what either of the next two returns: fibonacci many ways."""
    functions = "".join(
        f"def f{one}(x):\n    if x:\n        return f{one + 1}(x)\n    return f{one + 2}(x)\n"
        for one in range(size)
    )
    return {
        "main.py": f"""{_HEAD}
{functions}
def f{size}(x):
    return Session()
def f{size + 1}(x):
    return Session()
def ask():
    return f0(1).query(User).all()
"""
    }


def functions_that_call_each_other(size: int) -> Files:
    """n functions without annotations that all call each other."""
    functions = "".join(
        f"def _f{one}(db):\n"
        + "".join(f"    _f{(one + step) % size}(db)\n" for step in (1, 2, 3))
        + "    return db.query(User).all()\n"
        for one in range(size)
    )
    return {"main.py": f"{_HEAD}\n{functions}\ndef ask(db: Session):\n    return _f0(db)\n"}


def functions_of_many_parameters(size: int) -> Files:
    """Two functions with n parameters that call each other; each is used for a query."""
    names = ", ".join(f"p{one}" for one in range(size))
    body = "".join(f"    p{one}.query(User).all()\n" for one in range(size))
    return {
        "main.py": f"""{_HEAD}
def _f({names}):
    _g({names})
{body}
def _g({names}):
    _f({names})
"""
    }


def call_with_many_arguments(size: int) -> Files:
    """A call with n positional and n keyword arguments."""
    positional = ", ".join(f"s.query(User).get({one})" for one in range(size))
    named = ", ".join(f"k{one}=s.query(User)" for one in range(size))
    return {
        "main.py": f"""{_HEAD}
def ask(s: Session):
    return _f({positional}, {named})
def _f(*args, **kwargs):
    return args
"""
    }


def dictionary_with_many_entries(size: int) -> Files:
    """A dictionary with n entries, each with a query, and as many items that are read."""
    entries = ", ".join(f"'k{one}': s.query(User).count()" for one in range(size))
    return {"main.py": f"{_HEAD}\ndef ask(s: Session):\n    return {{{entries}}}\n"}


def many_decorators(size: int) -> Files:
    """n functions, each the decorator of the next, and one with n decorators."""
    functions = "".join(f"def d{one}(f):\n    return f\n" for one in range(size))
    stack = "".join(f"@d{one}\n" for one in range(size))
    return {
        "main.py": f"""{_HEAD}
{functions}
{stack}def _q(s: Session):
    return s.query(User)
def ask(s: Session):
    return _q(s).all()
"""
    }


def nested_functions(size: int) -> Files:
    """Functions in functions, n deep, of which each asks."""
    lines = []
    for one in range(size):
        lines.append(f"{' ' * one}def f{one}(s{one}: Session):")
        lines.append(f"{' ' * one} s{one}.query(User).all()")
    return {"main.py": _HEAD + "\n".join(lines) + "\n"}


def nested_classes(size: int) -> Files:
    """Classes in classes, n deep, of which each asks."""
    lines = []
    for one in range(size):
        lines.append(f"{' ' * one}class C{one}:")
        lines.append(f"{' ' * one} def ask(self, s: Session): return s.query(User).all()")
    return {"main.py": _HEAD + "\n".join(lines) + "\n"}


def long_chain_of_attributes(size: int) -> Files:
    """a.b.c... with n names, over classes that give each other."""
    classes = "".join(f"class C{one}:\n    a: 'C{one + 1}'\n" for one in range(size))
    chain = ".a" * size
    return {
        "main.py": f"""{_HEAD}
{classes}
class C{size}:
    s: Session
def ask(c: C0):
    return c{chain}.s.query(User).all()
"""
    }


def long_chain_of_calls(size: int) -> Files:
    """A query with n calls behind each other."""
    chain = "".join(f".filter(User.id > {one})" for one in range(size))
    return {"main.py": f"{_HEAD}\ndef ask(s: Session):\n    return s.query(User){chain}.all()\n"}


def union_of_many(size: int) -> Files:
    """An annotation that is a union of n classes, one way and the other."""
    classes = "".join(f"class C{one}: pass\n" for one in range(size))
    by_or = " | ".join(f"C{one}" for one in range(size))
    by_name = ", ".join(f"C{one}" for one in range(size))
    return {
        "main.py": f"""from typing import Union
{_HEAD}
{classes}
def ask(s: {by_or} | Session):
    return s.query(User).all()
def again(s: Union[{by_name}, Session]):
    return s.query(User).all()
"""
    }


def nested_annotations(size: int) -> Files:
    """``Annotated`` in ``Annotated`` and ``Optional`` in ``Optional``, n deep."""
    annotated = "Annotated[" * size + "Session" + ", 1]" * size
    optional = "Optional[" * size + "Session" + "]" * size
    return {
        "main.py": f"""from typing import Annotated, Optional
{_HEAD}
def ask(s: {annotated}):
    return s.query(User).all()
def again(s: {optional}):
    return s.query(User).all()
"""
    }


def aliases_of_types(size: int) -> Files:
    """Types that are the union of the two before: fibonacci many ways."""
    lines = "".join(f"T{one} = Union[T{one - 1}, T{one - 2}]\n" for one in range(2, size + 2))
    return {
        "main.py": f"""from typing import Union
{_HEAD}
T0 = Session
T1 = Session
{lines}
def ask(s: T{size + 1}):
    return s.query(User).all()
"""
    }


def many_dependencies(size: int) -> Files:
    """n routes that depend on the dependency before, n deep."""
    functions = "".join(
        f"def d{one}(s=Depends(d{one - 1})):\n    return s\n"
        f"@app.get('/{one}')\n"
        f"def r{one}(s=Depends(d{one}), t: Session = Depends(d0)):\n"
        "    return s.query(User).all(), t.query(User).all()\n"
        for one in range(1, size + 1)
    )
    return {
        "main.py": f"""{_ROUTES}
{_HEAD}
def d0():
    yield Session()
{functions}
"""
    }


def routes_of_one_dependency(size: int) -> Files:
    """n routes of one dependency, over files, that opens a client and an engine."""
    files = {
        f"r{one}.py": f"""from deps import get
from fastapi import APIRouter, Depends
router = APIRouter()
@router.get('/{one}')
def r{one}(s=Depends(get), t: int = 1):
    return s
"""
        for one in range(size)
    }
    files["deps.py"] = """import httpx
from sqlalchemy import create_engine
def get():
    with httpx.Client() as client:
        yield client
def make():
    return create_engine("x")
"""
    files["main.py"] = (
        "from fastapi import FastAPI\napp = FastAPI()\n"
        + "".join(f"import r{one}\n" for one in range(size))
        + "".join(f"app.include_router(r{one}.router)\n" for one in range(size))
    )
    return files


def calls_beside_an_opening(size: int) -> Files:
    """One client is opened among n calls of other things, in a file of routes."""
    calls = "".join(f"    c.x{one}(c.y.z{one}())\n" for one in range(size))
    return {
        "main.py": f"""{_ROUTES}
import httpx
class C:
    def __init__(self, y):
        self.y = y
@app.get("/")
def ask(c: C = Depends()):
{calls}
    with httpx.Client() as client:
        return client.get("x")
"""
    }


def listeners_among_calls(size: int) -> Files:
    """A listener of bulk events among n calls with two arguments, and n queries."""
    calls = "".join(f"    c.x{one}(c.y.z{one}(), 1)\n" for one in range(size))
    return {
        "main.py": f"""from sqlalchemy import event
{_HEAD}
class C:
    def __init__(self, y):
        self.y = y
def f(c: C):
{calls}
def ask(s: Session):
    event.listen(s, "after_bulk_update", f)
    s.query(User).update({{"id": 1}})
"""
    }


def handlers_of_many_exceptions(size: int) -> Files:
    """n exception classes below each other, raised by functions that call each other."""
    classes = "".join(f"class E{one}(E{one - 1}): pass\n" for one in range(1, size))
    functions = "".join(
        f"def f{one}(s: Session):\n    try:\n        return f{one - 1}(s)\n"
        f"    except E{one}:\n        raise E{one - 1}()\n"
        for one in range(1, size)
    )
    return {
        "main.py": f"""{_HEAD}
class E0(Exception): pass
{classes}
def f0(s: Session):
    return s.query(User).one()
{functions}
def ask(s: Session):
    q = s.query(User)
    try:
        f{size - 1}(s)
        return q.all()
    except E0:
        return None
"""
    }


def models_related_to_each_other(size: int) -> Files:
    """n mapped classes with relationships in a circle, loaded by joins."""
    classes = "".join(
        f"""class M{one}(Base):
    __tablename__ = "m{one}"
    id = Column(Integer, primary_key=True)
    other = relationship("M{(one + 1) % size}", lazy="joined")
    more = relationship("M{(one + 2) % size}", lazy="joined", uselist=True)
def ask{one}(s: Session):
    return s.query(M{one}).all()
"""
        for one in range(size)
    )
    return {"main.py": f"from sqlalchemy.orm import relationship\n{_HEAD}\n{classes}"}


def models_that_inherit(size: int) -> Files:
    """n mapped classes below each other."""
    classes = "".join(
        f"""class M{one}({"M" + str(one - 1) if one else "Base"}):
    c{one} = Column(Integer)
    def ask{one}(self, s: Session):
        return s.query(M{one}).filter_by(c0=1).all()
"""
        for one in range(size)
    )
    return {"main.py": f"{_HEAD}\n{classes}"}


def classes_with_query(size: int) -> Files:
    """n Flask-SQLAlchemy models over files, each asked by ``Model.query``."""
    files = {
        f"m{one}.py": f"""from base import db
class M{one}(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    @classmethod
    def every(cls):
        return cls.query.all()
def ask():
    return M{one}.query.filter_by(id=1).first()
"""
        for one in range(size)
    }
    files["base.py"] = "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"
    return files


def names_bound_often(size: int) -> Files:
    """One name at the top of a module is bound n times, and read n times."""
    return {
        "main.py": _HEAD
        + "".join(
            f"if x == {one}:\n    s = Session()\nu{one} = s.query(User).all()\n"
            for one in range(size)
        )
    }


def names_in_class_bodies(size: int) -> Files:
    """One name in a class body is bound n times, and read n times."""
    return {
        "main.py": _HEAD
        + "class C:\n"
        + "".join(
            f"    if x == {one}:\n        s = Session()\n    u{one} = s.query(User).all()\n"
            for one in range(size)
        )
    }


def attributes_assigned_often(size: int) -> Files:
    """One attribute is assigned in n methods, and read in n others."""
    return {
        "main.py": _HEAD
        + "class C:\n"
        + "".join(
            f"""    def set{one}(self, db: Session):
        self.db = db
    def ask{one}(self):
        return self.db.query(User).all()
"""
            for one in range(size)
        )
    }


def attributes_of_each_other(size: int) -> Files:
    """n attributes that are each given either of the next two."""
    return {
        "main.py": _HEAD
        + "class C:\n    def __init__(self, db: Session, x):\n"
        + "".join(
            f"        self.a{one} = self.a{one + 1} if x else self.a{one + 2}\n"
            for one in range(size)
        )
        + f"        self.a{size} = db\n        self.a{size + 1} = db\n"
        + "    def ask(self):\n        return self.a0.query(User).all()\n"
    }


def globals_of_each_other(size: int) -> Files:
    """n names at the top of a module that are each given a choice of the next two."""
    lines = "".join(f"g{one} = g{one - 1} if x else g{one - 2}\n" for one in range(2, size + 2))
    return {
        "main.py": f"""{_HEAD}
g0 = Session()
g1 = Session()
{lines}
def ask():
    return g{size + 1}.query(User).all()
"""
    }


def overloads_of_init(size: int) -> Files:
    """n classes below one ``__init__``, each made once, over files."""
    files = {
        f"c{one}.py": f"""from base import C
class C{one}(C):
    pass
def make(db):
    return C{one}(db)
"""
        for one in range(size)
    }
    files["base.py"] = f"""{_HEAD}
class C:
    def __init__(self, db):
        self.db = db
    def ask(self):
        return self.db.query(User).all()
"""
    return files


def packages_in_packages(size: int) -> Files:
    """Packages n deep, each of which re-exports what the one inside exports."""
    files: Files = {}
    for one in range(size):
        folder = "/".join(f"p{two}" for two in range(one + 1))
        files[f"{folder}/__init__.py"] = f"from .p{one + 1} import *\n" if one + 1 < size else _HEAD
    files["main.py"] = """from p0 import *
def ask(db: Session):
    return db.query(User).all()
"""
    return files


def listed_in_many_tests(size: int) -> Files:
    """n tests with doubles of a query, and n functions that they replace."""
    functions = "".join(
        f"def f{one}(db: Session):\n    return db.query(User).all()\n" for one in range(size)
    )
    tests = "".join(
        f"""def test_{one}():
    db = Mock()
    db.query.return_value.all.return_value = []
    assert app.f{one}(db) == []
"""
        for one in range(size)
    )
    return {
        "app.py": f"{_HEAD}\n{functions}",
        "tests/test_app.py": f"from unittest.mock import Mock\nimport app\n{tests}",
    }


def applications_beside_each_other(size: int) -> Files:
    """n files with two applications each, one with a lifespan and one with handlers, and tests."""
    return {
        f"a{one}/main.py": f"""from contextlib import asynccontextmanager
from fastapi import FastAPI
from fastapi.testclient import TestClient
@asynccontextmanager
async def run(app):
    app.state.value{one} = 1
    yield
app = FastAPI(lifespan=run)
other = FastAPI()
@other.on_event("startup")
def start():
    other.state.thing{one} = 1
@other.get("/")
def index(request):
    return request.app.state.thing{one}
def test_index():
    assert TestClient(other).get("/")
"""
        for one in range(size)
    }


def endpoints_of_one_name(size: int) -> Files:
    """n files, each with an endpoint of the same name that its own file calls."""
    return {
        f"a{one}/routes.py": f"""from fastapi import APIRouter, Depends
router = APIRouter()
def _session():
    return {one}
@router.get("/items")
def items(db: int = Depends(_session)):
    return db
@router.get("/more")
def more(db: int = Depends(_session)):
    return items(db)
"""
        for one in range(size)
    }


LINEAR: dict[Callable[[int], Files], int] = {
    star_imports_of_each_other: 4,
    star_imports_of_neighbours: 6,
    star_imports_in_layers: 4,
    imports_in_layers: 4,
    chain_of_reexports: 12,
    chain_of_all: 6,
    aliases_of_each_other: 6,
    aliases_in_layers: 4,
    overrides_of_one_method: 10,
    overrides_in_many_files: 8,
    subclasses_in_many_files: 10,
    subclasses_of_subclasses: 10,
    subclasses_asked_for_many_attributes: 5,
    hierarchy_of_diamonds: 4,
    many_mixins: 8,
    name_in_many_files: 20,
    functions_that_hand_on: 5,
    functions_of_many_parameters: 10,
    call_with_many_arguments: 10,
    dictionary_with_many_entries: 10,
    many_decorators: 10,
    nested_functions: 10,
    long_chain_of_attributes: 10,
    long_chain_of_calls: 10,
    union_of_many: 20,
    nested_annotations: 10,
    routes_of_one_dependency: 8,
    calls_beside_an_opening: 20,
    listeners_among_calls: 20,
    handlers_of_many_exceptions: 5,
    models_related_to_each_other: 6,
    models_that_inherit: 6,
    classes_with_query: 8,
    names_bound_often: 8,
    attributes_assigned_often: 8,
    attributes_of_each_other: 4,
    globals_of_each_other: 4,
    overloads_of_init: 10,
    packages_in_packages: 5,
    applications_beside_each_other: 15,
    endpoints_of_one_name: 30,
}
"""Shapes that take steps in proportion to their text, each with its smallest size."""

SQUARE: dict[Callable[[int], Files], int] = {
    star_imports_of_many_names: 6,
    super_through_a_hierarchy: 5,
    deep_hierarchy: 8,
    circle_of_bases: 5,
    methods_over_protocols: 8,
    methods_of_one_name: 8,
    functions_that_hand_back: 6,
    functions_that_call_each_other: 6,
    nested_classes: 10,
    many_dependencies: 8,
    names_in_class_bodies: 8,
    listed_in_many_tests: 8,
    imports_of_each_other: 12,
    functions_that_call_two: 20,
    aliases_of_types: 20,
}
"""Shapes in which n things each concern n others; the last three end at the steps of a question.

Names, evaluations and classes of these are looked up once; what is left is small per pair.
"""
SHAPES = LINEAR | SQUARE
