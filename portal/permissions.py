"""Who may do what: one table of grants, read aloud as "these roles may do this", and :func:`can`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.errors import NotAllowed
from portal.models.lifecycle import OPEN_TO_STAFF, Status
from portal.models.people import Role, StaffRole

if TYPE_CHECKING:
    from collections.abc import Mapping


class Permission(StrEnum):
    """What can be allowed, as verb and noun."""

    # an institution's own replies
    VIEW_SUBMISSION = "view_submission"
    VIEW_ANSWERS = "view_answers"
    VIEW_RULES = "view_rules"
    ANSWER_SUBMISSION = "answer_submission"
    COMPLETE_SUBMISSION = "complete_submission"
    RECALL_SUBMISSION = "recall_submission"
    SIGN_SUBMISSION = "sign_submission"
    RECORD_SIGNATURE = "record_signature"
    ANSWER_CLARIFICATION = "answer_clarification"
    VIEW_OWED = "view_owed"
    INVITE_COLLEAGUE = "invite_colleague"
    SHARE_SUBMISSION = "share_submission"
    HAND_OVER = "hand_over"
    # whoever was handed some questions, with or without an account
    ANSWER_DELEGATION = "answer_delegation"
    SEND_EXAMPLE = "send_example"
    VIEW_EXAMPLE = "view_example"
    VIEW_NEWS = "view_news"
    # the secretariat
    VIEW_ROUND = "view_round"
    EDIT_ROUND = "edit_round"
    ISSUE_ROUND = "issue_round"
    CLOSE_ROUND = "close_round"
    EXPORT_ROUND = "export_round"
    REVIEW_SUBMISSION = "review_submission"
    REOPEN_SUBMISSION = "reopen_submission"
    WITHDRAW_ASSIGNMENT = "withdraw_assignment"
    ASK_CLARIFICATION = "ask_clarification"
    JUDGE_EXAMPLE = "judge_example"
    ENTER_ON_BEHALF = "enter_on_behalf"
    EDIT_PEOPLE = "edit_people"
    VIEW_PEOPLE = "view_people"
    EDIT_RECOMMENDATIONS = "edit_recommendations"
    SET_IMPLEMENTATION = "set_implementation"
    PUBLISH_IMPLEMENTATION = "publish_implementation"
    EDIT_QUESTIONNAIRE = "edit_questionnaire"
    ADOPT_VERSION = "adopt_version"
    VIEW_QUESTIONNAIRE = "view_questionnaire"
    VIEW_AUDIT = "view_audit"
    EDIT_WORDING = "edit_wording"
    OPERATE_PORTAL = "operate_portal"
    # everybody who is signed in
    VIEW_RECOMMENDATIONS = "view_recommendations"
    VIEW_IMPLEMENTATION = "view_implementation"
    VIEW_PUBLISHED = "view_published"
    EDIT_OWN_ACCOUNT = "edit_own_account"


P, R, SR = Permission, Role, StaffRole
WRITERS = frozenset({R.FOCAL_POINT, R.ALTERNATE, R.CONTRIBUTOR})
LEADERS = frozenset({R.FOCAL_POINT, R.ALTERNATE})
MEMBERS = frozenset(R)
SECRETARIAT = frozenset({SR.COORDINATOR, SR.REPORT_WRITER, SR.ADMINISTRATOR})

# permission -> roles that hold it; an institution's role holds it for that institution's things only
GRANTS: Mapping[Permission, frozenset[Role | StaffRole]] = {
    P.VIEW_SUBMISSION: MEMBERS | {SR.COORDINATOR, SR.REPORT_WRITER},
    P.VIEW_ANSWERS: MEMBERS | {SR.COORDINATOR, SR.REPORT_WRITER},
    # an institution's people: of the versions that it is asked with
    P.VIEW_RULES: MEMBERS | SECRETARIAT,
    P.ANSWER_SUBMISSION: WRITERS,
    P.COMPLETE_SUBMISSION: LEADERS,
    P.RECALL_SUBMISSION: LEADERS | {R.APPROVER},
    P.SIGN_SUBMISSION: frozenset({R.APPROVER}),
    P.RECORD_SIGNATURE: LEADERS | {SR.COORDINATOR},
    P.ANSWER_CLARIFICATION: WRITERS | {R.APPROVER},
    P.VIEW_OWED: MEMBERS,
    P.INVITE_COLLEAGUE: frozenset({R.FOCAL_POINT, SR.COORDINATOR, SR.ADMINISTRATOR}),
    P.SHARE_SUBMISSION: LEADERS,
    P.HAND_OVER: frozenset({R.FOCAL_POINT}),
    # no role: only a delegation, for its own questions (``DELEGATED``)
    P.ANSWER_DELEGATION: frozenset(),
    P.SEND_EXAMPLE: LEADERS,
    P.VIEW_EXAMPLE: LEADERS | {SR.COORDINATOR, SR.REPORT_WRITER},
    # what is new for whom: portal/queries/news.py
    P.VIEW_NEWS: WRITERS | {R.APPROVER, SR.COORDINATOR, SR.REPORT_WRITER},
    P.JUDGE_EXAMPLE: frozenset({SR.COORDINATOR}),
    P.VIEW_ROUND: SECRETARIAT,
    P.EDIT_ROUND: frozenset({SR.COORDINATOR}),
    P.ISSUE_ROUND: frozenset({SR.COORDINATOR}),
    P.CLOSE_ROUND: frozenset({SR.COORDINATOR}),
    P.EXPORT_ROUND: frozenset({SR.COORDINATOR, SR.REPORT_WRITER}),
    P.REVIEW_SUBMISSION: frozenset({SR.COORDINATOR}),
    P.REOPEN_SUBMISSION: frozenset({SR.COORDINATOR}),
    P.WITHDRAW_ASSIGNMENT: frozenset({SR.COORDINATOR}),
    P.ASK_CLARIFICATION: frozenset({SR.COORDINATOR, SR.REPORT_WRITER}),
    P.ENTER_ON_BEHALF: frozenset({SR.COORDINATOR}),
    P.EDIT_PEOPLE: frozenset({SR.COORDINATOR, SR.ADMINISTRATOR}),
    P.VIEW_PEOPLE: SECRETARIAT,
    P.EDIT_RECOMMENDATIONS: frozenset({SR.COORDINATOR}),
    P.SET_IMPLEMENTATION: frozenset({SR.COORDINATOR, SR.REPORT_WRITER}),
    P.PUBLISH_IMPLEMENTATION: frozenset({SR.COORDINATOR}),
    P.EDIT_QUESTIONNAIRE: frozenset({SR.COORDINATOR}),
    P.ADOPT_VERSION: frozenset({SR.COORDINATOR}),
    P.VIEW_QUESTIONNAIRE: SECRETARIAT,
    P.VIEW_AUDIT: frozenset({SR.COORDINATOR, SR.ADMINISTRATOR}),
    P.EDIT_WORDING: frozenset({SR.COORDINATOR, SR.ADMINISTRATOR}),
    P.OPERATE_PORTAL: frozenset({SR.ADMINISTRATOR}),
    P.VIEW_RECOMMENDATIONS: MEMBERS | frozenset(SR),
    # every state and its reason; an observer sees a state once it is published, and no other
    P.VIEW_IMPLEMENTATION: SECRETARIAT,
    P.VIEW_PUBLISHED: SECRETARIAT | {SR.OBSERVER},
    P.EDIT_OWN_ACCOUNT: MEMBERS | frozenset(SR),
}


# all that a delegation allows, on the answers that it is about and nowhere else
DELEGATED = frozenset({P.ANSWER_DELEGATION, P.ANSWER_SUBMISSION})


@dataclass(frozen=True)
class Part:
    """A membership as the session knows it."""

    membership_id: int
    institution_id: int
    institution_code: str
    institution_names: Mapping[str, str]
    role: Role


@dataclass(frozen=True)
class Scope:
    """What a delegation opens: some questions (``codes``, tables too) of one set of answers, in an institution's name.

    The answers to ``quoted`` questions may be read, since the others speak of them.
    """

    delegation_id: int
    public_id: str
    submission_id: int
    institution_id: int
    codes: frozenset[str]
    quoted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Principal:
    """The actor behind a request, a command or a job: what ``by=`` takes.

    ``part`` is the membership chosen for this session; a person in two institutions works for one at a time. With
    ``delegation`` nothing else counts: neither roles nor membership open more than its questions.
    """

    actor_id: int
    user_id: int | None = None
    public_id: str = ""
    login: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    digits: str = "latn"
    parts: tuple[Part, ...] = ()
    part: Part | None = None
    staff: frozenset[StaffRole] = frozenset()
    system: bool = False
    session_id: int | None = None
    session_public_id: str = ""
    csrf_secret: str = ""
    confirmed: bool = False
    # whether the account has one; no session begins without it then
    second_factor: bool = False
    delegation: Scope | None = None

    # what Flask-Login asks of a user
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the identifier that Flask-Login keeps."""
        return self.public_id

    @property
    def institution_id(self) -> int | None:
        """Return the institution this person works for in this session."""
        if self.delegation is not None:
            return self.delegation.institution_id
        return self.part.institution_id if self.part else None

    @property
    def roles(self) -> frozenset[Role | StaffRole]:
        """Return all roles in force in this session; a delegation brings none and leaves none."""
        if self.delegation is not None:
            return frozenset()
        return self.staff | ({self.part.role} if self.part else frozenset())


