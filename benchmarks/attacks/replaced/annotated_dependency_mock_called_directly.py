# pytest: yes
# rules: annotated-dependency
from fastapi import Depends, FastAPI, Query

app = FastAPI()


def settings() -> dict:
    return {"size": 10}


@app.get("/page")
def page(limit: int = Query(5, le=100), config: dict = Depends(settings)) -> list:
    return [limit, config["size"]]


# --- tests/test_page.py
from inspect import signature
from unittest.mock import create_autospec, patch

import main


def test_defaults_of_the_signature():
    parameters = signature(main.page).parameters
    assert parameters["limit"].default.default == 5
    assert parameters["config"].default.dependency is main.settings


def test_autospec():
    fake = create_autospec(main.page, return_value=[1, 2])
    with patch.object(main, "page", fake):
        assert main.page(3) == [1, 2]
        assert main.page() == [1, 2]
