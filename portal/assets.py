"""Build what browsers fetch (styles, scripts, fonts, pictures) and the message catalogues, outside the source tree.

Everything lands in ``cache_dir/<part>/<digest of its inputs>``: a folder that exists is complete and never changes, so
a start with unchanged inputs builds nothing, and two processes that build at once end with the same folder. The three
parts are apart because they change at different paces: fonts (seconds to cut), static files, catalogues.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.trimming import smaller_css, smaller_js, used_css, words_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flask import Flask

    from config import Settings

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
TRANSLATIONS = HERE / "translations"
PREFIX = "/assets/"
BOOTSTRAP = "static/bootstrap5/css/bootstrap.min.css"
# sheets that only the pages of the designer load
APART = frozenset({"designer.css"})
PHONE_REM = 24.375  # 390 px
_WIDTH = re.compile(r"@media ?\((min|max)-width: ?([0-9.]+)rem\) ?\{")
ICONS = "img/icons.svg"
_DRAWN = re.compile(r"\bicon\(((?:[^()]|\([^()]*\))*)\)")
_QUOTED = re.compile(r"""["']([a-z][a-z0-9-]+)["']""")
COMPRESSED = {".css", ".js", ".svg", ".json"}
SPEAKING = ("forms", "portal", "templates")  # folders whose files hold messages
KEPT_FOR = 7 * 24 * 3600  # seconds that superseded builds stay, for processes that still serve them

# Letters of each cut; the same ranges stand as unicode-range in portal.css. Weights 400-700 stay variable.
FONT_RANGES = {
    "noto-sans-khmer-khmer.woff2": [(0x1780, 0x17FF), (0x19E0, 0x19FF), (0x200B, 0x200D), (0x25CC, 0x25CC)],
    "noto-sans-khmer-latin.woff2": [
        (0x0000, 0x024F), (0x2000, 0x200A), (0x200E, 0x206F), (0x20AC, 0x20AC), (0x2122, 0x2122),
        (0x2190, 0x21FF), (0x2212, 0x2212),
    ],
}  # fmt: skip


class BuildError(Exception):
    """An asset or a catalogue cannot be built; the sentence names the file."""


@dataclass(frozen=True)
class Manifest:
    """The finished build: which hashed file stands for a name, and where the catalogues are."""

    root: Path
    files: Mapping[str, str]
    translations: Path

    def url(self, name: str) -> str:
        """Return the address of a built file such as ``css/app.css``.

        Raises:
            KeyError: there is no such file; the names that exist are in ``files``.
        """
        return PREFIX + self.files[name]


def ensure_built(settings: Settings) -> Manifest:
    """Build what is missing and return the manifest.

    Raises:
        BuildError: two translations of one message disagree, or a bundle names a missing file.
    """
    cache = settings.cache_dir
    fonts = _folder(cache / "fonts", [_package("fonttools"), _package("fontpkg-noto-sans-khmer")], _build_fonts)
    static = _folder(
        cache / "static",
        [
            _package("bootstrap-flask"), _package("rjsmin"), _digest_of_words(STATIC / "js"), fonts.name,
            *icons_named(),
            *_sources(STATIC, "**/*"),
        ],
        lambda target: _build_static(target, fonts, _class_words(STATIC / "js")),
    )
    catalogues = _folder(cache / "translations", [_package("babel"), *_sources(TRANSLATIONS, "*/*.po")], _build_mo)
    files = json.loads((static / "manifest.json").read_text(encoding="utf-8"))
    return Manifest(root=static / "files", files=files, translations=catalogues)


def ensure_places(settings: Settings) -> Path:
    """Return the file that says which source files use a message, reading them when they changed since.

    Apart from :func:`ensure_built`: only whoever works on the wording needs it, and it takes seconds.
    """
    inputs = [("babel", metadata.version("babel").encode())]
    for name in SPEAKING:
        files = _sources(HERE.parent / name, "**/*")
        inputs += [entry for entry in files if entry[0].endswith((".py", ".html", ".txt"))]
    return _folder(settings.cache_dir / "places", inputs, _build_places) / "places.json"


def install(app: Flask, settings: Settings) -> Manifest:
    """Build, serve ``/assets/`` by WhiteNoise with immutable caching, and point Babel at the catalogues.

    Call it before Flask-Babel's ``init_app``. ``app.extensions["assets"]`` holds the manifest.
    """
    from whitenoise import WhiteNoise

    manifest = ensure_built(settings)
    app.extensions["assets"] = manifest
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(manifest.translations)
    server = WhiteNoise(
        app.wsgi_app,
        root=str(manifest.root),
        prefix=PREFIX,
        max_age=3600,
        immutable_file_test=lambda _path, url: re.search(r"\.[0-9a-f]{12}\.\w+$", url) is not None,
        allow_all_origins=False,
        add_headers_function=_headers,
    )
    app.wsgi_app = server  # type: ignore[method-assign] # the documented way to wrap an application
    return manifest


def _headers(headers: Any, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


# --- folders named by their inputs ---------------------------------------------------------------------------------


@cache  # what is installed does not change under a running process, and reading it takes milliseconds
def _package(name: str) -> tuple[str, bytes]:
    return name, metadata.version(name).encode()


def _sources(folder: Path, pattern: str) -> list[tuple[str, bytes]]:
    paths = sorted(path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))
    return [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]


def _folder(parent: Path, inputs: Iterable[tuple[str, bytes] | str], build: Callable[[Path], None]) -> Path:
    """Return the folder of these inputs, building it beside and renaming it when it is not there."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for entry in inputs:
        name, content = (entry, b"") if isinstance(entry, str) else entry
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    final = parent / digest.hexdigest()[:24]
    if final.is_dir():
        return final
    parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="building-", dir=parent))
    draft.chmod(0o755)
    try:
        build(draft)
        with contextlib.suppress(OSError):  # another process was first: its folder is the same
            draft.rename(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _forget_old(parent, final)
    return final


def _forget_old(parent: Path, current: Path) -> None:
    for path in parent.iterdir():
        with contextlib.suppress(OSError):
            if path != current and time.time() - path.stat().st_mtime > KEPT_FOR:
                shutil.rmtree(path, ignore_errors=True)


# --- fonts -----------------------------------------------------------------------------------------------------------


def _build_fonts(target: Path) -> None:
    """Cut the variable Noto Sans Khmer to the letters used, then to weights 400-700 (the other order fails)."""
    import logging

    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    source = next(
        entry for entry in resources.files("fontpkg_noto_sans_khmer").joinpath("files").iterdir()
        if entry.name.endswith(".ttf")
    )  # fmt: skip
    with resources.as_file(source) as path:
        for name, ranges in FONT_RANGES.items():
            font = TTFont(path, recalcTimestamp=False)  # the same bytes on every machine
            options = subset.Options(layout_features=["*"], notdef_outline=True, name_IDs=[0, 1, 2, 13, 14])
            cutter = subset.Subsetter(options)
            cutter.populate(unicodes=[code for first, last in ranges for code in range(first, last + 1)])
            cutter.subset(font)
            font = instancer.instantiateVariableFont(font, {"wght": (400, 700), "wdth": 100})
            font.flavor = "woff2"
            font.save(target / name)


# --- styles, scripts, pictures ---------------------------------------------------------------------------------------


@cache
def _digest_of_words(scripts: Path) -> str:
    """Tell one set of class words from another; read once per process, as code is, and not held."""
    return hashlib.sha256("\n".join(sorted(_class_words(scripts))).encode()).hexdigest()


def _class_words(scripts: Path) -> frozenset[str]:
    """Return every word of ours that may name a class of a style sheet."""
    rooms = [path for room in (HERE, HERE.parent / "forms") for path in room.rglob("*.py")]
    return words_in([*(HERE.parent / "templates").rglob("*.html"), *scripts.glob("*.js"), *rooms])


def _build_static(target: Path, fonts: Path, words: frozenset[str]) -> None:
    """Write every file under a name with its hash, compressed forms beside, and the manifest."""
    contents: dict[str, bytes] = {f"fonts/{path.name}": path.read_bytes() for path in sorted(fonts.iterdir())}
    for path in sorted(STATIC.rglob("*")):
        name = path.relative_to(STATIC).as_posix()
        if path.is_file() and not path.name.startswith(".") and path.suffix not in {".css", ".js"}:
            contents[name] = path.read_bytes()
    contents[ICONS] = _sprite().encode()
    names = {name: _hashed(name, content) for name, content in contents.items()}
    for name, text in (_styles(words) | _scripts()).items():
        content = _with_hashed_urls(name, text, names).encode()
        contents[name] = content
    names = {name: _hashed(name, content) for name, content in contents.items()}
    for name, content in contents.items():
        path = target / "files" / names[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if path.suffix in COMPRESSED:
            _compress(path, content)
    (target / "manifest.json").write_text(json.dumps(names, indent=1, sort_keys=True), encoding="utf-8")


@cache
def icons() -> dict[str, str]:
    """Read Bootstrap Icons out of the installed wheel's sprite (1.1 MB, never sent): name -> inner SVG."""
    sprite = resources.files("flask_bootstrap").joinpath("static/bootstrap5/icons/bootstrap-icons.svg")
    found = re.findall(r'<symbol [^>]*id="([a-z0-9-]+)"[^>]*>(.*?)</symbol>', sprite.read_text("utf-8"), re.DOTALL)
    return dict(found)


@cache  # read once per process, as code is
def icons_named() -> tuple[str, ...]:
    """Return the names of icons that pages may show: in quotes where a template draws an icon, or anywhere with a dash.

    Names like "type" and "list" stand for much else in code; such an icon, named in code alone, is drawn into its page.
    """
    texts = [path.read_text(encoding="utf-8") for path in (HERE.parent / "templates").rglob("*.html")]
    drawn = {name for text in texts for call in _DRAWN.findall(text) for name in _QUOTED.findall(call)}
    texts += [path.read_text(encoding="utf-8") for path in HERE.rglob("*.py")]
    dashed = {name for text in texts for name in _QUOTED.findall(text) if "-" in name}
    return tuple(sorted((drawn | dashed) & icons().keys()))


def _sprite() -> str:
    """Return the icons that pages may show, each under its name: a browser fetches them once, pages point at them."""
    symbols = (f'<symbol id="{name}" viewBox="0 0 16 16">{icons()[name]}</symbol>' for name in icons_named())
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


def _hashed(name: str, content: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{ending}"


def _compress(path: Path, content: bytes) -> None:
    import brotli

    path.with_name(path.name + ".br").write_bytes(brotli.compress(content, quality=11))
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))


