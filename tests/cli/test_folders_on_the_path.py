"""Files that import each other from a folder of the path, which is a package all the same."""

import pytest
from real_program import MANIFEST, awaken
from shop_of_files import DATABASE, LISTING, MAIN, printed, written

RULES = "query-to-select,session-to-async"
SETTINGS = "\n[tool.awaken]\npublished = false\n"


@pytest.fixture
def shop(tmp_path):
    """Return a function that writes the application with these settings."""
    files = {
        "backend/__init__.py": "",
        "backend/database.py": DATABASE,
        "backend/listing.py": LISTING,
        "backend/main.py": MAIN,
    }
    return lambda settings: written(
        tmp_path / "shop", {**files, "pyproject.toml": MANIFEST + settings}
    )


def test_a_package_is_imported_from_where_its_files_need_that(shop):
    root = shop(SETTINGS)
    before = printed(root, "backend/main.py")

    awaken("apply", "--unsafe-fixes", "--select", RULES, root)

    assert "async def names():" in (root / "backend/listing.py").read_text()
    assert printed(root, "backend/main.py") == before == "['ann', 'ben']\n"


def test_a_package_that_others_name_is_imported_from_by_both_names(shop):
    root = shop(SETTINGS)
    (root / "tools.py").write_text("from backend.listing import names\n")
    before = printed(root, "backend/main.py")

    awaken("apply", "--select", "query-to-select", root)

    assert "db.scalars(" in (root / "backend/listing.py").read_text()
    assert printed(root, "backend/main.py") == before


@pytest.mark.parametrize("folder", ["backend", "./backend/", "tools/../backend"])
@pytest.mark.sampled(3)
def test_a_folder_on_the_path_is_imported_from(shop, folder):
    root = shop(f'{SETTINGS}src = ["{folder}"]\n')
    before = printed(root, "backend/main.py")

    code, _ = awaken("apply", "--unsafe-fixes", "--select", RULES, root)

    assert code == 0
    assert "async def names():" in (root / "backend/listing.py").read_text()
    assert "await names()" in (root / "backend/main.py").read_text()
    assert printed(root, "backend/main.py") == before == "['ann', 'ben']\n"


def test_it_may_be_said_on_the_command_line(shop, monkeypatch):
    root = shop(SETTINGS)
    monkeypatch.chdir(root)

    code, _ = awaken("apply", "--select", "query-to-select", "--config", "src=['backend']", root)

    assert code == 0
    assert "db.scalars(" in (root / "backend/listing.py").read_text()


def test_a_folder_without_a_name_is_no_setting(shop, capsys):
    root = shop(f'{SETTINGS}src = [" "]\n')

    code, _ = awaken("check", root)

    assert code == 2
    assert "'src' must be a path" in capsys.readouterr().err
