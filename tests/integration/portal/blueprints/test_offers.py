"""Choices that depend on other answers, without script: the page offers what fits, and what is chosen already."""

from __future__ import annotations

import re

import pytest

from tests import cascades
from tests.tables import key

JSON = {"Accept": "application/json"}
KANDAL, TAKEO = {"angsnuol", "takhmau"}, {"bati", "kirivong"}
SHOWN_ALIKE = ("district", "several", "listed", "searched", "order")


@pytest.fixture
def scene(session):
    return cascades.scene(session)


def choices(page: str, name: str) -> set[str]:
    """Return the keys on the page that can be posted under a name."""
    lists = re.findall(rf'<select[^>]* name="{re.escape(name)}".*?</select>', page, re.DOTALL)
    options = {value for one in lists for value in re.findall(r'<option value="([^"]+)"', one)}
    return options | set(re.findall(rf'<input type="(?:radio|checkbox)" name="{re.escape(name)}" value="([^"]+)"', page))


def save(client, path, **fields):
    return client.post(path, {name.replace("__", "!"): value for name, value in fields.items()}, headers=JSON, expect=None).json


@pytest.mark.parametrize("code", SHOWN_ALIKE)
def test_the_page_offers_what_fits_the_stored_answers(client_for, scene, code):
    client = client_for(scene.focal)
    page = client.get(scene.path).text
    assert choices(page, "province") == {"kandal", "takeo", "kep"}
    assert choices(page, code) == set()
    assert "No choice fits your other answers yet." in page
    save(client, scene.path, province="kandal")
    page = client.get(scene.path).text
    assert choices(page, code) == KANDAL
    # what is chosen stays on the page, and is refused
    save(client, scene.path, **{code: "takhmau", "district": "angsnuol"})
    client.post(scene.path, {"province": "takeo", "base:province": "1"}, headers=JSON, expect=200)
    page = client.get(scene.path).text
    assert choices(page, code) == TAKEO | {"angsnuol" if code == "district" else "takhmau"}
    assert "This choice no longer fits the other answers." in page


def test_one_reply_never_sees_the_offer_of_another(client_for, scene):
    """Controls are drawn once and kept: what is kept says for whom it fits."""
    mine, other = client_for(scene.focal), client_for(scene.other.focal)
    save(mine, scene.path, province="kandal")
    assert choices(mine.get(scene.path).text, "district") == KANDAL
    assert choices(other.get(scene.other.path).text, "district") == set()
    save(other, scene.other.path, province="takeo")
    assert choices(other.get(scene.other.path).text, "district") == TAKEO
    assert choices(mine.get(scene.path).text, "district") == KANDAL


def test_each_row_of_a_table_is_offered_its_own(client_for, scene):
    client = client_for(scene.focal)
    first, second = key(1), key(2)
    rows = {f"{part}visits[{row}]": value for row, at in ((first, "1"), (second, "2")) for part, value in (("row:", at), ("row-base:", "0"))}
    save(client, scene.path, **rows, **{f"place[{first}]": "kandal", f"place[{second}]": "kep"})
    page = client.get(scene.path).text
    for column in ("part", "parts"):
        assert choices(page, f"{column}[{first}]") == KANDAL
        assert choices(page, f"{column}[{second}]") == {"damnak"}


def test_a_save_tells_what_is_on_offer_after_it(client_for, scene):
    """For rules that only the server can judge."""
    client = client_for(scene.focal)
    told = save(client, scene.path, province="kep")
    assert {told["offered"][code][0] for code in SHOWN_ALIKE} == {"damnak"}
    assert "offered" not in save(client, scene.path, district="damnak")
