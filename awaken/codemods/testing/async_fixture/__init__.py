"""Decorate asynchronous fixtures so that pytest-asyncio runs them.

## What

In the strict mode of pytest-asyncio, `@pytest.fixture` on a coroutine function or an asynchronous
generator becomes `@pytest_asyncio.fixture`. The arguments stay.

All tests that request the fixture may run in the event loop of their module or session. If the
fixture would run in another loop, it gets their `loop_scope`.

awaken reads the mode from the settings of pytest. It reads the plugins from requirements, settings,
marks and imports. AnyIO runs plain fixtures, so a fixture that only AnyIO tests request stays.

## Why

Strict mode is the default since pytest-asyncio 0.19. In it, nothing runs such a fixture: the test
gets a coroutine or an asynchronous generator. pytest 8.4 warns, and pytest 9 fails the test.

## Before

```python test_shop.py
import pytest


@pytest.fixture
async def orders():
    yield ["ann"]


@pytest.mark.asyncio
async def test_orders(orders):
    assert orders[0] == "ann"
```

## After

```python test_shop.py
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def orders():
    yield ["ann"]


@pytest.mark.asyncio
async def test_orders(orders):
    assert orders[0] == "ann"
```

## Safety

A *safe* rewrite changes no test that passes today. Either every test that requests the fixture uses
its value, which fails with a coroutine or a generator. Or the project requires pytest 9, which
fails every such test.

| case | what may change (unsafe) |
| --- | --- |
| a test requests the fixture but may not use its value | the body of the fixture never runs today, and will run |
| a test that requests the fixture is marked `xfail` | the test fails today, and will run with the value |
| every test gets the fixture, by `autouse` or by the setting `usefixtures` | its body will run for all of them |
| the fixture is outside the tests, and other projects may load it | its body will run there |

## What it refuses

| left alone | why |
| --- | --- |
| a fixture that a test or another fixture awaits or iterates over itself | that code expects the coroutine or the generator |
| a fixture of tests that run under AnyIO and under pytest-asyncio | each plugin needs another decorator |
| a fixture whose event loop would differ from the loop of its tests | its value may belong to the wrong loop |
| a fixture with other decorators | their effect is unknown |
| arguments that `pytest_asyncio.fixture` does not take | the call would fail |
| fixtures that another plugin or a hook of the program may run | the fixture may work today |
| fixtures of tests that a hook of the program marks | the event loop of the tests is unknown |
| all fixtures, if awaken cannot read the settings of pytest | the mode is unknown |

## On real programs

33 programs (`benchmarks/recipes/statuses.md`), with `--unsafe-fixes`. The one place was read, and
is right.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| cognee 1.6.5 | 1 | 0 | 0 |
| 32 others | 0 | 0 | 0 |

## Sources

* pytest-asyncio 1.3, "Test discovery modes", "Fixtures", "Configuration"; changelog 0.17 to 1.0
* pytest 9, "Deprecations and Removals": sync test depending on async fixture
* `anyio/pytest_plugin.py` of AnyIO 4.16: `pytest_fixture_setup`
* Its cases were run with pytest-asyncio 0.23.8 on pytest 8.2.2, and with 1.3 on pytest 9
"""  # noqa: E501  rows of tables

from awaken.codemods.testing.async_fixture.plan import AsyncFixture

__all__ = ["AsyncFixture"]
