"""Bytes become text and come back unchanged, whatever Python source may look like."""

from __future__ import annotations

import codecs
import contextlib
import encodings
import hashlib
import io
import tokenize

import pytest
from growth import steps
from hypothesis import given
from hypothesis import strategies as st

from awaken.workspace.sources import (
    _CODECS,
    Snapshot,
    SourceFile,
    Undecodable,
    decode,
    decode_settings,
)

COOKIES = (
    "latin-1",
    "iso-8859-15",
    "cp1252",
    "cp1251",
    "koi8-r",
    "shift_jis",
    "euc-jp",
    "gb18030",
    "big5",
    "mac-roman",
    "utf-8",
    "utf8",
    "ascii",
)
NEWLINES = ("\n", "\r\n", "\r")
PIECES = st.sampled_from(
    [
        "x = 1",
        "\t",
        "\f",
        "\\",
        "é",
        "'ü'",
        "日本",
        "€",
        " ",
        "# ж",
        "\n",
        "\r\n",
        "\r",
        "if 1:",
        "",
    ]
)


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        pytest.param(b"", "utf-8", id="empty"),
        pytest.param(b"x = 1", "utf-8", id="no final newline"),
        pytest.param("x = 'é'\n".encode(), "utf-8", id="utf-8 without cookie"),
        pytest.param(b"# coding: latin-1\nx = '\xe9'\n", "iso8859-1", id="line 1"),
        pytest.param(b"#!/bin/python\n# -*- coding: cp1252 -*-\n'\x80'", "cp1252", id="line 2"),
        pytest.param(b"\f\t # vim: set fileencoding=latin-1\n'\xe9'", "iso8859-1", id="vim"),
        pytest.param(b"\r\n# coding=latin-1-unix\r\n'\xe9'", "iso8859-1", id="emacs suffix"),
        pytest.param(b"#\r# coding: koi8-r\r'\xc1'\r", "koi8-r", id="lone CR"),
        pytest.param(b"# coding: utf-8-dos\n'\xc3\xa9'", "utf-8", id="utf-8 suffix"),
        pytest.param(b"\n\n# coding: latin-1\n", "utf-8", id="line 3 is no cookie"),
        pytest.param(b"x = 1\n# coding: latin-1\n", "utf-8", id="code before is no cookie"),
        pytest.param(b"x = 1  # coding: latin-1\n", "utf-8", id="comment after code is no cookie"),
        pytest.param(b"'''\n# coding: latin-1\n'''", "utf-8", id="string is no cookie"),
    ],
)
def test_encoding_is_found_as_python_finds_it(raw, encoding):
    source = decode("a.py", raw)

    assert (source.encoding, source.bom) == (encoding, False)
    assert source.raw() == raw
    assert source.text == raw.decode(encoding).encode()
    assert source.digest == hashlib.sha256(raw).digest()
    assert (
        compile(raw, "a.py", "exec").co_code == compile(source.text.decode(), "b", "exec").co_code
    )


def test_byte_order_mark_is_kept_and_hidden():
    raw = codecs.BOM_UTF8 + b"# coding: utf-8\r\nx = 1"

    source = decode("a.py", raw)

    assert (source.text, source.bom, source.raw()) == (raw[3:], True, raw)
    assert source.with_text(b"y").raw() == codecs.BOM_UTF8 + b"y"
    assert source.with_text(b"y").digest == source.digest


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b"# coding: klingon\n", 1, "the encoding 'klingon', in which awaken reads no source"),
        (b"\n# coding: rot13\n'\xe9'", 2, "rot13"),
        (b"x\n'\xe9'\n", 2, "not utf-8 text (invalid continuation byte at byte 3)"),
        (b"x\r\r\n'\xe9'\n", 3, "not utf-8 text"),
        (b"\n# coding: ascii\n'\xe9'", 3, "not ascii text"),
        (b"# coding: cp1252\n'\x81'", 2, "not cp1252 text"),
        (codecs.BOM_UTF8 + b"\n# coding: latin-1\n", 2, "byte order mark but declares iso8859-1"),
        (b"x = 1\ny = '\0'\n", 2, "NUL byte"),
        (b"# coding: utf-7\nx = 1 + 2", 1, "utf-7"),
        (b"# coding: unicode_escape\n'\\d \\xe9'", 1, "unicode_escape"),
        (b"# coding: punycode\nx", 1, "punycode"),
        (b"# coding: shift_jis\n'\x81\xad\x80'", 2, "not shift_jis text"),
        (b"# coding: utf-16\nx = 1", 1, "utf-16"),
        ("x = 1".encode("utf-16"), 1, "not utf-8 text"),
        (b"'\xed\xa0\x80'", 1, "not utf-8 text"),
    ],
)
def test_what_is_not_text_says_so_in_one_sentence(raw, line, message):
    with pytest.raises(Undecodable) as caught:
        decode("a.py", raw)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize("codec", sorted(_CODECS))
