"""Names of the rows of plates, as letters."""

from __future__ import annotations


def row_letters(index: int) -> str:
    """Letters of a row from its index: 0 is A, 25 is Z, 26 is AA."""
    return chr(65 + index) if index < 26 else chr(64 + index // 26) + chr(65 + index % 26)
