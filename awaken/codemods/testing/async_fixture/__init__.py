"""Decorate asynchronous fixtures so that pytest-asyncio runs them.

## What

In the strict mode of pytest-asyncio, `@pytest.fixture` on a coroutine function or an asynchronous
generator becomes `@pytest_asyncio.fixture`. Arguments stay. If all tests that ask for the fixture
run in the loop of their module or session, and the fixture would not, it gets their `loop_scope`.

The mode is read from pytest's own settings, the plugins from requirements, settings, marks and
imports. A fixture that tests of AnyIO ask for is left to AnyIO, which runs plain fixtures.

## Why

In strict mode, which is the default since pytest-asyncio 0.19, nobody runs such a fixture: the test
gets a coroutine or an asynchronous generator that nothing awaits. pytest 8.4 warns of it, and since
pytest 9 it is an error.

## Before

```python test_shop.py
import pytest


class Shop:
    orders = 3


@pytest.fixture
async def shop():
    yield Shop()


@pytest.mark.asyncio
async def test_orders(shop):
    assert shop.orders == 3
```

## After

```python test_shop.py
import pytest
import pytest_asyncio


class Shop:
    orders = 3


@pytest_asyncio.fixture
async def shop():
    yield Shop()


@pytest.mark.asyncio
async def test_orders(shop):
    assert shop.orders == 3
```

## Safety

*Safe* means: no test that passes today asks for the fixture. Each that does uses what it gets in a
way in which a coroutine or a generator fails, or pytest is 9 at least, which fails all of them.

*Unsafe* is a fixture that tests ask for without such a use, or that runs for all tests by itself:
today its body never runs, and after the rewrite it does. The same holds for a fixture outside of
the tests, which others may load.

## What it refuses

Fixtures that a test or another fixture awaits or iterates over itself; that some tests run under
AnyIO and others under pytest-asyncio; whose loop would be another than that of their tests; with
other decorators, or with arguments that `pytest_asyncio.fixture` does not take; where another
plugin or a hook of the program may run fixtures, or puts marks on tests; and all where the settings
of pytest are not read.

## On real programs

On the 33 programs of `benchmarks/recipes/statuses.md`, with `--unsafe-fixes`. The place was read,
and is right.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| cognee 1.6.5 | 1 | 0 | 0 |
| 32 others | 0 | 0 | 0 |

## Sources

* pytest-asyncio 1.3, "Test discovery modes", "Fixtures", "Configuration"; changelog 0.17 to 1.0
* pytest 9, "Deprecations and Removals": sync test depending on async fixture
* `anyio/pytest_plugin.py` of AnyIO 4.16: `pytest_fixture_setup`
* Its cases were run with pytest-asyncio 0.23.8 on pytest 8.2.2, and with 1.3 on pytest 9
"""

from awaken.codemods.testing.async_fixture.plan import AsyncFixture

__all__ = ["AsyncFixture"]