@dataclass(frozen=True)
class Target:
    """What a permission is asked on, as far as permissions care: whose it is, and where it stands."""

    institution_id: int | None = None
    status: Status | None = None
    handed_in: bool = False
    submission_id: int | None = None


def may(principal: Principal, permission: Permission) -> bool:
    """Tell whether the person holds the permission at all (navigation; lists that filter by institution)."""
    return principal.system or bool(principal.roles & GRANTS[permission])


def everywhere(principal: Principal, permission: Permission) -> bool:
    """Tell whether the person holds the permission for all institutions: what lists ask before they filter.

    A role in the secretariat that does not hold it opens nothing beside the institution that somebody works for.
    """
    if principal.delegation is not None:
        return False
    return principal.system or bool(principal.staff & GRANTS[permission])


def can(principal: Principal, permission: Permission, on: Target | object | None = None) -> bool:
    """Tell whether ``principal`` may do ``permission`` to ``on``.

    ``on`` needs an ``institution_id`` where the thing belongs to an institution. Staff never read a draft: answers are
    theirs to read only once handed in, and not while the institution is changing them again. Whoever works for that
    institution too reads them all the same.
    """
    if principal.system:
        return True
    if principal.delegation is not None:
        return permission in DELEGATED and getattr(on, "submission_id", None) == principal.delegation.submission_id
    granted = GRANTS[permission]
    institution = getattr(on, "institution_id", None)
    if principal.staff & granted and (
        permission is not Permission.VIEW_ANSWERS or getattr(on, "status", None) in OPEN_TO_STAFF
    ):
        return True
    part = principal.part
    if part is None or part.role not in granted:
        return False
    return institution is None or institution == part.institution_id


def hidden_from(principal: Principal, on: object) -> bool:
    """Tell whether a thing that somebody may not open is told to them as one that is not there.

    Another institution's is, for whoever works for an institution, whatever they are besides, and for whoever in the
    secretariat sees no replies. The others know of it and are refused.
    """
    owner = getattr(on, "institution_id", None)
    if owner is None or owner == principal.institution_id:
        return False
    return principal.part is not None or not everywhere(principal, Permission.VIEW_SUBMISSION)


def require(principal: Principal, permission: Permission, on: object | None = None) -> None:
    """Raise unless ``principal`` may.

    Raises:
        NotAllowed: if not.
    """
    if not can(principal, permission, on):
        raise NotAllowed
