"""Every form that posts carries the keys that let it be done once, or says here why not."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from config import ROOT, Settings
from portal.app import create_app

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
# the forms that carry no key, each with its reason; all carry the CSRF token
WITHOUT = {
    "accounts/login.html": "nobody is signed in yet, and signing in twice is signing in",
    "accounts/forgotten.html": "nobody is signed in; the answer is the same for every name",
    "accounts/enter.html": "nobody is signed in yet; the code is spent once",
    "shared/enter.html": "nobody is signed in, and coming in twice is coming in",
    "accounts/second_step.html": "nobody is signed in yet; a code is taken once",
    "accounts/second_set_up.html": "nobody is signed in yet; a code is taken once",
    "errors/error.html": "it sends once more what could not be taken, with the keys of that form",
    "components/language_switch.html": "choosing a language twice is choosing it",
    "components/account_menu.html": "signing out twice is signing out",
}
# answers have request_key and bases
ANSWERS = 'class="questions"'


def forms():
    folder = ROOT / "templates"
    for path in sorted(folder.rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        if name.startswith("gallery/"):
            continue
        for attributes, inside in FORM.findall(path.read_text(encoding="utf-8")):
            if 'method="post"' in attributes.lower():
                yield name, attributes, inside


def test_every_form_carries_its_keys():
    found = list(forms())
    assert len(found) > 50
    wrong = []
    for name, attributes, inside in found:
        if name in WITHOUT or ANSWERS in attributes:
            if 'name="csrf_token"' not in inside or "form_keys()" in inside:
                wrong.append(f"{name}: {attributes} carries a key, or no token")
        elif inside.count("form_keys()") != 1:
            wrong.append(f"{name}:{attributes}")
    assert not wrong, "\n".join(wrong)


def test_no_reason_is_left_over():
    assert {name for name, _attributes, _inside in forms()} >= set(WITHOUT)


@pytest.fixture
def app(tmp_path) -> Flask:
    return create_app(
        Settings(
            data_dir=tmp_path / "data",
            cache_dir=ROOT / ".cache",
            database_url=f"sqlite:///{tmp_path}/portal.db",
            base_url="http://localhost",
            secret_key="test-only-key-of-more-than-thirty-two-characters",
            testing=True,
        )
    )


def test_views_that_repeat_say_why(app):
    reasons = {
        endpoint: view.portal_repeats
        for endpoint, view in app.view_functions.items()
        if hasattr(view, "portal_repeats")
    }
    assert all(len(reason) > 20 for reason in reasons.values())
    # a new one is added here on purpose
    assert set(reasons) == {
        "accounts.logout", "documents.receive_piece", "documents.save_entered", "documents.say_here",
        "people.export",
        "questionnaires.drive", "questionnaires.upload", "recommendations.texts_out", "remember.recall",
        "remember.reported_out", "respond.download_reply",
        "respond.download_round", "respond.hand_over_workbook", "respond.save_section",
        "respond.say_here", "respond.upload_piece",
        "second_factor.renew_codes", "second_factor.set_up", "shared.save_section", "shared.say_here", "shared.upload_piece",
        "wording.download",
    }  # fmt: skip
