"""Make the checkout's own environment in ``.venv`` from the hashed locks, and continue inside it.

Standard library only: this runs before any package exists. ``PORTAL_BOOTSTRAP=0`` uses the interpreter as it is
(containers, developers with an environment of their own).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = ROOT / ".cache" / "install.log"
OLDEST_PYTHON = (3, 11)
DISK_NEEDED_MB = {"core": 450, "test": 900, "pdf": 150}
MEGABYTES = {"core": 60, "test": 95, "pdf": 34}  # to be fetched, about
# what each lock brings along, so that its stamp stands as well
HOLDS = {"core": ("core",), "test": ("core", "test", "pdf"), "pdf": ("pdf",)}
WINDOWS = os.name == "nt"
ENTERED = "TAMDAN_ENTERED"  # set by the re-execution, so that a broken environment cannot make a loop


def fail(sentence: str) -> NoReturn:
    """End with exit code 1 and one sentence that says what to do."""
    sys.stderr.write("tamdan: " + sentence + "\n")
    sys.exit(1)


def prepare(arguments: list[str]) -> None:
    """Return inside a complete environment; otherwise make it and re-execute there, or end with a sentence.

    ``test`` needs the test lock as well; every other command is content with the core lock.
    """
    if sys.version_info < OLDEST_PYTHON:
        version = ".".join(str(part) for part in sys.version_info[:3])
        fail("Python 3.11 or newer is needed, this is " + version + ". Start it by name: python3.11 -m portal")
    if os.environ.get("PORTAL_BOOTSTRAP") == "0":
        return
    kind = "test" if arguments[:1] == ["test"] else "core"
    if not is_complete(kind):
        with _only_one():
            if not is_complete(kind):
                _install(kind)
    if Path(sys.prefix).resolve() != VENV.resolve() and os.environ.get(ENTERED) != str(VENV):
        _enter(arguments)


def interpreter() -> Path:
    """Return the Python of the environment."""
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


def stamp_text(kind: str) -> str:
    """Return what the stamp of a complete environment says: the lock's digest, the Python and the place."""
    lock = (ROOT / "requirements" / f"{kind}.lock").read_bytes()
    return json.dumps([hashlib.sha256(lock).hexdigest(), list(sys.version_info[:3]), str(ROOT)])


def is_complete(kind: str) -> bool:
    """Say whether the environment holds every package of the lock ``kind`` for this Python."""
    try:
        stamp = (VENV / f"tamdan-{kind}.json").read_text(encoding="utf-8")
    except OSError:
        return False
    return stamp == stamp_text(kind) and interpreter().exists()


def _enter(arguments: list[str]) -> NoReturn:
    python = str(interpreter())
    os.environ[ENTERED] = str(VENV)
    os.environ.pop("PYTHONHOME", None)
    _keep_bytecode()
    sys.stdout.flush()
    if WINDOWS:
        sys.exit(subprocess.call([python, "-m", "portal", *arguments]))
    # The root is in the environment's .pth, so the command works from any folder.
    os.execv(python, [python, "-m", "portal", *arguments])  # noqa: S606 - replaces this process, no shell


def _keep_bytecode() -> None:
    """Keep bytecode in ``.cache`` where the environment forbids it beside the sources.

    Without any, each of the three processes of a start compiles 1,500 modules anew: twice the seconds.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(LOG.parent / "bytecode"))


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Let one process prepare the environment; a second one waits and then finds it ready."""
    try:
        file = (ROOT / ".venv.lock").open("w", encoding="utf-8")
    except OSError as error:
        fail("this folder cannot be written (" + str(error) + "). Copy the checkout to a folder of your own.")
    with file:
        if WINDOWS:
            yield
            return
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Another start is preparing the environment; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(kind: str) -> None:
    started = time.monotonic()
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < DISK_NEEDED_MB[kind]:
        fail(f"{DISK_NEEDED_MB[kind]} MB of disk are needed in {ROOT}, {free} MB are free. Make room and start again.")
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("", encoding="utf-8")
    lock = ROOT / "requirements" / f"{kind}.lock"
    _make_venv()
    progress = Progress(wanted(lock), started, MEGABYTES[kind])
    with progress:
        _install_lock(lock, progress)
    site_packages().joinpath("tamdan.pth").write_text(str(ROOT) + "\n", encoding="utf-8")
    _stamp(kind)


