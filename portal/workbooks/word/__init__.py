"""Questionnaires wholly in Word: a heading per reply and per question, a content control per answer.

``marks`` names the controls and is the hidden part; ``elements`` and ``looks`` are WordprocessingML; ``controls``,
``reply``, ``tables`` and ``document`` write; ``opening``, ``scan`` and ``returned`` read it into what an offline
workbook is read into.
"""
