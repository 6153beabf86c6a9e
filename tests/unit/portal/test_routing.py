"""Addresses are what werkzeug says they are: those built late, and those whose view was looked up before."""

from __future__ import annotations

import pytest
from flask import Flask, request
from werkzeug.routing import BuildError, Map, Rule

from portal import routing
from portal.routing import KnownPaths, LateRule


def adapter(kind):
    rules = [
        kind("/", endpoint="home"),
        kind("/replies/<uuid:reply>/pages/<page>", endpoint="page"),
        kind("/files/<path:rest>", endpoint="file"),
        kind("/lists/", endpoint="list", defaults={"number": 1}),
        kind("/lists/<int:number>", endpoint="list"),
        kind("/odd/<rule>/<values>", endpoint="odd"),
    ]
    return Map(rules).bind("localhost")


CASES = [
    ("home", {}),
    ("home", {"q": "ខ្មែរ & more", "page": [1, 2]}),
    ("page", {"reply": "6f0b4e0c-6d0e-4b5f-9a3b-111111111111", "page": "a b/c"}),
    ("page", {"reply": "6f0b4e0c-6d0e-4b5f-9a3b-111111111111", "page": "ទំព័រ", "at": "x"}),
    ("file", {"rest": "one/two three"}),
    ("list", {"number": 1}),
    ("list", {"number": 7, "language": None}),
    ("odd", {"rule": "r", "values": "v", "self": "s"}),
]


def test_addresses_are_the_same_the_first_time_and_the_second():
    plain, late = adapter(Rule), adapter(LateRule)
    expected = [plain.build(endpoint, values) for endpoint, values in CASES]
    for _round in range(2):
        assert [late.build(endpoint, values) for endpoint, values in CASES] == expected
    without = [plain.build(endpoint, values, append_unknown=False) for endpoint, values in CASES]
    assert [late.build(endpoint, values, append_unknown=False) for endpoint, values in CASES] == without


def test_what_does_not_fit_is_refused_as_before():
    late = adapter(LateRule)
    for _round in range(2):
        with pytest.raises(BuildError):
            late.build("page", {"page": "no reply"})
    assert late.match("/lists/7") == ("list", {"number": 7})


class Knowing(Flask):
    """An application that remembers what addresses say."""

    def request_context(self, environ):
        return KnownPaths(self, environ)


@pytest.fixture
def knowing():
    app = Knowing(__name__)

    @app.get("/replies/<reply>/pages/<int:page>")
    def shown(**named):
        named["page"] += 1  # whatever a view does with them
        request.view_args.clear()
        return {"view": "shown", **named}

    @app.post("/replies/<reply>/pages/<int:page>")
    def saved(**named):
        return {"view": "saved", **named}

    app.add_url_rule("/folder/", view_func=lambda: "folder", endpoint="folder")
    return app


def test_an_address_says_the_same_again_whatever_was_done_with_it(knowing):
    client = knowing.test_client()
    for _again in range(3):
        assert client.get("/replies/a/pages/1?x=1").json == {"view": "shown", "reply": "a", "page": 2}
        assert client.post("/replies/a/pages/1").json == {"view": "saved", "reply": "a", "page": 1}
        assert client.get("/replies/b/pages/1").json["reply"] == "b"
        assert client.head("/replies/a/pages/1").status_code == 200
        assert client.delete("/replies/a/pages/1").status_code == 405
        assert client.get("/replies/a/pages/one").status_code == 404
        assert client.get("/folder").location == "http://localhost/folder/"
        assert client.get("/folder/").text == "folder"


def test_no_more_addresses_are_remembered_than_there_is_room_for(knowing, monkeypatch):
    monkeypatch.setattr(routing, "KEPT", 3)
    client = knowing.test_client()
    for number in range(10):
        assert client.get(f"/replies/{'x' * 30 * number}a/pages/1").json["reply"] == f"{'x' * 30 * number}a"
        client.get(f"/nothing/{number}")
    known = vars(knowing)["_portal_paths"]
    assert 0 < len(known) <= 3
    assert max(len(key[1]) for key in known) <= routing.LONGEST
