"""Replace `asyncio.wait_for()` with an `asyncio.timeout()` block.

## What

`await asyncio.wait_for(c, t)` becomes `await c` in a block `async with asyncio.timeout(t)`. The
statement around it moves into the block, and what handles `TimeoutError` stays around that.

## Why

A block can hold more than one step under one limit, tells when it ends (`when()`), and can be given
more time (`reschedule()`). Since Python 3.12 `wait_for()` is made of it. This is a matter of style:
`wait_for()` is not deprecated.

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

*Safe* means: where the program runs on Python 3.12 or later, it does the same. There `wait_for()`
is this block, unless the timeout is zero or less; and calling a coroutine function runs none of it.

*Unsafe*, with what may change:

* in a program that runs on Python 3.11: there `wait_for()` ran a coroutine in a task of its own,
  with context variables of its own, and began with the next round of the loop
* a timeout that is not proven to be positive or `None`: with zero or less, `wait_for()` never
  starts a coroutine, and `timeout()` lets it run until it first waits
* what is called to make the awaitable, if it may take time: that now counts
* a timeout that is worked out: that now happens before the awaitable is made
* a test that puts something in the place of `wait_for()`

## What it refuses

What is not awaited where it is made. A statement in which something else is awaited, yielded or
called before, for that would be limited as well; the head of an `if`, a `for` or a `while`; parts
of an expression that may be skipped or repeated. A timeout that is zero or less. `loop=`, which
fails since Python 3.10. A line with other statements, or with a comment that a tool reads.

`wait_for(asyncio.gather(...))` is no site: `gather-to-taskgroup` is about that.

Ruff reports no `wait_for()`. Its ASYNC109 advises `asyncio.timeout()` where a coroutine function
has a parameter `timeout`, and UP041 writes `TimeoutError` for `asyncio.TimeoutError`.

## On real programs

| programs | safe | unsafe | manual | read: right, wrong, of little use |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 5 | 1 | none |
| the six of `benchmarks/asyncio.md` | 0 | 134 | 1 | 11, 0, 1 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": "Timeouts"
* `Lib/asyncio/tasks.py` of CPython 3.11 and 3.13: `wait_for`; `Lib/asyncio/timeouts.py`
"""

from awaken.codemods.asyncio.wait_for_to_timeout.plan import WaitForToTimeout

__all__ = ["WaitForToTimeout"]
