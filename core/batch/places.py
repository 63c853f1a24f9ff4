"""Well, site and channel from the names that screening microscopes give their files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from parfocal.images.wells import row_letters

# A letter (or two, on plates of 1536) and the column's digits, set off from the rest, then what may follow at once:
# ..._O01f00d2.TIF, A02_s9_w1.tif, plate_a02_s1.png, A01.tif, dna_A01.png.
_WELL = re.compile(
    r"(?:^|[_\-. ])(?P<row>[A-P]|A[A-F])-?(?P<column>\d{2})(?=$|[_\-. ]|f\d|s\d)"
    r"(?:[_\-. ]*(?:f|s|site|field|xy)(?P<site>\d+))?(?:[_\-. ]*(?P<channel>d\d+|w\d+|ch?\d+))?",
    re.IGNORECASE,
)
# Opera and Operetta: r02c03f01p01-ch1sk1fk1fl1.tiff.
_ROW_COLUMN = re.compile(
    r"(?:^|[_\-. ])r(?P<row>\d{1,2})c(?P<column>\d{1,2})(?:f(?P<site>\d+))?(?:p\d+)?(?:-?(?P<channel>ch\d+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PlatePlace:
    """Where on a plate an image was taken.

    Attributes
    ----------
    well : str
        Such as `B03`.
    site, channel : str
        Empty where the name gives none.
    before : str
        What stands before the well in the name.
    """

    well: str
    site: str = ""
    channel: str = ""
    before: str = ""


def place_of(name: str) -> Optional[PlatePlace]:
    """Read well, site and channel from a file name; None where it names no well."""
    stem = name[max(name.rfind("/"), name.rfind("\\")) + 1 :].rsplit(".", 1)[0]
    found = _ROW_COLUMN.search(stem)
    if found:
        row = row_letters(int(found["row"]) - 1) if int(found["row"]) else ""
    else:
        found = _WELL.search(stem)
        row = found["row"].upper() if found else ""
    if not found or not row or not 1 <= int(found["column"]) <= 48:
        return None
    well, before = f"{row}{int(found['column']):02d}", stem[: found.start()].strip("_-. ")
    return PlatePlace(well, found["site"] or "", (found["channel"] or "").lower(), before)


def well_name(text: str) -> str:
    """Bring the name of a well (`a1`, `A01`, `A-1`) to the form `A01`; empty where it is none."""
    # Rows beyond P, of plates of 1536, are not looked for in file names: there their letters stand for other things.
    found = re.fullmatch(r"([A-Z]|A[A-F])-?0*(\d{1,2})", text.strip(), re.IGNORECASE)
    return f"{found[1].upper()}{int(found[2]):02d}" if found and 1 <= int(found[2]) <= 48 else ""


def row_index(letters: str) -> int:
    """Index of a row from its letters: A is 0, Z is 25, AA is 26."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1
