# announced: it fails today, and a surrounding `except` hides that
# rules: pool-event-target
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")
log: list[str] = []


def register(target) -> None:
    @event.listens_for(target, "connect")
    def connected(connection, record) -> None:
        log.append("connect")


def main() -> None:
    @event.listens_for(engine, "checkout")
    def checkout(connection, record, proxy) -> None:
        log.append("checkout")


try:
    main()
except Exception as error:
    print(type(error).__name__)
try:
    register(engine)
except Exception as error:
    print(type(error).__name__)
register(engine.sync_engine)
print(log)
