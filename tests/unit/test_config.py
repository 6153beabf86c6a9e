"""Settings: read once, refused at start with all sentences together."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

import config
from config import Settings, SettingsError, load


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        monkeypatch.delenv(name)


def test_everything_has_a_default(tmp_path):
    settings = load(data_dir=tmp_path)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.sqlite_path == tmp_path / "tamdan.sqlite3"
    assert settings.spool_dir == tmp_path / "mail"
    assert settings.totp_required == {"coordinator", "report_writer", "administrator"}
    assert not settings.secure
    assert settings.session_cookie_name == "tamdan"


def test_https_makes_cookies_secure():
    settings = load(base_url="https://portal.example/", secret_key="k" * 40)
    assert settings.base_url == "https://portal.example"
    assert settings.session_cookie_name == "__Host-tamdan"
    assert settings.flask_config()["SESSION_COOKIE_SECURE"] is True


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"base_url": "http://portal.example"}, "in the clear"),
        ({"base_url": "portal.example"}, "must look like"),
        ({"base_url": "https://portal.example/path"}, "must look like"),
        ({"host": "0.0.0.0"}, "PORTAL_BASE_URL is needed"),
        ({"database_url": "mysql://x"}, "sqlite: or postgresql:"),
        ({"mail_url": "mailto:x"}, "spool:"),
        ({"secret_key": "short"}, "too short"),
        ({"totp_required": "king"}, "unknown role king"),
        ({"port": 70000}, "PORTAL_PORT"),
    ],
)
def test_what_cannot_be_used_is_said(given, sentence):
    with pytest.raises(SettingsError, match=sentence):
        load(**given)


def test_all_problems_are_said_at_once_and_secrets_are_not(monkeypatch):
    monkeypatch.setenv("PORTAL_PORT", "many")
    monkeypatch.setenv("PORTAL_THREADS", "0")
    monkeypatch.setenv("PORTAL_DATADIR", "/nowhere")
    monkeypatch.setenv("PORTAL_SECRET_KEY", "hunter2")
    with pytest.raises(SettingsError) as caught:
        load()
    text = str(caught.value)
    assert "PORTAL_PORT" in text
    assert "PORTAL_THREADS" in text
    assert "did you mean PORTAL_DATA_DIR?" in text
    assert "hunter2" not in text


def test_the_demo_asks_no_second_factor_unless_told(monkeypatch):
    assert load(demo=True).totp_required == frozenset()
    monkeypatch.setenv("PORTAL_TOTP_REQUIRED", "administrator, observer")
    assert load(demo=True).totp_required == {"administrator", "observer"}
    monkeypatch.setenv("PORTAL_TOTP_REQUIRED", "-")
    assert load().totp_required == frozenset()


def test_the_key_is_made_once_readable_by_the_owner_only(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Settings(data_dir=tmp_path).signing_key, range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 32
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_form_limits_are_set_on_purpose(tmp_path):
    flask = load(data_dir=tmp_path, max_upload_mb=30, evidence_max_mb=20).flask_config()
    assert flask["MAX_CONTENT_LENGTH"] == 31 * config.MEGABYTE
    flask = load(data_dir=tmp_path, max_upload_mb=30, evidence_max_mb=50).flask_config()
    assert flask["MAX_CONTENT_LENGTH"] == 51 * config.MEGABYTE
    assert flask["MAX_FORM_MEMORY_SIZE"] > 500_000
    assert flask["MAX_FORM_PARTS"] > 1000
