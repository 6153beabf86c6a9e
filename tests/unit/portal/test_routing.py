"""An address built late is the address werkzeug would have built at once."""

from __future__ import annotations

import pytest
from werkzeug.routing import BuildError, Map, Rule

from portal.routing import LateRule


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
