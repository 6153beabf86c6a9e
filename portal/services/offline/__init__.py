"""Questionnaires in Excel: gathered into a workbook, judged when it comes back, taken over through the one gate."""
