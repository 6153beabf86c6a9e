"""The vectors of expressions: files that pytest and Chromium both run."""
