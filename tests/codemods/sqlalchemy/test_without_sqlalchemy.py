"""No rule about SQLAlchemy says anything in a program without SQLAlchemy."""

from __future__ import annotations

import pytest

from awaken import api
from awaken.settings import Settings

PROGRAM = """\
import asyncio
from typing import Annotated

import aiohttp
import aiosqlite
import asyncpg
import boto3
import redis
import requests
from cassandra.cluster import Cluster
from fastapi import Depends, FastAPI
from google.cloud import bigquery
from tortoise import fields
from tortoise.models import Model

app = FastAPI()
cluster = Cluster().connect()
engine = create_engine("postgresql://x")
SessionLocal = sessionmaker(bind=engine)


class User(Model):
    id = fields.IntField(pk=True)
    posts = relationship("Post")


class Repository:
    def __init__(self, session):
        self.session = session

    def all(self):
        return self.session.query(User).all()

    def save(self, user):
        self.session.add(user)
        self.session.commit()


def get_session():
    session = requests.Session()
    yield session
    session.close()


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


@app.get("/users")
def users(session=Depends(get_session), db: Annotated[redis.Redis, Depends(get_db)] = None):
    for user in User.query.filter_by(name="x").all():
        print(user.posts)
    with boto3.Session() as session:
        return session.query("x"), db.get("x")


def queries(session, connection):
    session.query("User").filter_by(a=1).all()
    session.execute("SELECT 1")
    connection.execute("SELECT 1")
    cluster.execute("SELECT * FROM x")
    return bigquery.Client().query("SELECT 1").result()


async def main():
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(session.get("a"), session.get("b"))
    pool = await asyncpg.create_pool()
    async with pool.acquire() as connection:
        await connection.execute("SELECT 1")
    async with aiosqlite.connect("x") as connection:
        await connection.execute("SELECT 1")
"""
ENGINES = {"async-driver-url", "engine-dispose", "pool-event-target", "pool-pre-ping"}
"""The rules of another family that are about SQLAlchemy."""
RULES = {rule.name for rule in api.rules() if rule.family == "sqlalchemy"} | ENGINES


@pytest.mark.parametrize(
    ("imported", "speaks"), [("", set()), ("import sqlalchemy\n", {"query-to-select"})]
)
def test_a_program_without_sqlalchemy_has_no_site(tmp_path, imported, speaks):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    (tmp_path / "app.py").write_text(imported + PROGRAM)

    options = api.Options(
        settings=Settings(select=tuple(RULES), unsafe_fixes=True), use_cache=False
    )
    (root,) = api.run([tmp_path], options).roots

    assert root.diagnostics == ()
    assert {finding.rule for finding in root.findings} == speaks
