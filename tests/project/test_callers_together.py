"""The callers of many functions: the same in any order, and each file is parsed once for all."""

from __future__ import annotations

import ast
import random
from collections import Counter

import pytest
from programs import module_of, program

from awaken.engine.remembering.evidence import answer
from awaken.project import Project
from awaken.project.source.looked_at import facts_search
from awaken.project.source.programs import module_store

_SLACK = 1.3
"""What is linear may take that much more than four times as long for four times as much."""

SHOP = {
    "shop/__init__.py": "from shop.stock import count as number\nfrom shop import stock\n",
    "shop/stock.py": """
        import plugins

        def count(things): return len(things)
        def _load(x): return x
        def _never(x): return x
        def _handed(x): return x
        HANDLERS = {"load": _handed, "count": "shop.stock:count"}

        class Shop:
            def __init__(self, goods): self.goods = goods
            def open(self): return self._unlock(1)
            def _unlock(self, key): return _load(key)

        class Kiosk(Shop):
            def open(self): return super().open()
            def _unlock(self, key): return Shop._unlock(self, key)
    """,
    "plugins.py": """
        import shop.stock as stock
        def register(module): return module._load(1)
        register(stock)
        _other = stock._load
        def count(things): return _other(things)
    """,
    "use.py": """
        from plugins import _other as again, count
        from shop import number
        from shop.stock import Kiosk, Shop, _load
        def go(s: Shop, things, unknown):
            again(1)
            unknown.open()
            return _load(s._unlock(number(things))), count(things), Kiosk([]).open()
    """,
    "broken.py": "def (_load",
}


def _functions(project: Project, path: str) -> list[ast.FunctionDef]:
    return [one for one in module_of(project, path).walk() if isinstance(one, ast.FunctionDef)]


def _keys(files: dict[str, str]) -> list[tuple[str, int]]:
    project = program(files)
    paths = [path for path in files if project.module(path) is not None]
    return [(path, place) for path in paths for place in range(len(_functions(project, path)))]


def _found(files, keys, *, together):
    """Return what `callers_of` says of each function, all there is of it."""
    project = program(files)
    questions = (
        (module_of(project, path), _functions(project, path)[place]) for path, place in keys
    )
    if together:
        project.calls.search_callers(questions)
        questions = (
            (module_of(project, path), _functions(project, path)[place]) for path, place in keys
        )
    answers = [project.calls.callers_of(*question) for question in questions]
    return {
        key: (one.sites, [(that, that.others) for that in one.obstacles])
        for key, one in zip(keys, answers, strict=True)
    }


@pytest.mark.parametrize("kept", [1, 10_000_000])
def test_callers_are_the_same_in_any_order_and_together(monkeypatch, kept):
    keys = _keys(SHOP)
    expected = _found(SHOP, keys, together=False)
    monkeypatch.setattr("awaken.project.source.programs.module_store.KEPT_SOURCE_BYTES", kept)

    for seed in range(5):
        shuffled = random.Random(seed).sample(keys, len(keys))
        assert _found(SHOP, shuffled, together=False) == expected
        assert _found(SHOP, shuffled, together=True) == expected

    kinds = {one.kind for _, obstacles in expected.values() for one, _ in obstacles}
    assert kinds >= {"outside", "value", "named", "unresolved"}
    assert sum(len(sites) for sites, _ in expected.values()) > len(keys) / 2


def _parsed(monkeypatch, action) -> Counter[str]:
    """Return how often each file is parsed if only the last tree is kept."""
    found: Counter[str] = Counter()
    parse = module_store.parse

    def noted(source):
        found[source.path] += 1
        return parse(source)

    with monkeypatch.context() as patch:
        patch.setattr("awaken.project.source.programs.module_store.KEPT_SOURCE_BYTES", 1)
        patch.setattr("awaken.project.source.programs.module_store.parse", noted)
        patch.setattr("awaken.project.source.programs.module_store.parse_again", noted)
        action()
    return found


def _called_everywhere(functions: int, files: int) -> dict[str, str]:
    names = [f"_f{number}" for number in range(functions)]
    calls = "".join(f"from home import {one}\n{one}(1)\n" for one in names)
    home = "".join(f"def {one}(x): ...\n" for one in names)
    return {"home.py": home, **{f"use{number:02}.py": calls for number in range(files)}}


def test_a_file_is_parsed_once_for_all_functions_that_are_asked_for_together(monkeypatch):
    files = _called_everywhere(6, 10)
    keys = _keys(files)

    together = _parsed(monkeypatch, lambda: _found(files, keys, together=True))
    one_by_one = _parsed(monkeypatch, lambda: _found(files, keys, together=False))

    assert {together[path] for path in files if path != "home.py"} == {1}
    assert one_by_one["use05.py"] == 6


