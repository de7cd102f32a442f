"""Facts come back unchanged or not at all, whatever happened to the files."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from awaken import knowledge
from awaken.engine.remembering import result_places, results_cache
from awaken.engine.remembering.result_places import results_directory
from awaken.engine.remembering.results_cache import ResultsCache, prune

DAY = 86_400
KEY = b"k" * 32
MAGIC = results_cache._MAGIC


class Imports(Struct, frozen=True):
    names: tuple[str, ...]
    lines: dict[str, int] = {}


class Classes(Struct, frozen=True):
    names: tuple[str, ...]


def key(number):
    return hashlib.sha256(str(number).encode()).digest()


@pytest.fixture
def directory(tmp_path):
    return results_directory(tmp_path / "project", tmp_path / "cache")


def filled(directory, count=100):
    cache = ResultsCache(directory, KEY)
    for number in range(count):
        cache.put(key(number), Imports((f"m{number}",), {"a": number}))
    cache.save()
    return cache


def found(directory, count=100):
    cache = ResultsCache(directory, KEY)
    return [n for n in range(count) if cache.get(Imports, key(n)) == Imports((f"m{n}",), {"a": n})]


def shards(directory):
    return sorted(directory.glob("*.msgpack"))


def test_facts_come_back_in_the_next_run(directory):
    filled(directory)

    assert found(directory) == list(range(100))
    assert ResultsCache(directory, KEY).get(Imports, key("other")) is None


def test_facts_are_there_before_they_are_saved(directory):
    cache = ResultsCache(directory, KEY)

    cache.put(key(1), Imports(("a",)))

    assert cache.get(Imports, key(1)) == Imports(("a",))
    assert not directory.exists()


def test_kinds_are_kept_apart(directory):
    cache = ResultsCache(directory, KEY)
    cache.put(key(1), Imports(("a",)))
    cache.put(key(1), Classes(("b",)))
    cache.save()

    again = ResultsCache(directory, KEY)

    assert again.get(Imports, key(1)) == Imports(("a",))
    assert again.get(Classes, key(1)) == Classes(("b",))


def test_without_directory_nothing_is_kept():
    cache = ResultsCache(None, KEY)

    cache.put(key(1), Imports(("a",)))
    cache.save()

    assert cache.get(Imports, key(1)) is None


def test_only_changed_shards_are_written(directory):
    filled(directory)
    for path in shards(directory):
        os.utime(path, (1, 1))

    cache = ResultsCache(directory, KEY)
    cache.put(key("new"), Imports(()))
    cache.save()

    assert sum(path.stat().st_mtime > 1 for path in shards(directory)) == 1
    assert found(directory) == list(range(100))


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:0],
        lambda raw: raw[:3],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + b"x",
        *(lambda raw, at=at: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in (0, 20, 60)),
        lambda raw: bytes(4) + raw[:0],
        lambda raw: bytes(len(raw)),
    ],
)
def test_damaged_shards_are_ignored_and_written_anew(directory, damage):
    filled(directory)
    victim = shards(directory)[0]
    before = len(found(directory))
    victim.write_bytes(damage(victim.read_bytes()))

    assert 0 < len(found(directory)) < before
    filled(directory)
    assert found(directory) == list(range(100))


@given(content=st.binary(max_size=60))
def test_any_bytes_in_a_shard_are_harmless(tmp_path_factory, content):
    directory = tmp_path_factory.mktemp("any") / "a" / "b"
    directory.mkdir(parents=True)
    for digit in "0123456789abcdef":
        (directory / f"Imports-{digit}.msgpack").write_bytes(content)

    assert found(directory, 5) == []


@pytest.mark.parametrize("result", [Imports(("\ud800",)), Imports((), {"a": 2**64})])
def test_what_cannot_be_written_is_not_kept_and_no_error(directory, result):
    cache = filled(directory)
    cache.put(key(1), result)
    cache.put(key(200), result)
    cache.save()

    assert found(directory) == list(range(100))
    assert ResultsCache(directory, KEY).get(Imports, key(200)) is None


def test_facts_of_another_shape_are_absent(directory):
    filled(directory)

    class Other(Struct):
        names: int

    Other.__name__ = "Imports"

    assert ResultsCache(directory, KEY).get(Other, key(1)) is None


def test_directory_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    cache = filled(results_directory(tmp_path, tmp_path / "file"))

    assert cache.get(Imports, key(1)) == Imports(("m1",), {"a": 1})
    assert (tmp_path / "file").read_text() == ""


def test_two_runs_at_once_keep_the_facts_of_both(directory):
    one, other = ResultsCache(directory, KEY), ResultsCache(directory, KEY)
    for number in range(50):
        assert one.get(Imports, key(number)) is None
        one.put(key(number), Imports((f"m{number}",), {"a": number}))
        assert other.get(Imports, key(number + 50)) is None
        other.put(key(number + 50), Imports((f"m{number + 50}",), {"a": number + 50}))

    one.save()
    other.save()

    assert found(directory) == list(range(100))
    assert list(directory.glob("*.new")) == []


def test_facts_that_no_run_uses_are_dropped(directory, monkeypatch):
    filled(directory)
    monkeypatch.setattr(results_cache, "prune", lambda _: None)  # files keep their real age
    later = time.time() + 20 * DAY
    monkeypatch.setattr(results_cache.time, "time", lambda: later)
    cache = ResultsCache(directory, KEY)
    used = [cache.get(Imports, key(n)) for n in range(50)]
    cache.save()

    much_later = later + 20 * DAY
    monkeypatch.setattr(results_cache.time, "time", lambda: much_later)
    cache = ResultsCache(directory, KEY)
    for number in range(100, 200):  # touches every shard
        cache.put(key(number), Classes(()))
        cache.put(key(number), Imports(()))
    cache.save()

    assert None not in used
    assert found(directory) == list(range(50))


def made(base, number, *, age=0, names=("Imports-0.msgpack",), content=MAGIC):
    """Make what one awaken keeps of one project; the age is in days."""
    producer = base / "results" / f"{number:016x}" / f"cpython-3.11.7-{number:016x}"
    producer.mkdir(parents=True)
    for name in names:
        (producer / name).write_bytes(content)
        os.utime(producer / name, (time.time() - age * DAY,) * 2)
    return producer


@pytest.fixture
def marked(tmp_path):
    """A cache that is marked as awaken's."""
    base = tmp_path / "cache"
    filled(results_directory(tmp_path / "project", base), 1)
    return base


