"""Every page that a journey meets, as (page, state, principal): the one list that axe and the eye go through.

To add a page, add a :class:`Place` to ``PLACES``. ``path`` is formatted with the scene (``{s.path}``); ``before`` brings the
portal into the state, with the scene and a session; ``act`` goes on in the browser once the page is open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from forms.definition.model import Choice, Item
from portal import clock
from portal.catalogues import key_of
from portal.models import (
    Action,
    Answer,
    AssignmentDocument,
    Evidence,
    EvidenceKind,
    Implementation,
    ImplementationPublication,
    ImplementationState,
    PublicationAct,
    Question,
    QuestionnaireVersion,
    Signature,
    Status,
    Submission,
    SubmissionEvent,
    VersionItem,
)
from portal.queries.questionnaires import definition
from portal.queries.submissions import head_by_id
from portal.services.packs import print_pack
from portal.services.questionnaire_choices import retire_choice
from portal.services.questionnaire_drafts import Edit, set_rules, set_wording
from portal.services.questionnaire_places import Place as Place_
from portal.services.questionnaire_places import add_item, retire_item
from portal.services.questionnaire_versions import begin_draft, publish_draft
from tests import factories
from tests.journeys.sharing import collected, come_in, shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page
    from sqlalchemy.orm import Session

    from tests.journeys.scenes import Scene


@dataclass(frozen=True)
class Place:
    """A page in a state, as one principal sees it: ``who`` names a person of the scene, "" is an anonymous visitor."""

    name: str
    who: str
    path: str
    before: Callable[[Session, Scene], Any] | None = None
    act: Callable[[Page, Scene], None] | None = None
    errors: str = ""  # pattern of the console errors that this state brings with it


def answered(session: Session, scene: Scene) -> None:
    """Answer everything."""
    ids = {
        row.code: row.id
        for row in session.query(Question)
        .join(VersionItem, VersionItem.question_id == Question.id)
        .filter(VersionItem.version_id == scene.assignment.version_id)
    }
    given = [("standing", "", "partly"), ("why", "km", "ថវិកាមិនគ្រប់គ្រាន់"), ("text", "km", "ច្បាប់ថ្មី\nសេចក្តីណែនាំ"),
             ("text", "en", "A new law"), ("places", "", 12), ("since", "", "2026-03-27"), ("remark", "km", "គ្មាន")]  # fmt: skip
    actor = factories.principal(session, scene.focal, scene.institution).actor_id
    for code, language, value in given:
        session.add(
            Answer(
                submission_id=scene.reply.id, question_id=ids[code], row="", lang=language, value=value, revision=1,
                asked_in=scene.assignment.version_id, answered_by=actor, answered_at=clock.now(),
            )
        )  # fmt: skip
    step(session, scene, Action.FIRST_SAVE, Status.IN_PROGRESS)


def remembered(session: Session, scene: Scene) -> None:
    """Let the institution have answered the same in an earlier round."""
    day = clock.today() - timedelta(days=400)
    before = factories.reporting_round(session, opens_on=day, titles={"en": "Last round", "km": "វគ្គមុន"})
    reply = factories.submission(
        session, factories.assignment(session, scene.institution, before, [scene.asked], scene.version)
    )
    given = session.get_one(type(scene.assignment), reply.assignment_id)
    answered(session, replace(scene, assignment=given, reply=reply))
    reply.status = Status.CLEARED
    factories.participation(session, scene.round, scene.institution).remembers = True
    session.commit()


def take_over(page: Page, _scene: Scene) -> None:
    """Say that the first earlier answer is still true."""
    page.locator(".fold-earlier summary").first.click()
    with page.expect_navigation():
        page.locator(".fold-earlier button").first.click()
    expect(page.locator(".fold-earlier .tag").first).to_be_visible()


def judged(session: Session, scene: Scene) -> ImplementationState:
    """Set a consolidated state that nobody published."""
    state = ImplementationState(
        recommendation_id=scene.asked.id, round_id=scene.round.id, state=Implementation.PLANNED, as_of=clock.today(),
        reason="The draft waits", set_at=clock.now(), set_by=factories.system_actor(session).id,
    )  # fmt: skip
    session.add(state)
    session.flush()
    return state


def shown(session: Session, scene: Scene) -> None:
    """Publish a state with its reason."""
    state = judged(session, scene)
    session.add(
        ImplementationPublication(
            state_id=state.id, act=PublicationAct.PUBLISHED, with_reason=True, done_at=clock.now(), done_by=state.set_by
        )
    )


def came(session: Session, scene: Scene) -> None:
    """Let a document come that waits to be entered, and a file hang on the reply."""
    by = factories.principal(session, scene.coordinator).actor_id
    given: dict[str, Any] = {"filename": "លិខិត.pdf", "media_type": "application/pdf", "size": 120_000, "sha256": "0" * 64,
                             "added_by": by, "added_at": clock.now()}  # fmt: skip
    paper = AssignmentDocument(assignment_id=scene.assignment.id, note="No. 12", from_secretariat=True, **given)
    session.add(paper)
    session.add(
        Evidence(submission_id=scene.reply.id, round_id=scene.round.id, number=1, kind=EvidenceKind.FILE, **given)
    )
    session.flush()
    scene.paper = SimpleNamespace(public_id=paper.public_id)  # type: ignore[attr-defined] # for the paths of these places


def ask_to_publish(page: Page, _scene: Scene) -> None:
    """Ask to publish all that is not visible yet."""
    page.click("button[name=all]")
    page.wait_for_selector("input[name=reason]")


def step(session: Session, scene: Scene, action: Action, status: Status, reason: str | None = None) -> None:
    """Let an event happen to the reply."""
    reply = session.get_one(Submission, scene.reply.id)
    number = max(one for (one,) in session.query(SubmissionEvent.number).filter_by(submission_id=reply.id)) + 1
    actor = factories.principal(session, scene.focal, scene.institution).actor_id
    session.add(
        SubmissionEvent(
            submission_id=reply.id, number=number, action=action, status=status, reason=reason, done_by=actor,
            done_at=clock.now(),
        )
    )  # fmt: skip
    reply.status = status
    if action is Action.FIRST_SAVE:
        reply.saved_at, reply.saved_by = clock.now(), actor


def complete(session: Session, scene: Scene) -> None:
    """Answer everything and say so: it waits to be signed."""
    answered(session, scene)
    step(session, scene, Action.COMPLETE, Status.AWAITING_SIGN_OFF)


def hand_in(session: Session, scene: Scene) -> None:
    """Answer everything, complete and sign it: it waits for the secretariat."""
    complete(session, scene)
    step(session, scene, Action.SIGN_OFF, Status.SUBMITTED)
    reply = session.get_one(Submission, scene.reply.id)
    reply.hand_in, reply.signature, reply.handed_in_at = 1, Signature.SIGNED, clock.now()


def printed(session: Session, scene: Scene) -> None:
    """Answer everything, complete it and print it: the paper is out to be signed."""
    complete(session, scene)
    session.flush()
    head = head_by_id(session, scene.reply.id)
    scene.pack = print_pack(session, [head], by=factories.principal(session, scene.focal))


def doubtful(session: Session, scene: Scene) -> None:
    """Answer everything, with a figure in one language that the other has not."""
    answered(session, scene)
    of = session.query(Question).join(VersionItem, VersionItem.question_id == Question.id).filter(
        VersionItem.version_id == scene.version.id, Question.code == "text"
    ).one()  # fmt: skip
    given = {"submission_id": scene.reply.id, "question_id": of.id, "asked_in": scene.version.id, "revision": 1}
    actor = factories.principal(session, scene.focal).actor_id
    for lang, value in (("km", "មណ្ឌល ២៥ បានបើក"), ("en", "52 centres were opened")):
        session.merge(Answer(lang=lang, row="", value=value, answered_by=actor, answered_at=clock.now(), **given))


def drafted(session: Session, scene: Scene) -> None:
    """Change the questionnaire, in a draft, in every way that a reader may see; the reply holds answers."""
    hand_in(session, scene)
    by = factories.principal(session, scene.coordinator)
    draft = begin_draft(session, session.get_one(QuestionnaireVersion, scene.version.id), by=by)
    items = {item.code: item for item in definition(session, draft.id).items()}
    page = next(iter(items))
    said = items["text"].texts["label"]
    new = Item(None, "question", "women", "integer", {"label": {"en": "Number of women trained", "km": "ចំនួនស្ត្រីដែលបានបណ្តុះបណ្តាល"}})
    set_wording(
        session, draft, "text",
        [Edit("label", said["en"], said["en"] + " Name each law.", "en"), Edit("label", said["km"], said["km"] + " សូមបញ្ជាក់ឈ្មោះច្បាប់", "km")],
        by=by,
    )  # fmt: skip
    set_rules(session, draft, "places", [Edit("constraint", items["places"].constraint, ". > 20")], by=by)
    retire_choice(session, draft, "standing", "partly", by=by)
    retire_item(session, draft, "remark", by=by)
    add_item(session, draft, new, Place_(page), by=by)
    scene.newer = SimpleNamespace(public_id=draft.public_id)  # type: ignore[attr-defined] # for the paths of these places


def wrong_draft(session: Session, scene: Scene) -> None:
    """Leave a draft with mistakes."""
    drafted(session, scene)
    by = factories.principal(session, scene.coordinator)
    draft = session.query(QuestionnaireVersion).filter_by(public_id=scene.newer.public_id).one()
    set_rules(session, draft, "women", [Edit("constraint", "", ". > "), Edit("relevant", "", "${nobody} = 1")], by=by)


def designed(session: Session, scene: Scene) -> None:
    """Leave a draft with everything the designer draws: a group, a table, a matrix, conditions, a mistake."""
    wrong_draft(session, scene)
    by = factories.principal(session, scene.coordinator)
    draft = session.query(QuestionnaireVersion).filter_by(public_id=scene.newer.public_id).one()
    page = next(item.code for item in definition(session, draft.id).items())

    def said(english: str, khmer: str) -> dict[str, Any]:
        return {"label": {"en": english, "km": khmer}}

    columns = (
        Item(None, "question", "training", "text", said("Training", "វគ្គបណ្តុះបណ្តាល"), required="true()"),
        Item(None, "question", "men", "integer", said("Men", "បុរស"), settings={"total": "sum", "start": "0"}),
        Item(None, "question", "ladies", "integer", said("Women", "ស្ត្រី"), settings={"total": "sum", "start": "0"}),
        Item(None, "question", "together", "calculate", said("All", "សរុប"), calculation="sum(${men}, ${ladies})"),
    )
    add_item(session, draft, Item(None, "repeat", "trainings", texts=said("Trainings held", "វគ្គបណ្តុះបណ្តាលដែលបានធ្វើ"), children=columns), Place_(page), by=by)
    add_item(
        session, draft,
        Item(
            None, "matrix", "by_sex", texts=said("Persons by sex", "ចំនួនបុគ្គលតាមភេទ"),
            choices=(Choice("f", {"en": "Women", "km": "ស្ត្រី"}), Choice("m", {"en": "Men", "km": "បុរស"})),
            children=(Item(None, "question", "persons", "integer", said("Persons", "ចំនួនបុគ្គល")),),
        ),
        Place_(page), by=by,
    )  # fmt: skip
    group = Item(
        None, "group", "law", texts=said("If there is a law", "បើមានច្បាប់"), relevant="${standing} = 'done'",
        children=(Item(None, "question", "law_name", "text", said("Its name", "ឈ្មោះច្បាប់"), constraint="string-length(.) > 3"),),
    )  # fmt: skip
    add_item(session, draft, group, Place_(page), by=by)


def meet(page: Page, scene: Scene) -> None:
    """Save a wording that somebody else has changed meanwhile."""
    page.evaluate("document.querySelector(\"[name='base:label@en']\").value = 'Something older'")
    page.fill("[name='label@en']", "My own words")
    with page.expect_navigation():
        page.locator(".design-bar button").first.click()


def send_nothing(page: Page, scene: Scene) -> None:
    """Add something without its words: refused."""
    with page.expect_navigation():
        page.locator("main form[method=post] button[type=submit]").first.click()


def take_out(page: Page, _scene: Scene) -> None:
    """Take out what never went out: it asks once more."""
    page.locator("#i-trainings > div details > summary").click()
    with page.expect_navigation():
        page.locator("#i-trainings > div button[value^='out|']").click()


def renewed(session: Session, scene: Scene) -> None:
    """Publish the changed questionnaire; the reply stays on the earlier version."""
    drafted(session, scene)
    draft = session.query(QuestionnaireVersion).filter_by(public_id=scene.newer.public_id).one()
    publish_draft(session, draft, by=factories.principal(session, scene.coordinator))


def ask_again(page: Page, scene: Scene) -> None:
    """Ask again without a reason: refused."""
    page.get_by_label("Ask again").or_(page.get_by_label("សួរម្តងទៀត")).first.check()
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(".error-summary")).to_be_visible()


def collide(page: Page, scene: Scene) -> None:
    """Write an answer that a colleague has written meanwhile."""
    page.evaluate("document.querySelector(\"[name='base:places']\").value = 0")
    page.fill("[name=places]", "77")
    expect(page.locator("[data-conflict-box]")).to_be_visible()


def misread(page: Page, scene: Scene) -> None:
    """Write what is no number."""
    page.fill("[name=places]", "about ten")
    expect(page.locator("[data-item=places] [data-error]")).to_be_visible()


def send(page: Page, scene: Scene) -> None:
    """Send the page's first form as it is."""
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()


