"""Mark coroutine tests that no plugin runs.

## What

awaken adds a mark to a coroutine test that has none:

| the tests use | awaken adds |
| --- | --- |
| pytest-asyncio in strict mode | `@pytest.mark.asyncio` |
| the plugin of AnyIO | `@pytest.mark.anyio` |
| both | the mark that fits the fixtures and the other tests of the file |

Fixtures may live in the event loop of their module or session. Then the mark of the test gets their
`loop_scope`.

awaken sees marks of functions, of classes and their base classes, and `pytestmark`, also under
other names. It reads the mode from the settings of pytest.

## Why

Strict mode is the default since pytest-asyncio 0.19. In it, a test without a mark does not run.
Before pytest 8.4, such a test is skipped with a warning, so the suite passes and tests nothing.
Since 8.4, it fails.

## Before (unsafe)

```python test_shop.py
from shop import load_orders


async def test_orders():
    assert await load_orders() == []
```

## After (unsafe)

```python test_shop.py
import pytest

from shop import load_orders


@pytest.mark.asyncio
async def test_orders():
    assert await load_orders() == []
```

## The program of the example

```ini pytest.ini
[pytest]
asyncio_mode = strict
```

```python shop.py
async def load_orders():
    return []
```

```python test_users.py
import pytest


@pytest.mark.asyncio
async def test_users():
    assert not set()
```

## Safety

Every rewrite is *unsafe*, because code runs that does not run today:

| case | what may change |
| --- | --- |
| the test fails | the suite fails |
| the test leaves a variable, a file, a row or an environment variable | a later test may see it |

## What it does not report

| not reported | why |
| --- | --- |
| programs that declare neither pytest nor its settings | nothing says how their tests run |
| tests with unknown decorators, of `unittest` or of another plugin | something else may run them |
| tests that a hook of the program runs or marks | the hook decides |

## What it refuses

| left alone | why |
| --- | --- |
| tests that yield | no plugin runs them |
| tests of classes with an unknown base class | that class may run them |
| tests that both plugins could run | nothing says which one |
| tests whose fixtures live in several event loops | one mark names one loop |
| all tests, if the program uses no plugin | nothing would run them |
| all tests, if awaken cannot read the settings of pytest | the mode is unknown |

## Sources

* pytest-asyncio 1.3, "Test discovery modes", "Markers"; AnyIO 4.16, "Testing with AnyIO"
* pytest 8.4, changelog, issue 11372: coroutine tests without a plugin fail
* Its cases were run with pytest-asyncio 1.3 on pytest 9
"""

from awaken.codemods.testing.async_test_marker.plan import AsyncTestMarker

__all__ = ["AsyncTestMarker"]
