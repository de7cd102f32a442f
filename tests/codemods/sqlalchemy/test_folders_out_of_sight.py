"""Files that are imported from a folder which is a package, as if it were on the path."""

from __future__ import annotations

from planned import session_to_async

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)


def get_db():
    with LocalSession() as db:
        yield db
"""
ROUTES = """\
from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session

from config.database import get_db

router = APIRouter()


@router.get("/")
def count(db: Session = Depends(get_db)):
    return db.scalar(text("select 1"))
"""


def helps(folder: str, **others: str) -> set[str]:
    """Return what to do about sessions whose source is out of sight."""
    texts = {
        **others,
        "shop/__init__.py": "",
        f"{folder}/__init__.py": "",
        f"{folder}/database.py": DATABASE,
        "shop/routes.py": ROUTES,
        "app.py": "from shop.routes import router",
    }
    found = session_to_async(texts).findings
    return {one.help for one in found if (one.reason or "").endswith("foreign-session")}


def test_the_setting_is_named_that_brings_them_in_sight():
    # Another file has the name of the folder, so that nothing says which is imported.
    (found,) = helps("shop/config", **{"tools/config.py": ""})

    assert "`config.database` is a file in `shop`" in found
    assert 'src = ["shop"]' in found


def test_it_is_not_named_where_no_folder_above_has_the_file():
    assert helps("shop/settings") == {
        "Make the session in the project, with its own engine and `sessionmaker`."
    }


def test_what_is_found_needs_no_setting():
    assert not helps("config")
