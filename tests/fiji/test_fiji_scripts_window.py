"""The scripts of an ordinary Fiji with its window: what they leave there, and errors as dialogs."""

from __future__ import annotations

from pathlib import Path

import pytest

NUCLEI = str(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png")
TITLE = Path(NUCLEI).name


@pytest.fixture
def opened(ordinary_window):
    ordinary_window.open(NUCLEI, None)
    yield ordinary_window
    ordinary_window.closeAll()


def test_a_restored_image_and_the_results_are_shown_and_the_overlay_lies_on_the_image(opened):
    answer = opened.run("Measure Image Focus...", {})
    assert not answer["thrown"], answer["thrown"]
    assert answer["rows"][0]["ImageFocus_Status"] == "ok"
    assert any(part["name"] == "legend" for part in opened.overlay())
    answer = opened.run("Restore Defocus...", {"defocus_level": "5", "method": "wiener"})
    assert answer["image"] == f"Restored {TITLE}"
    assert "Results" in opened.windows()
    assert any(title.startswith(f"Restored {TITLE}") for title in opened.windows())


def test_an_error_is_a_dialog_with_its_text(opened):
    told = opened.message("Flag Defocused...", {"threshold": "2"})
    assert told == ["Flag Defocused", "threshold must be in [0.0, 1.0], got 2.0"]


def test_without_an_image_a_dialog_says_so(opened):
    opened.closeAll()
    assert opened.message("Flag Defocused...", {}) == ["Flag Defocused", "no image is open: open one first"]
