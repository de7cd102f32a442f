"""Starts a campaign: a manifest with comments, and the list of its repositories."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from awaken.batch.manifest.manifest_file import NAME
from awaken.batch.manifest.repository_lists import Listed, read_list
from awaken.contract import UserError
from awaken.engine.machine.filesystem import replacing

_TEMPLATE = """\
# A campaign of awaken: one migration over many repositories.
# `awaken batch run` works on them, `review` and `approve` look at the result,
# `publish` opens pull requests. Nothing leaves this machine before `publish`.

[campaign]
name = {name}
branch = {branch}               # the branch of each pull request
# base = "main"                 # the branch to start from; the default branch by default
recipe = {recipe}               # `awaken recipes` lists them; or leave it out and select rules
title = {title}
why = "This is a part of our upgrade; the changes are made and checked by awaken."
repositories = {repositories}   # a file with one a line or a CSV, or a list here
# author = "Ada Lovelace <ada@example.com>"   # of the commits; your git's by default
# body = "body.md"              # a template of the text; docs/many-repositories.md has its names
# labels = ["awaken"]
# reviewers = ["ada"]

[awaken]                        # settings as in [tool.awaken]; they override a repository's own
# select = ["query-to-select"]
# unsafe = ["query-to-select"]

[verify]
# "auto" runs pytest where `awaken doctor` sees tests; without a command nothing is verified.
# The tests run code of the repositories, without your tokens.
command = "auto"
# environment = ["uv venv --quiet", "uv pip install --quiet -e .[test]"]
# network = false               # the tests get none; needs Linux and `unshare`
# pass-env = ["DATABASE_URL"]   # variables that the tests may see

[limits]                        # of one repository
# seconds = 3600
# memory-mb = 8192
# size-mb = 2048
# jobs = 4                      # repositories at once; one per core by default

[publish]
host = {host}                   # "github" (by gh), "gitlab" (by glab), or "none": patches
# draft = true
# per-hour = 30                 # pull requests
# open-at-most = 50
# hours = "Mon-Fri 09:00-17:00"

# A repository with something of its own; the list above stays.
# [[repository]]
# url = "https://github.com/owner/name"
# ref = "develop"
# subdirectory = "services/api"
# skip = false
# verify = "pytest -q -m unit"
# awaken = {{ ignore = ["lazy-raise"] }}
"""


def start_campaign(  # noqa: PLR0913  what the options of `init` say
    directory: Path, name: str, text: str, shown: str, recipe: str, host: str
) -> list[str]:
    """Write a campaign into ``directory`` and return the names of the files.

    ``text`` is a list of repositories in any form, from ``shown``. Raises UserError where there is
    a campaign already, and for a list without repositories.
    """
    listed = read_list(text, shown) if text.strip() else []
    directory.mkdir(parents=True, exist_ok=True)
    name_of_list = "repos.csv" if any(_needs_csv(each) for each in listed) else "repos.txt"
    for existing in (NAME, name_of_list) if listed else (NAME,):
        if (directory / existing).exists():
            raise UserError(f"there is a {existing} in {directory} already; remove it first")
    manifest = _TEMPLATE.format(
        name=json.dumps(name),
        branch=json.dumps(f"awaken/{name}"),
        recipe=json.dumps(recipe),
        title=json.dumps(f"Apply the recipe {recipe}"),
        repositories=json.dumps(name_of_list),
        host=json.dumps(host),
    )
    written = [NAME]
    if listed or not (directory / name_of_list).exists():
        content = _csv(listed) if name_of_list.endswith(".csv") else _lines(listed)
        _write(directory / name_of_list, content)
        written.append(name_of_list)
    if not (directory / ".gitignore").exists():
        _write(directory / ".gitignore", "/work/\n/.coordinator*\n")
    # Last: a folder without it is no campaign.
    _write(directory / NAME, manifest)
    return written


def _write(path: Path, content: str) -> None:
    with replacing(path) as file:
        file.write(content.encode())


def _needs_csv(each: Listed) -> bool:
    repository = each.repository
    return bool(repository.ref or repository.subdirectory or repository.skip or each.archived)


def _lines(listed: Sequence[Listed]) -> str:
    rows = [each.repository.url for each in listed]
    return "\n".join(["# One repository a line: a URL, owner/name, or a path.", *rows]) + "\n"


def _csv(listed: Sequence[Listed]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("url", "ref", "subdirectory", "skip"))
    for each in listed:
        repository = each.repository
        skip = "yes" if repository.skip or each.archived else ""
        writer.writerow((repository.url, repository.ref, repository.subdirectory, skip))
    return text.getvalue()
