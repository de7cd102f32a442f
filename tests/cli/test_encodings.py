"""Whatever a file looks like and wherever a query stands: only the rewritten code changes.

One program holds all the files below. The command line rewrites it once as a patch and once in
place; then each file is compared byte for byte.
"""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from msgspec import Struct
from real_program import IMPORTS, NEW_IMPORT, QUERY, SELECT, Program, awaken, commit, git

HEAD = f"«{NEW_IMPORT}»{IMPORTS}\n\ndef f(db: Session, a=1):\n"
LONG = (
    "db.query(User).filter(User.id == 1, User.name == 'a very long name indeed')"
    ".order_by(User.id).all()"
)
LONG_AFTER = """\
db.scalars(
        select(User)
        .where(User.id == 1, User.name == 'a very long name indeed')
        .order_by(User.id)
    ).all()"""


class File(Struct, frozen=True):
    """One file: ``«new»`` is there after the run, ``§`` is a query, ``¶`` a query that stays."""

    text: str
    codec: str = "utf-8"
    bom: bytes = b""
    query: tuple[str, str] = (QUERY, SELECT)

    @property
    def before(self):
        return self._encoded(re.sub("«.*?»", "", self.text, flags=re.DOTALL), self.query[0])

    @property
    def after(self):
        return self._encoded(re.sub("[«»]", "", self.text), self.query[1])

    def _encoded(self, text, expression):
        text = text.replace("§", expression).replace("¶", self.query[0])
        return self.bom + text.encode(self.codec)


def long_lines(newline, indent="    "):
    head = HEAD + f"{indent}if a: pass\n"
    after = LONG_AFTER.replace("    ", indent).replace("\n", newline)
    return File(f"{head}{indent}x = §\n{indent}y = 2".replace("\n", newline), query=(LONG, after))


