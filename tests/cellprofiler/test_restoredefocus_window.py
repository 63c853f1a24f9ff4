"""What RestoreDefocus shows in its window."""

import numpy as np
import pytest
from restoring import Figure, make


@pytest.mark.parametrize("kind", ["gray", "color", "stack", "sharp"])
def test_window_shows_before_after_difference_and_what_was_done(kind, make_workspace, levels_zyx):
    blurred = levels_zyx[5]
    color = np.stack([blurred] * 3, axis=-1)
    given = {"gray": blurred, "color": color, "stack": levels_zyx[[0, 1, 6]], "sharp": levels_zyx[0]}[kind]
    module = make()
    module.show_window = True
    workspace = make_workspace(module, {"DNA": given})
    module.run(workspace)
    figure = Figure()
    module.display(workspace, figure)
    before, after, difference = (figure.shown[place] for place in ((0, 0), (1, 0), (1, 1)))
    assert before["image"].shape == (256, 256, 3)[: 3 if kind == "color" else 2]
    assert (before["vmin"], before["vmax"]) == (after["vmin"], after["vmax"])
    brightest = max(before["image"].max(), after["image"].max())
    assert 0.3 * brightest < after["vmax"] <= brightest
    assert difference["image"].shape == (256, 256)
    assert difference["vmin"] == -difference["vmax"] < 0
    if kind == "stack":
        assert before["title"] == "DNA, plane 3 of 3"
    rows = figure.shown[0, 1]["rows"]
    assert rows["Status"] == "ok"
    assert rows["Restored"] == ("0" if kind == "sharp" else "1")
    if kind == "sharp":
        assert not difference["image"].any()
        assert "in focus" in rows["Reason"]
    else:
        assert np.mean(np.abs(difference["image"]) > difference["vmax"]) == pytest.approx(0.001, abs=1e-4)
    # The scale of the difference stands beside it.
    bar = figure.figure.axes[-1]
    assert bar.get_ylim() == (difference["vmin"], difference["vmax"])
