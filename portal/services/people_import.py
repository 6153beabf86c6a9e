"""Institutions and persons from a workbook: first judged row by row, then, once confirmed, taken over; idempotent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.errors import Invalid
from portal.models import Actor, ActorKind, Institution, Membership, Role, StaffAppointment, StaffRole, UserAccount
from portal.permissions import Permission, require
from portal.services import audit, people
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.table import Speakable
    from portal.workbooks.people import InstitutionRow, PersonRow

Outcome = Literal["added", "changed", "unchanged", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("added", "changed", "unchanged", "refused")


@dataclass
class Line:
    """What becomes of one row: outcome, how people call the thing, which columns change, why it is refused."""

    sheet: str
    row: int
    outcome: Outcome
    name: Mapping[str, str]
    key: str = ""
    fields: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass
class ImportReport:
    """All lines of an import; ``unread`` are problems of the file itself (unknown columns, sheets)."""

    lines: list[Line] = field(default_factory=list)
    unread: tuple[Problem, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many rows per outcome."""
        seen = Counter(line.outcome for line in self.lines)
        return {outcome: seen[outcome] for outcome in OUTCOMES}

    @property
    def changes(self) -> int:
        """How many rows would change something."""
        return self.counts["added"] + self.counts["changed"]


@dataclass
class _World:
    """What is stored, by the keys that rows use; planning adds what earlier rows will bring."""

    institutions: dict[str, Institution]
    parents: dict[str, str]
    by_login: dict[str, UserAccount]
    by_phone: dict[str, UserAccount]
    by_email: dict[str, UserAccount]
    memberships: dict[tuple[int, str], Membership]
    staff: set[tuple[int, StaffRole]]
    honorifics: Sequence[Mapping[str, Any]]
    languages: Sequence[str]
    seen_codes: dict[str, int] = field(default_factory=dict)
    seen_parts: set[tuple[str, str]] = field(default_factory=set)
    # persons of this file, by each of their keys -> the key of their first row
    new_persons: dict[str, str] = field(default_factory=dict)
    coming: set[str] = field(default_factory=set)


def judge_people(
    session: Session,
    institutions: Iterable[InstitutionRow],
    persons: Iterable[PersonRow],
    *,
    by: Principal,
    languages: Sequence[str],
    honorifics: Sequence[Mapping[str, Any]] = (),
) -> ImportReport:
    """Tell what an import would do, row by row; writes nothing."""
    require(by, Permission.EDIT_PEOPLE)
    return _run(session, institutions, persons, by, languages, honorifics, write=False)


def import_people(
    session: Session,
    institutions: Iterable[InstitutionRow],
    persons: Iterable[PersonRow],
    *,
    by: Principal,
    languages: Sequence[str],
    honorifics: Sequence[Mapping[str, Any]] = (),
    source: str = "",
) -> ImportReport:
    """Take over every row that can be taken, refuse the others; judged afresh, in the caller's transaction.

    The same file again changes nothing. Blank cells leave what is stored. ``source`` is the sha256 of the file.
    """
    require(by, Permission.EDIT_PEOPLE)
    report = _run(session, institutions, persons, by, languages, honorifics, write=True)
    if report.changes:
        done = [line for line in report.lines if line.outcome in {"added", "changed"}]
        audit.record(
            session, "import_people", by=by, kind="file", thing=source, counts=report.counts,
            rows=[f"{line.sheet}:{line.row}:{line.outcome}:{line.key}" for line in done],
        )  # fmt: skip
    return report


def _run(
    session: Session,
    institutions: Iterable[InstitutionRow],
    persons: Iterable[PersonRow],
    by: Principal,
    languages: Sequence[str],
    honorifics: Sequence[Mapping[str, Any]],
    *,
    write: bool,
) -> ImportReport:
    world = _load(session, languages, honorifics)
    report = ImportReport()
    rows = list(institutions)
    world.coming = {row.code.strip().lower() for row in rows if row.code.strip()}
    for row in rows:
        world.parents.setdefault(row.code.strip().lower(), "")
    pending: list[tuple[InstitutionRow, Institution]] = []
    for row in rows:
        report.lines.append(_institution(session, world, row, pending, write=write))
    refused = {line.key.lower() for line in report.lines if line.outcome == "refused"}
    world.coming = world.coming - refused | set(world.institutions)
    if write:
        session.flush()
        for row, made in pending:
            above = world.institutions.get(row.parent.strip().lower())
            made.parent_id = above.id if above is not None else made.parent_id
        session.flush()
    planned = _Persons(session, world, by, write=write)
    report.lines += [planned.take(row) for row in persons]
    if write:
        session.flush()
    return report


