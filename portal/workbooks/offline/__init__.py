"""Questionnaires wholly in Excel: a workbook with a sheet per reply goes out, is filled in, and comes back.

``marks`` are the hidden, sealed identifiers; ``cells`` is one answer in one cell and back; ``words`` is what the sheet
says of a question; ``sheets`` and ``book`` write; ``scan`` and ``returned`` read.
"""
