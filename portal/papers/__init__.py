"""Papers: what is printed and kept, set by typst from plain data. Knows no database and no request."""
