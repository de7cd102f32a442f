"""Projects that are read as one: an application and a plug-in that imports it by its name."""

import pytest
from real_program import MANIFEST, awaken
from shop_of_files import DATABASE, LISTING, MAIN, printed, written

SETTINGS = "\n[tool.awaken]\npublished = false\n"
MEMBERS = f'{SETTINGS}members = ["/plugins/*"]\n'
PLUGIN = LISTING.replace("from database", "from shop.database")
START = "import runpy, sys; sys.path[:0] = ['.', 'plugins/mail']"
RUN = ("-c", f"{START}; runpy.run_module('shop.main', None, '__main__')")


@pytest.fixture
def shop(tmp_path):
    """Return a function that writes the application with its plug-in, and these settings."""
    files = {
        "shop/__init__.py": "",
        "shop/database.py": DATABASE,
        "shop/main.py": MAIN.replace("database", "shop.database").replace(
            "listing", "mail.listing"
        ),
        "plugins/mail/pyproject.toml": MANIFEST.replace("shop", "shop-mail"),
        "plugins/mail/mail/__init__.py": "",
        "plugins/mail/mail/listing.py": PLUGIN,
    }
    return lambda settings: written(
        tmp_path / "shop", {**files, "pyproject.toml": MANIFEST + settings}
    )


def test_a_plug_in_alone_does_not_see_the_application(shop):
    root = shop(SETTINGS)

    awaken("apply", "--select", "query-to-select", root)

    assert (root / "plugins/mail/mail/listing.py").read_text() == PLUGIN


def test_a_plug_in_that_is_a_member_is_rewritten_with_the_application(shop):
    root = shop(MEMBERS)
    before = printed(root, *RUN)

    code, _ = awaken("apply", "--select", "query-to-select", root / "plugins/mail")

    assert code == 0
    assert (
        "db.scalars(select(User).order_by(User.id))"
        in (root / "plugins/mail/mail/listing.py").read_text()
    )
    assert printed(root, *RUN) == before == "['ann', 'ben']\n"


def test_a_plug_in_that_is_a_member_becomes_asynchronous_with_the_application(shop):
    root = shop(MEMBERS)
    before = printed(root, *RUN)

    rules = "query-to-select,session-to-async"
    code, _ = awaken("apply", "--unsafe-fixes", "--select", rules, root)

    assert code == 0
    assert "async def names():" in (root / "plugins/mail/mail/listing.py").read_text()
    assert "await names()" in (root / "shop/main.py").read_text()
    assert printed(root, *RUN) == before


@pytest.mark.parametrize("manifest", ["requirements.txt", "pyproject.toml"])
def test_the_manifest_of_a_member_gets_the_asynchronous_driver(tmp_path, manifest, capsys):
    listed = {"requirements.txt": "sqlalchemy==2.0.44\n", "pyproject.toml": MANIFEST}[manifest]
    root = written(
        tmp_path,
        {
            "pyproject.toml": '[tool.awaken]\npublished = false\nmembers = ["/backend"]\n',
            f"backend/{manifest}": listed,
            "backend/uv.lock": "version = 1\n",
            "backend/database.py": DATABASE,
            "backend/listing.py": LISTING,
            "backend/main.py": MAIN,
        },
    )

    rules = "query-to-select,session-to-async"
    code, _ = awaken("apply", "--unsafe-fixes", "--select", rules, root)

    assert code == 0
    assert "async def names():" in (root / "backend/listing.py").read_text()
    text = (root / "backend" / manifest).read_text()
    assert "aiosqlite" in text
    assert "sqlalchemy[asyncio]" in text
    hints = capsys.readouterr().err
    assert ("cd backend && uv lock" in hints) == (manifest == "pyproject.toml")
    assert ("pip install -e backend" in hints) == (manifest == "pyproject.toml")


def test_migrate_says_how_a_file_above_the_project_becomes_part_of_it(tmp_path, monkeypatch):
    files = {
        "backend/requirements.txt": "sqlalchemy==2.0.44\n",
        "backend/database.py": DATABASE,
        "backend/listing.py": LISTING,
        "backend/main.py": MAIN,
        "scripts/seed.py": "import sys\n\nsys.path.append('backend')\n\n"
        "from listing import names\n\nprint(names())\n",
    }
    root = written(tmp_path, files)
    (root / ".git").mkdir()
    monkeypatch.chdir(root / "backend")

    _, apart = awaken("migrate", "async-sessions", "--dry-run")
    cure = 'members = ["/backend"]'
    (root / "pyproject.toml").write_text(f"[tool.awaken]\npublished = false\n{cure}\n")
    monkeypatch.chdir(root)
    _, joined = awaken("migrate", "async-sessions", "--dry-run")

    assert b"scripts/seed.py:5 names it" in apart
    assert cure in " ".join(apart.decode().split())
    assert b"blocked" in apart
    assert b"blocked" not in joined


def test_a_command_of_a_member_stays_plain(tmp_path):
    command = '\n[project.scripts]\nshop-names = "tool:show"\n'
    tool = LISTING.replace("import User, make", "import Base, User, engine, make")
    tool += "\n\ndef show():\n    Base.metadata.create_all(engine)\n    print(names())\n"
    root = written(
        tmp_path,
        {
            "pyproject.toml": '[tool.awaken]\npublished = false\nmembers = ["/backend"]\n',
            "backend/pyproject.toml": MANIFEST + command,
            "backend/database.py": DATABASE,
            "backend/tool.py": tool,
        },
    )
    start = ("-c", "import sys; sys.path.insert(0, 'backend'); import tool; tool.show()")
    before = printed(root, *start)

    rules = "query-to-select,session-to-async"
    code, _ = awaken("apply", "--unsafe-fixes", "--select", rules, root)

    assert code == 0
    text = (root / "backend/tool.py").read_text()
    assert "async def names():" in text
    assert "\ndef show():\n    asyncio.run(" in text
    assert printed(root, *start) == before == "[]\n"