def test_a_codec_that_is_read_writes_ascii_as_ascii_and_is_its_own_name(codec):
    source = decode("a.py", f"# coding: {codec}\nx = 1".encode())

    assert source.text == f"# coding: {codec}\nx = 1".encode()
    assert source.encoding == codecs.lookup(codec).name


def test_a_codec_of_the_target_is_neither_imported_nor_asked(monkeypatch, tmp_path):
    asked = []
    codecs.register(asked.append)
    (tmp_path / "klingon.py").write_text("raise SystemExit('ran')")
    monkeypatch.setattr(encodings, "__path__", [*encodings.__path__, str(tmp_path)])
    try:
        with pytest.raises(Undecodable):
            decode("a.py", b"# coding: klingon\n")
    finally:
        codecs.unregister(asked.append)

    assert asked == []


@pytest.mark.parametrize("cookie", ["punycode", "idna", "zlib", "unicode_escape"])
def test_a_codec_that_is_not_read_costs_the_same_for_every_size(cookie):
    def reading(size):
        raw = f"# coding: {cookie}\n".encode() + b"x" * size
        with contextlib.suppress(Undecodable):
            decode("a.py", raw)

    reading(1)  # regular expressions are compiled and kept

    taken = {steps(lambda size=size: reading(size)) for size in (1_000, 2_000, 4_000)}
    assert len(taken) == 1


def test_new_text_that_the_encoding_lacks_is_an_error():
    source = decode("a.py", b"# coding: latin-1\n'\xe9'").with_text("'€'".encode())

    with pytest.raises(UnicodeEncodeError):
        source.raw()


@given(
    cookie=st.sampled_from(COOKIES),
    newline=st.sampled_from(NEWLINES),
    second=st.booleans(),
    bom=st.booleans(),
    pieces=st.lists(PIECES),
)
def test_every_text_comes_back_byte_for_byte(cookie, newline, second, bom, pieces):
    head = (newline if second else "") + f"# coding: {cookie}{newline}"
    raw = (head + "".join(pieces)).encode(cookie, errors="ignore")
    raw = codecs.BOM_UTF8 + raw if bom else raw
    if bom and not cookie.startswith("utf"):
        with pytest.raises(Undecodable):
            decode("a.py", raw)
    else:
        assert decode("a.py", raw).raw() == raw


@given(raw=st.binary(max_size=200), cookie=st.sampled_from(("", *COOKIES)))
def test_any_bytes_come_back_or_are_refused(raw, cookie):
    raw = f"# coding: {cookie}\n#".encode() + raw if cookie else raw
    try:
        source = decode("a.py", raw)
    except Undecodable:
        return  # which bytes are refused is said above; here nothing else may be raised
    expected, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)

    assert source.raw() == raw
    assert source.encoding == codecs.lookup(expected.removesuffix("-sig")).name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_settings_are_utf_8_or_what_their_mark_says(encoding):
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else b""
    raw = mark + "sqlalchemy==1.4.54 # é\r\n".encode(encoding)

    source = decode_settings("requirements.txt", raw)

    assert source.text.decode() == "sqlalchemy==1.4.54 # é\r\n"
    assert source.raw() == raw
    assert source.with_text(b"x").raw().decode(encoding).lstrip("\ufeff") == "x"


def test_settings_in_another_encoding_name_the_line():
    with pytest.raises(Undecodable, match="not utf-8 text") as caught:
        decode_settings("setup.cfg", b"[metadata]\nauthor = Andr\xe9\n")

    assert caught.value.line == 2


def test_replace_shares_what_did_not_change():
    old = Snapshot({"a.py": SourceFile("a.py", b"1"), "b.py": SourceFile("b.py", b"2")})

    new = old.replace({"b.py": SourceFile("b.py", b"3"), "c.py": SourceFile("c.py", b"4")})

    assert new["a.py"] is old["a.py"]
    assert [new[path].text for path in new] == [b"1", b"3", b"4"]
    assert (old["b.py"].text, "c.py" in old, old.get("c.py"), len(old)) == (b"2", False, None, 2)
