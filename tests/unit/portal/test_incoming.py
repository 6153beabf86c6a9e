"""A short form is read as Werkzeug reads it, by a shorter way."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

from portal import incoming
from portal.incoming import Incoming

FORM = "application/x-www-form-urlencoded"


def environ(body, kind=FORM, **more):
    return {
        "REQUEST_METHOD": "POST", "wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)), **more,
    }  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def context():
    with Flask(__name__).app_context():
        yield


def alike(body, kind=FORM, **more):
    ours, theirs = Incoming(environ(body, kind, **more)), Request(environ(body, kind, **more))
    assert list(ours.form.items(multi=True)) == list(theirs.form.items(multi=True))
    assert list(ours.files.items(multi=True)) == list(theirs.files.items(multi=True))
    assert ours.stream.read() == theirs.stream.read()
    assert ours.form is ours.form
    return ours.form


@given(st.lists(st.tuples(st.text(), st.text())))
def test_what_a_browser_sends(fields):
    found = alike(urlencode(fields).encode())
    assert all(value in found.getlist(name) for name, value in fields)


@given(st.text(st.sampled_from("ab=&%+;2fFéក "), max_size=40) | st.binary(max_size=20))
def test_what_no_browser_sends(written):
    alike(written if isinstance(written, bytes) else written.encode())


@pytest.mark.parametrize(
    "kind", [FORM, f"{FORM};charset=UTF-8", f" {FORM.upper()} ; x=y", "text/plain", "", "multipart/form-data; boundary=x"]
)
def test_of_any_kind(kind):
    alike(b"a=1&b=%E1%9E%80&a=", kind)


def test_a_long_one_and_one_of_unknown_length(monkeypatch):
    monkeypatch.setattr(incoming, "SHORT", 10)
    assert alike(b"a=0123456789&b=1")["b"] == "1"
    assert alike(b"a=1", CONTENT_LENGTH="")["a"] == "1"
    assert alike(b"a=1", CONTENT_LENGTH="3", HTTP_TRANSFER_ENCODING="chunked")["a"] == "1"


def test_one_that_was_read_already():
    asked = Incoming(environ(b"a=1"))
    assert asked.get_data() == b"a=1"
    assert asked.form["a"] == "1"


def test_one_that_is_too_long_is_refused():
    asked = Incoming(environ(b"a=0123456789"))
    asked.max_content_length = 5
    with pytest.raises(RequestEntityTooLarge):
        asked.form  # noqa: B018 - looking is reading
