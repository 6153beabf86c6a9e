"""Assets: built once, named by their content, whole or not at all."""

from __future__ import annotations

import multiprocessing
import re

import brotli
import pytest
from flask import Flask

from config import ROOT, Settings
from portal import assets


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", testing=True, secret_key="k" * 40)


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A small tree of sources, and fonts that need no cutting."""
    static, translations = tmp_path / "static", tmp_path / "translations"
    for folder in ("css", "js", "img"):
        (static / folder).mkdir(parents=True)
    (static / "css" / "portal.css").write_text(
        '/* x */\n@font-face { src: url("../fonts/a.woff2") }\n:root { --a: "/* kept */" }'
    )
    (static / "css" / "print.css").write_text("nav { display: none }")
    (static / "js" / "portal.js").write_text("let a = 1;\n")
    (static / "js" / "page.js").write_text("// bundle: portal.js\nlet b = a;\n")
    (static / "img" / "mark.svg").write_text("<svg/>")
    (translations / "km").mkdir(parents=True)
    monkeypatch.setattr(assets, "STATIC", static)
    monkeypatch.setattr(assets, "TRANSLATIONS", translations)
    monkeypatch.setattr(assets, "_build_fonts", lambda target: (target / "a.woff2").write_bytes(b"font"))
    return tmp_path


def po(path, **messages):
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    path.write_text(header + "".join(f'msgid "{k}"\nmsgstr "{v}"\n\n' for k, v in messages.items()), encoding="utf-8")


def test_names_carry_the_hash_and_styles_point_to_hashed_files(settings, sources):
    manifest = assets.ensure_built(settings)
    assert re.fullmatch(r"/assets/css/app\.[0-9a-f]{12}\.css", manifest.url("css/app.css"))
    sheet = (manifest.root / manifest.files["css/portal.css"]).read_text()
    assert f'url("../{manifest.files["fonts/a.woff2"]}")' in sheet
    assert "/* x */" not in sheet
    assert '"/* kept */"' in sheet
    whole = (manifest.root / manifest.files["css/app.css"]).read_text()
    assert "@media print{nav { display: none }}" in whole
    assert "sourceMappingURL" not in whole
    assert (manifest.root / manifest.files["js/page.js"]).read_text().startswith("let a=1;")
    with pytest.raises(KeyError):
        manifest.url("css/nothing.css")


def test_compressed_forms_stand_beside(settings, sources):
    manifest = assets.ensure_built(settings)
    path = manifest.root / manifest.files["css/app.css"]
    assert brotli.decompress(path.with_name(path.name + ".br").read_bytes()) == path.read_bytes()
    assert path.with_name(path.name + ".gz").exists()


def test_unchanged_inputs_build_nothing_and_a_change_gives_a_new_name(settings, sources, monkeypatch):
    first = assets.ensure_built(settings)
    monkeypatch.setattr(assets, "_build_static", None)
    monkeypatch.setattr(assets, "_build_mo", None)
    assert assets.ensure_built(settings).files == first.files
    monkeypatch.undo()


def test_a_changed_source_gives_a_new_name(settings, sources):
    before = assets.ensure_built(settings).url("js/portal.js")
    (sources / "static" / "js" / "portal.js").write_text("let a = 2;\n")
    assert assets.ensure_built(settings).url("js/portal.js") != before


def _build(settings, queue):
    queue.put(assets.ensure_built(settings).files["css/app.css"])


def test_two_processes_build_at_once(settings, sources):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    both = [context.Process(target=_build, args=(settings, queue)) for _ in range(2)]
    for process in both:
        process.start()
    names = {queue.get(timeout=60) for _ in both}
    for process in both:
        process.join(60)
    assert len(names) == 1
    assert [path.name for path in (settings.cache_dir / "static").iterdir() if path.name.startswith("building")] == []


def test_a_failed_build_leaves_nothing(settings, sources):
    (sources / "static" / "js" / "page.js").write_text("// bundle: gone.js\n")
    with pytest.raises(assets.BuildError, match=r"page\.js bundles gone\.js"):
        assets.ensure_built(settings)
    assert list((settings.cache_dir / "static").iterdir()) == []


def test_catalogues_are_merged_and_contradictions_name_both_files(settings, sources):
    folder = sources / "translations" / "km"
    po(folder / "a.po", Save="រក្សាទុក", Empty="")
    po(folder / "b.po", Save="រក្សាទុក", Send="ផ្ញើ")
    path = assets.ensure_built(settings).translations / "km" / "LC_MESSAGES" / "messages.mo"
    import gettext

    with path.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    assert catalogue.gettext("Send") == "ផ្ញើ"
    assert catalogue.gettext("Empty") == "Empty"
    po(folder / "b.po", Save="ផ្ញើ")
    with pytest.raises(assets.BuildError, match=r"(?s)Save.*a\.po.*b\.po"):
        assets.ensure_built(settings)


def test_files_are_served_for_ever_and_compressed(settings, sources):
    app = Flask("small")
    manifest = assets.install(app, settings)
    response = app.test_client().get(manifest.url("css/app.css"), headers={"Accept-Encoding": "br"}, buffered=True)
    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == "br"
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    response.close()
    assert app.test_client().get("/assets/manifest.json").status_code == 404
    assert app.test_client().get("/assets/../data/secret-key").status_code == 404


def test_the_real_fonts_are_small_and_variable(tmp_path):
    from fontTools.ttLib import TTFont

    cache = Settings(testing=True, secret_key="k" * 40, data_dir=tmp_path, cache_dir=ROOT / ".cache")
    manifest = assets.ensure_built(cache)
    for name, letter, limit in (("khmer", 0x1780, 36_000), ("latin", ord("A"), 24_000)):
        path = manifest.root / manifest.files[f"fonts/noto-sans-khmer-{name}.woff2"]
        assert path.stat().st_size < limit
        with TTFont(path) as font:
            assert letter in font.getBestCmap()
            assert [(axis.axisTag, axis.minValue, axis.maxValue) for axis in font["fvar"].axes] == [("wght", 400, 700)]


def test_a_sheet_is_settled_for_one_width():
    sheet = ".a { b: c; } @media (max-width: 40rem) { .d { e: f; } .g { h: i; } } @media (min-width: 48rem) { .j { k: l; } } .m { n: o; }"
    narrow, wide = assets.at_width(sheet, 24.375), assets.at_width(sheet, 80)
    assert ".d { e: f; } .g { h: i; }" in narrow
    assert ".j" not in narrow
    assert narrow.count("{") == narrow.count("}") == 4
    assert ".j { k: l; }" in wide
    assert ".d" not in wide
    assert ".m { n: o; }" in wide
    assert "@media print" in assets.at_width("@media print { p { q: r; } }", 1)
