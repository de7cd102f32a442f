"""What the changes require is installed for the tests: from local wheels, without a network."""

from __future__ import annotations

import platform
import sys
import zipfile
from importlib import metadata

import pytest

from awaken.cli import main
from awaken.contract import UserError
from awaken.verifying.copies import install
from awaken.verifying.requests import sending
from awaken.verifying.suites import Copy, Environment, Suite, SuiteRun
from tests.verifying.test_verify import PYTEST, shop  # noqa: F401  a fixture

APP = """\
from sqlalchemy import create_engine, text

engine = create_engine("mysql+pymysql://localhost/shop", module=__import__("json"))


def ping():
    with engine.connect() as connection:
        return connection.execute(text("SELECT 1")).scalar()
"""
MIGRATION = [
    *("verify", "--select", "session-to-async", "--unsafe-fixes"),
    *("--config", 'rules.session-to-async.drivers.mysql = "aiomysql"', "--", *PYTEST),
]


def wheel(directory, name, version, *requires):
    """Write a wheel whose one module says its version."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    directory.mkdir(exist_ok=True)
    with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            file.writestr(path, text)


def program(directory, text):
    """Write a program named uv, which is found first."""
    directory.mkdir()
    place = directory / "uv"
    place.write_text(f"#!{sys.executable}\n{text}", "utf-8")
    place.chmod(0o755)
    return str(directory)


@pytest.fixture
def wheels(tmp_path, tmp_path_factory, monkeypatch):
    # The cache of the machine may have the real ones.
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    return tmp_path / "wheels"


def environment(**installed):
    return Environment(sys.executable, platform.python_version(), installed, ("aiomysql",))


def test_what_the_environment_has_is_not_installed_again(tmp_path, wheels):
    wheel(wheels, "aiomysql", "0.3", "PyMySQL>=1.0", "helper>1", 'other; python_version < "3"')
    wheel(wheels, "helper", "1.2", "third")
    wheel(wheels, "third", "7")
    wheel(wheels, "pymysql", "1.5")

    place = install(["aiomysql>=0.2"], environment(pymysql="1.1"), tmp_path, tmp_path / "shop")

    found = {one.metadata["Name"]: one.version for one in metadata.distributions(path=[str(place)])}
    assert found == {"aiomysql": "0.3", "helper": "1.2", "third": "7"}


def test_the_version_of_the_environment_is_not_replaced(tmp_path, wheels):
    wheel(wheels, "aiomysql", "0.3", "pymysql>=1.0")

    with pytest.raises(UserError, match=r"it needs pymysql>=1.0, not 0.9"):
        install(["aiomysql"], environment(PyMySQL="0.9"), tmp_path, tmp_path / "shop")

    assert [one.name for one in tmp_path.iterdir()] == ["wheels"]


def test_an_environment_without_pip_on_a_machine_without_uv(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nraise SystemExit('No module named pip')\n", "utf-8")
    python.chmod(0o755)
    without_pip = Environment(str(python), "3.11.1", {}, ("aiomysql",))

    with pytest.raises(UserError, match=r"cannot install for them .*No module named pip"):
        install(["aiomysql"], without_pip, tmp_path, tmp_path / "shop")


def test_what_cannot_be_installed_is_said_before_the_tests_run(shop, monkeypatch, capfd):  # noqa: F811
    (shop / "app.py").write_text(APP, "utf-8")
    ran = shop.parent / "ran"
    (shop / "conftest.py").write_text(f"open({str(ran)!r}, 'w').close()\n", "utf-8")
    bin_ = program(shop.parent / "bin", "raise SystemExit('there is no network')\n")
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")

    assert main(MIGRATION) == 2

    said = capfd.readouterr().err
    assert "installing aiomysql for the tests ..." in said
    assert "awaken cannot install for them (there is no network)" in " ".join(said.split())
    assert "`pip install aiomysql`" in " ".join(said.split())
    assert not ran.exists()
    assert not list((shop.parent / "state/verifying").iterdir())


class Lacking(Suite):
    """Tests in an environment that lacks something until ``packages`` are there."""

    def run(self, only=(), *, watched=None):
        del only, watched
        lacking = None if self.packages else environment()
        return SuiteRun({}, 0, 1.0, {}, frozenset(), "", lacking)


def test_no_request_is_sent_before_what_is_missing_is_installed(tmp_path, monkeypatch):
    copy = tmp_path / "copy/shop"
    copy.mkdir(parents=True)
    (copy / "main.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n", "utf-8")
    asked = []
    monkeypatch.setattr(
        Suite,
        "run",
        lambda self, *_words, **_named: asked.append(self.packages) or Lacking.run(self),
    )
    place = Copy(copy, copy)
    both = sending.TestsAndRequests(Lacking(place, PYTEST), place, copy, PYTEST, None)

    assert both.run().lacking == environment()
    assert not asked
    both.packages = tmp_path
    with pytest.raises(UserError, match="no request can be sent"):
        both.run()
    assert asked == [tmp_path]


@pytest.mark.slow
@pytest.mark.usefixtures("wheels")
def test_tests_import_what_was_installed_for_them(shop, wheels, capfd):  # noqa: F811
    wheel(wheels, "aiomysql", "0.3")
    wheel(wheels, "sqlalchemy", "9")
    (shop / "app.py").write_text(APP, "utf-8")
    (shop / "test_shop.py").write_text(
        "import aiomysql\nimport sqlalchemy\n\n\n"
        "def test_versions():\n"
        '    assert aiomysql.VERSION == "0.3"\n'
        '    assert sqlalchemy.__version__[0] == "2"\n',
        "utf-8",
    )

    code = main([*MIGRATION[:4], "-q", *MIGRATION[4:]])

    out, said = capfd.readouterr()
    assert (code, said) == (0, "")
    assert "Before  1 passed" in out
    assert "After   1 passed" in out
    assert not list((shop.parent / "state/verifying").iterdir())
