"""The manifest of a campaign: what it says, and errors with their lines."""

from __future__ import annotations

import json

import pytest

from awaken import api
from awaken.batch.manifest.manifest_file import address_of, branch_of, command_of, read_manifest
from awaken.batch.manifest.repository_lists import read_list
from awaken.batch.manifest.starting import start_campaign
from awaken.contract import UserError

HEAD = '[campaign]\nname = "x"\nbranch = "awaken/x"\n'


def manifest(place, text, repositories="org/a\n"):
    (place / "awaken-batch.toml").write_text(text)
    if repositories is not None:
        (place / "repos.txt").write_text(repositories)
    return read_manifest(place, api.rules())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "nam = 1\n", "awaken-batch.toml:4: there is no setting of a campaign named 'nam'"),
        (HEAD + "labels = 'a'\n", "awaken-batch.toml:4: 'labels' must be a list"),
        (
            HEAD + "recipe = 'fastapy'\n",
            "awaken-batch.toml:4: there is no recipe named 'fastapy'; did",
        ),
        (HEAD + "\n[awaken]\nselect = ['que']\n", "awaken-batch.toml:6: "),
        (HEAD + "[limits]\nseconds = 0\n", "awaken-batch.toml:5: 'seconds' must be at least 1"),
        (HEAD + "[publish]\nhours = '9-5'\n", "awaken-batch.toml:5: '9-5' are no office hours"),
        (HEAD + "[publish]\nhost = 'gitea'\n", "awaken-batch.toml:5: 'host' must be one of"),
        (HEAD + "[verify]\ncommand = 'a \"'\n", "awaken-batch.toml:5: "),
        (HEAD.replace("awaken/x", "a..b"), "awaken-batch.toml:3: 'a..b' is no name of a branch"),
        (HEAD + "[repo]\n", "awaken-batch.toml:4: there is no table named 'repo'; did you mean"),
        (HEAD + "x = \n", "awaken-batch.toml:4: is not valid TOML"),
        ("", "the table [campaign] is missing"),
        (HEAD + "[[repository]]\nurl = 'a/b'\nawaken = {selct = []}\n", "awaken-batch.toml:6: "),
    ],
)
def test_an_error_names_the_line(tmp_path, text, said):
    with pytest.raises(UserError) as raised:
        manifest(tmp_path, text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        "https://me:secret@github.com/org/a",
        "https://token@github.com/org/a",
        "ext::sh -c id",
        "-uevil",
        "a\x1bb/c",
        "word",
    ],
)
def test_an_address_that_is_none_names_the_line_of_its_list(tmp_path, line):
    with pytest.raises(UserError) as raised:
        manifest(tmp_path, HEAD, f"org/a\n{line}\n")
    assert str(raised.value).startswith("repos.txt:2: ")
    assert "secret" not in str(raised.value)


def test_addresses_of_one_repository_are_one(tmp_path):
    lines = "https://github.com/Org/A.git\ngit@github.com:org/a.git\norg/a # again\nssh://git@github.com/org/a\n"
    said = manifest(tmp_path, HEAD, lines)

    assert len(said.entries) == 1
    assert len(said.notes) == 3
    assert said.notes[0].startswith("repos.txt:2: org/a is listed at repos.txt:1")


def test_names_of_all_kinds_have_names_of_files(tmp_path):
    lines = ["/srv/a b%20#c", "/srv/\u202eevil", "/srv/A", "/srv/a", "https://h.example/\u05d0/b"]
    said = manifest(tmp_path, HEAD, "\n".join(lines) + "\n")

    ids = {entry.id.lower() for entry in said.entries}
    assert len(ids) == len(lines)
    assert all(name.isascii() and "/" not in name and " " not in name for name in ids)


def test_a_repository_of_the_manifest_differs_and_the_list_stays(tmp_path):
    own = '[[repository]]\nurl = "org/b"\nsubdirectory = "services/api"\nverify = "tox"\n'
    said = manifest(tmp_path, HEAD + '[verify]\ncommand = "auto"\n' + own)

    assert [entry.name for entry in said.entries] == ["org/b/services/api", "org/a"]
    assert [branch_of(said, entry) for entry in said.entries] == [
        "awaken/x-services-api",
        "awaken/x",
    ]
    assert [command_of(said, entry) for entry in said.entries] == ["tox", "auto"]


@pytest.mark.parametrize("folder", ["../x", "/etc", "a/../../b"])
def test_a_subdirectory_stays_in_its_repository(tmp_path, folder):
    with pytest.raises(UserError, match="is no subdirectory"):
        manifest(tmp_path, f'{HEAD}[[repository]]\nurl = "org/b"\nsubdirectory = "{folder}"\n')


def test_lists_of_other_programs_are_read():
    gh = json.dumps(
        [{"url": "https://github.com/o/a", "isArchived": True}, {"url": "https://github.com/o/b"}]
    )
    code = json.dumps([{"path": "x.py", "repository": {"nameWithOwner": "o/a"}}])
    moderne = "cloneUrl,branch,origin,path\nhttps://github.com/o/a,main,github.com,o/a\n"

    assert [(one.repository.url[-3:], one.archived) for one in read_list(gh, "-")] == [
        ("o/a", True),
        ("o/b", False),
    ]
    assert read_list(code, "-")[0].repository.url == "o/a"
    assert read_list("url,ref\no/a,dev\n", "-")[0].repository.ref == "dev"
    assert read_list(moderne, "-")[0].repository.ref == "main"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "f:1: the first line of a CSV names its columns"),
        ("url,ref\no/a\n", "f:2: this line has 1 cells"),
        ("[{]", "f:1: is not valid JSON"),
        ('[{"name": "a"}]', "f:1: names no repository"),
        ("[" * 100_000, "f"),
    ],
)
def test_a_list_that_is_none_says_where(text, said):
    with pytest.raises(UserError) as raised:
        read_list(text, "f")
    assert str(raised.value).startswith(said)


def test_what_init_writes_is_a_campaign(tmp_path):
    place = tmp_path / "upgrade"
    start_campaign(place, "upgrade", "o/a\no/b\n", "-", "fastapi", "github")
    said = read_manifest(place, api.rules())

    assert [entry.name for entry in said.entries] == ["o/a", "o/b"]
    assert said.campaign.recipe == "fastapi"
    with pytest.raises(UserError, match="already"):
        start_campaign(place, "upgrade", "", "-", "fastapi", "github")


def test_an_address_of_another_port_is_another_repository():
    urls = ("ssh://git@h.example:22/o/a", "ssh://git@h.example:2222/o/a")
    assert len({address_of(url, "github.com", "/").identity for url in urls}) == 2
