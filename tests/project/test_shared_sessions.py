"""Which coroutines that run at once use one session."""

from __future__ import annotations

import ast

import pytest
from programs import module_of, program

HEAD = """
import asyncio
import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker

maker = async_sessionmaker()
registry = async_scoped_session(maker, scopefunc=asyncio.current_task)

class Users:
    def __init__(self, session: AsyncSession, size: int = 1):
        self.session = session
        self.lock = asyncio.Lock()

    @property
    def fresh(self) -> AsyncSession:
        return maker()

    @property
    def __hidden(self) -> AsyncSession:
        return maker()

    async def get(self, key):
        return await self.session.get(object, key)

    async def relayed(self, key):
        return await self.get(key)

    def handed(self, key):
        return self.session.get(object, key)

    async def locked(self, key):
        async with self.lock:
            return await self.session.get(object, key)

    async def separate_record(self, key):
        return await self.fresh.get(object, key)

    async def hidden(self, key):
        return await self.__hidden.get(object, key)

    async def pure(self, key):
        self.session.add(key)
        return await asyncio.sleep(key)

async def load(session: AsyncSession, key):
    async with session.begin():
        return await session.scalar(key)

async def own(key):
    async with maker() as session:
        return await session.scalar(key)

async def again(users: Users, key):
    return await asyncio.gather(users.get(key), again(users, key))
"""

SUBCLASS = """
class Sub(Users):
    async def get(self, key):
        await super().get(key)

"""


def shared(body, head=HEAD):
    """Return what the coroutines that ``gather`` is given in ``main`` share."""
    project = program({"app.py": f"{head}\n{body}"})
    module = module_of(project, "app.py")
    calls = [
        node
        for node in module.walk()
        if isinstance(node, ast.Call) and module.text_of(node.func) == "gather"
    ]
    made = [inner for one in calls[-1].args for inner in elements(one)]
    return project.orm.shared_sessions.shared_session(module, calls[-1], made)


def elements(node):
    if isinstance(node, ast.Starred):
        node = node.value
        return [node.elt] if isinstance(node, ast.ListComp) else node.elts
    return [node]


def main(arguments, *before, given="s: AsyncSession, users: Users"):
    lines = "\n    ".join((*before, f"await gather({arguments})"))
    return f"async def main({given}):\n    {lines}\n"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (main("s.execute(1), s.execute(2)"), "s"),
        (main("load(s, 1), load(key=2, session=s)"), "s"),
        (main("users.get(1), users.relayed(2)"), "users.session"),
        (main("users.handed(1), load(users.session, 2)"), "users.session"),
        (main("Users(s).get(1), Users(s).get(2)"), "s"),
        (main("a.get(1), b.get(2)", "a = Users(s)", "b = Users(s, size=3)"), "s"),
        (main("own(1), load(s, 1), asyncio.wait_for(s.commit(), 3)"), "s"),
        (main("again(users, 1), users.get(2)"), "users.session"),
        (main("*[load(s, key) for key in (1, 2)]"), "s"),
        (main("*[one(key) for key in (1, 2)]", "async def one(k): await load(s, k)"), "s"),
        (main("a, b", "a = load(s, 1)", "b = load(s, 2)"), "s"),
        (main("c.execute(1), c.execute(2)", given="c: AsyncConnection"), "c"),
        (main("c.fetch(1), c.fetch(2)", given="c: asyncpg.Connection"), "c"),
        (f"session = maker()\n{main('load(session, 1), load(session, 2)')}", "session"),
        (SUBCLASS + main("u.get(1), u.get(2)", given="u: Sub"), "u.session"),
    ],
)  # fmt: skip
def test_one_session(body, shown):
    found = shared(body)
    assert found is not None
    assert found.shown == shown
    assert all(place.path == "app.py" for place in found.places)


@pytest.mark.parametrize(
    "body",
    [
        main("load(s, 1), asyncio.sleep(1)"),
        main("load(s, 1), own(2), own(3)"),
        main("load(s, 1), load(t, 2)", given="s: AsyncSession, t: AsyncSession"),
        main("users.locked(1), users.locked(2)"),
        main("users.apart(1), users.apart(2)"),
        main("users.hidden(1), users.hidden(2)"),
        main("users.pure(1), users.pure(2)"),
        main("Users(maker()).get(1), Users(maker()).get(2)"),
        main("*[load(one, 1) for one in (s, s)]"),
        main("*[one(key) for key in (1, 2)]", "async def one(k):", "    t = maker()",
             "    await load(t, k)"),
        main("registry.execute(1), registry.execute(2)"),
        main("a", "a = load(s, 1) if users else load(s, 2)"),
        main("*[load(s, 1) if users else users]"),
        main("s.execute(1), s.execute(2)", given="s"),
    ],
)  # fmt: skip
def test_no_session_that_is_shared_for_certain(body):
    assert shared(body) is None


def test_a_loop_around_all_of_it_makes_one_at_a_time():
    body = main("load(s, key), own(1)", "for key in (1, 2):", "    pass")
    looped = body.replace("    pass\n    await", "        await")
    assert "        await gather" in looped
    assert shared(looped) is None


def test_a_loop_around_the_coroutine_alone_makes_several():
    project = program(
        {
            "app.py": f"{HEAD}\nasync def main(s: AsyncSession, keys, gather):\n    jobs = []\n"
            "    for key in keys:\n        jobs.append(load(s, key))\n"
            "        if key:\n            a = own(1)\n        else:\n            b = own(2)\n"
            "    await gather(*jobs)\n"
        }
    )
    module = module_of(project, "app.py")
    calls = {module.text_of(one): one for one in module.walk() if isinstance(one, ast.Call)}
    gather = calls["gather(*jobs)"]
    assert project.orm.shared_sessions.shared_session(module, gather, [calls["load(s, key)"]])
    assert not project.orm.shared_sessions.shared_session(
        module, gather, [calls["own(1)"], calls["own(2)"]]
    )


@pytest.mark.parametrize("branches", ["if keys:", "match keys:\n        case 1:"])
def test_coroutines_of_two_branches_never_meet(branches):
    inside = "        " if branches.startswith("if") else "            "
    other = "    else:" if branches.startswith("if") else "        case _:"
    body = (
        f"async def main(s: AsyncSession, keys, gather):\n    {branches}\n"
        f"{inside}job = load(s, 1)\n{other}\n{inside}job = load(s, 2)\n    await gather(job)\n"
    )
    project = program({"app.py": f"{HEAD}\n{body}"})
    module = module_of(project, "app.py")
    calls = {module.text_of(one): one for one in module.walk() if isinstance(one, ast.Call)}
    made = [calls["load(s, 1)"], calls["load(s, 2)"]]
    assert not project.orm.shared_sessions.shared_session(module, calls["gather(job)"], made)


def test_a_program_without_such_sessions_is_not_looked_into():
    head = "import other\nAsync = other.Async\n"
    assert shared(main("s.execute(1), s.execute(2)", given="s: Async"), head) is None
