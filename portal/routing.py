"""Addresses whose builders are made when an address is first built, not when the application is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.routing import Rule

if TYPE_CHECKING:
    from collections.abc import Callable


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
