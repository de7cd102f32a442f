# announced: replaces `create_engine`
# pytest: yes
# rules: pool-pre-ping, async-driver-url, engine-dispose
# needs: psycopg2-binary
from sqlalchemy import create_engine


def make_engine(url: str = "postgresql://localhost/x"):
    return create_engine(url, pool_size=5)


# --- tests/test_engine.py
from unittest.mock import patch

import main


def test_arguments():
    with patch("main.create_engine") as create:
        engine = main.make_engine("postgresql://h/db")
    create.assert_called_once_with("postgresql://h/db", pool_size=5)
    assert engine is create.return_value