def _load(session: Session, languages: Sequence[str], honorifics: Sequence[Mapping[str, Any]]) -> _World:
    institutions = {one.code.lower(): one for one in session.scalars(select(Institution).order_by(Institution.id))}
    codes = {one.id: code for code, one in institutions.items()}
    users = session.scalars(select(UserAccount).order_by(UserAccount.id)).all()
    memberships = session.scalars(select(Membership).order_by(Membership.id)).all()
    staff = session.execute(select(StaffAppointment.user_id, StaffAppointment.role)).all()
    return _World(
        institutions=institutions,
        parents={code: codes.get(one.parent_id, "") if one.parent_id else "" for code, one in institutions.items()},
        by_login={user.login: user for user in users},
        by_phone={user.phone: user for user in users if user.phone},
        by_email={user.email: user for user in users if user.email},
        memberships={(one.user_id, codes[one.institution_id]): one for one in memberships},
        staff={(one.user_id, one.role) for one in staff},
        honorifics=honorifics,
        languages=languages,
    )


def _refusal(row: InstitutionRow | PersonRow, key: str, *problems: Problem) -> Line:
    placed = tuple(
        Problem(one.message, sheet=row.sheet, row=row.row, column=one.field, field=one.field, mend=one.mend)
        for one in problems
    )
    return Line(row.sheet, row.row, "refused", row.names, key, problems=placed)


def _institution(  # noqa: C901, PLR0912 - one row, every column
    session: Session,
    world: _World,
    row: InstitutionRow,
    pending: list[tuple[InstitutionRow, Institution]],
    *,
    write: bool,
) -> Line:
    code, parent = row.code.strip(), row.parent.strip().lower()
    problems = _institution_problems(world, row, code, parent)
    if problems:
        return _refusal(row, code, *problems)
    world.seen_codes[code.lower()] = row.row
    world.parents[code.lower()] = parent or world.parents.get(code.lower(), "")
    found = world.institutions.get(code.lower())
    values: dict[str, Any] = {}
    letter_form = {language: text.strip() for language, text in row.letter_form.items() if text.strip()}
    names = {language: text.strip() for language, text in row.names.items() if text.strip()}
    if found is None:
        values = {"code": code, "names": names, "rank": _rank(row.rank) or 0, "kind": row.kind.strip() or "ministry"}
        values["letter_form"] = letter_form
        if write:
            found = Institution(**values)
            session.add(found)
            session.flush()
            world.institutions[code.lower()] = found
            pending.append((row, found))
        return Line(row.sheet, row.row, "added", names, code)
    if merged := {**found.names, **names}:
        values["names"] = merged
    if row.rank.strip():
        values["rank"] = _rank(row.rank)
    if row.kind.strip():
        values["kind"] = row.kind.strip()
    if letter_form:
        values["letter_form"] = {**found.letter_form, **letter_form}
    changed = [name for name, value in values.items() if getattr(found, name) != value]
    above = world.institutions.get(parent)
    if parent and (above is None or above.id != found.parent_id):
        changed.append("parent")
    if not changed:
        return Line(row.sheet, row.row, "unchanged", found.names, code)
    if write:
        for name in changed:
            if name != "parent":
                setattr(found, name, values[name])
        found.revision += 1
        if "parent" in changed:
            pending.append((row, found))
    return Line(row.sheet, row.row, "changed", names or found.names, code, tuple(changed))


def _institution_problems(world: _World, row: InstitutionRow, code: str, parent: str) -> list[Problem]:
    problems = []
    if not code:
        problems.append(Problem(_l("The code is missing."), field="code"))
    elif not people.CODE.fullmatch(code):
        sentence = _l("A code is made of letters, digits, dots and dashes, at most 40.")
        problems.append(Problem(sentence, field="code"))
    elif code.lower() in world.seen_codes:
        sentence = _l("This code stands in row %(row)s already.", row=world.seen_codes[code.lower()])
        problems.append(Problem(sentence, field="code"))
    if not any(text.strip() for text in row.names.values()) and code.lower() not in world.institutions:
        problems.append(Problem(_l("Give the name in at least one language."), field="names"))
    if any(len(text) > people.LONGEST_NAME for text in row.names.values()):
        problems.append(
            Problem(_l("A name has at most %(count)s characters.", count=people.LONGEST_NAME), field="names")
        )
    if row.rank.strip() and _rank(row.rank) is None:
        problems.append(Problem(_l("The protocol order is a whole number, for example 10."), field="rank"))
    if parent and parent not in world.institutions and parent not in world.coming:
        problems.append(Problem(_l("There is no institution with the code %(code)s.", code=row.parent), field="parent"))
    elif parent and _circular(world, code.lower(), parent):
        problems.append(Problem(_l("An institution cannot stand below itself."), field="parent"))
    return problems


