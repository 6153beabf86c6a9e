"""What every test's application would work out again: the parts of its addresses, and what its built assets are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule
from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quick_applications() -> Iterator[None]:
    """Remember between applications what depends on the code alone: half of what making one takes."""
    compile_rule, add_folder = Rule.compile, WhiteNoise.update_files_dictionary
    rules: dict[Any, Rule] = {}
    folders: dict[Any, dict[str, Any]] = {}

    def compiled(rule: Rule) -> None:
        options = (rule.subdomain, rule.host, rule.merge_slashes, rule.map.host_matching, rule.map.default_subdomain)
        kinds = tuple(sorted((name, kind) for name, kind in rule.map.converters.items()
                             if f":{name}" in rule.rule or f"<{name}" in rule.rule))  # fmt: skip
        key = (type(rule), rule.rule, options, str(rule.defaults), kinds)
        known = rules.get(key)
        if known is None:
            compile_rule(rule)
            rules[key] = rule
            return
        rule._parts, rule._trace, rule._converters = known._parts, known._trace, known._converters
        rule.arguments |= known.arguments
        rule._build = rule._compile_builder(False).__get__(rule, None)
        rule._build_unknown = rule._compile_builder(True).__get__(rule, None)

    def added(server: WhiteNoise, root: str, prefix: str) -> None:
        # a folder of built assets is named by its inputs; whoever gives another limit or test gets another look
        key = (root, prefix, server.max_age, server.autorefresh, server.add_headers_function)
        if key not in folders:
            before = dict(server.files)
            add_folder(server, root, prefix)
            folders[key] = {url: file for url, file in server.files.items() if url not in before}
        server.files.update(folders[key])

    Rule.compile, WhiteNoise.update_files_dictionary = compiled, added
    try:
        yield
    finally:
        Rule.compile, WhiteNoise.update_files_dictionary = compile_rule, add_folder
