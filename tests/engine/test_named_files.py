"""Which files a text names, by a part of it that has no other meaning."""

from __future__ import annotations

import pickle

import pytest

from awaken.engine.remembering.named_files import named_files, names_file


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("as app/users.py:12 says", "app/users.py"),
        ("`load` (app/users.py:3)", "app/users.py"),
        ("path='users.py', span", "users.py"),
        ("/srv/shop/app/users.py", "app/users.py"),
        ("in typings/a.pyi.", "typings/a.pyi"),
        ("my app/ü/new users.py:1", "my app/ü/new users.py"),
        ("nothing", "a/ .py"),
    ],
)
def test_a_text_names_the_file(text, path):
    assert names_file(named_files(text.encode()), path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("lib/app/users.py", "users/app.py"),
        ("recorder/core.py", "home/core.py"),
        ("app/users.py", "app/users.pyi"),
        ("app.users", "app/users.py"),
        ("", "users.py"),
    ],
)
def test_a_text_does_not_name_the_file(text, path):
    assert not names_file(named_files(text.encode()), path)


@pytest.mark.parametrize("length", range(1, 400, 7))
def test_a_pickle_names_the_files_in_it(length):
    path = f"{length * 'a'}/users.py"
    data = pickle.dumps((path, [f"in {path}"], path), pickle.HIGHEST_PROTOCOL)
    assert names_file(named_files(data), path)
