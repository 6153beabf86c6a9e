"""A browser is named in words that its owner knows."""

from __future__ import annotations

import pytest

from portal.blueprints.devices import device

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36"
)
EDGE = f"{CHROME} Edg/109.0.1518.61"
PHONE = "Mozilla/5.0 (Linux; Android 12; SM-A127F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
TELEGRAM = f"{PHONE} Telegram-Android/10.6.1 (Samsung SM-A127F; Android 12; SDK 31; AVERAGE)"
APPLE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (CHROME, "Chrome · Windows"), (EDGE, "Edge · Windows"), (PHONE, "Chrome · Android"), (APPLE, "Safari · iPhone"),
        (TELEGRAM, "Telegram · Android"), ("curl/8.1", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_browser_and_its_system_are_named(agent, said):
    assert device(agent) == said