def send_last(page: Page, scene: Scene) -> None:
    """Send the page's last form as it is."""
    with page.expect_navigation():
        page.locator("main form:visible button[type=submit]").last.click()


def send_complete(page: Page, scene: Scene) -> None:
    """Complete the reply as it is."""
    with page.expect_navigation():
        page.locator("main form[action$=complete] button[type=submit]").click()


def _invited(page: Page, scene: Scene) -> None:
    with page.expect_navigation():
        page.locator("main form[action*=invite] button").first.click()


def tried(page: Page, _scene: Scene) -> None:
    """Give a sample answer that the rules speak of."""
    page.locator("input[type=radio]").first.check()
    with page.expect_navigation():
        page.locator(".sticky-bar button[value=check]").click()


def load_nothing(page: Page, _scene: Scene) -> None:
    """Load sample answers that are none."""
    page.locator(".drive-sample summary").click()
    page.locator("#json").fill("[]")
    with page.expect_navigation():
        page.locator("button[value=load]").click()


def strange_name(page: Page, _scene: Scene) -> None:
    """Speak of an answer that the other language does not speak of."""
    page.locator("textarea").nth(3).fill("About ${nothing}")
    with page.expect_navigation():
        page.locator(".sticky-bar button").first.click()


def brought_back(page: Page, _scene: Scene) -> None:
    """Bring the workbook of texts back as it went out."""
    with page.expect_download() as found:
        page.locator("a[href$='/translations/workbook']").click()
    page.set_input_files("#file", {
        "name": "texts.xlsx", "mimeType": "application/octet-stream", "buffer": Path(found.value.path()).read_bytes(),
    })  # fmt: skip
    with page.expect_navigation():
        page.locator("main form button").click()


