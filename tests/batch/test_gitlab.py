"""Merge requests of a fake GitLab: through the port, and in a whole campaign."""

from __future__ import annotations

import pytest
from campaigns import FILES, MODELS

from awaken.batch.hosts.gitlab_host import GitlabHost
from awaken.batch.hosts.host_port import Draft, HostError, WaitError
from awaken.batch.manifest.campaign_settings import Entry, Repository

BRANCH, MARKER = "awaken/upgrade", "<!-- mark -->"
DRAFT = Draft(base="main", head=BRANCH, title="Use", body=f"Why {MARKER}", is_draft=True)


@pytest.fixture
def gitlab(world, monkeypatch):
    for name, text in world.environment.items():
        monkeypatch.setenv(name, text)
    world.add("org/one")
    world.commit("org/one", {"app.py": MODELS + "# ours\n"}, branch=BRANCH)
    return GitlabHost(world.campaign, "")


def entry(slug="org/one"):
    url = f"https://gitlab.com/{slug}.git"
    repository = Repository(url=url)
    return Entry(
        id="x", name=slug, identity=slug, host="gitlab.com", slug=slug, repository=repository
    )


def test_one_merge_request_is_made_found_edited_and_closed(world, gitlab):
    assert gitlab.facts(entry()).may_push
    assert gitlab.find(entry(), BRANCH, MARKER) is None
    made = gitlab.create(entry(), DRAFT)

    assert gitlab.find(entry(), BRANCH, MARKER) == made
    assert gitlab.find(entry(), BRANCH, "<!-- another -->") is None
    with pytest.raises(HostError, match="already exists"):
        gitlab.create(entry(), DRAFT)
    gitlab.edit(entry(), made.number, "Use", f"More {MARKER}")
    gitlab.close(entry(), made.number, "Never mind")

    assert gitlab.look(entry(), made.number).state == "closed"
    (request,) = world.requests()
    assert request["title"] == "Draft: Use"
    assert request["description"] == f"More {MARKER}"
    assert request["notes"] == ["Never mind"]


def test_an_answer_that_is_lost_makes_no_second_merge_request(world, gitlab):
    world.faults(bad_gateway=["org/one"])
    with pytest.raises(WaitError):
        gitlab.create(entry(), DRAFT)

    assert gitlab.find(entry(), BRANCH, MARKER).number == 1


def test_a_limit_is_a_pause_of_the_seconds_that_the_server_names(world, gitlab):
    world.faults(per_window=0)
    with pytest.raises(WaitError) as error:
        gitlab.create(entry(), DRAFT)

    assert error.value.seconds == 1
    assert world.requests() == []


def test_what_may_not_be_pushed_or_is_not_there_is_refused(world, gitlab):
    world.faults(no_push=["org/one"], archived=["org/one"])
    facts = gitlab.facts(entry())

    assert (facts.may_push, facts.archived) == (False, True)
    with pytest.raises(HostError, match="makes no forks"):
        gitlab.fork(entry())
    with pytest.raises(HostError, match="Not Found"):
        gitlab.facts(entry("org/gone"))


@pytest.mark.slow
def test_a_campaign_over_gitlab_makes_each_merge_request_once(world):
    world.server = "gitlab.com/"
    for name in ("archived", "broken", "barred", "plain", "slow"):
        world.add(f"org/{name}", FILES)
    world.faults(
        archived=["org/archived"],
        bad_gateway=["org/broken"],
        no_push=["org/barred"],
        per_window=1,
        window=5.0,
    )
    world.write(host="gitlab")
    world.batch("run")
    world.batch("approve", "--all")
    assert "pausing for 1 s" in world.batch("publish")
    world.batch("publish")

    assert sorted(row["slug"] for row in world.requests()) == [
        "org/broken",
        "org/plain",
        "org/slow",
    ]
    assert world.states() == {
        "gitlab.com/org/archived": "refused",
        "gitlab.com/org/barred": "refused",
        "gitlab.com/org/broken": "PR open",
        "gitlab.com/org/plain": "PR open",
        "gitlab.com/org/slow": "PR open",
    }
    assert "the branch is deleted" in world.batch("close", "--all")
    assert {row["state"] for row in world.requests()} == {"closed"}
