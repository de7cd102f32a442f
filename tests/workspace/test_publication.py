from __future__ import annotations

import pytest

from awaken.workspace.manifests.publication import PRIVATE, Publication, read_publication
from awaken.workspace.reading import METADATA_LIMIT

NAMED = '[project]\nname = "shop"\nversion = "1"\n'
BUILT = '[build-system]\nrequires = ["hatchling"]\n' + NAMED
POETRY = '[tool.poetry]\nname = "shop"\nversion = "1"\n'
POETRY_BUILT = POETRY + '[build-system]\nrequires = ["poetry-core"]\n'
SETUP = "from setuptools import setup\nsetup(name='shop')\n"


@pytest.fixture
def root(tmp_path):
    # the top of a repository: nothing above it counts, and no project stands beside it
    directory = tmp_path / "shop"
    (directory / ".git").mkdir(parents=True)
    return directory


def seen(root, files):
    for name, text in files.items():
        (root / name).write_text(text)
    return read_publication(root)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"pyproject.toml": BUILT}, ("pyproject.toml", 1)),
        ({"pyproject.toml": NAMED + '[tool.setuptools]\npackages = ["shop"]\n'}, 4),
        ({"pyproject.toml": NAMED + '[project.scripts]\nshop = "shop:main"\n'}, 4),
        ({"pyproject.toml": NAMED + "classifiers = []\n"}, 4),
        ({"pyproject.toml": NAMED + "[tool.uv]\npackage = true\n"}, 5),
        ({"pyproject.toml": '[project]\nname = "shop"\ndynamic = ["version"]\n'}, 3),
        ({"pyproject.toml": POETRY_BUILT}, ("pyproject.toml", 4)),
        ({"setup.py": SETUP}, ("setup.py", 2)),
        ({"setup.py": "import setuptools\n\nsetuptools.setup(**CONFIG)\n"}, ("setup.py", 3)),
        ({"setup.cfg": "[metadata]\nname = shop\n"}, ("setup.cfg", 2)),
        ({"setup.cfg": "[metadata]\nversion = 1\nName: shop\n"}, ("setup.cfg", 3)),
        # A build system without a name builds what the older files name.
        (
            {"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n', "setup.py": SETUP},
            ("setup.py", 2),
        ),
        ({"PKG-INFO": "Name: shop\n"}, ("PKG-INFO", 0)),
    ],
)
def test_a_name_and_somebody_who_builds_it_make_a_package(root, files, place):
    found = seen(root, files)

    assert found.published
    assert (found.path, found.line) == (place if isinstance(place, tuple) else (*files, place))


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"pyproject.toml": BUILT + "[tool.uv]\npackage = false\n"}, 7),
        ({"pyproject.toml": POETRY_BUILT + "[tool.poetry.x]\n[tool.pdm]\ndistribution=false"}, 8),
        ({"pyproject.toml": POETRY + "package-mode = false\n[build-system]\nrequires = []\n"}, 4),
        ({"pyproject.toml": BUILT + f'classifiers = [\n  "A :: B",\n  "{PRIVATE}",\n]\n'}, 8),
        ({"pyproject.toml": POETRY + f'classifiers = ["{PRIVATE}"]\n[build-system]\n'}, 4),
        ({"setup.cfg": f"[metadata]\nname = shop\nclassifiers =\n  A :: B\n  {PRIVATE}\n"}, 5),
        ({"setup.py": f"from setuptools import setup\nsetup(\n classifiers=['{PRIVATE}'])\n"}, 3),
    ],
)
def test_build_settings_can_say_that_there_is_no_package(root, files, line):
    found = seen(root, files)

    assert not found.published
    assert (found.path, found.line) == (*files, line)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": NAMED},
        {"pyproject.toml": "[tool.ruff]\nline-length = 100\n"},
        {"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'},
        {"pyproject.toml": POETRY},
        {"setup.cfg": "[flake8]\nmax-line-length = 100\n"},
        {"setup.py": "def setup_database():\n    pass\nsetup_database()\n"},
        {"requirements.txt": "fastapi\n", "Dockerfile": "RUN pip install .\n"},
        {"Pipfile": "[packages]\nfastapi = '*'\n"},
    ],
)
def test_without_build_settings_it_is_an_application(root, files):
    assert seen(root, files) == Publication(published=False, why="has no build settings")


def test_an_unpacked_wheel_is_published_whatever_its_files_say(root):
    (root / "shop-1.0.dist-info").mkdir()

    found = seen(root, {"pyproject.toml": NAMED + "[tool.uv]\npackage = false\n"})

    assert (found.published, found.path) == (True, "shop-1.0.dist-info")


