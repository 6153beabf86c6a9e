from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask

from portal import compiled, templating


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
