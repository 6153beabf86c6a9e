"""The demo countries as files, and what makes and seeds them."""
