"""What a workbook must hold, counted by the database itself: the other way to the same figures, for comparison.

Nothing here goes through the code that fills the workbook: no answer is loaded, each figure is one SQL statement. Where
the workbook drops or doubles a row, these figures and the rows written differ, and the export fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from forms.question_types import question_types

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LIVE = "('submitted', 'cleared')"
NEVER = "('submitted', 'cleared', 'withdrawn', 'not_ours')"

_ASKS = """
    FROM submission s JOIN assignment a ON a.id = s.assignment_id
    WHERE a.round_id = :round
"""
# the reply as handed in: which version, what was not asked; from the row itself, or from its latest snapshot
_HANDED_IN = {
    "sqlite": f"""
    handed AS (
        SELECT s.id, a.version_id, s.hidden, NULL AS canonical
        FROM submission s JOIN assignment a ON a.id = s.assignment_id
        WHERE a.round_id = :round AND s.status IN {LIVE}
        UNION ALL
        SELECT s.id, v.id, json_extract(n.canonical, '$.hidden'), n.canonical
        FROM submission s JOIN assignment a ON a.id = s.assignment_id
        JOIN snapshot n ON n.submission_id = s.id
        JOIN questionnaire q ON q.code = json_extract(n.canonical, '$.questionnaire.code')
        JOIN questionnaire_version v
            ON v.questionnaire_id = q.id AND v.number = json_extract(n.canonical, '$.questionnaire.version')
        WHERE a.round_id = :round AND s.status NOT IN {NEVER}
            AND NOT EXISTS (SELECT 1 FROM snapshot m WHERE m.submission_id = n.submission_id AND m.id > n.id)
    ),
    gone AS (
        SELECT r.submission_id AS id, r.key FROM answer_row r JOIN handed h ON h.id = r.submission_id WHERE r.removed
        UNION
        SELECT r.submission_id, r.key FROM gone g
        JOIN answer_row r ON r.submission_id = g.id AND r.parent_key = g.key AND r.parent_key <> ''
    ),
    said AS (
        SELECT h.id, q.code, w.row, w.state
        FROM handed h JOIN answer w ON w.submission_id = h.id JOIN question q ON q.id = w.question_id
        WHERE h.canonical IS NULL AND w.typed IS NULL
            AND ((w.value IS NOT NULL AND w.value <> 'null') OR w.state <> 'answered')
            AND (w.row = '' OR NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = h.id AND g.key = w.row))
        UNION ALL
        SELECT h.id, json_extract(j.value, '$.code'), json_extract(j.value, '$.row'), json_extract(j.value, '$.state')
        FROM handed h, json_each(h.canonical, '$.answers') j
        WHERE h.canonical IS NOT NULL AND (
            json_type(j.value, '$.value') <> 'null' OR json_extract(j.value, '$.state') <> 'answered')
    ),
    hidden AS (SELECT h.id, j.value AS code FROM handed h, json_each(h.hidden) j),
    stood AS (
        SELECT h.id, r.repeat, r.key FROM handed h JOIN answer_row r ON r.submission_id = h.id
        WHERE h.canonical IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = h.id AND g.key = r.key)
        UNION ALL
        SELECT h.id, t.key, json_extract(r.value, '$.key')
        FROM handed h, json_each(h.canonical, '$.rows') t, json_each(t.value) r WHERE h.canonical IS NOT NULL
    ),
    fixed AS (
        SELECT i.id AS home, json_extract(c.value, '$.key') AS key FROM version_item i, json_each(i.choices) c
        WHERE i.kind = 'matrix' AND coalesce(json_extract(c.value, '$.retired'), 0) = 0
    ),
    held AS (SELECT h.id, json_extract(j.value, '$.id') AS evidence
             FROM handed h, json_each(h.canonical, '$.evidence') j WHERE h.canonical IS NOT NULL)
    """,  # noqa: S608 - its parts are the constants above
    "postgresql": f"""
    handed AS (
        SELECT s.id, a.version_id, s.hidden, NULL::jsonb AS canonical
        FROM submission s JOIN assignment a ON a.id = s.assignment_id
        WHERE a.round_id = :round AND s.status IN {LIVE}
        UNION ALL
        SELECT s.id, v.id, n.canonical::jsonb -> 'hidden', n.canonical::jsonb
        FROM submission s JOIN assignment a ON a.id = s.assignment_id
        JOIN snapshot n ON n.submission_id = s.id
        JOIN questionnaire q ON q.code = n.canonical::jsonb #>> '{{questionnaire,code}}'
        JOIN questionnaire_version v
            ON v.questionnaire_id = q.id AND v.number = (n.canonical::jsonb #>> '{{questionnaire,version}}')::integer
        WHERE a.round_id = :round AND s.status NOT IN {NEVER}
            AND NOT EXISTS (SELECT 1 FROM snapshot m WHERE m.submission_id = n.submission_id AND m.id > n.id)
    ),
    gone AS (
        SELECT r.submission_id AS id, r.key FROM answer_row r JOIN handed h ON h.id = r.submission_id WHERE r.removed
        UNION
        SELECT r.submission_id, r.key FROM gone g
        JOIN answer_row r ON r.submission_id = g.id AND r.parent_key = g.key AND r.parent_key <> ''
    ),
    said AS (
        SELECT h.id, q.code, w.row, w.state
        FROM handed h JOIN answer w ON w.submission_id = h.id JOIN question q ON q.id = w.question_id
        WHERE h.canonical IS NULL AND w.typed IS NULL
            AND ((w.value IS NOT NULL AND w.value <> 'null'::jsonb) OR w.state <> 'answered')
            AND (w.row = '' OR NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = h.id AND g.key = w.row))
        UNION ALL
        SELECT h.id, j ->> 'code', j ->> 'row', j ->> 'state'
        FROM handed h CROSS JOIN LATERAL jsonb_array_elements(h.canonical -> 'answers') j
        WHERE h.canonical IS NOT NULL AND (j -> 'value' <> 'null'::jsonb OR j ->> 'state' <> 'answered')
    ),
    hidden AS (SELECT h.id, j AS code FROM handed h CROSS JOIN LATERAL jsonb_array_elements_text(h.hidden) j),
    stood AS (
        SELECT h.id, r.repeat, r.key FROM handed h JOIN answer_row r ON r.submission_id = h.id
        WHERE h.canonical IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = h.id AND g.key = r.key)
        UNION ALL
        SELECT h.id, t.key, r ->> 'key'
        FROM handed h CROSS JOIN LATERAL jsonb_each(coalesce(h.canonical -> 'rows', '{{}}'::jsonb)) t
        CROSS JOIN LATERAL jsonb_array_elements(t.value) r
        WHERE h.canonical IS NOT NULL
    ),
    fixed AS (
        SELECT i.id AS home, c ->> 'key' AS key
        FROM version_item i CROSS JOIN LATERAL jsonb_array_elements(i.choices) c
        WHERE i.kind = 'matrix' AND coalesce(c ->> 'retired', 'false') <> 'true'
    ),
    held AS (SELECT h.id, j ->> 'id' AS evidence
             FROM handed h CROSS JOIN LATERAL jsonb_array_elements(h.canonical -> 'evidence') j
             WHERE h.canonical IS NOT NULL)
    """,  # noqa: S608 - its parts are the constants above
}
_SHOWN = """,
    shown AS (
        SELECT * FROM said WHERE (id, code) NOT IN (SELECT id, code FROM hidden)
        AND (row = '' OR (id, code || '[' || row || ']') NOT IN (SELECT id, code FROM hidden))),
    asked AS (
        SELECT h.id, i.id AS item, i.code, i.settings
        FROM handed h JOIN version_item i ON i.version_id = h.version_id
        JOIN question q ON q.id = i.question_id
        WHERE i.kind = 'question' AND (q.type IN ({types}) OR i.calculation <> '')),
    above AS (
        SELECT i.id AS item, i.parent_id AS at FROM version_item i
        WHERE i.version_id IN (SELECT version_id FROM handed)
        UNION ALL
        SELECT b.item, p.parent_id FROM above b JOIN version_item p ON p.id = b.at
        WHERE p.kind NOT IN ('repeat', 'matrix')),
    homes AS (
        SELECT b.item, p.id AS home, p.code, p.kind FROM above b JOIN version_item p ON p.id = b.at
        WHERE p.kind IN ('repeat', 'matrix')),
    places AS (
        SELECT h.id, t.id AS home, r.key AS row FROM handed h
        JOIN version_item t ON t.version_id = h.version_id AND t.kind = 'repeat'
        JOIN stood r ON r.id = h.id AND r.repeat = t.code
        UNION
        SELECT h.id, f.home, f.key FROM handed h
        JOIN version_item t ON t.version_id = h.version_id JOIN fixed f ON f.home = t.id
        UNION
        SELECT s.id, m.home, s.row FROM said s
        JOIN asked a ON a.id = s.id AND a.code = s.code JOIN homes m ON m.item = a.item AND m.kind = 'matrix'
        WHERE s.row <> ''),
    cells AS (
        SELECT a.id, a.code, m.home, coalesce(p.row, '') AS row FROM asked a
        LEFT JOIN homes m ON m.item = a.item LEFT JOIN places p ON p.id = a.id AND p.home = m.home),
    silent AS (
        SELECT * FROM cells WHERE (id, code) IN (SELECT id, code FROM hidden)
        OR (row <> '' AND (id, code || '[' || row || ']') IN (SELECT id, code FROM hidden))),
    open AS (SELECT * FROM cells WHERE (id, code, row) NOT IN (SELECT id, code, row FROM silent))
