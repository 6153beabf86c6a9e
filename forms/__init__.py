"""Everything a person, or an uploaded workbook, fills in: fields, rules, question types, expressions."""

from forms.answers import CellValue

__all__ = ["CellValue"]
