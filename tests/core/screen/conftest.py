from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

from parfocal.focus_quality.synthesis import defocus_image


@pytest.fixture(scope="session")
def small_screen(tmp_path_factory, nuclei):
    """11 real pictures of 128 x 128 pixels, every third of them out of focus, and a file that is no image."""
    folder = tmp_path_factory.mktemp("screen") / "plate7"
    folder.mkdir()
    soft = defocus_image(nuclei.astype(np.float32), 12.0)
    for number in range(11):
        shown = np.roll(soft if number % 3 == 2 else nuclei, 16 * number, axis=number % 2)[:128, :128]
        tifffile.imwrite(
            folder / f"x_{'ABC'[number % 3]}{number // 3 + 1:02d}_s1_w1.tif", (100 + 20 * shown).astype("u2")
        )
    (folder / "broken_A09.tif").write_bytes(b"II*\0 no more")
    return folder


@pytest.fixture(scope="session")
def done(small_screen, tmp_path_factory):
    """Output folder of a screen with two processes, restored, and how it went on: what others are compared with."""
    from parfocal.screen.screen import screen_files

    output, told = tmp_path_factory.mktemp("done") / "out", []
    screen_files([small_screen], output, {"restore": True}, workers=2, progress=told.append)
    return output, told


@pytest.fixture(scope="module")
def scheduler():
    """Address of a scheduler whose two workers are threads of this process: nothing has to start.

    Not for longer than needed: such threads draw from Python's random numbers, which weights of networks come from too.
    """
    with threads_as_workers() as cluster:
        yield cluster.scheduler_address


def threads_as_workers(count=2):
    from distributed import LocalCluster

    about = {"threads_per_worker": 1, "processes": False, "protocol": "tcp://", "dashboard_address": "127.0.0.1:0"}
    return LocalCluster(n_workers=count, host="127.0.0.1", **about)


def table_of(output):
    """All rows of a screen by file, without what differs from run to run."""
    table = pd.read_csv(output / "screen.csv", keep_default_na=False).drop(columns="seconds")
    return table.sort_values(["file", "series"], ignore_index=True)
