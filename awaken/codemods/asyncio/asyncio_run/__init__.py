"""Start programs with `asyncio.run()` instead of a hand-made event loop.

## What

| you write | awaken writes |
| --- | --- |
| `loop.run_until_complete(main())`, with a loop of `get_event_loop()` or `new_event_loop()` | `asyncio.run(main())` |
| `asyncio.get_event_loop().run_until_complete(main())` | `asyncio.run(main())` |
| `set_event_loop()`, `loop.close()`, `loop.run_until_complete(loop.shutdown_asyncgens())` | nothing |
| a `finally` that contains only these | nothing |

Only the entry of a program is rewritten:

* code at the top of a file, also under `if __name__ == "__main__":`
* a function of the file named `main`, or called under `if __name__ == "__main__":`

## Why

`asyncio.run()` creates the loop and closes it. It also cancels the remaining tasks and closes
asynchronous generators. Since Python 3.14, `get_event_loop()` raises if no loop is set.

## Before

```python
import asyncio


async def main():
    return "done"


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
```

## After

```python
import asyncio


async def main():
    return "done"


if __name__ == "__main__":
    asyncio.run(main())
```

## Safety

A *safe* rewrite runs the same coroutine to its end in one loop, with the same result or exception.
It requires all of these, so that nothing belongs to another loop:

* The call is under `if __name__ == "__main__":`.
* The file imports no other file of the program, and only well-known modules of the standard library.
* Before the call, the file calls only builtins and functions of these modules.
* The file starts no task and no thread, and its asynchronous generators are closed as before.

Every other rewrite is *unsafe*:

| case | what may change |
| --- | --- |
| an object was created before the call | it may belong to another loop, because `asyncio.run()` creates a new one |
| tasks remain when the coroutine ends | they are cancelled |

## What it refuses

| left alone | why |
| --- | --- |
| a loop that runs several coroutines | each `asyncio.run()` has its own loop, and cancels the tasks that remain |
| a loop that runs forever, or handles signals | `asyncio.run()` does neither |
| a loop that other files may import | they need the variable |
| a file that sets another loop, or gets the loop a second time | after `asyncio.run()`, no loop is set |
| `asyncio.gather()` and `asyncio.wait()` | they need a running loop |
| an argument that may not be a coroutine | `asyncio.run()` accepts only coroutines |
| statements that share a line with others | they cannot be removed separately |
| files that use `nest_asyncio` | loops run inside other loops there |

awaken does not report calls in methods, nested functions and functions that are no entry. A loop
may run there, or the next call may need the same loop. In coroutines, `nested-asyncio-run` rewrites
these calls.

## On real programs

33 programs (`benchmarks/recipes/statuses.md`), with `--unsafe-fixes`. Every place was read, and is
right: each creates a loop, runs one coroutine and ends.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| chia-blockchain 2.7.5 | 0 | 1 | 0 |
| cognee 1.6.5 | 0 | 13 | 0 |
| 31 others | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Runners": `run()`; "Event Loop": `get_event_loop()`
* `Lib/asyncio/runners.py` of CPython 3.11 and 3.14
"""  # noqa: E501  rows of tables

from awaken.codemods.asyncio.asyncio_run.plan import AsyncioRun

__all__ = ["AsyncioRun"]
