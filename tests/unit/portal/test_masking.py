"""The token of a link never reaches a log."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from types import SimpleNamespace

from gunicorn.config import Config

from config import Settings
from portal.cli.server_log import MaskedLog
from portal.cli.supervisor import web_command
from portal.masking import MASK, masked

TOKEN = "u8fK-3_xQ2"


def test_a_token_is_left_out_wherever_it_stands():
    for text in (f"GET /enter/{TOKEN} HTTP/1.1", f"https://portal.example/enter/{TOKEN}?x=1", f'"/enter/{TOKEN}"'):
        assert TOKEN not in masked(text)
        assert "/enter/…" in masked(text)
    assert masked("/centre/enter") == "/centre/enter"


def test_a_fault_while_a_link_is_opened_is_logged_without_it(caplog):
    log = logging.getLogger("portal.test-masking")
    log.addFilter(MASK)
    log.error("Exception on %s [%s]", f"/enter/{TOKEN}", "POST")
    assert TOKEN not in caplog.text
    assert "Exception on /enter/… [POST]" in caplog.text


def test_the_server_writes_no_access_log_and_masks_one_that_is_asked_for(tmp_path):
    command = web_command(Settings(data_dir=tmp_path, testing=True), 3)
    assert "--access-logfile" not in command
    assert command[command.index("--logger-class") + 1] == "portal.cli.server_log.MaskedLog"
    config = Config()
    config.set("accesslog", "-")
    log = MaskedLog(config)
    written = io.StringIO()
    log.access_log.handlers = [logging.StreamHandler(written)]
    request = SimpleNamespace(headers=[("REFERER", f"http://localhost/enter/{TOKEN}")])
    response = SimpleNamespace(status="200 OK", sent=1, headers=[], response_length=1)
    environ = {
        "REQUEST_METHOD": "GET", "RAW_URI": f"/enter/{TOKEN}", "SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": f"/enter/{TOKEN}",
        "HTTP_REFERER": f"http://localhost/enter/{TOKEN}", "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    log.access(response, request, environ, timedelta(seconds=1))
    assert "GET /enter/… HTTP/1.1" in written.getvalue()
    assert TOKEN not in written.getvalue()


def test_the_link_of_a_share_is_masked_and_its_pages_are_not():
    assert masked(f"GET /shared/{TOKEN} HTTP/1.1") == "GET /shared/… HTTP/1.1"
    assert masked("GET /shared/work/01ab/pages/b HTTP/1.1") == "GET /shared/work/01ab/pages/b HTTP/1.1"