def test_what_is_private_may_be_used_by_the_project_beside_it(root):
    inner = root / "libraries" / "core"
    inner.mkdir(parents=True)
    private = BUILT + f'classifiers = ["{PRIVATE}"]\n'

    assert not seen(root, {"pyproject.toml": private}).published
    assert seen(inner, {"pyproject.toml": private}).published
    # What is no package is installed nowhere.
    assert not seen(inner, {"pyproject.toml": BUILT + "[tool.uv]\npackage = false\n"}).published


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", b"[project\n"),
        ("pyproject.toml", b"\xff\xfe\xff"),
        ("pyproject.toml", b"#" * (METADATA_LIMIT + 1)),
        ("pyproject.toml", b"x = " + b"[" * 100_000),
        ("setup.cfg", b"name = shop\n"),
        ("setup.cfg", b"\x80"),
        ("setup.py", b"print 'python 2'\n"),
        ("setup.py", b"# coding: nonsense\n"),
        ("setup.py", b"(" * 10_000),
    ],
)
def test_of_a_file_that_cannot_be_read_the_worst_is_assumed(root, name, content):
    (root / name).write_bytes(content)

    found = read_publication(root)

    assert (found.published, found.path) == (True, name)
    assert "cannot be read" in found.why


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg", "setup.py"])
def test_a_link_out_of_the_project_is_not_read(root, name):
    outside = root.parent / "outside"
    outside.write_text(NAMED)
    (root / name).symlink_to(outside)

    assert read_publication(root).why == f"may be: {name} cannot be read"


@pytest.mark.parametrize(
    "text",
    [
        "project = 1\n",
        "[project]\nname = ['shop']\n[build-system]\n",
        "tool = []\nproject = { name = 3 }\n",
        "[project]\nname = 'shop'\nclassifiers = 'Private :: Do Not Upload'\n[tool]\nuv = 1\n",
        "[tool.uv]\npackage = 'false'\n",
        "[tool.poetry]\nclassifiers = [['Private :: Do Not Upload']]\n",
    ],
)
def test_values_of_other_types_are_no_error(root, text):
    assert read_publication(root).why == "has no build settings"
    assert seen(root, {"pyproject.toml": text}).path in {"", "pyproject.toml"}


# ------------------------------------------------------------------------------- what a server runs
MAIN = "from fastapi import FastAPI\n\napp = FastAPI()\n"
DOCKERFILE = 'FROM python:3.13\n# CMD ["sh"]\nCMD ["uvicorn", "app.main:app", "--port", "80"]\n'


def served(root, files, *, pyproject=BUILT):
    (root / "app").mkdir(parents=True, exist_ok=True)
    (root / "app" / "main.py").write_text(MAIN)
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
    return seen(root, {"pyproject.toml": pyproject, **files})


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"Dockerfile": DOCKERFILE}, ("Dockerfile", 3)),
        ({"Dockerfile": 'CMD ["fastapi", "run", "--workers", "4", "app/main.py"]\n'}, None),
        ({"Dockerfile": "CMD fastapi run /code/app/main.py\n"}, None),
        ({"Procfile": "web: gunicorn -k uvicorn.workers.UvicornWorker app.main:app\n"}, None),
        ({"scripts/start.sh": "exec uvicorn \\\n  app.main:app \\\n  --reload\n"}, None),
        ({"docker-compose.yml": "command: uvicorn app.main:app\n"}, None),
        (
            {"docker/entry.sh": "exec python /srv/app/run.py\n", "app/run.py": "uvicorn.run(app)"},
            None,
        ),
        ({"entrypoint": "python -m app.run\n", "app/run.py": "uvicorn.run(app)\n"}, None),
        ({"README.md": "Run `uvicorn app.main:app`.\n"}, None),
        # Who has both says more with the file that is made for it.
        ({"README.md": "uvicorn app.main:app\n", "Dockerfile": DOCKERFILE}, ("Dockerfile", 3)),
    ],
)
def test_what_a_server_runs_is_an_application(root, files, place):
    found = served(root, files)

    assert not found.published
    assert (found.path, found.line) == (place or (next(iter(files)), 1))
    assert found.why.startswith("is an application: a web server runs `app.")


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": "RUN pip install .\n"},
        {"Dockerfile": '# CMD ["uvicorn", "app.main:app"]\n'},
        # The README of a library shows how its users run what is theirs.
        {"README.md": "    uvicorn main:app\n    uvicorn example:app\n"},
        {"README.md": "app.main:app is what the server of your choice runs\n"},
        {"Dockerfile": "CMD python app/main.py\n"},
        {"examples/Dockerfile": DOCKERFILE},
    ],
)
def test_a_dockerfile_alone_says_nothing(root, files):
    assert served(root, files).published


