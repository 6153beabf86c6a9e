"""The portal: rooms are described in README.md. Imports nothing, so that ``python -m portal`` starts bare."""
