from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

from parfocal.focus_quality.synthesis import defocus_image


@pytest.fixture(scope="session")
def small_screen(tmp_path_factory, nuclei):
    """15 real pictures of 256 x 256 pixels, every third of them out of focus, and a file that is no image."""
    folder = tmp_path_factory.mktemp("screen") / "plate7"
    folder.mkdir()
    soft = defocus_image(nuclei.astype(np.float32), 12.0)
    for number in range(15):
        shown = np.roll(soft if number % 3 == 2 else nuclei, 16 * number, axis=number % 2)
        tifffile.imwrite(
            folder / f"x_{'ABC'[number % 3]}{number // 3 + 1:02d}_s1_w1.tif", (100 + 20 * shown).astype("u2")
        )
    (folder / "broken_A09.tif").write_bytes(b"II*\0 no more")
    return folder


def table_of(output):
    """All rows of a screen by file, without what differs from run to run."""
    table = pd.read_csv(output / "screen.csv", keep_default_na=False).drop(columns="seconds")
    return table.sort_values(["file", "series"], ignore_index=True)
