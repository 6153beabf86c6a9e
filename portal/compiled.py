"""Templates as they are found: compiled once per installation, and found again in one step."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from flask.templating import Environment
from jinja2 import Template

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from flask import Flask
    from jinja2.environment import TemplateModule
    from jinja2.runtime import Context

_INDENT = re.compile(r"\n[ \t]+")


class PortalEnvironment(Environment):
    """An environment that finds a template it has by its name alone.

    Jinja goes through a cache of the least recently used ones, a lock and a weak reference for it; a page of ours
    imports macros from some twenty, and all templates of the portal fit into memory.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._found: dict[str, Template] = {}

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        """Return the source of a template; of a page without the blanks before each line, which no browser shows."""
        source = super().preprocess(source, name, filename)
        return _INDENT.sub("\n", source) if name is not None and name.endswith(".html") else source

    def get_template(
        self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None  # noqa: A002 - Jinja's name
    ) -> Template:
        """Return a template. Raises: TemplateNotFound."""
        # where templates are written while the portal runs, Jinja looks whether each is still the same
        if globals is not None or not isinstance(name, str) or self.auto_reload:
            return super().get_template(name, parent, globals)
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = super().get_template(name, parent)
        return found


class PortalTemplate(Template):
    """A template whose macros are imported without comparing globals: pages bring none of their own.

    Jinja compares two sets of names per ``{% from %}``; a page of ours has some sixteen.
    """

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        del ctx
        return super()._get_default_module()


def keep_compiled(app: Flask) -> None:
    """Keep compiled templates in the cache folder: a process finds them there instead of compiling them anew.

    Jinja judges each by its source; the folder is named by what else decides the code. A cache that cannot be written
    is done without.
    """
    decides = b"".join(one.read_bytes() for one in (Path(__file__), Path(__file__).with_name("templating.py")))
    made_by = hashlib.sha256(jinja2.__version__.encode() + decides).hexdigest()[:16]
    folder = app.config["SETTINGS"].cache_dir / "templates" / made_by
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK):
        app.jinja_env.bytecode_cache = jinja2.FileSystemBytecodeCache(str(folder), "%s.code")
