from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from functools import partial
from urllib.parse import urlsplit

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

import parfocal.cli.label
from parfocal.cli import main
from parfocal.labels.command import label_images
from parfocal.labels.server import LabelServer
from parfocal.labels.table import labels_of_folder, read_labels

pytestmark = pytest.mark.cellprofiler_python


class Browser:
    """What the page does, by real requests."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.host, self.base = parts.netloc, parts.path

    def ask(self, path, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def state(self):
        status, _, body = self.ask(self.base + "state")
        assert status == 200
        return json.loads(body)

    def do(self, action, **given):
        status, _, body = self.ask(self.base + action, "POST", json.dumps(given))
        return status, json.loads(body)

    def image(self, number=0, plane=0, gamma="1.0"):
        return self.ask(f"{self.base}image?number={number}&plane={plane}&gamma={gamma}")


@pytest.fixture
def folder(tmp_path, nuclei, nucleus_stack):
    images = tmp_path / "images"
    images.mkdir()
    for turns in range(4):
        iio.imwrite(images / f"n{turns}.png", np.rot90(nuclei, turns))
    tifffile.imwrite(images / "stack.tif", nucleus_stack)
    (images / "broken.tif").write_text("no image")
    (tmp_path / "secret.png").write_bytes((images / "n0.png").read_bytes())
    return images


@pytest.fixture
def served(folder):
    server = LabelServer(label_images(str(folder), repeat_share=0))
    server.start()
    yield Browser(server.url), server
    server.close()
    server.session.pictures.close()


def test_the_page_asks_for_nothing_from_elsewhere(served):
    browser, server = served
    status, headers, body = browser.ask(browser.base)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(rb"(?:https?:)?//[a-z]", body)
    assert server.url.startswith("http://127.0.0.1:")


def test_the_page_has_the_keys_of_every_other_front(served):
    browser, _ = served
    page = browser.ask(browser.base)[2].decode()
    constants = json.loads(re.search(r"^const \{[\w, ]+\} = (\{.*\});$", page, re.M)[1])
    assert constants["LABEL_KEYS"] == {"s": "sharp", "d": "defocused", "u": "unusable", "Enter": "plane"}
    acts = page.split("const ACTS = {")[1].split("};")[0]
    assert set(constants["ACTION_KEYS"].values()) <= set(re.findall(r"^  (\w+):", acts, re.M))
    assert set(re.search(r"^const \{([\w, ]+)\}", page, re.M)[1].replace(",", "").split()) == set(constants)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/state",
        "/image?number=0&plane=0&gamma=1",
        "/answer",
        "/x/state",
        "//state",
        "/?token=",
        "/%00/state",
        "/{token}",
        "/{token}x/state",
        "/{short}/answer",
    ],
)
def test_requests_without_the_token_are_refused(method, path, served, folder):
    browser, server = served
    path = path.format(token=server.token, short=server.token[:-1])
    status, _, body = browser.ask(path, method, '{"number": 0, "label": "sharp"}' if method == "POST" else None)
    assert status == 403
    assert server.token.encode() not in body
    assert not (folder / "labels.csv").exists()


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "..%2fsecret.png",
        "/etc/passwd",
        "n0.png",
        "labels.csv",
        "image/../../secret.png",
        "image?number=../../secret.png&plane=0&gamma=1",
        "image?file=n0.png",
        "image?number=99&plane=0&gamma=1",
        "image?number=-1&plane=0&gamma=1",
        "image?number=0&plane=7&gamma=1",
        "image?number=0&plane=-1&gamma=1",
        "image?number=0&plane=0&gamma=nan",
        "image?number=0&plane=0&gamma=0",
        "image",
        "answer",
    ],
)
def test_no_file_but_the_listed_images_is_served(path, served):
    browser, _ = served
    browser.state()
    status, headers, _ = browser.ask(browser.base + path)
    assert status in (400, 404)
    assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ("no json", {}, 400),
        ("[]", {}, 400),
        ("", {}, 400),
        ("{}", {}, 409),
        ('{"number": "0", "label": "sharp"}', {}, 409),
        ('{"number": 0, "label": 7}', {}, 409),
        ("x" * 5000, {}, 400),
        ("", {"Content-Length": "nine"}, 400),
    ],
)
def test_requests_that_make_no_sense_are_refused_and_change_nothing(body, headers, expected, served, folder):
    browser, _ = served
    before = browser.state()["view"]
    assert browser.ask(browser.base + "answer", "POST", body, headers)[0] == expected
    assert browser.ask(browser.base + "delete", "POST", "{}")[0] == 404
    assert browser.state()["view"] == before
    assert not (folder / "labels.csv").exists()


def test_images_come_as_they_are_on_disk_without_loss(served, folder):
    browser, _ = served
    view = browser.state()["view"]
    while view["n_planes"] > 1:
        view = browser.do("skip", number=view["number"])[1]["view"]
    status, headers, body = browser.image(view["number"])
    assert (status, headers["Content-Type"]) == (200, "image/png")
    shown, pixels = iio.imread(body), iio.imread(folder / view["file"]).astype(float)
    low, high = np.percentile(pixels, [0.5, 99.9])
    np.testing.assert_array_equal(shown, np.rint(255 * np.clip((pixels - low) / (high - low), 0, 1)))
    assert iio.imread(browser.image(view["number"], gamma="0.5")[2]).mean() > shown.mean()


def test_answers_land_in_the_table_until_finish(served, folder):
    browser, server = served
    answers = {"n0.png": "sharp", "n1.png": "defocused", "n2.png": "unusable", "n3.png": "sharp"}
    state = browser.state()
    while state["view"]:
        view = state["view"]
        if view["n_planes"] > 1:
            planes = [iio.imread(browser.image(view["number"], plane)[2]) for plane in range(view["n_planes"])]
            assert len({plane.tobytes() for plane in planes}) == 9
            status, state = browser.do("answer", number=view["number"], label="plane", plane=4)
        else:
            status, state = browser.do("answer", number=view["number"], label=answers[view["file"]])
        assert (status, state["error"]) == (200, "")
        rows = read_labels(folder / "labels.csv")
        assert rows[-1].file == view["file"]
    assert {image.path.name: (image.label, image.plane) for image in labels_of_folder(folder)} == {
        **{file: (label, None) for file, label in answers.items()},
        "stack.tif": ("plane", 4),
    }
    assert state["unreadable"] == ["broken.tif: the name says TIFF, the content is something else"]
    assert state["summary"] == ["5 images have a label: 2 sharp, 1 defocused, 1 unusable, 1 with a sharp plane"]
    assert browser.do("undo")[1]["view"]["file"] == view["file"]
    assert not server.finished.is_set()
    assert browser.do("finish")[1]["finished"]
    assert server.finished.is_set()


def test_an_answer_to_an_image_that_is_not_shown_any_more_is_refused_with_what_is(served, folder):
    browser, _ = served
    first = browser.state()["view"]
    assert browser.do("answer", number=first["number"], label="unusable")[0] == 200
    status, state = browser.do("answer", number=first["number"], label="unusable")  # a second tab, or a double click
    assert status == 409
    assert "another image is shown" in state["error"]
    assert state["view"]["number"] != first["number"]
    assert len(read_labels(folder / "labels.csv")) == 1
    assert browser.do("move", step=-1)[1]["view"]["label"] == "unusable"
    assert browser.do("undo")[1]["view"]["label"] == ""
    status, state = browser.do("undo")
    assert (status, state["error"]) == (409, "there is nothing to undo in this session")


def test_an_answer_that_cannot_be_written_is_told_and_the_image_stays(served, folder):
    browser, _ = served
    view = browser.state()["view"]
    (folder / "labels.csv").mkdir()
    status, state = browser.do("answer", number=view["number"], label="unusable")
    assert status == 500
    assert "could not be written" in state["error"]
    assert state["view"] == view


def start(folder, *options):
    command = [
        sys.executable,
        "-m",
        "parfocal.cli",
        "label",
        str(folder),
        "--no-browser",
        "--repeat-share",
        "0",
        *options,
    ]
    # Tests that run in the background of a shell ignore interrupts, and so would the process.
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    return process, Browser(re.search(r"http://\S+", process.stdout.readline())[0])


def test_nothing_is_lost_when_the_process_is_killed_and_the_next_one_goes_on(folder):
    process, browser = start(folder, "--person", "ada")
    answered = []
    for _ in range(2):
        view = browser.state()["view"]
        answered.append(view["file"])
        assert browser.do("answer", number=view["number"], label="unusable")[0] == 200
    waiting = browser.state()["view"]["file"]
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    process.stderr.close()
    assert [row.file for row in read_labels(folder / "labels.csv")] == answered
    process, browser = start(folder, "--person", "ada")
    view = browser.state()["view"]
    assert view["file"] == waiting
    browser.do("answer", number=view["number"], label="unusable")
    process.send_signal(signal.SIGINT)
    told, complaints = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "3 images have a label: 0 sharp, 0 defocused, 3 unusable" in told
    assert str(folder / "labels.csv") in told
    assert "Traceback" not in complaints


def test_finish_on_the_page_ends_the_program_with_its_summary(folder):
    process, browser = start(folder, "--labels", str(folder / "mine.csv"))
    state = browser.state()
    while state["view"]:
        state = browser.do("answer", number=state["view"]["number"], label="unusable")[1]
    browser.do("finish")
    told, complaints = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "5 images have a label" in told
    assert complaints.strip() == "left out: broken.tif: the name says TIFF, the content is something else"


def test_the_browser_is_opened_only_where_something_is_left(folder, monkeypatch, capsys):
    opened = []

    def answer_all(url):
        browser = Browser(url)
        opened.append(url)
        state = browser.state()
        while state["view"]:
            state = browser.do("answer", number=state["view"]["number"], label="unusable")[1]
        browser.do("finish")

    monkeypatch.setattr(parfocal.cli.label.webbrowser, "open", answer_all)
    for _ in range(2):
        assert main(["label", str(folder), "--repeat-share", "0"]) == 0
    assert len(opened) == 1
    told = capsys.readouterr().out
    assert opened[0] in told
    assert "every image has an answer" in told
    assert main(["label", str(folder), "--report"]) == 0
    assert capsys.readouterr().out == "5 images have a label: 0 sharp, 0 defocused, 5 unusable\n"


def test_a_port_that_is_taken_is_said_so(served, folder, capsys):
    _, server = served
    port = urlsplit(server.url).port
    assert main(["label", str(folder), "--no-browser", "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert f"port {port} cannot be had (" in told and "give another, or none to take a free one" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no such folder: nowhere"),
        ([".", "--report"], "no such table of labels: labels.csv"),
        ([".", "--repeat-share", "2"], r"repeat_share must be in \[0.0, 1.0\], got 2.0"),
        ([".", "--port", "70000"], r"port must be in \[0, 65535\], got 70000"),
        ([".", "--suspects", "nowhere.csv"], "no such table of suspects: nowhere.csv"),
    ],
)
def test_errors_of_the_user_are_one_line(arguments, message, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["label", *arguments]) == 2
    told = capsys.readouterr().err
    assert re.search(message, told)
    assert told.count("\n") <= 2
