"""Run blocking functions with `asyncio.to_thread()` instead of `run_in_executor(None, ...)`.

## What

`await loop.run_in_executor(None, f, a)` becomes `await asyncio.to_thread(f, a)`. Keywords are
passed as such: `functools.partial(f, a, k=v)` and `lambda: f(a, k=v)` become `f, a, k=v`. The
variable `loop` goes where nothing else uses it.

## Why

`to_thread()` needs no loop, takes keyword arguments, and lets the function see the context
variables of its caller: a request id in its log lines, for instance.

## Before

```python
import asyncio
import functools


def scale(value, *, by=1):
    return value * by


async def main(value):
    loop = asyncio.get_event_loop()
    once = await loop.run_in_executor(None, scale, value)
    twice = await loop.run_in_executor(None, functools.partial(scale, value, by=2))
    return once, twice
```

## After

```python
import asyncio


def scale(value, *, by=1):
    return value * by


async def main(value):
    once = await asyncio.to_thread(scale, value)
    twice = await asyncio.to_thread(scale, value, by=2)
    return once, twice
```

## Safety

*Safe* means: the same function runs with the same arguments in a thread of the same executor, and
its result or exception comes back at the same place. `to_thread()` calls `run_in_executor(None,
...)` of the running loop; a future of any other loop could not be awaited here.

*Unsafe*, with what may change:

* in a program that uses context variables, those of `decimal`, or a library that is known to
  keep some, such as Flask, structlog and OpenTelemetry: the function sees those of its caller,
  and what it sets is not seen by others
* what is not proven to be a loop of asyncio, or is the result of some other call
* as an argument of `asyncio.gather()` or `asyncio.wait_for()` that is awaited: the threads start
  when the loop runs next, not at once, and never with a timeout of zero
* a test that puts something in the place of `run_in_executor()`, or a loop class of the program
  that has one of its own
* a loop that is asked of a property; a coroutine function, which a loop in debug mode refuses

A `lambda` goes only if it means the same before the thread starts: it calls a function or a method
that nothing replaces, with constants and with names that nothing rebinds meanwhile. Other
coroutines may assign to attributes, so a `lambda` that passes one stays as it is.

## What it refuses

An executor that is not literally `None`: its size and kind are a choice. A future that is stored,
returned or passed on: `run_in_executor()` starts the thread at once, `to_thread()` when it is
awaited. Arguments of which the first two cannot be told apart.

Not sites are `run_in_executor()` of other libraries, such as that of tornado, and of the program.

## On real programs

| programs | safe | unsafe | manual | read: right, wrong, of little use |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 3 | 5 | none |
| the six of `benchmarks/asyncio.md` | 1 | 31 | 50 | 4, 0, 8 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": `to_thread()`; "Event Loop": `run_in_executor()`
* `Lib/asyncio/threads.py` of CPython 3.11 and 3.13
"""

from awaken.codemods.asyncio.executor_to_thread.plan import ExecutorToThread

__all__ = ["ExecutorToThread"]
