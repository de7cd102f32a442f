import inspect
import sys

from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
def warm_up():
    log.append(sys._getframe().f_code.co_name)


@app.on_event("shutdown")
async def cool_down():
    log.append(inspect.currentframe().f_code.co_name)


with TestClient(app):
    pass
print(log)