def _circular(world: _World, code: str, parent: str) -> bool:
    seen = {code}
    above = parent
    while above:
        if above in seen:
            return True
        seen.add(above)
        above = world.parents.get(above, "")
    return False


def _rank(text: str) -> int | None:
    """Read a whole number, in Khmer digits too; Excel's ``10.0`` counts."""
    try:
        number = float(text.strip())
    except ValueError:
        return None
    return int(number) if number == int(number) and 0 <= number <= 1_000_000 else None


class _Persons:
    """Judges the rows of persons one after the other, and writes them when asked to."""

    def __init__(self, session: Session, world: _World, by: Principal, *, write: bool) -> None:
        self.session = session
        self.world = world
        self.by = by
        self.write = write
        self.taken: set[str] = set()
        # first key of a person of this file who is not stored yet (when only judging)
        self.planned: dict[str, str] = {}

    def take(self, row: PersonRow) -> Line:
        """Judge one row, and write it."""
        try:
            values = self._values(row)
            part = self._part(row)
            found, key = self._find(values, part)
        except Invalid as error:
            return _refusal(row, row.login or row.phone or row.email, *error.problems)
        if (key, str(part)) in self.world.seen_parts:
            return _refusal(row, key, Problem(_l("This person has this part in an earlier row already.")))
        self.world.seen_parts.add((key, str(part)))
        if found is None:
            return self._add(row, values, part, key)
        return self._change(row, found, values, part, key)

    def _values(self, row: PersonRow) -> dict[str, Any]:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, check in (
            ("login", people.check_login), ("email", people.check_email), ("phone", people.check_phone),
            ("telegram", people.check_telegram),
        ):  # fmt: skip
            text = getattr(row, name).strip()
            if not text:
                continue
            try:
                values[name] = check(text)
            except Invalid as error:
                problems += error.problems
        names = {language: text.strip() for language, text in row.names.items() if text.strip()}
        if any(len(text) > people.LONGEST_NAME for text in names.values()):
            problems.append(
                Problem(_l("A name has at most %(count)s characters.", count=people.LONGEST_NAME), field="names")
            )
        values["names"] = names
        if post := {language: text.strip() for language, text in row.post.items() if text.strip()}:
            values["post"] = post
        if row.honorific.strip():
            values["honorific"] = honorific(row.honorific, self.world.honorifics, self.world.languages)
        if language := row.language.strip().lower():
            if language in self.world.languages:
                values["language"] = language
            else:
                known = ", ".join(self.world.languages)
                problems.append(Problem(_l("The languages are %(languages)s.", languages=known), field="language"))
        if problems:
            raise Invalid(problems=problems)
        return values

    def _part(self, row: PersonRow) -> tuple[Role, str] | StaffRole:
        role = role_of(row.role)
        code = row.institution.strip().lower()
        if role is None:
            sentence = (
                _l("There is no role %(role)s.", role=row.role) if row.role.strip() else _l("The role is missing.")
            )
            _no("role", sentence, _l("Choose one from the list of the template."))
        if isinstance(role, StaffRole):
            if code:
                _no("institution", _l("A role in the secretariat has no institution: leave the cell empty."))
            if role is StaffRole.ADMINISTRATOR:
                _no("role", _l("Administrators are not made by an import. Appoint them on the person's page."))
            return role
        if not code:
            _no("institution", _l("The institution is missing."))
        if code not in self.world.institutions and code not in self.world.coming:
            _no("institution", _l("There is no institution with the code %(code)s.", code=row.institution))
        return role, code

    def _find(self, values: dict[str, Any], part: tuple[Role, str] | StaffRole) -> tuple[UserAccount | None, str]:
        """Find whom a row means: by log-in name, else phone, else e-mail, else the name in the same institution."""
        world = self.world
        found = world.by_login.get(values.get("login", ""))
        for column, known in (("phone", world.by_phone), ("email", world.by_email)):
            other = known.get(values.get(column, ""))
            if other is None:
                continue
            if found is None and "login" not in values:
                found = other
            elif other is not found:
                _no(column, people.TAKEN[column])
        if found is None and not values.keys() & {"login", "phone", "email"}:
            found = self._namesake(values["names"], part)
        if found is not None:
            return found, found.login
        keys = [f"{name}:{values[name]}" for name in ("login", "phone", "email") if name in values]
        keys = keys or [f"name:{sorted(values['names'].items())}:{part if isinstance(part, StaffRole) else part[1]}"]
        first = next((world.new_persons[key] for key in keys if key in world.new_persons), keys[0])
        for key in keys:
            if world.new_persons.setdefault(key, first) != first:
                _no(
                    key.partition(":")[0],
                    people.TAKEN.get(key.partition(":")[0], _l("Two rows contradict each other.")),
                )
        return None, first

    def _namesake(self, names: dict[str, str], part: tuple[Role, str] | StaffRole) -> UserAccount | None:
        if isinstance(part, StaffRole):
            ids = {user_id for user_id, role in self.world.staff if role is part}
        else:
            ids = {user_id for user_id, code in self.world.memberships if code == part[1]}
        for user in self.world.by_login.values():
            if user.id in ids and names and all(user.names.get(lang) == text for lang, text in names.items()):
                return user
        return None

    def _add(self, row: PersonRow, values: dict[str, Any], part: tuple[Role, str] | StaffRole, key: str) -> Line:
        if not self.write and key in self.planned:
            return Line(row.sheet, row.row, "changed", values["names"], self.planned[key], ("role",))
        if not values["names"]:
            return _refusal(row, key, Problem(_l("Give the name in at least one language."), field="names"))
        role, code = (part, "") if isinstance(part, StaffRole) else part
        login = values.get("login") or people.free_login(self.session, people.login_for(role, code), self.taken)
        self.taken.add(login)
        if not self.write:
            self.planned[key] = login
            return Line(row.sheet, row.row, "added", values["names"], login)
        made = UserAccount(**values | {"login": login})
        self.session.add(made)
        self.session.flush()
        self.session.add(Actor(kind=ActorKind.USER, user_id=made.id))
        self._index(made)
        self._join(made, part)
        return Line(row.sheet, row.row, "added", made.names, login)

    def _change(
        self, row: PersonRow, found: UserAccount, values: dict[str, Any], part: tuple[Role, str] | StaffRole, key: str
    ) -> Line:
        for name in ("names", "post"):
            if name in values:
                values[name] = {**getattr(found, name), **values[name]}
        changed = [name for name, value in values.items() if getattr(found, name) != value]
        if changed and found.id != self.by.user_id and (found.id, StaffRole.ADMINISTRATOR) in self.world.staff:
            require(self.by, Permission.OPERATE_PORTAL)
        if self._joins(found, part):
            changed.append("role")
        if not changed:
            return Line(row.sheet, row.row, "unchanged", found.names, key)
        if self.write:
            for name in changed:
                if name != "role":
                    setattr(found, name, values[name])
            if changed != ["role"]:
                found.revision += 1
            self._index(found)
            self._join(found, part)
        return Line(row.sheet, row.row, "changed", values["names"], found.login, tuple(changed))

    def _index(self, user: UserAccount) -> None:
        self.world.by_login[user.login] = user
        if user.phone:
            self.world.by_phone[user.phone] = user
        if user.email:
            self.world.by_email[user.email] = user

    def _joins(self, user: UserAccount, part: tuple[Role, str] | StaffRole) -> bool:
        if isinstance(part, StaffRole):
            return (user.id, part) not in self.world.staff
        found = self.world.memberships.get((user.id, part[1]))
        return found is None or found.role is not part[0] or found.ended_at is not None

    def _join(self, user: UserAccount, part: tuple[Role, str] | StaffRole) -> None:
        if not self._joins(user, part):
            return
        if isinstance(part, StaffRole):
            self.session.add(StaffAppointment(user_id=user.id, role=part))
            self.world.staff.add((user.id, part))
            return
        role, code = part
        found = self.world.memberships.get((user.id, code))
        if found is None:
            found = Membership(user_id=user.id, institution_id=self.world.institutions[code].id, role=role)
            self.session.add(found)
            self.world.memberships[user.id, code] = found
        found.role, found.ended_at = role, None


def role_of(text: str) -> Role | StaffRole | None:
    """Read a role by its code, with spaces or underscores, in any case; None if it is none."""
    wanted = "_".join(text.strip().casefold().replace("-", " ").split())
    for kind in (Role, StaffRole):
        for one in kind:
            if one.value == wanted:
                return one
    return None


def honorific(text: str, known: Sequence[Mapping[str, Any]], languages: Sequence[str]) -> dict[str, str]:
    """Return an honorific in all languages: by its code or any of its names; an unknown one is kept as written."""
    wanted = text.strip()
    for one in known:
        names: Mapping[str, str] = one.get("names", {})
        if wanted.casefold() in {str(one.get("code", "")).casefold(), *(name.casefold() for name in names.values())}:
            return dict(names)
    return {languages[0] if languages else "en": wanted[: people.LONGEST_NAME]}


def _no(column: str, sentence: Speakable, mend: Speakable | None = None) -> NoReturn:
    raise Invalid(sentence, problems=[Problem(sentence, field=column, mend=mend)])
