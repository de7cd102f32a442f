from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()  # the application


# above the handler
@app.on_event("startup")  # on the decorator
def up():
    """Say hello."""
    # inside
    log.append("""a
    b""")  # behind
    # at the end


with TestClient(app):
    pass
print(log)
