"""Tables through HTTP: rows and cells saved by two people, removed and put back, without script and by autosave."""

from __future__ import annotations

from tests import tables

JSON = {"Accept": "application/json"}
A, B = tables.key(1), tables.key(2)


def new_row(key, position=1, repeat="b5"):
    return {f"row:{repeat}[{key}]": str(position), f"row-base:{repeat}[{key}]": "0"}


def cell(name, value, base=0):
    return {name: value, f"base:{name}": str(base)}


def test_page_shows(client_for, session):
    scene = tables.scene(session)
    client = client_for(scene.focal)
    client.get(scene.path, expect=200)
    response = client.post(scene.path, new_row(A) | cell(f"women[{A}]", "12") | cell(f"activity[{A}]@en", "Training"), headers=JSON, expect=200)
    print(response.json)
    client.get(scene.path, expect=200)
    client.get(scene.inner, expect=200)
