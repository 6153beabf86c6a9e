from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from flask import Flask, g

from portal import compiled, templating


@pytest.fixture
def page():
    app = Flask(__name__)
    with app.test_request_context():
        g.view = templating.PageView(
            language="km",
            languages=("km", "en"),
            digits="khmr",
            time_zone="Asia/Phnom_Penh",
            country={"en": "Committee"},
        )
        yield g.view


def test_numbers_keep_their_separators_with_khmer_digits(page):
    assert templating.number(1234567.5) == "១,២៣៤,៥៦៧.៥"
    assert templating.percent(0.725, 1) == "៧២.៥%"
    assert templating.number(None) == ""


def test_moments_are_shown_in_the_zone_of_the_country(page):
    page.digits = "latn"
    assert templating.time_text(datetime(2026, 11, 23, 7, 2, tzinfo=UTC)) == "14:02"
    assert templating.date_text(datetime(2026, 11, 23, 18, 0, tzinfo=UTC)) == "24 វិច្ឆិកា 2026"
    assert templating.date_text(date(2022, 3, 30)) == "30 មីនា 2022"


def test_a_text_without_the_language_falls_back_and_says_so(page):
    assert templating.localized({"en": "Law"}) == "Law"
    assert templating.text_language({"en": "Law"}) == "en"
    assert templating.text_language({"en": "Law", "km": "ច្បាប់"}) == "km"
    assert templating.country() == "Committee"


def test_icons_are_inlined_and_named_only_when_they_speak():
    assert 'aria-hidden="true"' in templating.icon("pencil")
    assert 'aria-label="&lt;Edit&gt;"' in templating.icon("pencil", "<Edit>")
    with pytest.raises(KeyError):
        templating.icon("no-such-icon")


def test_a_changed_template_is_compiled_anew_though_compiled_ones_are_kept(tmp_path):
    from jinja2 import DictLoader

    said = []
    for source in ("one", "one", "two"):
        app = Flask(__name__)
        app.config["SETTINGS"] = SimpleNamespace(cache_dir=tmp_path)
        compiled.keep_compiled(app)
        app.jinja_env.loader = DictLoader({"page": source})
        said.append(app.jinja_env.get_template("page").render())
    assert said == ["one", "one", "two"]
    assert len(list((tmp_path / "templates").rglob("*.code"))) == 1


def test_a_page_points_at_the_one_file_of_icons(app):
    from portal import assets

    with app.app_context():
        address = app.extensions["assets"].url(assets.ICONS)
        assert f'<use href="{address}#pencil"></use>' in templating.icon("pencil")
        assert "<use" not in templating.icon("airplane-engines-fill")  # nobody names it: drawn into the page
    with app.test_client().get(address) as sprite:
        assert sprite.mimetype == "image/svg+xml"
        assert 'id="pencil"' in sprite.text
