from __future__ import annotations

import asyncio

import pytest
from report_browser import CHROMIUM, opened
from report_screens import HOSTILE, screen_table, write_screen

from parfocal.report.screen import write_screen_report

pytestmark = [
    pytest.mark.current_python,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


@pytest.fixture
def report(tmp_path):
    """A report of 80 images on two plates, one of them with a hostile name, some of them not read."""
    plates = ["<b>P1</b>"] * 40 + ["P2"] * 40
    table = screen_table(80, plate=plates, probability=0.2, threshold=0.5, flagged=False)
    table["defocus_level"] = [
        level if plate == "P2" else level / 10 for level, plate in zip(table["defocus_level"], plates)
    ]
    table.loc[5, "file"] = HOSTILE
    return write_screen_report(write_screen(tmp_path / "out", table))


def test_the_page_works_offline_in_a_browser(report, tmp_path):
    asyncio.run(_try(report, tmp_path / "profile"))


async def _try(report, profile):
    async with opened(report, profile) as page:
        await _is_whole(page, report)
        await _shows_maps(page)
        await _sorts_and_filters(page)
        await page.resize(390)
        await page.until("document.documentElement.scrollWidth <= 390")
        assert page.problems() == []
        assert [url for url in page.requests() if not url.startswith(("data:", report.as_uri()))] == []


async def _is_whole(page, report):
    assert await page.value("typeof window.hacked") == "undefined"
    assert await page.value("document.querySelectorAll('.js-plotly-plot').length") == 7
    titles = await page.value("[...document.querySelectorAll('.modebar-btn')].map((button) => button.dataset.title)")
    assert set(titles) == {"Download plot as a PNG", "Zoom", "Pan", "Reset axes"}


async def _shows_maps(page):
    told = "document.getElementById('map-told').textContent"
    assert (await page.value(told)).startswith("P2, ")  # the plate with most wells out of focus comes first
    await page.value("document.getElementById('map-previous').click()")
    assert (await page.value(told)).startswith("<b>P1</b>, ")
    await page.value("document.getElementById('map-level').emit('plotly_click', {points: [{x: 2, y: 1}]})")
    await page.until("document.getElementById('table-told').textContent === '20 of 80 images'")
    wells = "[...new Set([...document.querySelectorAll('#table tbody tr')].map((row) => row.cells[3].textContent))]"
    assert await page.value(wells) == ["B03"]
    await page.value("document.getElementById('table-controls').reset()")
    await page.until("document.getElementById('table-told').textContent === '80 of 80 images'")


async def _sorts_and_filters(page):
    head = "[...document.querySelectorAll('#table thead th')].find((head) => head.textContent.startsWith('{}'))"
    level, file = head.format("level"), head.format("file")
    column = f"[...document.querySelectorAll('#table tbody tr')].map((row) => row.cells[{level}.cellIndex].textContent)"
    shown = [float(text) for text in await page.value(column)]
    assert shown == sorted(shown, reverse=True)
    await page.value(f"{level}.querySelector('button').click()")
    assert await page.value(f"{level}.ariaSort") == "ascending"
    shown = [float(text) for text in await page.value(column)]
    assert shown == sorted(shown)
    await page.value("document.getElementById('page-next').click()")
    assert (await page.value(column))[-1] == ""  # no answer comes last, whichever way
    await page.value(f"{file}.querySelector('button').click()")
    search = "document.getElementById('filter-text')"
    await page.value(f"{search}.value = 'HACKED'; {search}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    await page.until("document.getElementById('table-told').textContent === '1 of 80 images'")
    assert await page.value("document.querySelector('#table tbody td').title") == HOSTILE
    await page.value(f"{search}.value = ''; document.getElementById('filter-status').value = 'blank'")
    await page.value(f"{search}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    await page.until("document.querySelector('#table tbody').textContent.includes('blank')")
    assert await page.value("document.getElementById('table-told').textContent") == "1 of 80 images"
