"""Examples of recommendations carried out: sent at any time of the year, checked, cleared for publication, used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import clock
from portal.errors import Conflict, IllegalTransition, Invalid
from portal.models import Example, ExampleAct, ExampleEvent, ExampleState
from portal.permissions import Permission, Target, require
from portal.services import audit
from portal.table import Problem

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.models import Recommendation
    from portal.permissions import Principal
    from portal.services.evidence import ReceivedFile

TITLE_LIMIT, TEXT_LIMIT = 200, 5_000
S, A = ExampleState, ExampleAct
# what may follow what: (state, act) -> state, and whether a reason must be given
FOLLOWS: Mapping[tuple[ExampleState, ExampleAct], tuple[ExampleState, bool]] = {
    (S.CANDIDATE, A.CHECK): (S.CHECKED, False),
    (S.CHECKED, A.CLEAR): (S.CLEARED, False),
    # the reason says where it is used
    (S.CLEARED, A.USE): (S.USED, True),
    (S.CANDIDATE, A.REFUSE): (S.REFUSED, True),
    (S.CHECKED, A.REFUSE): (S.REFUSED, True),
    (S.CLEARED, A.TAKE_BACK): (S.CHECKED, True),
    (S.USED, A.TAKE_BACK): (S.CHECKED, True),
    (S.REFUSED, A.CHECK): (S.CHECKED, True),
}
PUBLISHED = frozenset({S.CLEARED, S.USED})


@dataclass(frozen=True)
class Told:
    """What an institution tells: titles and texts by language, a link or a file, and whether it may be published."""

    titles: Mapping[str, str]
    texts: Mapping[str, str]
    url: str = ""
    consent: bool = False
    file: ReceivedFile | None = None
    languages: tuple[str, ...] = field(default=())


def _problems(told: Told, *, known: bool) -> list[Problem]:
    problems = []
    if not known:
        problems.append(Problem(_l("Choose the recommendation that was carried out."), field="recommendation"))
    if not any(text.strip() for text in told.titles.values()):
        problems.append(Problem(_l("Give the example a title."), field="title"))
    if not any(text.strip() for text in told.texts.values()):
        problems.append(Problem(_l("Tell in a few sentences what was done and what came of it."), field="text"))
    if any(len(text) > TITLE_LIMIT for text in told.titles.values()):
        problems.append(Problem(_l("The title is longer than 200 characters."), field="title"))
    if any(len(text) > TEXT_LIMIT for text in told.texts.values()):
        problems.append(Problem(_l("The text is longer than 5,000 characters: one page is enough."), field="text"))
    if told.url and (not told.url.startswith(("http://", "https://")) or any(c.isspace() for c in told.url)):
        problems.append(Problem(_l("Give the whole address, beginning with https://"), field="url"))
    return problems


def judge(told: Told, of: Recommendation | None) -> None:
    """Make sure that an example can be sent. Raises: Invalid."""
    if problems := _problems(told, known=of is not None):
        raise Invalid(problems[0].message, problems=problems)


def send(session: Session, of: Recommendation, told: Told, *, by: Principal) -> Example:
    """Send an example from the person's institution; it waits to be checked.

    Raises:
        Invalid: with everything that is missing.
    """
    require(by, Permission.SEND_EXAMPLE)
    judge(told, of)
    if by.institution_id is None:
        raise IllegalTransition
    file = told.file
    made = Example(
        institution_id=by.institution_id,
        recommendation_id=of.id,
        titles={language: text.strip() for language, text in told.titles.items() if text.strip()},
        texts={language: text.strip() for language, text in told.texts.items() if text.strip()},
        url=told.url or None,
        filename=file.filename if file else None,
        media_type=file.media_type if file else None,
        size=file.size if file else None,
        sha256=file.sha256 if file else None,
        consent=told.consent,
        state=ExampleState.CANDIDATE,
        sent_by=by.actor_id,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    _note(session, made, ExampleAct.SEND, ExampleState.CANDIDATE, None, by=by)
    audit.record(session, "send_example", by=by, kind="example", thing=made.public_id, sha256=made.sha256)
    return made


def attach(session: Session, example: Example, file: ReceivedFile, *, by: Principal) -> Example:
    """Add the file of an example that was sent without one, while it waits to be checked; the same file again is it.

    Raises:
        IllegalTransition: the secretariat has looked at it already, without this file.
        Conflict: it has another file.
    """
    require(by, Permission.SEND_EXAMPLE, Target(example.institution_id))
    example = _locked(session, example)
    if example.sha256 == file.sha256:
        return example
    if example.state is not ExampleState.CANDIDATE:
        raise IllegalTransition
    if example.sha256 is not None:
        raise Conflict(_l("This example has a file already. Send another example for another file."))
    example.filename, example.media_type = file.filename, file.media_type
    example.size, example.sha256 = file.size, file.sha256
    session.flush()
    audit.record(session, "attach_example_file", by=by, kind="example", thing=example.public_id, sha256=file.sha256)
    return example


def _locked(session: Session, example: Example) -> Example:
    return session.scalars(
        select(Example)
        .where(Example.id == example.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def act(session: Session, example: Example, action: ExampleAct, *, reason: str = "", by: Principal) -> ExampleEvent:
    """Do one of the secretariat's acts; without the institution's consent nothing is cleared for publication.

    Raises:
        IllegalTransition: the act does not follow from the state.
        Invalid: a reason is missing, or the consent.
    """
    require(by, Permission.JUDGE_EXAMPLE, Target(example.institution_id))
    example = _locked(session, example)
    if (example.state, action) not in FOLLOWS:
        raise IllegalTransition
    to, needs_reason = FOLLOWS[example.state, action]
    given = reason.strip()
    if needs_reason and not given:
        sentence = _l("Give a reason: the other side will read it.")
        raise Invalid(sentence, problems=[Problem(sentence, field="reason")], code="reason_required")
    if to is ExampleState.CLEARED and not example.consent:
        sentence = _l("The institution has not agreed to publication. Ask it to send the example again.")
        raise Invalid(sentence, problems=[Problem(sentence, field="consent")], code="no_consent")
    event = _note(session, example, action, to, given or None, by=by)
    name = f"{action.value}_example"
    audit.record(session, name, by=by, kind="example", thing=example.public_id, reason=event.reason)
    return event


def _note(
    session: Session, example: Example, action: ExampleAct, to: ExampleState, reason: str | None, *, by: Principal
) -> ExampleEvent:
    last = session.scalar(select(func.max(ExampleEvent.number)).where(ExampleEvent.example_id == example.id))
    event = ExampleEvent(
        example_id=example.id, number=(last or 0) + 1, action=action, state=to, reason=reason, done_by=by.actor_id,
        done_at=clock.now(),
    )  # fmt: skip
    example.state = to
    session.add(event)
    session.flush()
    return event