def _stamp(kind: str) -> None:
    for name in HOLDS[kind]:
        draft = VENV / f"tamdan-{name}.new"
        draft.write_text(stamp_text(name), encoding="utf-8")
        draft.replace(VENV / f"tamdan-{name}.json")


def add(kind: str) -> bool:
    """Install an extra into the environment that stands, while the portal runs; say whether it is there.

    Nobody waits for it: where it cannot be fetched, one line says so, and the next start tries again.
    """
    if is_complete(kind):
        return True
    started = time.monotonic()
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if not interpreter().exists() or free < DISK_NEEDED_MB[kind]:
        return False
    with _only_one():
        if is_complete(kind):
            return True
        LOG.parent.mkdir(parents=True, exist_ok=True)
        LOG.write_text("", encoding="utf-8")
        lock = ROOT / "requirements" / f"{kind}.lock"
        progress = Progress(wanted(lock), started, MEGABYTES[kind])
        with progress:
            _install_lock(lock, progress)
        _stamp(kind)
    return True


def main(arguments: list[str]) -> int:
    """Install the extras that are named (``python -m portal.bootstrap pdf``); 0 when all of them are there."""
    return 0 if all(add(name) for name in arguments) else 1


def _make_venv() -> None:
    """Make ``.venv`` anew unless it already belongs to this Python; packages are installed into what is there."""
    config = VENV / "pyvenv.cfg"
    version = "version = " + ".".join(str(part) for part in sys.version_info[:3])
    if config.exists() and interpreter().exists() and version in config.read_text(encoding="utf-8"):
        return
    import venv

    if Path(sys.prefix).resolve() == VENV.resolve():
        fail("the environment belongs to another Python. Remove the folder .venv and start again: python3 -m portal")
    try:
        # Without pip this needs no ensurepip, which Debian and Ubuntu leave out, and takes a twentieth of a second.
        venv.EnvBuilder(clear=True, symlinks=not WINDOWS, with_pip=False).create(VENV)
    except OSError as error:
        fail("the environment cannot be made in " + str(VENV) + ": " + str(error))


def site_packages() -> Path:
    """Return the folder of the environment's packages."""
    if WINDOWS:
        return VENV / "Lib" / "site-packages"
    return VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def wanted(lock: Path) -> frozenset[str]:
    """Name the packages of a lock that this platform installs (markers for another platform are left out)."""
    pins = [line for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line and line[:1].isalnum()]
    foreign = [f"sys_platform == '{name}'" for name in ("win32", "darwin", "linux") if name != sys.platform]
    foreign.append(f"sys_platform != '{sys.platform}'")
    return frozenset(_plain(pin.split("==")[0]) for pin in pins if not any(marker in pin for marker in foreign))


def _plain(name: str) -> str:
    """Return a package's name as the lock spells it."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def _install_lock(lock: Path, progress: Progress) -> None:
    uv = shutil.which("uv")
    target = ["--python", str(interpreter())]
    if uv and _run([uv, "pip", "install", *target, "--require-hashes", "-r", str(lock)], progress):
        return
    pip = _pip()
    options = ["--require-hashes", "--no-compile", "--no-input", "--prefer-binary", "--disable-pip-version-check"]
    if not _run([*pip, "install", *options, "--progress-bar", "off", "-r", str(lock)], progress):
        progress.end()
        fail(explain(LOG.read_text(encoding="utf-8")))


def _pip() -> list[str]:
    """Return a command that installs into the environment: its own pip, or this Python's with ``--python``."""
    python = str(interpreter())
    if (site_packages() / "pip").is_dir():
        return [python, "-m", "pip"]
    with LOG.open("a", encoding="utf-8") as log:
        made = subprocess.run(
            [python, "-m", "ensurepip", "--default-pip"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False
        )
    if made.returncode == 0:
        return [python, "-m", "pip"]
    newest = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "--version"], capture_output=True, check=False
    )
    if newest.returncode == 0:
        return [sys.executable, "-m", "pip", "--python", python]
    fail(
        "this Python comes without ensurepip and pip, so packages cannot be installed. "
        "On Debian or Ubuntu run: apt install python3-venv"
    )


