"""How the workers of a run share the suite: test by test, and in one piece what is costly to set up."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# What a worker makes once for all these tests, and their places: a served portal and a browser, the demo countries,
# the schema of every migration, the table of all addresses. Pieces begin first, the largest at the head, so that the
# single tests fill up whatever time is left.
TOGETHER = {
    "browser": ("journeys/",),
    "demo": ("integration/portal/demo/", "integration/portal/workbooks/test_demo_workbooks.py"),
    "migrations": ("integration/portal/test_migrations.py",),
    "kills": ("faults/test_crash.py", "faults/test_upload_killed.py"),
    "routes": ("architecture/test_routes.py",),
}
# Half of what the browser does: as one piece with the journeys it would last longer than all the rest. A second portal
# and browser cost some ten seconds.
ALONE = ("journeys/test_accessibility.py",)


def piece_of(nodeid: str) -> str:
    """Return the name of the piece a test belongs to: its own name where it stands alone."""
    place = nodeid.removeprefix("tests/")
    if place.startswith(ALONE):
        return nodeid
    return next((piece for piece, places in TOGETHER.items() if place.startswith(places)), nodeid)


class Sharing(LoadScopeScheduling):
    """Hands out pieces by :func:`piece_of`.

    xdist's own ``loadgroup`` writes the group behind the name of a test, where pytest 9.2 does not look any more: every
    test went alone, and each worker set up everything.
    """

    def _split_scope(self, nodeid: str) -> str:
        return piece_of(nodeid)
