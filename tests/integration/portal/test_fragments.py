"""Parts that are drawn once: each reader's own texts, escaped; new wording and other digits draw them anew."""

from __future__ import annotations

import re

import pytest
from flask import g, render_template_string

from portal import wording
from portal.page_views import PageView

PART = "{% macro part(loud, name='', url='') %}<b>{{ _('Save') }}{{ '!' if loud }}{{ loud if loud is string }} {{ name or '-' }} {{ url }}</b>{% endmacro %}"


@pytest.fixture
def draw(app):
    def drawn(call: str, **values: object) -> str:
        with app.test_request_context():
            g.view = PageView(language="en", languages=("en", "km"))
            return render_template_string(PART + "{{ " + call + " }}", **values)

    return drawn


def test_a_part_is_filled_with_each_readers_own_texts(draw):
    said = "drawn(part, loud, name=name, url=url)"
    assert draw(said, loud=True, name="<i>Ministry & co</i>", url="/a?b=1&c") == (
        "<b>Save! &lt;i&gt;Ministry &amp; co&lt;/i&gt; /a?b=1&amp;c</b>"
    )
    assert draw(said, loud=True, name="Second", url="/b") == "<b>Save! Second /b</b>"
    assert draw(said, loud=False, name="", url="/b") == "<b>Save - /b</b>"


def test_what_somebody_typed_cuts_no_hole(draw):
    typed = "\ue000-keys\ue001 \ue000keys\ue001 \ue0000123456789abcdef-keys\ue001"
    assert draw("drawn(part, true, name=name)", name=typed) == f"<b>Save! {typed} </b>"
    assert draw("drawn(part, typed)", typed=typed) == f"<b>Save!{typed} - </b>"


def test_every_form_of_a_part_has_keys_of_its_own(app):
    form = "{% macro form(url) %}<form>{{ form_keys() }}</form>{% endmacro %}{{ drawn(form, 1) }}"
    keys = set()
    for _time in range(2):
        with app.test_request_context():
            found = re.findall(r'name="(csrf_token|idempotency_key)" value="([^"]+)"', render_template_string(form))
        assert [name for name, _value in found] == ["csrf_token", "idempotency_key"]
        keys.add(found[1][1])
    assert len(keys) == 2


def test_new_words_draw_a_part_anew(app, draw):
    before = draw("drawn(part, true)")
    words = app.extensions["wording"]
    words.words = wording.Words(7, {"en": {"Save": "Keep"}})
    words.looked_at = float("inf")
    assert before == "<b>Save! - </b>"
    assert draw("drawn(part, true)") == "<b>Keep! - </b>"