def _run(command: list[str], progress: Progress) -> bool:
    """Run an installer, keep its words in the log, and let the progress line read them."""
    environment = {**os.environ, "PYTHONUTF8": "1"}
    environment.pop("VIRTUAL_ENV", None)
    with LOG.open("a", encoding="utf-8") as log:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, encoding="utf-8", errors="replace", env=environment, cwd=ROOT,
            )  # fmt: skip
        except OSError as error:
            log.write(f"{command[0]}: {error}\n")
            return False
        with child:
            for line in child.stdout or ():
                log.write(line)
                progress.read(line)
    return child.returncode == 0


def explain(log: str) -> str:
    """Turn an installer's output into one sentence that says what is wrong and what to do."""
    where = " All details: " + str(LOG)
    if re.search(r"No space left|Errno 28", log):
        return "the disk is full. Make room and start again; what is done is kept." + where
    if re.search(r"THESE PACKAGES DO NOT MATCH|hash.{0,20}mismatch", log, re.IGNORECASE):
        return "a package that was fetched is not the one that was locked, so it is not installed." + where
    if re.search(
        r"name resolution|Network is unreachable|Failed to establish|Connection refused|Max retries|timed out"
        r"|ProxyError|SSLError|CERTIFICATE|dns error|error sending request|NewConnectionError",
        log,
        re.IGNORECASE,
    ):
        return (
            "the packages cannot be fetched: no connection to the package index. Check the network "
            "(behind a proxy set HTTPS_PROXY, with a mirror PIP_INDEX_URL) and start again." + where
        )
    last = [line for line in log.splitlines() if line.strip()][-1:]
    return "the packages could not be installed (" + "".join(last).strip() + ")." + where


class Progress:
    """One line on the terminal: seconds, packages done of the lock's total, megabytes fetched."""

    def __init__(self, names: frozenset[str], started: float, megabytes: int = 60) -> None:
        """Count up to all packages of ``names``; ``started`` is a value of ``time.monotonic``."""
        self.about = megabytes
        self.names = names
        self.total = len(names)
        self.started = started
        self.fetched = 0
        self.megabytes = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._terminal = sys.stdout.isatty()

    def __enter__(self) -> Self:
        """Begin to show."""
        word = "package" if self.total == 1 else "packages"
        print(f"Preparing the environment: {self.total} {word}, about {self.about} MB, once.", flush=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End with a whole line."""
        self.end()

    def end(self) -> None:
        """Stop showing; a second call does nothing."""
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            print(("\r" if self._terminal else "") + self.line() + "\x1b[K" * self._terminal, flush=True)

    def read(self, line: str) -> None:
        """Take one line of an installer's output into account."""
        if re.match(r"\s*(Collecting|Processing|Requirement already satisfied)", line):
            self.fetched += 1
        size = re.search(r"Downloading .*\((\d+(?:\.\d+)?)\s*(k|M)i?B\)", line)
        if size:
            self.megabytes += float(size.group(1)) / (1 if size.group(2) == "M" else 1000)

    def line(self) -> str:
        """Return the line as it stands now."""
        try:
            folders = [entry.name for entry in site_packages().iterdir() if entry.name.endswith(".dist-info")]
        except OSError:
            folders = []
        done = len(self.names & {_plain(name.split("-")[0]) for name in folders})
        filled = 20 * (min(self.fetched, self.total) + done) // (2 * self.total)
        seconds = time.monotonic() - self.started
        amount = f", {self.megabytes:.0f} MB fetched" if self.megabytes else ""
        fetched = f"fetched {min(self.fetched, self.total)}, " if self.fetched else ""
        return f"{seconds:5.1f} s [{'#' * filled:<20}] {fetched}installed {done} of {self.total}{amount}"

    def _show(self) -> None:
        every = 0.2 if self._terminal else 5.0
        while not self._stop.wait(every):
            print(*(["\r" + self.line() + "\x1b[K"] if self._terminal else [self.line()]),
                  end="" if self._terminal else "\n", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