ONE = HEAD + "    return §\n"
FORMS = {
    "lf": File(ONE),
    "crlf": File(ONE.replace("\n", "\r\n")),
    "cr": File(ONE.replace("\n", "\r")),
    "lf-long": long_lines("\n"),
    "crlf-long": long_lines("\r\n"),
    "cr-long": long_lines("\r"),
    "tabs-long": long_lines("\n", "\t"),
    "two-spaces-long": long_lines("\r\n", "  "),
    "mixed-newlines": File(
        HEAD.replace("\n", "\r\n") + "    x = 'a\\\nb', §\r    y = §\n    z = '''\r\n\n\r'''\n\r"
    ),
    "mixed-newlines-long": File(
        HEAD.replace("\n", "\r\n") + "    a = 1\r    b = 2\n    x = §\n    y = 3\r",
        query=(LONG, LONG_AFTER.replace("\n", "\r\n")),
    ),
    "bom": File(ONE, bom=b"\xef\xbb\xbf"),
    "bom-crlf": File(ONE.replace("\n", "\r\n"), bom=b"\xef\xbb\xbf"),
    "bom-and-cookie": File(f"# coding: utf-8\n{ONE}", bom=b"\xef\xbb\xbf"),
    "utf-8-cookie": File(f"#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n{ONE}"),
    "latin-1": File(
        f"# -*- coding: latin-1 -*-\n{HEAD}    é = 'ÿ', §  # ß\n    x = §  # \x85 ends no line\n",
        codec="latin-1",
    ),
    "latin-1-crlf": File(
        f"# vim: fileencoding=latin-1\n{HEAD}    é = 'ÿ', §; ü = §  # ß\n".replace("\n", "\r\n"),
        codec="latin-1",
    ),
    "cp1252": File(f"\n# coding=cp1252\n{HEAD}    x = '€', §  # \u2018\u2019\n", codec="cp1252"),
    "koi8-r": File(f"# coding: koi8-r\n{HEAD}    имя = 'Ж', §\n", codec="koi8-r"),
    "shift-jis": File(f"# coding: shift_jis\n{HEAD}    名 = '表', §  # 表\n", codec="shift_jis"),
    "gb18030": File(f"# coding: gb18030\n{HEAD}    x = '😀', §  # 表\n", codec="gb18030"),
    "identifiers": File(f"{HEAD}    größe = '😀', §  # 😀\n    ﬁ = µ = §; 变量 = §\n"),
    "only-look-like-newlines": File(
        f"{HEAD}    x = '\u2028\x85\x1c\x0b', §  # \x85 \u2029 \x1d \x0b\n    y = §\n"
    ),
    "form-feeds": File(f"\f\n{HEAD}\f    x = §\f\n\f\n    \f    y = §  # \f\n\f"),
    "form-feed-before-the-imports": File(f"\f{HEAD.replace('«', f'«{chr(10)}')}    x = §\n"),
    "tabs": File(HEAD + "\tif a:\n\t\tx = §\t# tab\n\t\tif x:\n\t\t  y\t=\t§\n"),
    "white-space-at-line-ends": File(f"{HEAD}    x = § \t \n \t\n    # end  \n   \n\n\n"),
    "no-final-newline": File(f"{HEAD}    x = §"),
    "no-final-newline-crlf": File(f"{HEAD}    x = §".replace("\n", "\r\n")),
    "no-final-newline-after-comment": File(f"{HEAD}    x = §\n    # é"),
    "backslashes": File(
        f"{HEAD}    x = \\\n  § \\\n  , 1 + \\\n  \\\n  2\n    y = 1; \\\n§ \\\n\n"
    ),
    "backslashes-crlf": File(f"{HEAD}    x = \\\n  § \\\n  , 1\n".replace("\n", "\r\n")),
    "newlines-in-strings": File(f"{HEAD}    x = '''a\rb\r\nc''', §, r'''\\\r\n'''\n"),
    "invisible-characters": File(f"{HEAD}    x = '\u200b\u202e\ufeff', §  # \u202e\ufeff\n"),
}
PLACES = {
    "if-on-one-line": "    if a: x = §; y = 2\n    else: x = §\n",
    "while-on-one-line": "    while §: a = 1; break\n",
    "after-semicolon": "    x = 1; y = §; z = §;\n",
    "after-semicolon-and-backslash": "    x = 1; \\\n        y = §; z = 3\n",
    "decorators": "    @a(§)\n    @ a\n    def g(): pass\n\n    @a(x=§)\n    class C: pass\n",
    "default-arguments": "    def g(x=§, /,\n          y=§, *, z=§): pass\n",
    "annotations": "    def g(x: a[§],\n          *y: §) -> §: pass\n    z: § = §\n",
    "class-body": "    class C(a(§), m=b(§)):\n        x = §\n        y: int = §\n",
    "lambda": "    g = lambda x=§, *y: (\n        §, lambda: §)\n",
    "comprehensions": "    x = [§ for x in § if\n  §], {x: § for x in a}, {\n*(§ for y in §)}\n",
    "nested-functions": "    def g():\n      def h():\n            return §\n      return h, §\n",
    "match": "    match §:\n      case User(id=1) if §:\n            x = §\n      case _: x = §\n",
    "async": (
        "    async def g():\n        x = await h(§)\n        async with a(§): x = §\n"
        "        async for x in h(§): yield x\n        return\n"
    ),
    "operators": "    x = not § or §\n    y = § + -1 if § \\\n else §[0], a < § is not None\n",
    "targets": "    §[0].y = 1; del §[0].y\n    §[0].id += §[1].id\n    for §[0].x in a: pass\n",
    "statements": "    assert §, §\n    yield §\n    x = yield from §\n    raise a(§) from b(§)\n",
    "try": "    try: §\n    except a(§): §\n    else: §\n    finally: §\n",
    "with": "    with a(§), (b(§)): x\n",
    "walrus": "    if (x := §): return x\n",
    "parentheses": "    return ((§)), (\n        # above\n        §  # on\n        # below\n)\n",
    "slices-and-stars": "    x = a[§:§]\n    y = g(*§, **{'a': §})\n    z = [*§]\n",
    "beside-strings": "    x = 'a' 'b', §, rb'\\x', f'{a!r:>{a}}'\n    '''a\\n'''; y = §\n",
    "f-strings": "    x = §, f'{§}'; y = rf'''\n {§!r:>{len(§)}}''' 'a' f\"{f'{§}'}\"\n"
    "    z = §\n    f'{¶=}'\n",
}
FILES = FORMS | {name: File(f"{HEAD}{text}") for name, text in PLACES.items()}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Return what became of ``FILES``: as a patch, in place, and after undo."""
    directory = tmp_path_factory.mktemp("encodings")
    files = {f"{name}.py": file.before for name, file in FILES.items()}
    one, other = Program(directory / "one", files), Program(directory / "other", files)
    commit(one.root)
    commit(other.root)
    codes = {}
    codes["diff"], patch = awaken("diff", one.root)
    untouched = one.contents()
    git(other.root, "apply", given=patch)
    codes["apply"], _ = awaken("apply", one.root)
    applied = one.contents()
    codes["again"], second_patch = awaken("diff", one.root)
    codes["undo"], _ = awaken("undo", one.root)
    return SimpleNamespace(
        before=files,
        untouched=untouched,
        patched=other.contents(),
        applied=applied,
        second_patch=second_patch,
        undone=one.contents(),
        codes=codes,
    )


@pytest.mark.parametrize("name", FILES)
def test_only_the_rewritten_code_changes(program, name):
    assert program.applied[f"{name}.py"] == FILES[name].after


def test_every_file_of_this_module_is_one_that_python_takes():
    for name, file in FILES.items():
        compile(file.before, name, "exec")
        compile(file.after, name, "exec")


def test_the_patch_gives_the_same_bytes_as_apply(program):
    assert program.patched == program.applied


def test_diff_writes_nothing_and_undo_takes_every_byte_back(program):
    assert program.untouched == program.undone
    assert program.undone.items() >= program.before.items()


def test_a_second_run_finds_nothing_to_change(program):
    assert program.second_patch == b""
    assert set(program.codes.values()) == {0}


def test_a_query_that_an_f_string_shows_is_manual(tmp_path):
    Program(tmp_path / "shop", {"case.py": FILES["f-strings"].before})

    code, out = awaken("check", "--output-format", "concise", tmp_path / "shop")

    assert code == 1
    assert out.count(b"inside-f-string") == 1
    assert out.count(b"safe") == 6