"""
_TABLE_ROWS = """
    SELECT q.code, t.code, count(*) FROM (SELECT DISTINCT id, home, row FROM open WHERE row <> '') r
    JOIN version_item t ON t.id = r.home JOIN questionnaire_version v ON v.id = t.version_id
    JOIN questionnaire q ON q.id = v.questionnaire_id GROUP BY q.code, t.code
"""
_IS_PRACTICE = {
    "sqlite": "coalesce(json_extract(settings, '$.good_practice'), 0) NOT IN (0, '')",
    "postgresql": "coalesce(settings ->> 'good_practice', '') NOT IN ('', 'false', '0')",
}
_ANSWERS = {
    "answered_cells": "SELECT count(*) FROM shown",
    "not_asked": "SELECT count(*) FROM silent",
    "not_answered": "SELECT count(*) FROM open WHERE (id, code, row) NOT IN (SELECT id, code, row FROM shown)",
    "good_practices": (
        "SELECT (SELECT count(*) FROM shown WHERE state = 'answered' AND (lower(code) = 'b8' "
        "OR (id, code) IN (SELECT id, code FROM asked WHERE {is_practice}))) + "
        "(SELECT count(*) FROM example x WHERE x.state IN ('cleared', 'used') AND x.consent AND x.recommendation_id IN "
        "(SELECT recommendation_id FROM assignment_recommendation WHERE round_id = :round))"
    ),
    "evidence": (
        "SELECT count(*) FROM evidence e JOIN handed h ON h.id = e.submission_id WHERE e.round_id = :round AND ("
        "(h.canonical IS NULL AND e.removed_at IS NULL) OR "
        "(e.submission_id, e.public_id) IN (SELECT id, evidence FROM held))"
    ),
    "replies_with_content": "SELECT count(*) FROM handed",
}
_PLAIN = {
    "recommendation_rows": (
        "SELECT count(*) FROM assignment_recommendation ar JOIN assignment a ON a.id = ar.assignment_id "
        "JOIN submission s ON s.assignment_id = a.id WHERE a.round_id = :round"
    ),
    "recommendations": (
        "SELECT count(DISTINCT ar.recommendation_id) FROM assignment_recommendation ar "
        "JOIN submission s ON s.assignment_id = ar.assignment_id WHERE ar.round_id = :round"
    ),
    "institution_replies": f"SELECT count(*) {_ASKS} AND a.about_institution",
    "issued": f"SELECT count(*) {_ASKS} AND NOT a.about_institution AND s.status <> 'withdrawn'",
    "received": (
        f"SELECT count(*) {_ASKS} AND NOT a.about_institution "
        "AND s.status IN ('submitted', 'returned', 'cleared', 'not_ours')"
    ),
    "unsigned": (
        f"SELECT count(*) {_ASKS} AND NOT a.about_institution AND s.signature = 'pending' "
        "AND s.status IN ('submitted', 'returned', 'cleared', 'not_ours')"
    ),
    # the opening words of a paragraph with sub-items are no recommendation of their own
    "states": (
        "SELECT count(*) FROM recommendation r WHERE r.kind = 'recommendation' AND NOT r.archived AND ("
        "r.document_id IN (SELECT document_id FROM round_document WHERE round_id = :round) OR "
        "r.id IN (SELECT recommendation_id FROM assignment_recommendation WHERE round_id = :round)) "
        "AND NOT (r.sub_item = '' AND EXISTS (SELECT 1 FROM recommendation o WHERE o.document_id = r.document_id "
        "AND o.paragraph = r.paragraph AND o.sub_item <> '' AND NOT o.archived))"
    ),
    "asked_institutions": f"SELECT count(DISTINCT a.institution_id) {_ASKS} AND NOT a.about_institution",
}


def counts(session: Session, round_id: int) -> dict[str, int]:
    """Count what the workbook of a round must hold, by name; one statement per figure."""
    dialect = session.get_bind().dialect.name
    handed_in, binds = _handed_in(session, round_id)
    found = {name: _one(session, sql, binds) for name, sql in _PLAIN.items()}
    for name, sql in _ANSWERS.items():
        wanted = sql.replace("{is_practice}", _IS_PRACTICE[dialect])
        found[name] = _one(session, f"{handed_in} {wanted}", binds)
    found["answers"] = found["answered_cells"] + found["not_asked"] + found["not_answered"]
    return found


def table_rows(session: Session, round_id: int) -> dict[tuple[str, str], int]:
    """Count the rows of each table by code of its questionnaire and its own: what stands there and is asked."""
    handed_in, binds = _handed_in(session, round_id)
    found = session.execute(text(f"{handed_in} {_TABLE_ROWS}"), binds)
    return {(questionnaire, table): int(many) for questionnaire, table, many in found}


def _handed_in(session: Session, round_id: int) -> tuple[str, dict[str, Any]]:
    """Return how every statement about answers begins, and its parameters."""
    asking = sorted(name for name, kind in question_types().items() if kind.asks)
    binds: dict[str, Any] = {"round": round_id} | {f"type{number}": name for number, name in enumerate(asking)}
    shown = _SHOWN.format(types=", ".join(f":type{number}" for number in range(len(asking))))
    return f"WITH RECURSIVE {_HANDED_IN[session.get_bind().dialect.name]} {shown}", binds


def _one(session: Session, sql: str, binds: dict[str, Any]) -> int:
    statement = text(sql)
    return int(session.scalar(statement, {name: binds[name] for name in binds if f":{name}" in sql}) or 0)
