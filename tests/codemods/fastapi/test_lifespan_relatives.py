"""Applications that meet: in decorators, in routers, and in factories that others call."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.contract import Level
from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

WRITTEN = {}
"""The files of the last program, as they are afterwards."""


def found(*, published=None, **files):
    """Return level and reason of each site, after a whole run, which may roll nothing back."""
    before = {f"{name}.py": text.encode() for name, text in files.items()}
    case = Case(
        name="it",
        family="fastapi",
        rule="on-event-to-lifespan",
        directory=Path(),
        settings=Settings(unsafe=True, published=published),
        before=before,
        after=before,
        program={},
    )
    result = run_case(case)
    WRITTEN.update(result.files)
    findings = result.report.findings
    return [(one.level, (one.reason or "").partition("/")[2]) for one in findings]


STACKED = {
    "two-applications": ("one", "two"),
    "three": ("one", "two", "three"),
    "by-its-router": ("one", "two.router"),
    "an-included-router": ("one", "included"),
    "one-and-its-router": ("one", "one.router"),
    "one-twice": ("one", "one"),
}
APPLICATIONS = """\
from fastapi import APIRouter, FastAPI

one = FastAPI()
two = FastAPI()
three = FastAPI()
included = APIRouter()
two.include_router(included)

"""


@pytest.mark.parametrize("stacked", STACKED)
@pytest.mark.parametrize("events", ["startup startup startup", "startup shutdown startup"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_handler_of_several_applications_stays_with_all_of_them(stacked, events, kind):
    owners = STACKED[stacked]
    lines = [
        f'@{one}.on_event("{event}")\n' for one, event in zip(owners, events.split(), strict=False)
    ]
    text = APPLICATIONS + "".join(lines) + f"{kind} both():\n    pass\n"
    together = {one.partition(".")[0] for one in owners} == {"one"}

    levels = [level for level, _ in found(main=text)]
    assert levels == [Level.SAFE if together else Level.MANUAL] * len(owners)


INCLUDED = {
    "attribute": "outer.include_router(inner.router)\n",
    "keyword": "outer.include_router(router=inner.router, prefix='/in')\n",
    "variable": "routes = inner.router\nouter.include_router(routes)\n",
    "through-a-router": "between = APIRouter()\nbetween.include_router(inner.router)\n"
    "outer.include_router(between)\n",
    "into-a-router": "outer.router.include_router(inner.router)\n",
    "in-a-function": "def put(one, other):\n    one.include_router(other.router)\n"
    "put(outer, inner)\n",
}
INNER = "from fastapi import FastAPI\ninner = FastAPI()\n"
STARTED = '@{0}.on_event("startup")\ndef {0}_starts():\n    print("{0}")\n'
START = "from fastapi import APIRouter, FastAPI\nfrom within import inner\nouter = FastAPI()\n"


@pytest.mark.parametrize("included", INCLUDED)
@pytest.mark.parametrize("late", [True, False])
def test_an_application_whose_router_another_includes_stays(included, late):
    handler, call = STARTED.format("outer"), INCLUDED[included]
    main = START + (handler + call if late else call + handler)

    assert (
        found(main=main, within=INNER + STARTED.format("inner"))
        == [(Level.MANUAL, "application-included")] * 2
    )


@pytest.mark.parametrize("included", INCLUDED)
def test_an_inner_application_that_starts_nothing_changes_nothing(included):
    main = START + INCLUDED[included] + STARTED.format("outer")

    assert found(main=main, within=INNER) == [(Level.SAFE, "")]


FACTORIES = {
    "own": "def create(**options):\n    app = FastAPI(**options)\n",
    "beside": "def create(title, **options):\n    app = FastAPI(title=title, **options)\n",
    "handed": "def create(options):\n    app = FastAPI(**options)\n",
    "copied": "def create(**options):\n    given = dict(options, debug=True)\n"
    "    app = FastAPI(**given)\n",
    "attribute": "class Factory:\n  def __init__(self, **options):\n    self.options = options\n"
    "  def create(self):\n    app = FastAPI(**self.options)\n",
}
REGISTERED = "    app.add_event_handler('startup', start)\n    return app\n"
FACTORY = "from fastapi import FastAPI\ndef start():\n    pass\n"


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("published", [True, False])
def test_callers_out_of_sight_may_give_a_lifespan(factory, published):
    text = FACTORY + FACTORIES[factory] + REGISTERED

    # Scripts and tests out of sight call what makes an application that nobody imports.
    is_safe = factory == "attribute" and not published
    assert found(main=text, published=published) == [(Level.SAFE if is_safe else Level.UNSAFE, "")]


@pytest.mark.parametrize("given", ["lifespan=run", "on_startup=[start]", "on_shutdown=[start]"])
@pytest.mark.parametrize("factory", ["own", "beside", "copied"])
def test_callers_in_sight_that_give_handlers_hold_the_factory(factory, given):
    title = "'a', " if factory == "beside" else ""
    call = f"app = create({title}{given})\n"
    other = "from main import create, start\ndef run(app):\n    yield\n" + call
    main = FACTORY + FACTORIES[factory] + REGISTERED

    assert (Level.MANUAL, "kwargs") in found(main=main, other=other, published=False)


def test_a_factory_whose_keywords_are_its_own_needs_no_callers():
    text = FACTORY + (
        "SETTINGS = {'title': 'a'}\ndef create(name):\n    app = FastAPI(**SETTINGS)\n" + REGISTERED
    )

    assert found(main=text, published=True) == [(Level.SAFE, "")]


@pytest.mark.parametrize(
    "shown",
    [
        "logging.basicConfig(format='%(funcName)s %(message)s')",
        "logger.add(print, format='{function} {message}')",
        "name = inspect.currentframe().f_code.co_name",
        "name = sys._getframe().f_code.co_name",
        "name = inspect.stack()[0].function",
        "",
    ],
)
def test_handlers_keep_their_names_where_something_shows_them(shown):
    main = f"{START}{shown}\n" + STARTED.format("outer")

    assert found(main=main, within=INNER) == [(Level.SAFE, "")]
    assert (b"def outer_starts" in WRITTEN["main.py"]) is bool(shown)


HOOKED = """\
import hooks
from fastapi import FastAPI

app = FastAPI()
app.add_event_handler("startup", {handler})
"""
HOOKS = """\
class Service:
    def start(self): ...

service = Service()

def connect(): ...
"""
REPLACING = {
    "an-assignment": ("hooks.connect", "hooks.connect = print"),
    "of-a-method": ("hooks.service.start", "hooks.service.start = print"),
    "by-setattr": ("hooks.connect", "monkeypatch.setattr('hooks.connect', print)"),
    "by-a-patch": ("hooks.connect", "with patch('hooks.connect'): ..."),
    "by-a-patch-of-an-object": ("hooks.connect", "with patch.object(hooks, 'connect'): ..."),
}


@pytest.mark.parametrize(("handler", "replacing"), REPLACING.values(), ids=REPLACING)
def test_a_handler_that_is_replaced_behind_its_registration_is_left(handler, replacing):
    head = "from unittest.mock import patch\nimport hooks\n\ndef test_it(monkeypatch):\n"
    other = f"{head}    {replacing}\n"
    files = {"main": HOOKED.format(handler=handler), "hooks": HOOKS}

    assert [level for level, _ in found(**files)] == [Level.SAFE]
    assert found(**files, test_it=other) == [(Level.MANUAL, "name-rebound")]
