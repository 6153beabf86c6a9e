"""Answer sets that go into an offline workbook, through a program, and back: `python -m bench.offline_round_trip`.

Makes ``--sets`` answer sets (1,000) of every question type - naughty strings, Khmer, 32,767 signs, far dates, 1e15,
leading zeros, starts of formulas, control characters - puts each on a sheet of its own, lets openpyxl and then
LibreOffice open and save the workbooks, that one also in the old format (.xls), reads them by the questionnaire's own
form, and compares each answer, value and type, with the one that went out. Prints how many answers of each type
survived; exit code 1 when one did not.
"""

from __future__ import annotations

import argparse
import io
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import openpyxl  # noqa: E402 - the checkout has to be found first
from flask import Flask  # noqa: E402
from flask_babel import Babel  # noqa: E402

from forms.answers import AnswerKey, Given, TableRow  # noqa: E402
from forms.context import Context  # noqa: E402
from forms.definition.model import Choice, Definition, Item  # noqa: E402
from forms.question_types import question_type  # noqa: E402
from forms.questionnaire import answer_keys  # noqa: E402
from forms.tables import made_key  # noqa: E402
from portal.services.offline.reading import CopyReader  # noqa: E402
from portal.workbooks.offline.book import write_offline  # noqa: E402
from portal.workbooks.offline.marks import Seal  # noqa: E402
from portal.workbooks.offline.returned import read_offline  # noqa: E402
from portal.workbooks.offline.shape import OfflineBook, OfflineReply  # noqa: E402

SECRET = "the key of a measurement, longer than thirty-two characters"
LANGUAGES = ("km", "en")
CONTEXT = Context(
    today=date(2026, 3, 27), languages=LANGUAGES, language="en", time_zone="Asia/Phnom_Penh",
    now=datetime(2026, 3, 27, 3, 0, tzinfo=UTC),
)  # fmt: skip
PER_BOOK = 40
# a text that spells Excel's escape of an escape: LibreOffice reads it rightly and writes another one (seen in 7.4)
DOUBLED = "_x005F_x"
NAUGHTY = (
    "=1+1", '=HYPERLINK("http://example.org")', "+855 12 345 678", "-1", "@SUM(A1)", "'already quoted", "''", '"quoted"',  # noqa: E501 - sample data
    "00123", "007", "1e15", "1E5", "12.50", "3/4", "2026-03-27", "27/03/2026", "TRUE", "false", "NULL", "nan", "#REF!",
    "#N/A", "_x0041_", "_x000D_", "_x005F_x0041_", "<b>&amp;</b>", "]]>", "<!-- -->", "a\tb", "a\nb\n\nc", " leading", "trailing ",  # noqa: E501 - sample data
    "\u00a0no-break\u00a0", "zero\u200bwidth", "\ufeffmark", "עברית", "العربية", "日本語", "🙂👩‍👩‍👧‍👦🇰🇭", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "Ω≈ç√∫˜µ≤≥÷",  # noqa: E501 - sample data
    "| a | b |", "%d %s %(x)s", "{{ 7*7 }}", "${name}", "; DROP TABLE answer", "c:\\temp", "\\n", "a,b;c", "1;2", "៣៤", "១២៣",  # noqa: E501 - sample data
    "កម្ពុជា", "ព្រះរាជាណាចក្រកម្ពុជា ជាតិ សាសនា ព្រះមហាក្សត្រ", "ក្រសួង\u200bយុត្តិធម៌\u200bបាន\u200bធ្វើ", "ស្ត្រី ៥០%", "០០១២៣",
    "\x01control\x02", "bell\x07", "vertical\x0btab", "next\x85line", "\x7fdelete", "a\u2028b", "\u202ereversed", "𝕳𝖊𝖑𝖑𝖔", "ﬁ", "é", "e\u0301",  # noqa: E501 - sample data
)  # fmt: skip
KHMER = "ការបណ្ដុះបណ្ដាលចៅក្រម និងមន្ត្រីពន្ធនាគារនៅតាមខេត្តទាំងអស់ក្នុងឆ្នាំ២០២៥។ "
ENGLISH = "Training of judges and prison officers in all provinces, with 45% women (2025). "


