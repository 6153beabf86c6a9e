"""The base of all forms: trimmed texts, and a sentence in the reader's language for every refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm

from forms.reading import holdable

if TYPE_CHECKING:
    from wtforms import Field


class PortalForm(FlaskForm):
    """A form of the portal other than a questionnaire: texts are trimmed, characters no database holds are replaced."""

    class Meta(FlaskForm.Meta):
        """Bind every text field with the trimming filter."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            """Add the trimming filter in front of the field's own."""
            filters = [trimmed, *unbound_field.kwargs.get("filters", ())]
            field: Field = unbound_field.bind(form=form, filters=filters, **options)
            return field

    def summary(self) -> list[tuple[str, str]]:
        """Return (field id, sentence) of every mistake, for the list at the top of the page."""
        return [(field.id, str(sentence)) for field in self for sentence in field.errors]


def trimmed(value: object) -> object:
    """Trim a text; leave anything else alone."""
    return holdable(value).strip() if isinstance(value, str) else value
