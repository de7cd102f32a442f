# announced: and a surrounding `except` hides that
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from shop import opened

PROBE = "select 1"


def modern(session: Session):
    try:
        session.execute(PROBE)
    except ArgumentError:
        return True
    return False


print(modern(opened()))
