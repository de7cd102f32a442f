"""How the steps of all rules grow with programs of one shape, over names, classes and calls."""

from __future__ import annotations

import pytest
from growth import steps
from programs import module_of, name_in, program
from shapes_of_names import LINEAR, SQUARE, applications_beside_each_other

from awaken.contract import Constraints
from awaken.engine.planning.rule_discovery import all_rules
from awaken.engine.planning.rule_planning import plan_rule
from awaken.project import Project, Snapshot
from awaken.project.names.module_layout import Layout
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

_SLACK = 1.6
"""n log n from 10 to 40 things grows 1.6 times as fast as n."""


def _planned(files):
    """Plan all rules for a program; return how many sites were found."""
    sources = {path: decode(path, text.encode()) for path, text in files.items()}
    reads = tuple(dict.fromkeys(one for rule in all_rules() for one in rule.reads))
    project = Project(Snapshot(sources), Targets(), settings=ProjectSettings(reads=reads))
    sites = 0
    for rule in all_rules():
        planned = plan_rule(rule, project, Constraints())
        assert not planned.diagnostics, planned.diagnostics
        sites += len(planned.plan.findings)
    return sites


@pytest.fixture(scope="module", autouse=True)
def _knowledge_is_read():
    """Count no step of what is read once per process."""
    _planned({"main.py": "import sqlalchemy, fastapi, httpx\n"})


def _growth(shape, size):
    """Return how much more steps four times the size takes, and how much more text it is."""
    small, large = shape(size), shape(4 * size)
    assert _planned(small)
    taken = steps(lambda: _planned(large)) / steps(lambda: _planned(small))
    return taken, sum(map(len, large.values())) / sum(map(len, small.values()))


@pytest.mark.parametrize(
    ("shape", "size"), [pytest.param(*one, id=one[0].__name__) for one in LINEAR.items()]
)
@pytest.mark.sampled(4)
def test_steps_grow_with_the_text(shape, size):
    taken, text = _growth(shape, size)

    assert taken < _SLACK * max(4, text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "size"), [pytest.param(*one, id=one[0].__name__) for one in SQUARE.items()]
)
def test_steps_grow_with_the_square_of_the_text_at_most(shape, size):
    taken, text = _growth(shape, size)

    assert taken < max(4, text) ** 2


def test_a_name_that_leads_to_itself_over_its_own_module_is_unknown():
    assert name_in({"m.py": "import m\ny = m.y\n"}, "m.py", "m.y") is None


def test_a_name_is_found_over_any_number_of_modules():
    files = {f"m{one}.py": f"from m{one + 1} import X\n" for one in range(300)}
    files["m300.py"] = "class X: pass\n"

    assert name_in({**files, "main.py": "from m0 import X\nX\n"}, "main.py", "X") == "m300.X"


@pytest.mark.parametrize("first", range(4))
def test_what_a_circle_of_star_imports_has_does_not_depend_on_which_module_is_asked_first(first):
    files = {f"m{one}.py": f"from m{(one + 1) % 4} import *\nX{one} = 1\n" for one in range(4)}
    files["m0.py"] += "from sqlalchemy import select\n"
    meant = {f"X{one}": f"m{one}.X{one}" for one in range(4)}
    meant |= {"select": "sqlalchemy.select", "len": "builtins.len", "missing": None}
    order = [(first + one) % 4 for one in range(4)]
    asked = [(f"m{one}", name) for one in order for name in meant]
    lines = "".join(f"{module}.{name}\n" for module, name in asked)
    project = program({**files, "main.py": f"import m0, m1, m2, m3\n{lines}"})
    main = module_of(project, "main.py")

    found = [project.qualified_name(main, line.value) for line in main.tree.body[1:]]

    assert found == [meant[name] for _, name in asked]


def test_modules_of_a_circle_that_bring_two_things_agree_on_none():
    files = {
        "a.py": "from b import *\nfrom x import *\n",
        "b.py": "from a import *\nfrom y import *\n",
        "x.py": "class T: pass\n",
        "y.py": "class T: pass\n",
    }

    assert name_in({**files, "main.py": "from a import T\nT\n"}, "main.py", "T") is None
    assert name_in({**files, "main.py": "from b import T\nT\n"}, "main.py", "T") is None


def test_served_applications_take_steps_that_grow_with_their_number():
    def served(size):
        project = program(applications_beside_each_other(size))
        taken = steps(lambda: project.web.serving.all)
        assert [one.handles for one in project.web.serving.all] == [False, True] * size
        return taken

    # Most steps are those of finding each application; n for each of them show late.
    assert served(240) < 4.4 * served(60)


def test_steps_to_find_modules_grow_with_the_number_of_packages():
    def found(size):
        paths = [f"folder{one}/package{one}/__init__.py" for one in range(size)]
        layout = Layout(paths)
        taken = steps(
            lambda: [layout.find(f"library{one}", path) for one, path in enumerate(paths)]
        )
        assert layout.find("package3", "main.py").path == paths[3]
        return taken

    assert found(80) < _SLACK * 4 * found(20)