def choices(number: int) -> tuple[Choice, ...]:
    """Return choices whose labels are as awkward as those of real lists."""
    awkward = ("Yes; in part", "=No", "Not yet", "1", "A · B", "ខ្មែរ", "Same", "Same")
    return tuple(
        Choice(
            f"k{at}", {"en": awkward[at % len(awkward)] + (f" {at}" if at >= len(awkward) else ""), "km": f"ជម្រើស {at}"}
        )
        for at in range(number)
    )


def question(code: str, kind: str, **more: Any) -> Item:
    """Return a question with labels in both languages."""
    return Item(None, "question", code, kind, {"label": {"en": f"Question {code}", "km": f"សំណួរ {code}"}}, **more)


def definition() -> Definition:
    """Return a questionnaire with every type that is filled in, outside tables and in a table of rows."""
    plain = (
        question("text", "text"), question("line", "text", settings={"one_language": True}),
        question("integer", "integer", settings={"not_available": True, "not_applicable": True}),
        question("decimal", "decimal"), question("money", "money", settings={"unit": "USD"}),
        question("percentage", "percentage"), question("year", "year"),
        question("range", "range", settings={"start": "-5", "end": "5", "step": "0.25"}),
        question("one", "select_one", choices=choices(12)), question("several", "select_multiple", choices=choices(9)),
        question("rank", "rank", choices=choices(7)), question("agree", "acknowledge"), question("date", "date"),
        question("time", "time"), question("moment", "datetime"), question("period", "period"),
        question("years", "period", settings={"precision": "year", "open_end": True}),
    )  # fmt: skip
    columns = tuple(replace(one, code=f"t_{one.code}") for one in plain)
    table = Item(None, "repeat", "table", "", {"label": {"en": "Table", "km": "តារាង"}}, children=columns)
    page = Item(None, "section", "page", "", {"label": {"en": "Page", "km": "ទំព័រ"}}, children=(*plain, table))
    return Definition(None, "q", 1, {"en": "Q", "km": "ស"}, LANGUAGES, "km", (page,))


class Maker:
    """Makes answers by chance, each the value that the form makes of something typed."""

    def __init__(self, of: Definition, seed: int) -> None:
        self.of, self.chance = of, random.Random(seed)

    def typed(self, item: Item, lang: str) -> list[str]:
        """Return what somebody may type into this question."""
        pick = self.chance
        keys = [one.key for one in item.choices]
        day = date.fromordinal(pick.randint(date(1800, 1, 1).toordinal(), date(2399, 12, 31).toordinal()))
        clock = f"{pick.randrange(24):02d}:{pick.randrange(60):02d}" + (
            f":{pick.randrange(1, 60):02d}" if pick.random() < 0.3 else ""
        )
        first, last = sorted(date.fromordinal(pick.randint(700_000, 760_000)) for _ in range(2))
        made = {
            "text": lambda: [self.text(lang)],
            "integer": lambda: [str(pick.choice([0, -1, 10**15, 10**15 - 1, -(10**14), 2**53 + 1, 10**20, pick.randint(-10**9, 10**9)]))],  # noqa: E501 - sample data
            "percentage": lambda: [pick.choice(["0", "100", "33.3333333333", "0.07", "12.5", "99.99", f"{pick.uniform(0, 100):.4f}"])],  # noqa: E501 - sample data
            "year": lambda: [str(pick.randint(1000, 2399))],
            "range": lambda: [f"{pick.randint(-20, 20) * 0.25:.4f}"],
            "select_one": lambda: [pick.choice(keys)],
            "select_multiple": lambda: pick.sample(keys, pick.randint(1, len(keys))),
            "rank": lambda: pick.sample(keys, pick.randint(1, len(keys))),
            "acknowledge": lambda: ["OK"],
            "date": lambda: [pick.choice([day.isoformat(), "1900-01-01", "1900-02-28", "1900-03-01", "2399-12-31", "2024-02-29"])],  # noqa: E501 - sample data
            "time": lambda: [pick.choice([clock, "00:00", "23:59", "23:59:59", "12:00"])],
            "datetime": lambda: [f"{day.isoformat()} {clock}"],
            "period": lambda: [f"{first.isoformat()} – {last.isoformat()}"],
        }  # fmt: skip
        if item.settings.get("precision") == "year":
            return [f"{first.year}", f"{last.year}" if pick.random() < 0.7 else ""]
        return made.get(item.type, lambda: [self.number()])()

    def number(self) -> str:
        """Return a number with decimals, some longer than Excel's 15 digits."""
        pick = self.chance
        return pick.choice(
            ["0.1", "0.30", "-2.5", "1234567.89", "12.3450", "999999999999999.0", "123456789012345678901234567890", "0.000001",  # noqa: E501 - sample data
             "1000000000000000", f"{pick.uniform(-1e6, 1e6):.5f}", f"{pick.uniform(-1e-3, 1e-3):.9f}"]
        )  # fmt: skip

    def text(self, lang: str) -> str:
        """Return a text: naughty ones, prose of the language, the longest that a cell holds."""
        pick = self.chance
        if pick.random() < 0.02:
            return (KHMER if lang == "km" else ENGLISH) * 600
        if pick.random() < 0.02:
            return ("ក" if lang == "km" else "x") * 32_767
        if pick.random() < 0.5:
            return pick.choice(NAUGHTY)
        return (KHMER if lang == "km" else ENGLISH) * pick.randint(1, 6) + pick.choice(NAUGHTY)

    def answer(self, item: Item, key: AnswerKey) -> Given | None:
        """Return an answer, none, or the reason why there is none."""
        if self.chance.random() < 0.15:
            return None
        if item.settings.get("not_available") and self.chance.random() < 0.3:
            return Given(state=self.chance.choice(["not_available", "not_applicable"]), revision=1)
        raw = self.typed(item, key.lang)
        if item.type == "text":
            raw = [raw[0][:32_767]]
        parsed = question_type(item.type).judge(raw, item, CONTEXT, key.lang)
        return Given(parsed.value, revision=1) if parsed.value is not None else None

    def answers(self, rows: list[TableRow]) -> dict[AnswerKey, Given]:
        """Return one answer set."""
        found = {}
        table = self.of.pages[0].children[-1]
        places = [(item, "") for item in self.of.pages[0].children[:-1]]
        places += [(item, row.key) for row in rows for item in table.children]
        for item, row in places:
            for key in answer_keys(item, LANGUAGES):
                given = self.answer(item, key)
                if given is not None:
                    found[key._replace(row=row)] = given
        return found


