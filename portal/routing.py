"""Addresses: their builders are made when one is first built, and which view one belongs to is found once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask.ctx import RequestContext
from werkzeug.routing import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# addresses whose view a process remembers, and the longest of them
KEPT, LONGEST = 4_000, 200


class LateRule(Rule):
    """A rule that is matched as any other, and writes the function that builds its address when one is asked for.

    Werkzeug writes two functions per rule through a syntax tree: a tenth of a second for all rules of the portal, in
    every process that starts, though a process builds few of them in its first minutes.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - werkzeug's own
        compile_now = super()._compile_builder
        place = "_build_unknown" if append_unknown else "_build"

        def build(rule: LateRule, /, **values: object) -> tuple[str, str]:
            bound = compile_now(append_unknown).__get__(rule, None)
            setattr(rule, place, bound)
            made: tuple[str, str] = bound(**values)
            return made

        return build


class KnownPaths(RequestContext):
    """A request whose view is looked up, where an address was asked for before: somebody who answers stays on a page.

    What an address says never changes while a portal runs. An address of no view is looked for each time.
    """

    def match_request(self) -> None:
        """Find the view of this request, and what its address names."""
        adapter, request = self.url_adapter, self.request
        known: dict[tuple[Any, ...], tuple[Rule, Mapping[str, Any]]]
        known = vars(self.app).setdefault("_portal_paths", {})
        if adapter is None or len(adapter.path_info) > LONGEST:
            super().match_request()
            return
        key = adapter.default_method, adapter.path_info, adapter.subdomain, adapter.websocket
        if (found := known.get(key)) is not None:
            request.url_rule, request.view_args = found[0], dict(found[1])
            return
        super().match_request()
        if request.url_rule is not None and request.routing_exception is None:
            if len(known) >= KEPT:
                known.clear()
            known[key] = request.url_rule, dict(request.view_args or {})
