"""Everything that knows Excel: opening what comes in, writing what goes out, and one module per kind of file."""
