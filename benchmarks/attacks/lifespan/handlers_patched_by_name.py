from unittest.mock import patch

from fastapi import FastAPI
from fastapi.testclient import TestClient

import hooks

app = FastAPI()
app.add_event_handler("startup", hooks.connect)
with patch("hooks.connect"), TestClient(app):
    print(hooks.log)
with patch.object(hooks, "helper", lambda: hooks.log.append("patched")), TestClient(app):
    print(hooks.log)
# --- hooks.py
log = []


def helper():
    log.append("helper")


def connect():
    helper()
