"""Start programs with `asyncio.run()` instead of a hand-made event loop.

## What

At the entry of a program, `loop = asyncio.get_event_loop()` or `new_event_loop()` with
`loop.run_until_complete(main())` becomes `asyncio.run(main())`. `set_event_loop()`, `loop.close()`
and a `finally` that holds nothing else go with the loop.

The entry is what stands under `if __name__ == "__main__":`, at the top of a file, and in a function
of that file that is called `main`, or by its name under `__main__`.

## Why

`asyncio.run()` makes the loop, cancels what is left of tasks, closes asynchronous generators and
the loop. `get_event_loop()` fails without a loop since Python 3.14.

## Before

```python
import asyncio


async def main():
    await asyncio.sleep(0)
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
    await asyncio.sleep(0)
    return "done"


if __name__ == "__main__":
    asyncio.run(main())
```

## Safety

*Safe* means: the coroutine runs to its end in a loop of the program, and comes to the same result
or exception. That holds under `__main__` in a file that imports nothing of the program, and that
calls nothing before but builtins and functions of a few modules of the standard library, and that
begins no task and no asynchronous generator, which would be cancelled or closed in the end: then
nothing can belong to another loop.

*Unsafe* everywhere else, for `asyncio.run()` makes a new loop: what was made before may belong to
another one, and tasks that are left are cancelled.

## What it refuses

A loop that is used for anything else: to run several coroutines (two calls of `asyncio.run()` have
two loops, and what the first one left belongs to none), to run forever, for signal handlers. A file
that sets another loop, or asks for one a second time: behind `asyncio.run()` there is none. What
is not proven to be a coroutine, such as `asyncio.gather()`, which needs a running loop. Lines that
are shared with other statements, and files that use `nest_asyncio`.

Calls in methods, nested functions and all functions that are no entry are no sites: a loop may
run there, or the next call need the same loop. In coroutines they always fail.

## On real programs

On the 33 programs of `benchmarks/recipes/statuses.md`, with `--unsafe-fixes`. Each place was read,
and is right: all make a loop, run one coroutine and end.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| chia-blockchain 2.7.5 | 0 | 1 | 0 |
| cognee 1.6.5 | 0 | 13 | 0 |
| 31 others | 0 | 0 | 0 |

## Sources

* Python 3.14, `asyncio`, "Runners": `run()`; "Event Loop": `get_event_loop()`
* `Lib/asyncio/runners.py` of CPython 3.11 and 3.14
"""

from awaken.codemods.asyncio.asyncio_run.plan import AsyncioRun

__all__ = ["AsyncioRun"]
