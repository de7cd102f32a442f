"""One engine for the whole process, made when this module is imported."""

from sqlalchemy import create_engine
from sqlalchemy.ext.declarative import declarative_base
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import StaticPool

from .config import settings

options = {}
if settings.database_url.startswith("sqlite"):
    options["connect_args"] = {"check_same_thread": False}
if settings.database_url == "sqlite://":
    options["poolclass"] = StaticPool

engine = create_engine(settings.database_url, **options)
SessionLocal = sessionmaker(autocommit=False, autoflush=False, bind=engine)
Base = declarative_base()


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
