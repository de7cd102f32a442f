# announced: gets `pool_pre_ping=True`
# rules: pool-pre-ping
import os
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool, QueuePool

OPTIONS = {"pool_size": 2}


def make(url: str, **kwargs):
    return create_engine(url, **{**OPTIONS, **kwargs})


os.environ.setdefault("DB_URL", "sqlite:///a.db")
engine = create_engine(os.environ["DB_URL"])
queue = create_engine("sqlite:///a.db", poolclass=QueuePool, pool_size=1, max_overflow=0)
null = create_engine(os.environ["DB_URL"], poolclass=NullPool)
custom = make("sqlite:///a.db", poolclass=QueuePool)
for e in (engine, queue, null, custom):
    with e.connect() as connection:
        print(type(e.pool).__name__, e.pool._pre_ping, connection.exec_driver_sql("select 1").scalar())
