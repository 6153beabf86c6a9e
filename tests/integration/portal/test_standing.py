"""The schema is judged without the application, as the application judges it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import text

from config import ROOT
from portal import migrations
from tests import engines


@pytest.mark.engines
def test_the_revision_is_read_as_the_application_reads_it(settings, database_url):
    assert migrations.standing(settings) == migrations.head()
    engine = engines.open_engine(database_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
        assert migrations.standing(settings) == migrations.current(engine) == "older"
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE alembic_version RENAME TO put_aside"))
        assert migrations.standing(settings) is migrations.current(engine) is None
    finally:
        with engine.begin() as connection:
            if migrations.current(engine) is None:
                connection.execute(text("ALTER TABLE put_aside RENAME TO alembic_version"))
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": migrations.head()})
        engine.dispose()


def test_no_file_means_no_schema_and_none_is_made(settings):
    settings.sqlite_path.unlink()
    assert migrations.standing(settings) is None
    assert not settings.sqlite_path.exists()


def test_the_supervisor_of_serve_imports_neither_the_application_nor_the_models():
    heavy = {"sqlalchemy", "openpyxl", "portal.app", "portal.models", "portal.database"}
    code = f"import sys, portal.cli.serve, portal.cli.schema; print(sorted({heavy!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