def test_a_file_is_parsed_once_for_all_modules_that_may_be_used_as_values(monkeypatch):
    names = [f"part{number}" for number in range(8)]
    mentions = "".join(f"from app import {one}\nregister({one})\n" for one in names)
    reads = "".join(f"from app.{one} import _f\n{one}.x\n" for one in names)
    files = {f"app/{one}.py": "def _f(x): ...\n" for one in names}
    comment = f"# {' '.join(names)}\n"
    files |= {"app/__init__.py": "", "comment.py": comment, "values.py": mentions}
    files |= {"reads.py": reads, "z.py": "x = 1\n"}
    project = program(files)
    values = project.calls._evaluator.callers.module_values

    found = _parsed(
        monkeypatch, lambda: [values.travels(f"app/{one}.py") for one in names] + [project]
    )

    assert found["values.py"] == 1
    assert found["comment.py"] == found["reads.py"] == 0
    assert all(values.travels(f"app/{one}.py") for one in names)
    assert not values.travels("z.py")


@pytest.mark.parametrize(
    ("using", "travels"),
    [
        ("from app import part\nregister(part)\n", True),
        ("from app import part as other\nregister(other)\n", True),
        ("from app import (\n    part,\n)\nregister(part)\n", True),
        ("import app.part\nregister(app.part)\n", True),
        ("import app\nregister(app.part)\n", True),
        ("import app as all_of_it\nregister(all_of_it . part)\n", True),
        ("import app\nregister(app. \\\n    part)\n", True),
        ("def run():\n    from app import part\n    return part\n", True),
        ("from app import part\nparts = {'part': part}\n", True),
        ("from app import part\npart.run()\n", False),
        ("def run(part):\n    return register(part)\n", False),
        ("register(part=1, other='part')  # part\n", False),
    ],
)
def test_a_module_travels_however_a_file_names_it(using, travels):
    project = program({"app/__init__.py": "", "app/part.py": "x = 1\n", "user.py": using})
    assert project.calls._evaluator.callers.module_values.travels("app/part.py") is travels


@pytest.mark.parametrize(("imported", "used"), [("p", "p"), ("q", "q"), ("*", "p")])
def test_a_module_travels_by_another_name_if_a_file_imports_that(imported, used):
    files = {"a.py": "from app import part as p\nq = 1\n"}
    files |= {"b.py": f"from a import {imported}\nregister({used})\n"}
    project = program({"app/__init__.py": "", "app/part.py": "x = 1\n", **files})

    travels = project.calls._evaluator.callers.module_values.travels("app/part.py")
    assert travels is (used == "p")


def test_a_module_with_a_name_beyond_ascii_travels():
    using = "from app import größe\nregister(größe)\n"
    project = program({"app/__init__.py": "", "app/größe.py": "x = 1\n", "user.py": using})

    assert project.calls._evaluator.callers.module_values.travels("app/größe.py")
    search = facts_search("user.py", "module", "größe")
    assert project.looked_at.told[search] == {"user.py": b""}
    assert answer(search, project.snapshot["user.py"]) == b""


@pytest.mark.parametrize(
    ("using", "mentioned"),
    [
        ("from app.part import run\nrun()\n", True),
        ("from app.part import run as go\ngo()\n", True),
        ("from app.part import (  # all\n    run as go,\n)\ngo()\n", True),
        ("from app.given import run\nrun()\n", True),
        ("from app.given import it\nit.run()\n", True),
        ("from app.part import *\nrun()\n", True),
        ("from app.all import run\nrun()\n", True),
        ("import app.all\napp.all.run()\n", True),
        ("from app import part\nregister(part.run)\n", True),
        ("import app.part\napp.part.run()\n", True),
        ("def go():\n    import app.part as p\n    p.run()\n", True),
        ("from app import (\n    part as p\n)\np.run()\n", True),
        ("from app import part\np = part\np.run()\n", True),
        ("loaded('app.part').run()\n", False),
        ("from elsewhere import run\nrun()\n", False),
        ("from elsewhere import *\nrun()\n", True),
        ("from app.part import other\ndef run(): ...\nrun()\n", False),
        ("from app.part import other\nother.run()\n", False),
        ("import server\nserver.run(run=1)\n", False),
        ("'app.part:run'  # run\n", False),
    ],
)
def test_a_name_may_be_a_call_where_its_file_can_have_the_function(using, mentioned):
    files = {"app/__init__.py": "", "app/all.py": "from .part import *\n", "user.py": using}
    files["app/part.py"] = '"""Some run."""\ndef other(): ...\ndef run(): ...\n'
    files["app/given.py"] = "from . import part as it\nfrom .part import run\n"
    if not mentioned:
        files |= {"app/all.py": "", "app/given.py": ""}
    project = program(files)
    question = module_of(project, "app/part.py"), _functions(project, "app/part.py")[1]
    callers = project.calls.callers_of(*question)

    kinds = {one.kind for one in callers.obstacles} - {"outside", "named"}
    assert bool(callers.sites or kinds) is mentioned
