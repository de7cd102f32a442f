import io
import logging

from fastapi import FastAPI
from fastapi.testclient import TestClient

stream = io.StringIO()
logging.basicConfig(stream=stream, format="%(funcName)s %(message)s", level="INFO")
logging.getLogger("httpx").setLevel("ERROR")
app = FastAPI()


@app.on_event("startup")
def connect():
    logging.info("connected")


@app.on_event("shutdown")
def disconnect():
    logging.info("gone")


with TestClient(app):
    pass
print([line for line in stream.getvalue().splitlines()])
