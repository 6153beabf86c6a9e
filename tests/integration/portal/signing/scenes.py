"""What people do on the way to a signature on paper."""

from __future__ import annotations

import io

from sqlalchemy import select

from portal.models import SigningPack
from tests import factories

JSON = {"Accept": "application/json"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f00038301804a5e"
    "6d3c0000000049454e44ae426082"
)


def complete(client, scene, replies=3):
    for reply in scene.replies[:replies]:
        fields = {"state": "done", "measures@km": "ច្បាប់លេខ ៥", "measures@en": "Law No. 5", "beds": "3"}
        bases = {f"base:{name}": 0 for name in fields}
        client.post(f"/replies/{reply.public_id}/pages/page1", fields | bases, headers=JSON, expect=200)
        client.post(f"/replies/{reply.public_id}/complete", expect=303)


def cover(**more):
    return {"cover": (io.BytesIO(PNG), "cover.png"), "letter_number": "១២៣ ក.យ", "letter_on": f"{factories.today():%d %m %Y}"} | more


def sheet():
    return {"scan": (io.BytesIO(PNG), "sheet.png"), "letter_number": "7", "letter_on": str(factories.today())}


def printed(client, session):
    """Step one of the assistant: choose (all are chosen) and print."""
    client.get("/sign-on-paper", expect=200)
    client.submit("/sign-on-paper", follow=False, expect=303)
    return session.scalars(select(SigningPack).order_by(SigningPack.id.desc())).first()
