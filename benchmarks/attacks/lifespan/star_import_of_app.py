from application import *
from fastapi.testclient import TestClient


@app.on_event("startup")
def late():
    log.append("late")


with TestClient(app):
    pass
print(log)
# --- application.py
from fastapi import FastAPI

log = []
app = FastAPI()


@app.on_event("startup")
def early():
    log.append("early")