def _styles(words: frozenset[str]) -> dict[str, str]:
    """Return each sheet, and ``css/app.css``: Bootstrap, the tokens (portal.css), the rest by name, print last.

    What is ``APART`` is loaded beside it by the pages that need it: whoever answers on a slow line never sees them.
    """
    bootstrap = resources.files("flask_bootstrap").joinpath(BOOTSTRAP).read_text(encoding="utf-8")
    sheets = {"css/bootstrap.css": used_css(bootstrap, words)}
    own = {path.name: smaller_css(path.read_text(encoding="utf-8")) for path in sorted((STATIC / "css").glob("*.css"))}
    sheets |= {f"css/{name}": text for name, text in own.items()}
    everywhere = own.keys() - APART
    order = sorted(everywhere, key=lambda name: (name != "portal.css", name == "print.css", name))
    parts = [f"@media print{{{own[name]}}}" if name == "print.css" else own[name] for name in order]
    sheets["css/app.css"] = "\n".join([sheets["css/bootstrap.css"], *parts])
    # the questions as a phone draws them, on a wide screen: the preview of a questionnaire loads it instead of app.css
    narrow = [at_width(text, PHONE_REM) if text is own.get("answering.css") else text for text in parts]
    sheets["css/phone.css"] = "\n".join([sheets["css/bootstrap.css"], *narrow])
    return sheets


