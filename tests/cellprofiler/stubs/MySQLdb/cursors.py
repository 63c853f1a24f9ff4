"""Names that ExportToDatabase imports."""


class SSCursor:
    """Never made in the tests, which use SQLite."""
