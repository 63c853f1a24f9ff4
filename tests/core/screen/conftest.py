from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

from parfocal.focus_quality.synthesis import defocus_image


@pytest.fixture(scope="session")
def small_screen(tmp_path_factory, nuclei):
    """Folder of 15 real pictures of 128 x 128 pixels, of which every third is out of focus, and one that is no image."""
    folder = tmp_path_factory.mktemp("screen") / "plate7"
    folder.mkdir()
    soft = defocus_image(nuclei.astype(np.float32), 12.0)
    for number in range(15):
        y, x = 32 * (number // 4), 32 * (number % 4)
        shown = (soft if number % 3 == 2 else nuclei)[y : y + 128, x : x + 128]
        tifffile.imwrite(folder / f"x_{'ABC'[number % 3]}{number // 3 + 1:02d}_s1_w1.tif", (100 + 20 * shown).astype("u2"))
    (folder / "broken_A09.tif").write_bytes(b"II*\0 no more")
    return folder


def table_of(output):
    """All rows of a screen by file, without what differs from run to run."""
    table = pd.read_csv(output / "screen.csv", keep_default_na=False).drop(columns="seconds")
    return table.sort_values(["file", "series"], ignore_index=True)