def at_width(text: str, width: float) -> str:
    """Settle what a sheet says by ``@media (min-width|max-width: N rem)`` for one width in rem: kept plain, or gone."""
    found = _WIDTH.search(text)
    if found is None:
        return text
    end, depth = found.end(), 1
    while depth and end < len(text):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    fits = width >= float(found[2]) if found[1] == "min" else width <= float(found[2])
    return text[: found.start()] + (text[found.end() : end - 1] if fits else "") + at_width(text[end:], width)


def _scripts() -> dict[str, str]:
    """Return each script; a first line ``// bundle: a.js b.js`` puts those files, of the same folder, before it."""
    scripts = {}
    for path in sorted((STATIC / "js").glob("*.js")):
        text = path.read_text(encoding="utf-8")
        bundle = re.match(r"//\s*bundle:\s*(.+)\n", text)
        parts = []
        for name in bundle.group(1).split() if bundle else ():
            part = path.parent / name
            if not part.is_file():
                raise BuildError(f"{path.name} bundles {name}, which does not exist beside it")
            parts.append(part.read_text(encoding="utf-8"))
        scripts[f"js/{path.name}"] = smaller_js("\n".join([*parts, text]))
    return scripts


def _with_hashed_urls(name: str, text: str, names: Mapping[str, str]) -> str:
    """Replace relative addresses in a style sheet, ``url("../fonts/x.woff2")``, by the hashed ones."""
    if not name.endswith(".css"):
        return text

    def replaced(match: re.Match[str]) -> str:
        address = match.group(2)
        if address.startswith(("data:", "#", "/")) or ":" in address:
            return match.group(0)
        wanted = address.removeprefix("../")
        if wanted not in names:
            raise BuildError(f"{name} refers to {address}, which does not exist")
        return f'url("../{names[wanted]}")'

    return re.sub(r"""url\((["']?)((?!data:)[^"')]+)\1\)""", replaced, text)


