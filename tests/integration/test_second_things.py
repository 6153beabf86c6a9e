"""An address or a form that names two things: the second must belong to the first.

Each line of :data:`PAIRS` is tried with a thing of its own, which is found, and with things of a neighbour, which are
not: another reply of the same institution, another institution's, another round's. A route with two names is added
to the table, or to :data:`NO_THING` where its second name is a word and no stored thing.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from portal import clock
from portal.models import (
    Actor,
    AssignmentDocument,
    Clarification,
    ClarificationMessage,
    ClarificationRead,
    Collection,
    Delegation,
    Evidence,
    EvidenceKind,
    HeldPost,
    ImportDraft,
    Invitation,
    ItemKind,
    Membership,
    Participation,
    Role,
    StaffRole,
    Status,
    Submission,
    Unit,
    VersionItem,
)
from tests import factories
from tests.integration.portal.api.test_api import Caller
from tests.scenes import answer

FILE = b"A list."
SHA256 = "5c" * 32


@dataclass(frozen=True)
class Pair:
    """What is asked, by whom: ``{one}`` and ``{two}`` stand for names; ``wrong`` are neighbours of ``two``."""

    who: str
    method: str
    path: str
    one: str
    two: str
    wrong: tuple[str, ...]
    fields: dict[str, str] = field(default_factory=dict)
    refused: int = 404


OWN, DESK, BOARD = "focal", "coordinator", "coordinator"
PAPER = "/review/{one}/paper/{two}"
PAIRS = [
    # a document, and the reply that it came for
    *(
        Pair(DESK, method, PAPER + more, "reply", "document", ("document_beside", "document_theirs"))
        for method, more in (
            ("GET", ""), ("GET", "/pages/page1"), ("POST", "/pages/page1"), ("GET", "/pages/page1/here"),
            ("POST", "/pages/page1/here"), ("POST", "/finish"), ("POST", "/questions/proof/files"), ("POST", "/evidence/13/remove"),
        )
    ),
    # an assignment, and its round
    *(
        Pair(BOARD, method, "/rounds/{one}/assignment/{two}" + more, "round", "assignment", ("assignment_later",))
        for method, more in (("GET", ""), ("POST", "/withdraw"), ("POST", "/restore"), ("POST", "/extend"))
    ),
    # a recommendation, and a round that asks about its document
    *(
        Pair(BOARD, method, "/rounds/{one}/paragraph/{two}", "round", "cited", ("cited_elsewhere",))
        for method in ("GET", "POST")
    ),
    # a returned file, and the version that it was brought to
    *(
        Pair(DESK, method, "/questionnaires/{one}/translations/file/{two}", "version", "texts", ("texts_elsewhere",))
        for method in ("GET", "POST")
    ),
    # two versions, of one questionnaire
    Pair(DESK, "GET", "/questionnaires/{one}/compare?with={two}", "version", "version", ("version_elsewhere",)),
    # the code of a page or question, and the questionnaire of the reply
    *(
        Pair(OWN, method, "/replies/{one}" + more, "reply", two, (f"{two}_elsewhere", "nothing"))
        for method, more, two in (
            ("GET", "/pages/{two}", "page"), ("POST", "/pages/{two}", "page"), ("GET", "/pages/{two}/here", "page"),
            ("POST", "/pages/{two}/here", "page"), ("GET", "/pages/{two}/earlier", "page"),
            ("GET", "/history/{two}", "question"), ("POST", "/questions/{two}/files", "file_question"),
        )
    ),
    *(
        Pair(DESK, method, "/questionnaires/{one}/design/items/{two}" + more, "draft", "question_in_draft", ("nothing", "question_elsewhere"))
        for method, more in (("GET", ""), ("GET", "/look"))
    ),
    # what was written for one that is not there is given back
    Pair(DESK, "POST", "/questionnaires/{one}/design/items/{two}", "draft", "question_in_draft", ("question_elsewhere",), {}, 409),
    # a file of a unit, and the collection that it was asked by
    Pair(OWN, "GET", "/collections/{one}/files/{two}", "collection", "unit_file", ("unit_file_beside", "own_file")),
    # a part, and the person who has it
    Pair(DESK, "POST", "/people/persons/{one}/parts/end", "person", "part", ("part_of_another",), {"membership": "{two}"}),
    # replies in a form, and the institution that sends it
    Pair(OWN, "POST", "/sign-on-paper", "reply", "waiting", ("waiting_theirs",), {"reply": "{two}"}),
    Pair(OWN, "POST", "/owed/offline/documents/{one}", "kept_file", "reply", ("reply_theirs",), {"reply": "{two}"}),
    # a colleague in a form, and the institution
    Pair(OWN, "POST", "/hand-over", "reply", "deputy", ("deputy_theirs",), {"to": "{two}"}, 422),
    Pair(
        OWN, "POST", "/replies/{one}/share", "reply", "deputy", ("deputy_theirs",),
        {"colleague": "{two}", "until": "2099-01-01", "codes": "measures"}, 422,
    ),
    # an earlier answer, and the reply of the same institution
    Pair(OWN, "POST", "/replies/{one}/pages/page1/earlier", "reply_later", "earlier", ("earlier_theirs",), {"earlier": "still_true=beds:{two}:beds"}),
]  # fmt: skip
NO_THING = {
    "examples.judge", "questionnaires.rules", "respond.rules", "respond.tables_beside", "respond.upload_piece",
    "documents.receive_piece", "documents.page", "remember.restore", "remember.recall_many", "remember.no_longer_true",
    "respond.earlier_cover",
}  # fmt: skip


@pytest.fixture
def world(app, session):
    """Institution A with two replies in one round and one in a later round; institution B with one; things of each."""
    a, b = factories.institution(session, "aaa"), factories.institution(session, "bbb")
    focal = factories.person(session, a)
    actor = session.scalars(select(Actor.id).where(Actor.user_id == focal.id)).one()
    version, elsewhere = factories.questionnaire_version(session), factories.questionnaire_version(session)
    page = one_item(session, version, "page1")
    factories.question(session, version, "proof", "file", parent=page)
    away = factories.item(session, elsewhere, "away", kind=ItemKind.SECTION)
    factories.question(session, elsewhere, "far", "file", parent=away)
    draft = factories.questionnaire_version(session, published=False)
    source, other_source = factories.document(session), factories.document(session)
    cited, cited_elsewhere = factories.recommendation(session, source), factories.recommendation(session, other_source)
    day = clock.today()
    round_ = factories.reporting_round(session, source, opens_on=day - timedelta(days=400))
    later = factories.reporting_round(session, source, other_source)

    def reply(at, in_round, about, **more):
        return factories.submission(session, factories.assignment(session, at, in_round, [about], version), **more)

    mine, theirs = reply(a, round_, cited), reply(b, round_, cited)
    beside = reply(a, round_, factories.recommendation(session, source))
    waiting = reply(a, round_, factories.recommendation(session, source), status=Status.AWAITING_SIGN_OFF)
    waiting_theirs = reply(b, round_, factories.recommendation(session, source), status=Status.AWAITING_SIGN_OFF)
    handed_in = reply(a, round_, factories.recommendation(session, source), status=Status.SUBMITTED)
    mine_later = factories.submission(
        session,
        factories.assignment(session, a, later, [about_of(session, handed_in)], version), status=Status.IN_PROGRESS,
    )  # fmt: skip
    handed_in_theirs = factories.submission(
        session, factories.assignment(session, b, round_, [about_of(session, handed_in)], version),
        status=Status.SUBMITTED,
    )  # fmt: skip
    for one in (handed_in, handed_in_theirs):
        answer(session, one, version, "beds", 12, actor)
        one.hand_in, one.handed_in_at = 1, clock.now()
    session.execute(update(Participation).values(remembers=True))
    document, document_beside, document_theirs = (
        kept(session, AssignmentDocument, assignment_id=one.assignment_id, filename="a.txt", media_type="text/plain",
             size=7, sha256=SHA256, from_secretariat=True, added_by=actor, added_at=clock.now())
        for one in (mine, beside, theirs)
    )  # fmt: skip
    collection, unit_file = asked_units(session, mine, a, version, actor, 11)
    _collection, unit_file_beside = asked_units(session, beside, a, version, actor, 12)
    own_file = evidence(session, mine, version, actor, 13)
    texts, texts_elsewhere = (
        kept(session, ImportDraft, kind="questionnaire_texts", filename="x.xlsx", sha256=SHA256, created_by=actor,
             summary={"version": one.public_id})
        for one in (version, elsewhere)
    )  # fmt: skip
    kept_file = kept(
        session, ImportDraft, kind="own_document", filename="x.txt", sha256=SHA256, created_by=actor,
        summary={"institution": a.id, "round": round_.slug, "reply": ""},
    )  # fmt: skip
    person, another = factories.person(session, a, Role.READER), factories.person(session, a, Role.READER)
    deputy, deputy_theirs = (factories.person(session, at, Role.ALTERNATE) for at in (a, b))
    session.commit()
    settings = app.config["SETTINGS"]
    for folder in (settings.data_dir / "imports", settings.evidence_dir / SHA256[:2]):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SHA256).write_bytes(FILE)
    things = {
        "reply": mine, "reply_theirs": theirs, "reply_later": mine_later, "document": document,
        "document_beside": document_beside, "document_theirs": document_theirs, "version": version,
        "version_elsewhere": elsewhere, "draft": draft, "cited": cited, "cited_elsewhere": cited_elsewhere,
        "texts": texts, "texts_elsewhere": texts_elsewhere, "collection": collection, "person": person,
        "waiting": waiting, "waiting_theirs": waiting_theirs, "kept_file": kept_file, "deputy": deputy,
        "deputy_theirs": deputy_theirs, "earlier": handed_in, "earlier_theirs": handed_in_theirs,
    }  # fmt: skip
    names = {name: thing.public_id for name, thing in things.items()}
    of = {one.id: one for one in session.scalars(select(factories.Assignment))}
    names |= {
        "round": round_.slug, "assignment": of[mine.assignment_id].public_id,
        "assignment_later": of[mine_later.assignment_id].public_id, "page": "page1", "page_elsewhere": "away",
        "question": "beds", "question_elsewhere": "far", "file_question": "proof", "file_question_elsewhere": "far",
        "question_in_draft": "beds", "nothing": "nothing", "unit_file": unit_file, "unit_file_beside": unit_file_beside,
        "own_file": own_file, "part": part_of(session, person), "part_of_another": part_of(session, another),
    }  # fmt: skip
    return SimpleNamespace(names=names, focal=focal, coordinator=factories.staff(session), a=a, b=b, mine=mine, theirs=theirs)


def one_item(session, version, code):
    return session.scalars(select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == code)).one()


def kept(session, model, /, **values):
    return factories._add(session, model(**values))


def about_of(session, reply):
    link = factories.AssignmentRecommendation
    found = select(link.recommendation_id).where(link.assignment_id == reply.assignment_id)
    return session.get_one(factories.Recommendation, session.scalars(found).one())


def part_of(session, person):
    return str(session.scalars(select(Membership.id).where(Membership.user_id == person.id)).one())


def evidence(session, reply, version, actor, number):
    proof = one_item(session, version, "proof").question_id
    round_id = session.scalars(select(factories.ReportingRound.id).order_by(factories.ReportingRound.id)).first()
    kept(session, Evidence, submission_id=reply.id, round_id=round_id, question_id=proof, number=number,
         kind=EvidenceKind.FILE, filename="a.txt", media_type="text/plain", size=7, sha256=SHA256, added_by=actor,
         added_at=clock.now())  # fmt: skip
    return str(number)


def asked_units(session, reply, at, version, actor, number):
    """A collection about a reply with one unit, which has answered with a file; return both."""
    until = clock.now() + timedelta(days=9)
    made = kept(session, Collection, submission_id=reply.id, items=["proof"], expires_at=until, created_by=actor, held_by=actor)
    unit = kept(session, Unit, institution_id=at.id, name=f"Kampot {number}")
    apart = kept(session, Submission, status=Status.IN_PROGRESS, saved_at=clock.now())
    kept(session, Delegation, submission_id=apart.id, collection_id=made.id, unit_id=unit.id, items=["proof"],
         name=unit.name, token_hash=f"{number}" * 32, code_hash=f"{number}" * 32, expires_at=until, created_by=actor,
         held_by=actor)  # fmt: skip
    return made, evidence(session, apart, version, actor, number)


def asked(client, pair, names, two):
    """Ask what the pair says, with ``two`` in the second place; return the status."""
    said = {"one": names[pair.one], "two": names[two]}
    path = pair.path.format(**said)
    fields = {name: text.format(**said) for name, text in pair.fields.items()}
    if path.endswith("/files") and pair.method == "POST":
        fields["file"] = (io.BytesIO(FILE), "a.txt")
    if pair.method == "GET":
        return client.get(path, check=False).status_code
    return client.post(path, fields, headers={"Accept": "text/html"}, check=False).status_code


def test_the_second_thing_belongs_to_the_first(session, client_for, world):
    clients = {name: client_for(getattr(world, name)) for name in {pair.who for pair in PAIRS}}
    wrong = [
        f"{pair.method} {pair.path} {pair.fields}: {two} of a neighbour is answered by {seen}"
        for pair in PAIRS
        for two in pair.wrong
        if (seen := asked(clients[pair.who], pair, world.names, two)) != pair.refused
    ]
    # and what is refused is refused for its neighbour's sake alone
    wrong += [
        f"{pair.method} {pair.path} {pair.fields}: its own {pair.two} is answered by {seen}"
        for pair in PAIRS
        if (seen := asked(clients[pair.who], pair, world.names, pair.two)) == pair.refused or seen >= 500
    ]
    assert not wrong, "\n".join(wrong)


def test_every_route_with_two_names_stands_in_the_table(app):
    """So that a new one is thought of."""
    walked = set()
    adapter = app.url_map.bind("localhost")
    for pair in PAIRS:
        path = pair.path.format(one="a" * 32, two="1").partition("?")[0]
        walked.add(adapter.match(path, method=pair.method)[0])
    named = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        # whoever was handed questions: tests/integration/portal/sharing/test_scope.py and test_files.py
        if len(rule.arguments) > 1 and not rule.endpoint.startswith(("assets.", "gallery.", "static", "shared."))
    }
    assert named - walked == NO_THING
    assert not NO_THING & walked


def test_marking_as_read_reaches_ones_own_threads_alone(session, client_for, world):
    made = []
    for reply in (world.mine, world.theirs):
        thread = kept(session, Clarification, submission_id=reply.id, opened_by=1, opened_at=clock.now())
        kept(session, ClarificationMessage, clarification_id=thread.id, body="Which year?", from_secretariat=True,
             written_by=1, written_at=clock.now())  # fmt: skip
        made.append(thread)
    session.commit()
    client = client_for(world.focal)
    for threads in ([made[1].public_id], []):
        client.post("/questions/read", {"thread": threads}, expect=303)
        mine = session.scalars(select(ClarificationRead.clarification_id)).all()
        assert mine == ([] if threads else [made[0].id])


def test_a_part_is_chosen_and_a_held_text_dropped_only_by_whoever_has_it(session, client_for, world):
    client = client_for(world.focal)
    stranger = factories.person(session, world.b, Role.FOCAL_POINT)
    held = kept(session, HeldPost, user_id=stranger.id, path="/account", fields=[], expires_at=clock.now() + timedelta(hours=1))
    gone = kept(session, Membership, user_id=world.focal.id, institution_id=world.b.id, role=Role.FOCAL_POINT, ended_at=clock.now())
    session.commit()
    for part in (part_of(session, stranger), str(gone.id)):
        client.post("/part", {"membership": part}, expect=303)
        client.get(f"/replies/{world.theirs.public_id}/pages/page1", expect=404)
        client.get(f"/replies/{world.mine.public_id}/pages/page1", expect=200)
    client.get("/held", expect=303)
    client.post(f"/held/{held.public_id}/forget", {}, expect=303)
    assert session.scalars(select(HeldPost.id)).all() == [held.id]


def test_a_question_to_many_goes_to_replies_of_its_round_alone(session, client_for, world):
    client = client_for(world.coordinator)
    session.commit()
    given = {"reply": [world.names["reply_later"]], "body": "Which year?", "step": "send", "batch": "x" * 32}
    client.post(f"/rounds/{world.names['round']}/ask", given, expect=422)
    assert session.scalars(select(Clarification.id)).all() == []
    client.post(f"/rounds/{world.names['round']}/ask", given | {"reply": [world.names["reply"]]}, expect=303)
    assert session.scalars(select(Clarification.submission_id)).all() == [world.mine.id]


def test_the_history_of_an_answer_is_that_of_its_own_reply(session, client_for, world):
    """Another reply to the same question, of the institution's own or of another's, is neither read nor restored."""
    theirs = client_for(factories.person(session, world.b))
    mine = client_for(world.focal)
    script = {"Accept": "application/json"}

    def save(client, reply, text, base):
        fields = {"measures@en": text, "base:measures@en": str(base)}
        client.post(f"/replies/{world.names[reply]}/pages/page1", fields, headers=script, expect=200)

    save(mine, "reply", "What we wrote", 0)
    for number, text in enumerate(("Their first words", "Their second words")):
        save(theirs, "reply_theirs", text, number)
    for number, text in enumerate(("Of a later round", "Of a later round, again")):
        save(mine, "reply_later", text, number)
    path = f"/replies/{world.names['reply']}/history/measures"
    mine.get(path, expect=200)
    assert "What we wrote" in mine.words
    assert "Their" not in mine.words
    assert "Of a later round" not in mine.words
    mine.post(path, {"question": "measures", "lang": "en", "revision": "2", "base": "1"}, expect=404)
    session.expire_all()
    save(mine, "reply", "What we wrote then", 1)


def test_a_file_that_was_taken_off_is_given_to_nobody(app, session, client_for, world):
    client = client_for(world.focal)
    base = f"/replies/{world.names['reply_later']}"
    client.get(f"{base}/pages/page1", expect=200)
    sent = {"proof": (io.BytesIO(FILE), "a.txt")}
    told = client.post(f"{base}/questions/proof/files", sent, headers={"Accept": "application/json"}, expect=201).json
    assert client.get(told["url"], check=False, expect=200).get_data() == FILE
    machine = Caller(app, session, world.focal, "machine")
    one = told["url"].rpartition("/")[2]
    assert machine.get(f"/evidence/{one}").status_code == 200
    client.post(told["remove_url"], {}, expect=303)
    client.get(told["url"], expect=404)
    client.post(f"/evidence/{one}/describe", {"caption": "x", "visibility": "public"}, expect=404)
    client.post(told["remove_url"], {}, expect=404)
    assert machine.get(f"/evidence/{one}").status_code == 404
    assert machine.get(f"/submissions/{world.names['reply_later']}").json["evidence"] == []


def test_links_are_made_for_persons_whom_the_round_concerns_alone(session, client_for, world):
    outside = factories.person(session, factories.institution(session, "ccc"), password=None)
    concerned = factories.person(session, world.a, Role.ALTERNATE, password=None)
    session.commit()
    client = client_for(world.coordinator)
    for person, made in ((outside, []), (concerned, [concerned.id])):
        client.post(f"/rounds/{world.names['round']}/invitations", {"person": person.public_id}, expect=200)
        assert session.scalars(select(Invitation.user_id)).all() == made


def test_an_uploaded_file_opens_at_the_door_of_its_own_kind_alone(session, client_for, world):
    """What waits for a yes is judged as what it was sent as, by whoever may judge that."""
    actor = session.scalars(select(Actor.id).where(Actor.user_id == world.focal.id)).one()
    offline = kept(session, ImportDraft, kind="offline", filename="x.xlsx", sha256=SHA256, created_by=actor,
                   summary={"institution": world.a.id, "round": world.names["round"], "files": []})  # fmt: skip
    admin = factories.staff(session, StaffRole.ADMINISTRATOR)
    session.commit()
    doors = {
        world.coordinator: [
            f"{door}/{world.names[name]}"
            for door in ("/people/import", "/recommendations/import", "/recommendations/texts",
                         "/recommendations/last-report/files", "/wording/workbook")
            for name in ("texts", "kept_file")
        ],
        admin: [f"/people/import/{offline.public_id}"],
        world.focal: [f"/owed/offline/{world.names['kept_file']}", f"/owed/offline/{world.names['texts']}"],
    }  # fmt: skip
    opened = []
    for person, paths in doors.items():
        client = client_for(person)
        opened += [path for path in paths if client.get(path, check=False).status_code != 404]
        if person is world.focal:
            path = f"/owed/offline/documents/{offline.public_id}"
            opened += [path] * (client.post(path, {"reply": world.names["reply"]}).status_code != 404)
            client.get(f"/owed/offline/{offline.public_id}", expect=200)
    assert not opened
