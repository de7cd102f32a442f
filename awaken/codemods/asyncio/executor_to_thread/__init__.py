"""Run blocking functions with `asyncio.to_thread()` instead of `run_in_executor(None, ...)`.

## What

| you write | awaken writes |
| --- | --- |
| `await loop.run_in_executor(None, f, a)` | `await asyncio.to_thread(f, a)` |
| `functools.partial(f, a, k=v)` as the function | `f, a, k=v` |
| `lambda: f(a, k=v)` as the function | `f, a, k=v`, if `f` and its arguments cannot change before the thread starts |
| `loop = asyncio.get_event_loop()`, if nothing else uses it | nothing |

## Why

`to_thread()` needs no loop and takes keyword arguments. The function also sees the context
variables of its caller, for example a request id for its log messages.

## Before

```python
import asyncio
import functools


def scale(value, *, by=1):
    return value * by


async def main(value):
    loop = asyncio.get_event_loop()
    once = await loop.run_in_executor(None, scale, value)
    return once, await loop.run_in_executor(None, functools.partial(scale, value, by=2))
```

## After

```python
import asyncio


def scale(value, *, by=1):
    return value * by


async def main(value):
    once = await asyncio.to_thread(scale, value)
    return once, await asyncio.to_thread(scale, value, by=2)
```

## Safety

A *safe* rewrite runs the same function with the same arguments in a thread of the same executor.
Its result or exception arrives in the same place, because `to_thread()` itself calls
`run_in_executor(None, ...)` of the running loop.

An *unsafe* rewrite depends on something that awaken cannot prove. Its message says what may change:

| case | what may change |
| --- | --- |
| the program uses context variables, `decimal` contexts, or a library that keeps some, such as Flask, structlog or OpenTelemetry | the function sees the values of its caller, and other code does not see the values that it sets |
| the receiver may not be an asyncio loop | its method may do something else |
| another call returns the loop | that call no longer runs |
| a property returns the loop | the property is no longer read |
| the call is an argument of an awaited `asyncio.gather()` or `asyncio.wait_for()` | the thread starts in the next iteration of the loop, and never with a timeout of zero |
| a test replaces `run_in_executor()` or `to_thread()` | the first gets no call; the second gets this one |
| a loop class of the program overrides `run_in_executor()` | `to_thread()` calls it with a wrapper of the function |
| the program sets another default executor than a `ThreadPoolExecutor` | the executor gets that wrapper; a process pool cannot pickle it |
| the function is a coroutine function | a loop in debug mode rejects it; `to_thread()` does not |

A `lambda` stays a `lambda` if other code may change what it means before the thread starts. Other
coroutines may assign to attributes, so a `lambda` that passes an attribute stays.

## What it refuses

| left alone | why |
| --- | --- |
| an executor that is not the literal `None` | its size and kind are a choice |
| a future that is stored, returned or passed on | `run_in_executor()` starts the thread immediately, `to_thread()` when it is awaited |
| arguments that hide the executor or the function, such as `*args` | awaken cannot separate them |

awaken does not report `run_in_executor()` of the program's own classes and of other libraries, such
as tornado.

## On real programs

| programs | safe | unsafe | manual | read: right, wrong, of little use |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 3 | 5 | none |
| the six of `benchmarks/asyncio.md` | 1 | 31 | 50 | 4, 0, 8 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": `to_thread()`; "Event Loop": `run_in_executor()`
* `Lib/asyncio/threads.py` of CPython 3.11 and 3.13
"""  # noqa: E501  rows of tables

from awaken.codemods.asyncio.executor_to_thread.plan import ExecutorToThread

__all__ = ["ExecutorToThread"]