# --- catalogues ------------------------------------------------------------------------------------------------------


def _build_mo(target: Path) -> None:
    """Merge the fragments of each language into one ``messages.mo``."""
    from babel.messages.mofile import write_mo

    languages = sorted(path for path in TRANSLATIONS.glob("*") if path.is_dir()) if TRANSLATIONS.is_dir() else []
    for folder in languages:
        catalogue = merged(sorted(folder.glob("*.po")), folder.name)
        path = target / folder.name / "LC_MESSAGES" / "messages.mo"
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            write_mo(file, catalogue)


def merged(paths: Iterable[Path], language: str) -> Any:
    """Merge .po fragments into one catalogue; the same message may stand in several as long as they agree.

    Raises:
        BuildError: two fragments translate one message differently, or one cannot be read; names the files.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import PoFileError, read_po

    whole = Catalog(locale=language, charset="utf-8", fuzzy=False)
    seen: dict[tuple[Any, Any], tuple[Any, Path]] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                part = read_po(file, locale=language, charset="utf-8", abort_invalid=True)
        except (PoFileError, UnicodeDecodeError) as error:
            raise BuildError(f"{path} cannot be read: {error}") from error
        for message in part:
            blank = not (message.string if isinstance(message.string, str) else any(message.string or ()))
            if not message.id or blank or message.fuzzy:
                continue
            identity = (message.id if isinstance(message.id, str) else message.id[0], message.context)
            text, where = seen.setdefault(identity, (message.string, path))
            if text != message.string:
                raise BuildError(f"{identity[0]!r} is translated differently in {where} and {path}")
            whole.add(message.id, message.string, context=message.context)
    return whole


def _build_places(target: Path) -> None:
    """Write which files use a message: ``{English: [file, ...]}``, mails first, then pages, then the rest."""
    from babel.messages.extract import extract_from_dir

    methods = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
    options = {"**.html": {"trimmed": "true"}, "**.txt": {"trimmed": "true"}}
    keywords = {
        "_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "lazy_ngettext": (1, 2),
        "pgettext": ((1, "c"), 2), "lazy_pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
    }  # fmt: skip
    found: dict[str, set[str]] = {}
    for folder in SPEAKING:
        for name, _line, message, _comments, _context in extract_from_dir(
            HERE.parent / folder, methods, options, keywords
        ):
            source = message if isinstance(message, str) else message[0]
            found.setdefault(source, set()).add(f"{folder}/{name}")
    ordered = {
        source: sorted(where, key=lambda name: (not name.startswith("templates/mail/"), name[0] != "t", name))
        for source, where in sorted(found.items())
    }
    (target / "places.json").write_text(json.dumps(ordered, ensure_ascii=False, indent=0), encoding="utf-8")