PLACES: tuple[Place, ...] = (
    Place("login, empty", "", "/login"),
    Place("login, error", "", "/login", act=send, errors="401"),
    Place("forgotten", "", "/password/forgotten"),
    Place("dead link", "", "/enter/none", errors="404"),
    Place("not found", "focal", "/nowhere", errors="404"),
    Place("account", "focal", "/account"),
    Place("account, error", "focal", "/account", act=send_last, errors="422"),
    Place("colleagues", "focal", "/colleagues"),
    Place("invitation", "focal", "/colleagues", act=_invited),
    Place("owed, empty", "newcomer", "/owed"),
    Place("owed, filled", "focal", "/owed", before=answered),
    Place("answering, empty", "focal", "{s.first}"),
    Place("answering, filled", "focal", "{s.first}", before=answered),
    Place("answering, page two", "focal", "{s.second}", before=answered),
    Place("answering, error", "focal", "{s.first}", before=answered, act=misread, errors="422"),
    Place("answering, conflict", "focal", "{s.first}", before=answered, act=collide, errors="409"),
    Place("answering, read-only", "focal", "{s.first}", before=complete),
    Place("files", "focal", "{s.path}/files", before=came),
    Place("documents", "focal", "{s.path}/documents", before=came),
    Place("answering, a document beside", "focal", "{s.first}", before=came),
    Place("documents, secretariat", "coordinator", "/review/{s.reply.public_id}/documents", before=came),
    Place("entering paper", "coordinator", "/review/{s.reply.public_id}/paper/{s.paper.public_id}/pages/measures", before=came),
    Place("check, missing", "focal", "{s.path}/check"),
    Place("check, error", "focal", "{s.path}/check", act=send_complete, errors="422"),
    Place("check, filled", "focal", "{s.path}/check", before=answered),
    Place("check, read-only", "focal", "{s.path}/check", before=complete),
    Place("not ours", "focal", "{s.path}/not-ours"),
    Place("not ours, error", "focal", "{s.path}/not-ours", act=send, errors="422"),
    Place("history of an answer", "focal", "{s.path}/history/text", before=answered),
    Place("answering, remembered", "focal", "{s.first}", before=remembered),
    Place("answering, taken over", "focal", "{s.first}", before=remembered, act=take_over),
    Place("all still true", "focal", "{s.first}/earlier", before=remembered),
    Place("questions to us", "focal", "/questions"),
    Place("evidence register", "focal", "/evidence"),
    Place("example, error", "focal", "/examples/send", act=send, errors="422"),
    Place("clarifications", "coordinator", "/clarifications"),
    Place("news", "focal", "/news"),
    Place("news of the secretariat", "coordinator", "/news"),
    Place("news by chat", "coordinator", "/news/by-chat"),
    Place("remind", "coordinator", "/rounds/{s.round.slug}/remind"),
    Place("ask many", "coordinator", "/rounds/{s.round.slug}/ask"),
    Place("last report", "coordinator", "/recommendations/{s.asked.public_id}/last-report"),
    Place("share", "focal", "{s.path}/share", before=shared),
    Place("share, error", "focal", "{s.path}/share", act=send_last, errors="422"),
    Place("ask many units", "focal", "{s.path}/collect", before=collected),
    Place("collection", "focal", "{s.collection}", before=collected),
    Place("take over", "focal", "{s.collection}/take", before=collected),
    Place("units", "focal", "{s.collection}/units", before=collected),
    Place("hand over", "focal", "/hand-over", before=shared),
    Place("shared, code", "", "{s.share}", before=shared),
    Place("shared, questions", "", "{s.share}", before=shared, act=come_in),
    Place("check, warnings", "focal", "{s.path}/check", before=doubtful),
    Place("packs", "focal", "/sign-on-paper", before=complete),
    Place("pack", "focal", "/packs/{s.pack.public_id}", before=printed),
    Place("pack, paper", "focal", "/packs/{s.pack.public_id}/paper", before=printed),
    Place("verify", "", "/verify"),
    Place("sign, reading", "approver", "/sign/{s.reply.public_id}", before=complete),
    Place("sign, empty", "approver", "/sign"),
    Place("sign, filled", "approver", "/sign", before=complete),
    Place("sign, error", "approver", "/sign", before=complete, act=send_last, errors="422"),
    Place("institutions", "coordinator", "/people/"),
    Place("institution", "coordinator", "/people/institutions/{s.institution.public_id}"),
    Place("person", "coordinator", "/people/persons/{s.focal.public_id}"),
    Place("new person", "coordinator", "/people/persons/new"),
    Place("new institution", "coordinator", "/people/institutions/new"),
    Place("people import", "coordinator", "/people/import"),
    Place("people import, error", "coordinator", "/people/import", act=send, errors="422"),
    Place("wording", "coordinator", "/wording/"),
    Place("wording, one open", "coordinator", f"/wording/?q=People&edit=km.{key_of('People')}.0"),
    Place("wording out and back", "coordinator", "/wording/workbook"),
    Place("recommendations", "coordinator", "/recommendations"),
    Place("recommendation", "coordinator", "/recommendations/{s.asked.public_id}"),
    Place("recommendation, edit", "coordinator", "/recommendations/{s.asked.public_id}/edit"),
    Place("document", "coordinator", "/recommendations/documents/{s.document.public_id}"),
    Place("recommendations import", "coordinator", "/recommendations/import"),
    Place("recommendations import, error", "coordinator", "/recommendations/import", act=send, errors="422"),
    Place("texts", "coordinator", "/recommendations/texts"),
    Place("texts missing", "coordinator", "/recommendations/missing"),
    Place("implementation", "coordinator", "/implementation"),
    Place("implementation of a document", "coordinator", "/implementation/{s.round.slug}"),
    Place("implementation, with a state", "coordinator", "/implementation", before=judged),
    Place("publishing", "coordinator", "/implementation", before=judged, act=ask_to_publish),
    Place("published, empty", "coordinator", "/published"),
    Place("published, filled", "coordinator", "/published", before=shown),
    Place("questionnaires", "coordinator", "/questionnaires"),
    Place("questionnaire", "coordinator", "/questionnaires/{s.version.public_id}"),
    Place("versions", "coordinator", "/questionnaires/{s.version.public_id}/versions", before=renewed),
    Place("versions, draft", "coordinator", "/questionnaires/{s.version.public_id}/versions", before=drafted),
    Place("comparison", "coordinator", "/questionnaires/{s.newer.public_id}/compare", before=drafted),
    Place("publishing", "coordinator", "/questionnaires/{s.newer.public_id}/publish", before=drafted),
    Place("publishing, mistakes", "coordinator", "/questionnaires/{s.newer.public_id}/publish", before=wrong_draft),
    Place("handing on", "coordinator", "/questionnaires/{s.newer.public_id}/adopt", before=renewed),
    Place("handing on, error", "coordinator", "/questionnaires/{s.newer.public_id}/adopt", before=renewed, act=ask_again, errors="422"),
    Place("handing on, nothing", "coordinator", "/questionnaires/{s.version.public_id}/adopt"),
    Place("designer", "coordinator", "/questionnaires/{s.newer.public_id}/design", before=designed),
    Place("designer, begun", "coordinator", "/questionnaires/new"),
    Place("designer, begun, error", "coordinator", "/questionnaires/new", act=send, errors="422"),
    Place("designer, adding", "coordinator", "/questionnaires/{s.newer.public_id}/design/add?parent=measures", before=drafted),
    Place("designer, wording", "coordinator", "/questionnaires/{s.newer.public_id}/design/add?parent=measures&what=select_one", before=drafted),
    Place("designer, wording, error", "coordinator", "/questionnaires/{s.newer.public_id}/design/add?parent=measures&what=select_one", before=drafted, act=send_nothing, errors="422"),
    Place("designer, shelf", "coordinator", "/questionnaires/{s.newer.public_id}/design/shelf?parent=measures", before=drafted),
    Place("designer, choice", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/standing", before=designed),
    Place("designer, number", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/women", before=designed),
    Place("designer, condition", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/law", before=designed),
    Place("designer, sum", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/together", before=designed),
    Place("designer, table", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/trainings", before=designed),
    Place("designer, matrix", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/by_sex", before=designed),
    Place("designer, look", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/standing/look", before=designed),
    Place("designer, conflict", "coordinator", "/questionnaires/{s.newer.public_id}/design/items/women", before=designed, act=meet, errors="409"),
    Place("designer, taken out", "coordinator", "/questionnaires/{s.newer.public_id}/design", before=designed, act=take_out),
    Place("preview", "coordinator", "/questionnaires/{s.version.public_id}/preview?all=1"),
    Place("preview, phone", "coordinator", "/questionnaires/{s.version.public_id}/preview?width=phone&language=km"),
    Place("test drive", "coordinator", "/questionnaires/{s.version.public_id}/test-drive", act=tried),
    Place("test drive, error", "coordinator", "/questionnaires/{s.version.public_id}/test-drive", act=load_nothing, errors="422"),
    Place("translations", "coordinator", "/questionnaires/{s.newer.public_id}/translations", before=drafted),
    Place("translations, error", "coordinator", "/questionnaires/{s.newer.public_id}/translations", before=drafted, act=strange_name, errors="422"),
    Place("translations, read", "writer", "/questionnaires/{s.version.public_id}/translations"),
    Place("questionnaire texts", "coordinator", "/questionnaires/{s.newer.public_id}/translations/file", before=drafted),
    Place("questionnaire texts, dry run", "coordinator", "/questionnaires/{s.newer.public_id}/translations/file", before=drafted, act=brought_back),
    Place("proof sheet", "coordinator", "/questionnaires/{s.version.public_id}/proof"),
    Place("question library", "coordinator", "/questionnaires/library"),
    Place("rounds", "coordinator", "/rounds"),
    Place("board", "coordinator", "/rounds/{s.round.slug}", before=answered),
    Place("round, edit", "coordinator", "/rounds/{s.round.slug}/edit"),
    Place("round, new", "coordinator", "/rounds/new"),
    Place("round, new, error", "coordinator", "/rounds/new", act=send, errors="422"),
    Place("matrix", "coordinator", "/rounds/{s.round.slug}/matrix"),
    Place("preview", "coordinator", "/rounds/{s.round.slug}/preview"),
    Place("invitations", "coordinator", "/rounds/{s.round.slug}/invitations"),
    Place("assignment", "coordinator", "/rounds/{s.round.slug}/assignment/{s.assignment.public_id}"),
    Place("grid", "coordinator", "/rounds/{s.round.slug}/grid", before=answered),
    Place("late", "coordinator", "/rounds/{s.round.slug}/late"),
    Place("by recommendation", "coordinator", "/rounds/{s.round.slug}/recommendations", before=answered),
    Place("paragraph", "coordinator", "/rounds/{s.round.slug}/paragraph/{s.asked.public_id}"),
    Place("review, draft", "coordinator", "/review/{s.reply.public_id}", before=answered),
    Place("review, handed in", "coordinator", "/review/{s.reply.public_id}", before=hand_in),
    Place("workbooks", "writer", "/rounds/{s.round.slug}/workbooks", before=hand_in),
    Place("outbox", "coordinator", "/outbox"),
    Place("new person, error", "coordinator", "/people/persons/new", act=send, errors="422"),
)  # fmt: skip
