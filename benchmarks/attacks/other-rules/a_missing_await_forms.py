# announced: code that never ran now runs
# rules: missing-await
import asyncio
import warnings

warnings.simplefilter("ignore")
log: list[str] = []


async def save(name: str) -> bool:
    log.append(name)
    return True


class Store:
    async def flush(self) -> None:
        log.append("flush")


async def main() -> None:
    save("bare")
    if save("condition"):
        log.append("true")
    store = Store()
    store.flush()
    kept = save("kept")
    log.append(str(asyncio.iscoroutine(kept)))
    await kept
    print(log)


asyncio.run(main())
