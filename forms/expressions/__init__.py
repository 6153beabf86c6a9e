"""Expressions of XLSForm: parsed once to a small tree, checked, compiled to closures, sent to the browser as JSON."""
