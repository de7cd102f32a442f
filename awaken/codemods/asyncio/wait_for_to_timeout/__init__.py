"""Replace `asyncio.wait_for()` with an `asyncio.timeout()` block.

## What

`await asyncio.wait_for(c, t)` becomes `await c` in a block `async with asyncio.timeout(t)`. The
statement moves into the block. A handler of `TimeoutError` stays outside the block.

## Why

A block can limit several steps together. It knows its deadline (`when()`) and can move it
(`reschedule()`). Since Python 3.12, `wait_for()` itself uses `timeout()`. The change is a matter of
style: `wait_for()` is not deprecated.

## Before (unsafe)

```python
import asyncio


async def receive(queue):
    try:
        order = await asyncio.wait_for(queue.get(), timeout=5)
    except TimeoutError:
        return None
    return order
```

## After (unsafe)

```python
import asyncio


async def receive(queue):
    try:
        async with asyncio.timeout(5):
            order = await queue.get()
    except TimeoutError:
        return None
    return order
```

## Safety

A *safe* rewrite does the same on every Python version that the project allows. That requires Python
3.12 or later, and a timeout that is `None` or proved to be positive.

An *unsafe* rewrite depends on something that awaken cannot prove. Its message says what may change:

| case | what may change |
| --- | --- |
| the project allows Python 3.11 | `wait_for()` ran the coroutine in a separate task: with its own context variables, from the next iteration of the loop |
| the timeout may be zero or negative | `wait_for()` never starts a coroutine then; `timeout()` lets it run until it first suspends |
| a call creates the awaitable, and may take time | the timeout includes that call |
| a call computes the timeout | it runs before the awaitable is created |
| a test replaces `wait_for()` | the replacement gets no call |

## What it refuses

| left alone | why |
| --- | --- |
| `wait_for()` that is not awaited immediately | no block contains the `await` |
| a statement that first awaits, yields or calls something else | the timeout would include it |
| the head of an `if`, `for` or `while` | the timeout would include the body |
| a part of an expression that may be skipped or repeated | the block runs exactly once |
| a timeout of zero or less | the awaitable never starts, or must already be done |
| `loop=` | it fails since Python 3.10 |
| a line with other statements | only one of them belongs in the block |
| a line with a comment that a tool reads, such as `# noqa` | the comment would apply to another line |

awaken does not report `wait_for(asyncio.gather(...))` here: `gather-to-taskgroup` rewrites it.

Ruff does not report `wait_for()`. ASYNC109 advises `asyncio.timeout()` for coroutine functions with
a parameter `timeout`. UP041 writes `TimeoutError` for `asyncio.TimeoutError`.

## On real programs

| programs | safe | unsafe | manual | read: right, wrong, of little use |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 5 | 1 | none |
| the six of `benchmarks/asyncio.md` | 0 | 134 | 1 | 11, 0, 1 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": "Timeouts"
* `Lib/asyncio/tasks.py` of CPython 3.11 and 3.13: `wait_for`; `Lib/asyncio/timeouts.py`
"""  # noqa: E501  rows of tables

from awaken.codemods.asyncio.wait_for_to_timeout.plan import WaitForToTimeout

__all__ = ["WaitForToTimeout"]
