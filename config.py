"""The settings of one installation: every value that differs between a laptop, a test and a server.

Each field is read from the environment variable ``PORTAL_<FIELD>``; ``docs/operations.md`` explains them to the
person who runs the portal, and a test keeps the two lists equal.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent
PREFIX = "PORTAL_"
STAFF_ROLES = frozenset({"coordinator", "report_writer", "administrator"})
MEGABYTE = 1024 * 1024


class SettingsError(ValueError):
    """The environment holds settings that cannot be used; ``problems`` has one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the sentences, and show them all at once."""
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


def _split(value: object) -> object:
    """Read ``a, b`` from the environment as a set; an empty string is the empty set."""
    if isinstance(value, str):
        return frozenset(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


def is_loopback(host: str) -> bool:
    """Say whether ``host`` (a name or an address, without port) can only be reached from this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Everything an operator may set; frozen, checked as a whole, the same in every process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True
    )

    data_dir: Path = Field(default=ROOT / "data", description="Folder of everything worth a backup.")
    cache_dir: Path = Field(
        default=ROOT / ".cache", description="Folder of what can be built again: assets, catalogues."
    )
    database_url: str = Field(default="", description="SQLAlchemy address; empty: SQLite in the data folder.")
    base_url: str = Field(
        default="", description="Address people type; https, or http on loopback. Empty: host and port."
    )
    secret_key: str = Field(
        default="", repr=False, description="Signs cookies and links; empty: made once, kept in a file."
    )
    mail_url: str = Field(
        default="", repr=False, description="smtp://, smtps:// or spool:FOLDER; empty: spool in data_dir."
    )
    mail_from: str = Field(default="Tamdan <noreply@localhost>", description="Sender of every mail.")

    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the web server listens on.")
    processes: int = Field(default=2, ge=1, le=64, description="Web processes.")
    threads: int = Field(default=8, ge=1, le=256, description="Threads of each web process.")
    trusted_proxies: int = Field(
        default=0, ge=0, le=8, description="Proxies in front whose X-Forwarded headers are believed."
    )

    session_idle_minutes: int = Field(
        default=480, ge=5, le=10080, description="Minutes without a click that end a session."
    )
    session_absolute_hours: int = Field(default=24, ge=1, le=720, description="Hours after log-in that end a session.")
    totp_required: Annotated[frozenset[str], NoDecode, BeforeValidator(_split)] = Field(
        default=STAFF_ROLES, description="Roles that must use a second factor, separated by commas; '-' for none."
    )

    max_upload_mb: int = Field(default=25, ge=1, le=1024, description="Largest workbook or file of an import, in MB.")
    evidence_max_mb: int = Field(default=50, ge=1, le=1024, description="Largest evidence file, in MB.")
    evidence_quota_mb: int = Field(
        default=2048, ge=1, le=1_048_576, description="Room for the evidence and documents of one institution, in MB."
    )
    clamd: str = Field(
        default="", description="Virus scanner clamd: unix:/path/to/socket or tcp://HOST:PORT; empty: none."
    )
    clamd_required: bool = Field(
        default=True, description="Refuse a file while the configured scanner does not answer; else take it unscanned."
    )
    clamd_seconds: int = Field(default=30, ge=1, le=600, description="Seconds that a scan of one file may take.")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severe line logged."
    )
    development: bool = Field(default=False, description="Reload templates, show the component gallery.")
    testing: bool = Field(default=False, description="Set by the test suite.")
    demo: bool = Field(default=False, description="Set by the demo: no second factor asked, a ribbon on each page.")

    @field_validator("data_dir", "cache_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("totp_required")
    @classmethod
    def _known_roles(cls, value: frozenset[str]) -> frozenset[str]:
        known = STAFF_ROLES | {"observer", "focal_point", "alternate", "contributor", "approver", "reader"}
        unknown = sorted(value - known - {"-"})
        if unknown:
            message = f"unknown role {', '.join(unknown)}; roles are {', '.join(sorted(known))}"
            raise ValueError(message)
        return value - {"-"}

    @field_validator("clamd")
    @classmethod
    def _scanner(cls, value: str) -> str:
        parts = urlsplit(value)
        path, server = value.startswith("unix:/"), parts.scheme == "tcp" and parts.hostname and parts.port
        if value and not path and not server:
            message = "must look like unix:/run/clamav/clamd.ctl or tcp://127.0.0.1:3310"
            raise ValueError(message)
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        least = 32
        if value and len(value) < least:
            message = f"too short: give at least {least} random characters, or leave it empty"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Fill what follows from other fields, and refuse addresses that would send a session in the clear."""
        if not self.base_url:
            if not (self.demo or self.testing or is_loopback(self.host)):
                message = f"PORTAL_BASE_URL is needed, because PORTAL_HOST={self.host} can be reached by others"
                raise ValueError(message)
            host = self.host if is_loopback(self.host) else "127.0.0.1"
            host = f"[{host}]" if ":" in host and not host.startswith("[") else host
            self._fill("base_url", f"http://{host}:{self.port}")
        self._fill("base_url", self.base_url.rstrip("/"))
        self._check_base_url()
        if not self.database_url:
            self._fill("database_url", f"sqlite:///{self.data_dir / 'tamdan.sqlite3'}")
        if not self.database_url.startswith(("sqlite:", "postgresql")):
            message = "PORTAL_DATABASE_URL must begin with sqlite: or postgresql:"
            raise ValueError(message)
        if not self.mail_url:
            self._fill("mail_url", f"spool:{self.data_dir / 'mail'}")
        if not self.mail_url.startswith(("spool:", "smtp://", "smtps://")):
            message = "PORTAL_MAIL_URL must begin with spool:, smtp:// or smtps://"
            raise ValueError(message)
        if self.demo and "totp_required" not in self.model_fields_set:
            self._fill("totp_required", frozenset())
        return self

    def _fill(self, name: str, value: object) -> None:
        # The class is frozen for everybody else; pydantic's own __setattr__ would refuse.
        self.__dict__[name] = value

    def _check_base_url(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.username:
            message = f"PORTAL_BASE_URL must look like https://portal.example.org, not {self.base_url}"
            raise ValueError(message)
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            message = f"PORTAL_BASE_URL must begin with https:// ({self.base_url} would send passwords in the clear)"
            raise ValueError(message)

    @property
    def secure(self) -> bool:
        """Whether people reach the portal by https, so that cookies are Secure and carry ``__Host-``."""
        return self.base_url.startswith("https://")

    @property
    def session_cookie_name(self) -> str:
        """Name of the session cookie: ``__Host-tamdan`` by https, ``tamdan`` on loopback."""
        return "__Host-tamdan" if self.secure else "tamdan"

    @property
    def sqlite_path(self) -> Path | None:
        """File of the SQLite database; None for PostgreSQL or a database in memory."""
        if not self.database_url.startswith("sqlite"):
            return None
        path = self.database_url.partition("///")[2].partition("?")[0]
        return Path(path) if path and path != ":memory:" else None

    @property
    def evidence_dir(self) -> Path:
        """Folder of evidence files, named by their sha256."""
        return self.data_dir / "evidence"

    @property
    def exports_dir(self) -> Path:
        """Folder of finished workbooks."""
        return self.data_dir / "exports"

    @property
    def tmp_dir(self) -> Path:
        """Folder of files being received; on the same disk as ``evidence_dir``, so that a rename is atomic."""
        return self.data_dir / "tmp"

    @property
    def spool_dir(self) -> Path | None:
        """Folder that takes mails as files; None when mail goes out by SMTP."""
        return Path(self.mail_url.removeprefix("spool:")).resolve() if self.mail_url.startswith("spool:") else None

    @property
    def max_upload_bytes(self) -> int:
        """Largest import file in bytes."""
        return self.max_upload_mb * MEGABYTE

    @property
    def evidence_max_bytes(self) -> int:
        """Largest evidence file in bytes."""
        return self.evidence_max_mb * MEGABYTE

    @property
    def evidence_quota_bytes(self) -> int:
        """Room for the files of one institution in bytes."""
        return self.evidence_quota_mb * MEGABYTE

    @cached_property
    def signing_key(self) -> str:
        """The key that signs cookies and links: ``secret_key``, else the one kept in ``data_dir/secret-key``."""
        return self.secret_key or _kept_key(self.data_dir)

    def flask_config(self) -> dict[str, Any]:
        """Return what Flask and its extensions read; ``SETTINGS`` holds this object for everything else."""
        return {
            "SETTINGS": self,
            "SECRET_KEY": self.signing_key,
            "TESTING": self.testing,
            "SESSION_COOKIE_NAME": self.session_cookie_name,
            "SESSION_COOKIE_SECURE": self.secure,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "PREFERRED_URL_SCHEME": "https" if self.secure else "http",
            "TRUSTED_HOSTS": [urlsplit(self.base_url).hostname, "localhost", "127.0.0.1"] if self.secure else None,
            "TEMPLATES_AUTO_RELOAD": self.development,
            # One file plus its form fields; views with a smaller limit (imports) check their own.
            "MAX_CONTENT_LENGTH": max(self.max_upload_bytes, self.evidence_max_bytes) + MEGABYTE,
            # Twenty answers of 100,000 Khmer letters are 18 MB once percent-encoded; Flask's 500 kB would be a 413.
            "MAX_FORM_MEMORY_SIZE": 20 * MEGABYTE,
            # A table of 500 rows by 20 columns in two languages; Flask's 1,000 parts would be a 413.
            "MAX_FORM_PARTS": 20_000,
        }


def _kept_key(data_dir: Path) -> str:
    """Read the key file, or make it; two processes that start at once end with the same key."""
    path = data_dir / "secret-key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = data_dir / f"secret-key.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # refuses when another process was first; its key counts then
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors(include_url=False):
        name = "".join(f"{PREFIX}{part}".upper() for part in problem["loc"][:1])
        message = problem["msg"].removeprefix("Value error, ")
        sentences.append(f"{name}: {message}" if name else message)
    return sentences


def _misspelt(environment: Mapping[str, str]) -> list[str]:
    known = [f"{PREFIX}{name}".upper() for name in Settings.model_fields]
    sentences = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            sentences += [f"{name} is not a setting; did you mean {near[0]}?"] if near else []
    return sentences


def load(**overrides: Any) -> Settings:
    """Read the settings from the environment; ``overrides`` win.

    Raises:
        SettingsError: with a sentence for each setting that cannot be used.
    """
    problems = _misspelt(os.environ)
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(problems + _sentences(error)) from error
    if problems:
        raise SettingsError(problems)
    return settings
