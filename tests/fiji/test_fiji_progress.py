"""Progress and status in ImageJ's bar, and Escape."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

# Enough for a fast machine to be measuring still when the key arrives.
N_PLANES = 120


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """File of a stack that takes a while."""
    path = tmp_path_factory.mktemp("long") / "long.tif"
    planes = np.random.default_rng(5).integers(0, 4000, (N_PLANES, 700, 700)).astype(np.uint16)
    tifffile.imwrite(path, planes, imagej=True, metadata={"axes": "ZYX"})
    return str(path)


@pytest.mark.parametrize("name", ["measure_image_focus", "flag_defocused"])
def test_escape_ends_a_module_without_a_row(name, headless, stack):
    headless.table_rows()
    told = headless.run_module(name, stack, {}, True)
    assert "cancelled" in told["failed"]
    assert headless.table_rows() == []


def test_escape_ends_the_macro_too(headless, stack):
    headless.run_macro(f'open("{stack}");')
    assert headless.run_with_escape("run_macro", 'run("Measure Image Focus"); return "went on";') != "went on"
    assert headless.table_rows() == []
    headless.run_macro("close();")


def test_escape_ends_a_function_of_a_macro(headless, stack):
    headless.run_macro(f'open("{stack}");')
    before = headless.log_text()
    code = 'run("Parfocal Macro Extensions"); Ext.focusScore(score, certainty); return "went on";'
    assert headless.run_with_escape("run_macro", code) != "went on"
    assert "Ext.focusScore" not in headless.log_text()[len(before) :]  # it is no error
    headless.run_macro("close();")


def test_after_escape_the_next_command_runs(headless, stack):
    assert "failed" in headless.run_module("measure_image_focus", stack, {}, True)
    small = headless.run_macro('newImage("a", "8-bit noise", 90, 90, 1); run("Measure Image Focus"); return "went on";')
    assert small == "went on"
    headless.run_macro("close();")
    headless.table_rows()


def test_the_window_answers_while_a_stack_is_measured_and_escape_ends_it(window, stack):
    window.open_image(stack)
    window.click_menu("Measure Image Focus...")
    window.fill_in("Measure Image Focus", [])
    found = window.move_and_escape(N_PLANES)
    assert found == {"slice": 3, "measuring then": True, "status": "Measure Image Focus: cancelled", "rows": 0}
    window.close_all()


def test_the_status_tells_when_it_is_done(window):
    window.run_command("Close All", "")
    window.start_macro('newImage("a", "8-bit noise", 90, 90, 1); run("Measure Image Focus", "overlay");')
    assert window.status_with("Measure Image Focus: ", " s").startswith("Measure Image Focus: ")
    window.close_all()
