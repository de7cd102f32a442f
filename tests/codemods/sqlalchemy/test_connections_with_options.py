"""Connections and engines with options: which of them the rule awaits and enters."""

from __future__ import annotations

from planned import printed, reason_of, rewritten

OPTIONS = """\
from sqlalchemy import create_engine, text

engine = create_engine("sqlite:///x.db")


def same():
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        return connection.execute(text("select 1")).scalar()


def chained():
    with engine.connect() as connection:
        options = {"isolation_level": "AUTOCOMMIT"}
        return connection.execution_options(**options).execute(text("select 2")).scalar()


def opened():
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    result = connection.execute(text("select 3")).scalar()
    connection.close()
    return result


def entered():
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return connection.execute(text("select 4")).scalar()


def kept():
    committing = engine.execution_options(isolation_level="AUTOCOMMIT")
    with committing.connect() as connection:
        return connection.execute(text("select 5")).scalar()


if __name__ == "__main__":
    print(same(), chained(), opened(), entered(), kept())
"""


def test_a_connection_with_options_is_awaited(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = rewritten(shop=OPTIONS)
    assert "async def opened(" in result.files["shop.py"].decode()
    files = {"before": {"shop.py": OPTIONS.encode()}, "after": result.files}
    lines = [
        printed("shop.py", each, tmp_path / side, capsys, monkeypatch)
        for side, each in files.items()
    ]
    assert lines == ["1 2 3 4 5\n"] * 2


def test_a_connection_that_is_there_is_not_entered_with_options():
    entered = "with connection.execution_options(isolation_level='AUTOCOMMIT') as other:"
    text = OPTIONS.replace(
        "options = {",
        f"{entered}\n            other.execute(text('select 1'))\n        options = {{",
    )
    result = rewritten(shop=text)
    assert "no-twin" in {reason_of(one) for one in result.report.findings}
    assert result.files["shop.py"].decode() == text
