"""The Flask extensions, made once and bound to the application in ``portal.app``."""

from __future__ import annotations

from flask_babel import Babel
from flask_babel.speaklater import LazyString
from flask_login import LoginManager
from flask_sqlalchemy_lite import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from markupsafe import Markup, escape

db = SQLAlchemy(session_options={"expire_on_commit": False})
babel = Babel()
login_manager = LoginManager()
csrf = CSRFProtect()


def _as_text(sentence: LazyString) -> Markup:
    return escape(str(sentence))


# Flask-Babel lets a lazy sentence pass for HTML; ours hold what people typed ("%(text)s is not in the list")
LazyString.__html__ = _as_text