@pytest.mark.parametrize(
    ("described", "word"),
    [
        ('keywords = ["shop"]\n', "project.keywords"),
        ('[project.urls]\nHomepage = "https://shop.example"\n', "project.urls"),
        ('[project.entry-points.shop]\nown = "app.own:Own"\n', "project.entry-points"),
        ('dynamic = ["classifiers"]\n', "project.classifiers"),
        ('[tool.poetry]\nrepository = "https://shop.example"\n', "tool.poetry.repository"),
    ],
)
def test_what_is_described_to_others_is_published_although_a_server_runs_it(root, described, word):
    found = served(root, {"Dockerfile": DOCKERFILE}, pyproject=BUILT + described)

    assert found.published
    assert f"{word} describes it to others, although Dockerfile:3 runs it as a server" in found.why
    assert found.path == "pyproject.toml"


@pytest.mark.parametrize(
    ("files", "is_published"),
    [
        ({"README.md": "Install it:\n\n    pip install -U Shop\n"}, True),
        ({"README.rst": "``uv add 'shop[all]'``"}, True),
        ({".github/workflows/release.yml": "uses: pypa/gh-action-pypi-publish@v1\n"}, True),
        ({".gitlab-ci.yml": "script: uv build && uv publish\n"}, True),
        ({"README.md": "pip install -r requirements.txt\n\nThen start the shop.\n"}, False),
        ({"README.md": "pip install shop-client ./shop\n"}, False),
        ({".github/workflows/ci.yml": "run: uv sync\n"}, False),
    ],
)
def test_what_others_are_told_to_install_is_published(root, files, is_published):
    found = served(root, {"Dockerfile": DOCKERFILE, **files})

    assert found.published is is_published
    assert not is_published or f"{next(iter(files))} describes it to others" in found.why


def test_types_for_others_describe_a_package(root):
    assert served(root, {"Dockerfile": DOCKERFILE, "app/py.typed": ""}).published


@pytest.mark.parametrize(
    ("files", "is_published"),
    [
        ({"setup.py": "setup(name='shop', packages=['app'])\n"}, False),
        (
            {"setup.py": "setup(name='shop', entry_points={'console_scripts': ['a = app:a']})"},
            False,
        ),
        ({"setup.py": "setup(name='shop', entry_points={'shop.plugins': ['a = app:a']})"}, True),
        ({"setup.py": "setup(name='shop', keywords='shop')\n"}, True),
        ({"setup.py": "setup(**CONFIG)\n"}, True),
        ({"setup.cfg": "[metadata]\nname = shop\n"}, False),
        ({"setup.cfg": "[metadata]\nname = shop\nurl = https://shop.example\n"}, True),
        ({"setup.cfg": "[metadata]\nname = a\n[options.entry_points]\nb =\n  c = app:d\n"}, True),
    ],
)
def test_older_files_describe_a_distribution_as_well(root, files, is_published):
    found = served(root, {"Dockerfile": DOCKERFILE, **files}, pyproject="")

    assert found.published is is_published


@pytest.mark.parametrize(
    ("manifest", "is_published"),
    [
        ({"worker/pyproject.toml": '[project]\ndependencies = ["Shop>=1"]\n'}, True),
        ({"libs/worker/requirements.txt": "requests\nshop @ file:///src\n"}, True),
        ({"worker/requirements-dev.txt": "-e ../backend\n"}, True),
        ({"worker/pyproject.toml": '[project]\ndependencies = ["shop-client", "a.shop"]\n'}, False),
        ({"worker/requirements.txt": "-e ../backend-client\n"}, False),
        ({"backend/tools/requirements.txt": "shop\n"}, False),
    ],
)
def test_what_a_project_beside_it_names_is_published(root, manifest, is_published):
    for name, text in manifest.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "Dockerfile").write_text("COPY backend .\nCMD uvicorn app.main:app\n")

    found = served(root / "backend", {})

    assert found.published is is_published
    assert is_published or (found.path, found.line) == ("../Dockerfile", 2)


def test_lines_without_end_are_read_at_once(root):
    texts = {
        "Dockerfile": "fastapi run " * 20_000 + "uvicorn " + "a." * 100_000,
        "README.md": "\\\n" * 100_000,
    }

    assert served(root, texts).published