def workbooks(
    of: Definition, sets: int, seed: int = 1, write: Any = write_offline, per_book: int = PER_BOOK
) -> list[tuple[bytes, list[OfflineReply]]]:
    """Return workbooks, or what else ``write`` makes, with one answer set a sheet, and what went out in them."""
    maker, made = Maker(of, seed), []
    for first in range(0, sets, per_book):
        replies = []
        for number in range(first, min(first + per_book, sets)):
            rows = [TableRow(made_key("row", str(number), str(at))) for at in range(2)]
            replies.append(
                OfflineReply(
                    submission=f"{number:032x}", round="r", institution="i", version=1, sheet=f"S{number}",
                    title={"en": "T"},
                    cite="C", texts=[{"en": "Do.", "km": "ធ្វើ។"}], due=date(2026, 12, 31), definition=of,
                    answers=maker.answers(rows), rows={"table": rows},
                    row_revisions={("table", row.key): 1 for row in rows}, languages=LANGUAGES,
                )
            )  # fmt: skip
        book = OfflineBook(
            replies, {"en": "I", "km": "ស្ថាប័ន"}, {"en": "R"}, LANGUAGES, CONTEXT.time_zone, f"book{first}",
            "2026-03-27T03:00:00+00:00",
            spare=2,
        )  # fmt: skip
        made.append((write(book, Seal(SECRET)), replies))
    return made


