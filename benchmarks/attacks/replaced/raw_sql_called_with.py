# announced: passes a mock of it, which may look at the string
# pytest: yes
# rules: raw-sql-text, query-to-select
from sqlalchemy.orm import Session


def ping(db: Session) -> bool:
    return db.execute("SELECT 1").scalar() == 1


# --- tests/test_ping.py
from unittest.mock import MagicMock

import main


def test_ping():
    db = MagicMock()
    db.execute.return_value.scalar.return_value = 1
    assert main.ping(db)
    db.execute.assert_called_once_with("SELECT 1")
