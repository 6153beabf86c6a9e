"""Indexes: each is written with every row, so none says what another one says already."""

from __future__ import annotations

import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint

from portal.models import Base


def orders(table):
    """Return the columns of everything that finds rows of a table, by name; only what holds all rows."""
    found = {
        index.name: [column.name for column in index.columns]
        for index in table.indexes
        if not any(options.get("where") is not None for options in index.dialect_options.values())
    }
    for kept in table.constraints:
        if isinstance(kept, (PrimaryKeyConstraint, UniqueConstraint)):
            found[str(kept.name or type(kept).__name__)] = [column.name for column in kept.columns]
    return found


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=str)
def test_no_index_is_the_beginning_of_another(table):
    found = orders(table)
    unique = {index.name for index in table.indexes if index.unique} | {str(one.name) for one in table.constraints}
    assert found
    twice = [
        (name, other)
        for name, columns in found.items()
        for other, longer in found.items()
        if name != other and name not in unique and longer[: len(columns)] == columns
    ]
    assert twice == []