def compare(
    content: bytes, replies: list[OfflineReply], survived: Counter[str], *, office: bool = False,
    read: Any = read_offline,
) -> list[str]:
    """Read a workbook back and return every answer that is not the one that went out.

    ``office``: texts with :data:`DOUBLED` are counted as "left out".
    """
    found = read(content, Seal(SECRET), filename="x.xlsx")
    by_reply = {one.submission: one for one in replies}
    wrong = [str(one.message) for one in found.problems]
    if len(found.sheets) != len(replies):
        wrong.append(f"{len(found.sheets)} sheets instead of {len(replies)}")
    for sheet in found.sheets:
        wrong += [f"{sheet.name}: {one.message}" for one in (*sheet.problems, *sheet.remarks)]
        reply = by_reply[sheet.mark.submission]
        doubled = {key for key, one in reply.answers.items() if office and DOUBLED in str(one.value)}
        touched = [
            f"{cell.address} {cell.value!r}" for row in sheet.rows for cell in row.cells
            if not cell.untouched and AnswerKey(cell.mark.code, row.mark.key, cell.mark.lang) not in doubled
        ]  # fmt: skip
        wrong += [f"{sheet.name}: seems changed: {one[:200]}" for one in touched]
        # each cell that holds something is read as if it had just been typed
        sheet.rows = [replace(row, cells=tuple(_as_typed(cell) for cell in row.cells)) for row in sheet.rows]
        copy = CopyReader(sheet, reply.definition, CONTEXT, "x", "").read()
        got = {one.key: one for one in copy.findings}
        for key, given in reply.answers.items():
            kind = reply.definition.question(key.code).type
            back = got.pop(key, None)
            same = back is not None and (back.parsed.value, back.parsed.state, type(back.parsed.value)) == (
                given.value, given.state, type(given.value),
            )  # fmt: skip
            survived["left out" if key in doubled else kind] += same or key in doubled
            if not same and key not in doubled:
                told = None if back is None else (back.parsed.value, str(back.sentence), back.found[:80])
                wrong.append(f"{sheet.name} {key} {kind}: {_differ(given.value, told)}")
        wrong += [f"{sheet.name} {key}: {one.found[:80]!r} was never there" for key, one in got.items()]
    return wrong


def _differ(went: Any, came: tuple[Any, ...] | None) -> str:
    """Return two values from where they begin to differ."""
    first, second = str(went), str(came[0] if came else None)
    at = next((at for at, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), len(first))
    return f"{first[at:at + 60]!r} came back as {second[at:at + 60]!r} (from sign {at}) {str(came)[-120:]}"


def _as_typed(cell: Any) -> Any:
    return replace(cell, mark=replace(cell.mark, digest="00000000" if cell.mark.digest else ""))


def through_openpyxl(content: bytes) -> bytes:
    """Let openpyxl open and save a workbook."""
    stream = io.BytesIO()
    openpyxl.load_workbook(io.BytesIO(content)).save(stream)
    return stream.getvalue()


def through_office(contents: list[bytes], office: str, timeout: int = 1800, kind: str = "xlsx") -> list[bytes]:
    """Let LibreOffice open and save workbooks; ``kind`` "xls" as an older Excel does."""
    to = {"xlsx": "xlsx:Calc MS Excel 2007 XML", "xls": "xls:MS Excel 97"}[kind]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for at, content in enumerate(contents):
            (folder / "in" / f"{at:04d}.xlsx").write_bytes(content)
        subprocess.run(
            [office, "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", to,
             "--outdir", folder / "out", *sorted((folder / "in").glob("*.xlsx"))],
            check=True, capture_output=True, timeout=timeout,
        )  # fmt: skip
        return [(folder / "out" / f"{at:04d}.{kind}").read_bytes() for at in range(len(contents))]


def main() -> int:
    """Print what survived; 1 when something did not."""
    app = Flask(__name__)
    Babel(app)
    with app.app_context():
        return measure()


def measure() -> int:
    """Make the sets and send them through each program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    office = shutil.which("soffice")
    print(f"{platform.platform()}, Python {platform.python_version()}, {chosen.sets} answer sets, seed {chosen.seed}")
    began = time.perf_counter()
    books = workbooks(definition(), chosen.sets, chosen.seed)
    print(f"written in {time.perf_counter() - began:.1f} s, {len(books)} workbooks")
    ways = {
        "as written": lambda: [content for content, _ in books],
        "openpyxl": lambda: [through_openpyxl(one) for one, _ in books],
    }
    if office:
        ways["LibreOffice"] = lambda: through_office([content for content, _ in books], office)
        ways["LibreOffice, .xls"] = lambda: through_office([content for content, _ in books], office, kind="xls")
    else:
        print("LibreOffice (soffice) is not installed: left out")
    bad = 0
    for way, pass_through in ways.items():
        began = time.perf_counter()
        survived: Counter[str] = Counter()
        wrong = [
            one
            for content, (_, replies) in zip(pass_through(), books, strict=True)
            for one in compare(content, replies, survived, office=way.startswith("LibreOffice"))
        ]
        bad += len(wrong)
        total = sum(len(reply.answers) for _, replies in books for reply in replies)
        print(
            f"{way}: {survived.total()} of {total} answers equal, {len(wrong)} faults, "
            f"{time.perf_counter() - began:.1f} s"
        )
        print("   " + ", ".join(f"{kind} {count}" for kind, count in sorted(survived.items())))
        for one in wrong[:10]:
            print("   !", one)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
