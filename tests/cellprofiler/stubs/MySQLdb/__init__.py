"""Stands in for mysqlclient, without which CellProfiler's ExportToDatabase cannot write SQLite either."""


class Error(Exception):
    """What ExportToDatabase catches of a MySQL server."""


def escape_string(text: str) -> bytes:
    """Escape as mysqlclient does what the properties file needs."""
    return text.replace("\\", "\\\\").replace("'", "\\'").encode()
