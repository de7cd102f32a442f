"""Who inherits from a class, also where it goes by another name."""

from __future__ import annotations

import pytest
from programs import program

BASE = {"m/__init__.py": "", "m/base.py": "class Base: pass"}


@pytest.mark.parametrize(
    ("files", "subclasses"),
    [
        ({"m/a.py": "from m.base import Base\nclass A(Base): pass"}, ("m.a.A",)),
        ({"m/a.py": "from m.base import Base as B\nclass A(B): pass"}, ("m.a.A",)),
        ({"m/a.py": "import m.base\nB = m.base.Base\nclass A(B): pass"}, ("m.a.A",)),
        ({"m/a.py": "from m import base\nclass A(base.Base[int]): pass"}, ("m.a.A",)),
        (
            {
                "m/root.py": "from m.base import Base as Root",
                "m/a.py": "from m.root import Root\nclass A(Root): pass",
            },
            ("m.a.A",),
        ),
        (
            {
                "m/b.py": "from m.base import Base\nclass B(Base): pass",
                "m/a.py": "from m.b import B\nclass A(B): pass",
            },
            ("m.b.B", "m.a.A"),
        ),
        ({"m/a.py": "class Base: pass\nclass A(Base): pass"}, ()),
        ({"m/a.py": "from m.base import Base\nclass A: base = Base"}, ()),
    ],
    ids=[
        "by its name",
        "imported as",
        "assigned",
        "in its module",
        "named anew elsewhere",
        "two steps",
        "another class",
        "no base",
    ],
)
def test_subclasses_are_found(files, subclasses):
    assert program({**BASE, **files}).all_subclasses("m.base.Base") == subclasses


def test_files_whose_classes_inherit_nothing_of_that_name_are_not_parsed():
    project = program({**BASE, "m/a.py": "Base: 'no Python"})

    assert project.all_subclasses("m.base.Base") == ()
    assert project.parse_failures == {}
