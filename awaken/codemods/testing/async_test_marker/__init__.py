"""Mark coroutine tests that no plugin runs.

## What

A coroutine test without a mark that says what runs it gets `@pytest.mark.asyncio` where
pytest-asyncio is in its strict mode, or `@pytest.mark.anyio` where the program uses the plugin of
AnyIO. If both are used, the fixtures and the other tests of the file decide. If the fixtures of the
test live in the loop of their module or session, the mark gets their `loop_scope`.

Marks of the function, of its classes with what they inherit, and `pytestmark` of the file are seen,
under other names as well. The mode is read from pytest's own settings.

## Why

In strict mode, which is the default of pytest-asyncio since 0.19, a test without a mark is not run.
pytest before 8.4 skips it with a warning, so the suite stays green and tests nothing; newer ones
fail it.

## Before (unsafe)

```ini pytest.ini
[pytest]
asyncio_mode = strict
```

```python test_shop.py
import asyncio

import pytest


@pytest.mark.asyncio
async def test_open():
    await asyncio.sleep(0)


async def test_orders():
    await asyncio.sleep(0)
    assert [1, 2]
```

## After (unsafe)

```ini pytest.ini
[pytest]
asyncio_mode = strict
```

```python test_shop.py
import asyncio

import pytest


@pytest.mark.asyncio
async def test_open():
    await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_orders():
    await asyncio.sleep(0)
    assert [1, 2]
```

## Safety

Every change is *unsafe*: code runs that does not run today. The test may fail, and it may leave
behind what a later test finds: a variable of a module, a file, a row, an environment variable.

## What it refuses

Tests that yield; of classes whose base is unknown; that both plugins could run; whose fixtures live
in other loops than one mark can name; and all tests of a program that uses no plugin, or whose
settings of pytest are not read.

A program that declares neither pytest nor its settings has no site: nothing says how its tests run.
Tests with other decorators are no sites, nor are tests of `unittest`, of another plugin, or of a
hook of the program that runs or marks them.

## Sources

* pytest-asyncio 1.3, "Test discovery modes", "Markers"; AnyIO 4.16, "Testing with AnyIO"
* pytest 8.4, changelog, issue 11372: coroutine tests without a plugin fail
* Its cases were run with pytest-asyncio 1.3 on pytest 9
"""

from awaken.codemods.testing.async_test_marker.plan import AsyncTestMarker

__all__ = ["AsyncTestMarker"]
