"""Verbs: each changes stored data and flushes; none commits."""
