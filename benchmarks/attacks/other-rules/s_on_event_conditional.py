# rules: on-event-to-lifespan
import os
from fastapi import FastAPI
from fastapi.testclient import TestClient

DEBUG = os.environ.get("DEBUG_APP", "1") == "1"
app = FastAPI()
log: list[str] = []

if DEBUG:
    @app.on_event("startup")
    def debug() -> None:
        log.append("debug")
else:
    @app.on_event("startup")
    def production() -> None:
        log.append("production")

try:
    import missing_module_xyz
except ImportError:
    @app.on_event("startup")
    async def fallback() -> None:
        log.append("fallback")

DEBUG = False


@app.on_event("startup")
def last() -> None:
    log.append(f"last {DEBUG}")


def debug_is_called() -> None:
    if "debug" in globals():
        debug()


with TestClient(app):
    print(log)
debug_is_called()
print(log)
