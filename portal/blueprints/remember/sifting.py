"""The filters of the register of evidence: by round or institution, recommendation, theme, readers, scan, free text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import g, request
from flask_babel import gettext as _

from portal.blueprints.follow.door import say
from portal.extensions import db
from portal.models import Visibility
from portal.queries.register import themes_of
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.queries.register import RegisterLine

SCANNED, UNSCANNED, LINK = "scanned", "unscanned", "link"
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD))


@dataclass(frozen=True)
class Sifted:
    """The lines that fit, of how many, and the filters as the filter bar shows them; ``chosen`` is what was asked."""

    shown: Sequence[RegisterLine]
    total: int
    fields: Sequence[Mapping[str, Any]]
    chosen: Mapping[str, str]


def visibility_names() -> dict[str, str]:
    """Return who may see a piece of evidence, in words."""
    return {
        Visibility.PUBLIC: _("public"), Visibility.INTERNAL: _("internal"), Visibility.CONFIDENTIAL: _("confidential"),
    }  # fmt: skip


def sift(lines: Sequence[RegisterLine], *, staff: bool) -> Sifted:
    """Filter a register as the address says; what is offered is what there is in the register."""
    over = "institution" if staff else "round"
    names = ("q", over, "recommendation", "theme", "visibility", "scan")
    chosen = {name: request.args[name] for name in names if request.args.get(name)}
    themes = themes_of(db.session, {one for line in lines for one in line.about}) if lines else {}
    labels = {key: labels for many in themes.values() for key, labels in many}
    places = {public_id: cite for line in lines for public_id, cite in line.about.values()}

    def fits(line: RegisterLine) -> bool:
        tests: dict[str, Callable[[str], bool]] = {
            "q": lambda text: _plain(text) in _words(line),
            over: lambda key: key == _over(line, staff=staff),
            "recommendation": lambda key: any(key == public_id for public_id, _cite in line.about.values()),
            "theme": lambda key: any(key == theme for one in line.about for theme, _labels in themes.get(one, ())),
            "visibility": lambda key: key in line.visibilities,
            "scan": lambda key: key == _scan(line),
        }
        return all(tests[name](text) for name, text in chosen.items())

    choices = {
        over: {_over(line, staff=staff): say(line.round_titles) for line in lines},
        "recommendation": dict(sorted(places.items(), key=lambda pair: pair[1])),
        "theme": {key: pick(labels[key], g.view.language, g.country.languages) for key in labels},
        "visibility": visibility_names(),
        "scan": {SCANNED: _("scanned, nothing found"), UNSCANNED: _("not scanned"), LINK: _("a link, no file")},
    }
    titles = {
        over: _("Institution") if staff else _("Round"), "recommendation": _("Recommendation"), "theme": _("Theme"),
        "visibility": _("Who may see it"), "scan": _("Virus scan"),
    }  # fmt: skip
    fields: list[dict[str, Any]] = [{"name": "q", "label": _("Search"), "kind": "search", "value": chosen.get("q", "")}]
    fields += [
        {"name": name, "label": titles[name], "kind": "select", "value": chosen.get(name, ""),
         "choices": list(offered.items())}
        for name, offered in choices.items()
        if len(offered) > 1 or name in chosen
    ]  # fmt: skip
    return Sifted([line for line in lines if fits(line)], len(lines), fields if lines else [], chosen)


def _over(line: RegisterLine, *, staff: bool) -> str:
    return line.institution_code if staff else line.round_slug


def _scan(line: RegisterLine) -> str:
    if not line.is_file:
        return LINK
    return SCANNED if line.scanned_at is not None else UNSCANNED


def _words(line: RegisterLine) -> str:
    numbers = " ".join(f"E{number}" for number in line.numbers)
    places = " ".join(part for place in (*line.attached, *line.cited) for part in place[1:])
    cites = " ".join(cite for _public_id, cite in line.about.values())
    return _plain(f"{line.name} {line.caption} {numbers} {places} {cites} {say(line.round_titles)}")


def _plain(text: str) -> str:
    """Fold a text for searching: invisible breaks of Khmer words and small or capital letters do not count."""
    return " ".join(text.translate(_INVISIBLE).casefold().split())
