"""What every test's application would work out again: the parts of its addresses, and what its built assets are."""

from __future__ import annotations

from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule
from whitenoise import WhiteNoise

from config import ROOT
from portal import assets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config import Settings


@contextmanager
def quick_applications() -> Iterator[None]:
    """Remember between applications what depends on the code alone: most of what making one takes."""
    compile_rule, compile_builder = Rule.compile, Rule._compile_builder
    add_folder, ensure_built = WhiteNoise.update_files_dictionary, assets.ensure_built
    rules: dict[Any, list[tuple[Rule, list[tuple[str, Any]]]]] = {}
    folders: dict[Any, dict[str, Any]] = {}
    ours = (ROOT / ".cache", assets.STATIC, assets.TRANSLATIONS)
    manifests: list[assets.Manifest] = []

    def compiled(rule: Rule) -> None:
        place = rule.map
        key = (type(rule), rule.rule, str(rule.defaults), rule.subdomain, rule.host, rule.merge_slashes,
               place.host_matching, place.default_subdomain)  # fmt: skip
        known = next((one for one, kinds in rules.get(key, ())
                      if all(place.converters.get(name) is kind for name, kind in kinds)), None)  # fmt: skip
        if known is None:
            compile_rule(rule)
            kinds = [(name, kind) for name, kind in place.converters.items()
                     if f":{name}" in rule.rule or f"<{name}" in rule.rule]  # fmt: skip
            rules.setdefault(key, []).append((rule, kinds))
            return
        rule._parts, rule._trace, rule._converters = known._parts, known._trace, known._converters
        rule.arguments |= known.arguments
        # functions that ask the rule they are bound to
        rule._build, rule._build_unknown = (
            MethodType(one.__func__, rule) for one in (known._build, known._build_unknown)
        )

    def builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        kept = vars(rule).setdefault("_kept_builders", {})
        if append_unknown not in kept:
            kept[append_unknown] = compile_builder(rule, append_unknown)
        return kept[append_unknown]

    def manifest(settings: Settings) -> assets.Manifest:
        # the sources of the portal itself stay as they are during a run; tests that change some have a copy of them
        if (settings.cache_dir, assets.STATIC, assets.TRANSLATIONS) != ours:
            return ensure_built(settings)
        if not manifests:
            manifests.append(ensure_built(settings))
        return manifests[0]

    def added(server: WhiteNoise, root: str, prefix: str) -> None:
        # a folder of built assets is named by its inputs; whoever gives another limit or test gets another look
        key = (root, prefix, server.max_age, server.autorefresh, server.add_headers_function)
        if key not in folders:
            before = dict(server.files)
            add_folder(server, root, prefix)
            folders[key] = {url: file for url, file in server.files.items() if url not in before}
        server.files.update(folders[key])

    Rule.compile, Rule._compile_builder = compiled, builder
    WhiteNoise.update_files_dictionary, assets.ensure_built = added, manifest
    try:
        yield
    finally:
        Rule.compile, Rule._compile_builder = compile_rule, compile_builder
        WhiteNoise.update_files_dictionary, assets.ensure_built = add_folder, ensure_built