def test_old_projects_are_removed_and_the_largest_age_goes_first(marked):
    (kept,) = (marked / "results").glob("*/*/")
    shutil.rmtree(kept.parent)
    made(marked, 1, age=40)
    made(marked, 2, age=3, content=MAGIC + bytes(600))
    made(marked, 3, age=2, content=MAGIC + bytes(300))
    made(marked, 4, age=1, content=MAGIC + bytes(300))

    prune(marked, keep_bytes=1000)

    left = sorted(int(path.name, 16) for path in (marked / "results").glob("*/"))
    assert left == [3, 4]


def test_what_a_killed_run_left_is_removed_too(marked):
    names = ("Imports-0.msgpack.0123456789abcdef.new", "Classes-f.msgpack")
    cut = made(marked, 1, age=40, names=names, content=MAGIC[:5])
    empty = made(marked, 2, age=40, names=names, content=b"")

    prune(marked)

    assert (cut.parent.exists(), empty.parent.exists()) == (False, False)


NOT_OURS = {
    "another name": {"names": ("thesis.doc",)},
    "a name like ours": {"names": ("Imports-0.msgpack.bak", "Imports-g.msgpack", ".msgpack")},
    "other content": {"content": b"my thesis"},
}


@pytest.mark.parametrize("what", NOT_OURS)
def test_prune_removes_no_file_that_awaken_did_not_make(marked, what):
    directory = made(marked, 1, age=400, **NOT_OURS[what])
    before = {path: path.read_bytes() for path in directory.iterdir()}
    (directory / "Imports-1.msgpack").write_bytes(MAGIC)
    os.utime(directory / "Imports-1.msgpack", (1, 1))

    prune(marked, keep_bytes=0)

    assert {path: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize("mark", [None, "Signature: 8a477f597d28d172789f06886806bc55\n"])
def test_a_directory_that_is_not_marked_as_awakens_is_left_alone(marked, mark):
    directory = made(marked, 1, age=400)
    (marked / "results" / "CACHEDIR.TAG").unlink()
    if mark is not None:
        (marked / "results" / "CACHEDIR.TAG").write_text(mark)

    prune(marked, keep_bytes=0)

    assert (directory / "Imports-0.msgpack").exists()


@pytest.mark.parametrize("depth", range(4))
def test_prune_follows_no_link(marked, tmp_path, depth):
    """The user's own files, all as if awaken had made them, behind a link at each depth."""
    outside = tmp_path / "outside"
    victim = made(outside, 1, age=400)
    (outside / "results" / "CACHEDIR.TAG").write_bytes(
        (marked / "results" / "CACHEDIR.TAG").read_bytes()
    )
    place = made(marked, 1, age=400) / "Imports-0.msgpack"
    behind = victim / "Imports-0.msgpack"
    link, target = (place, *place.parents)[depth], (behind, *behind.parents)[depth]
    link.rename(tmp_path / "moved")
    link.symlink_to(target)

    prune(marked, keep_bytes=0)

    assert behind.read_bytes() == MAGIC


@pytest.mark.parametrize("depth", range(4))
def test_nothing_is_read_or_written_through_a_link(directory, depth):
    filled(directory)
    place = shards(directory)[0]
    outside = directory.parents[3] / "outside"
    link = (place, *place.parents)[depth]
    link.rename(outside)
    link.symlink_to(outside)
    behind = [outside, *outside.rglob("*")]
    before = {path: path.read_bytes() for path in behind if path.is_file()}

    assert len(found(directory)) < 100
    filled(directory)

    assert {path: path.read_bytes() for path in behind if path.is_file()} == before
    assert link.is_symlink() == (depth > 0)  # a file is replaced, a directory left alone


def test_the_mark_is_not_written_through_a_link(directory):
    top = directory.parents[1]
    top.mkdir(parents=True)
    victim = top.parent / "victim"
    (top / "CACHEDIR.TAG").symlink_to(victim)
    (top / ".gitignore").symlink_to(victim)

    filled(directory)

    assert not victim.exists()


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_directory_that_others_may_write_to_is_not_used(directory, mode):
    filled(directory)
    directory.chmod(mode)

    assert found(directory) == []


def test_what_was_made_with_another_key_is_absent(directory):
    filled(directory)

    assert ResultsCache(directory, b"other" * 5).get(Imports, key(1)) is None


def test_a_planted_shard_with_any_checksum_is_absent(directory):
    """Whoever plants it knows the format, but not the key."""
    filled(directory)
    for path in shards(directory):
        raw = path.read_bytes()
        payload = raw[len(MAGIC) + 32 :]
        for code in (bytes(32), hashlib.blake2b(payload, digest_size=32).digest(), b""):
            path.write_bytes(MAGIC + code + payload)
            assert ResultsCache(directory, KEY)._shard(path.name) == {}


def test_a_shard_of_another_place_is_absent(directory):
    filled(directory)
    other = directory.with_name(directory.name[:-16] + "0" * 16)
    directory.rename(other)
    one, two = shards(other)[:2]
    two.write_bytes(one.read_bytes())

    assert ResultsCache(other, KEY)._shard(one.name) == {}
    other.rename(directory)
    assert ResultsCache(directory, KEY)._shard(one.name) != {}
    assert ResultsCache(directory, KEY)._shard(two.name) == {}


def test_a_shard_that_is_too_large_is_absent(directory, monkeypatch):
    filled(directory)
    monkeypatch.setattr(results_cache, "_LARGEST_SHARD", 100)

    assert found(directory) == []


def test_without_a_key_nothing_is_kept(directory):
    cache = ResultsCache(directory)
    cache.put(key(1), Imports(("a",)))
    cache.save()

    assert not directory.exists()


@given(data=st.data())
@pytest.mark.slow
def test_a_mutated_shard_gives_what_was_kept_or_nothing(tmp_path_factory, data):
    directory = results_directory(Path("/p"), tmp_path_factory.mktemp("any"))
    filled(directory, 20)
    path = data.draw(st.sampled_from(shards(directory)))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, max(0, len(raw) - 1)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path.write_bytes(raw)

    cache = ResultsCache(directory, KEY)
    for number in range(20):
        facts = cache.get(Imports, key(number))
        assert facts is None or facts == Imports((f"m{number}",), {"a": number})


def test_cache_tells_backups_and_git_to_pass_over_it(directory):
    filled(directory)
    facts = directory.parents[1]

    assert (facts / ".gitignore").read_text() == "*\n"
    assert (facts / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f0688")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_directory_depends_on_project_python_and_the_code_of_awaken(tmp_path, monkeypatch):
    first = results_directory(tmp_path / "a", tmp_path)

    assert first != results_directory(tmp_path / "b", tmp_path)
    assert first == results_directory(tmp_path / "a", tmp_path)
    assert ".".join(map(str, sys.version_info[:3])) in first.name
    result_places.own_digest.cache_clear()
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: original(path) + b"#")
    changed = results_directory(tmp_path / "a", tmp_path)
    result_places.own_digest.cache_clear()

    assert changed != first


def test_the_tables_and_stubs_of_awaken_are_part_of_its_code():
    package = Path(knowledge.__file__).parent
    data = {str(path) for path in package.rglob("*") if path.suffix in {".toml", ".pyi"}}

    assert {Path(path).suffix for path in data} == {".toml", ".pyi"}
    assert data <= set(result_places._files(str(package)))


def test_default_is_the_users_cache_directory(tmp_path):
    program = (
        "from pathlib import Path;"
        "from awaken.engine.remembering.result_places import results_directory;"
        "print(results_directory(Path('/p')))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    output = subprocess.check_output(
        [sys.executable, "-c", program],
        env=environment,
        cwd=Path(results_cache.__file__).parents[2],
        text=True,
    )

    assert output.startswith(str(tmp_path))
