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


FRAME = "document.getElementById('table-frame')"


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
        await _copies_the_methods(page)
        for width in (1400, 1300, 390):
            await page.resize(width)
            await page.until(f"document.documentElement.scrollWidth <= {width}")
            hidden = await page.value(f"{FRAME}.scrollWidth - {FRAME}.clientWidth")
            assert (hidden == 0) is (width > 390), "on a narrow screen the table is moved within its frame"
            await page.until(f"document.getElementById('table-hint').hidden === {str(hidden == 0).lower()}")
        assert page.problems() == []
        await _says_what_an_old_browser_lacks(page)
        await _says_what_needs_scripts(page)
        assert [url for url in page.requests() if not url.startswith(("data:", report.as_uri()))] == []


async def _copies_the_methods(page):
    await page.call("Browser.grantPermissions", permissions=["clipboardReadWrite"])
    await page.click("#copy-methods")
    await page.until("document.getElementById('copied').textContent === 'Copied.'")
    text = await page.value("document.getElementById('methods-text').textContent")
    assert "was assessed with Parfocal" in text
    assert await page.value("navigator.clipboard.readText()") == text


async def _says_what_an_old_browser_lacks(page):
    source = "delete window.DecompressionStream"
    script = await page.call("Page.addScriptToEvaluateOnNewDocument", source=source)
    told = "document.getElementById('{}')?.textContent.includes('need a browser of 2023')"
    await page.again(told.format("table-told"))
    assert await page.value(told.format("map-told"))
    await page.call("Page.removeScriptToEvaluateOnNewDocument", **script)


async def _says_what_needs_scripts(page):
    told = "document.body?.innerText.includes('need JavaScript')"
    assert not await page.value(told)
    await page.call("Emulation.setScriptExecutionDisabled", value=True)
    await page.again(told)
    assert await page.value("document.querySelectorAll('.js-plotly-plot').length") == 0
    assert await page.value("document.getElementById('table-controls').offsetHeight") == 0
    assert "images are flagged or above level 3" in await page.value("document.body.innerText")


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
    wells = "[...new Set([...document.querySelectorAll('#table tbody tr')].map((row) => row.cells[2].textContent))]"
    assert await page.value(wells) == ["B03"]
    await page.value("document.getElementById('table-controls').reset()")
    await page.until("document.getElementById('table-told').textContent === '80 of 80 images'")


async def _sorts_and_filters(page):
    head = "[...document.querySelectorAll('#table thead th')].find((head) => head.textContent.startsWith('{}'))"
    level, file = head.format("Defocus level"), head.format("File")
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
