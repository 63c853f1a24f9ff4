"""Calls in another Python, and what becomes of them where its worker dies, hangs, or is not there."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import parfocal
from parfocal.progress import listening
from parfocal.registry import ModelError
from parfocal.worker import process
from parfocal.worker.client import CallLost, Client, EngineError
from parfocal.worker.exchange import SharedFile

VERSION = "0.1.0"
# A worker whose `find_images` does what it is told to, beside what it does.
TROUBLE = """
import os, sys, threading
import parfocal.images.reading as reading
from parfocal.progress import tell
found = reading.find_images
def find_images(paths):
    told, *files = paths
    if told == "die once" and not os.path.exists(files[0]):
        open(files[0], "w").close()
        told = "die"
    if told == "die":
        print("out of luck", file=sys.stderr, flush=True)
        os._exit(3)
    if told == "hang":
        tell(0, 1)
        threading.Event().wait()
    if told == "print":
        print("a library prints", flush=True)
    if told == "break":
        raise KeyError("a fault of ours")
    return found([told])
reading.find_images = find_images
"""


# They start a worker each; how it is started does not depend on the Python.
starts = pytest.mark.current_python


@pytest.fixture
def make_client():
    made = []

    def make(python=sys.executable, version=VERSION, patience_s=60.0):
        made.append(Client(python, version, patience_s, "do this"))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def troubled(make_client, monkeypatch):
    monkeypatch.setattr(process, "_START", troubled_start())
    return make_client


def troubled_start():
    start = process._START.replace("from parfocal.worker", f"exec({TROUBLE!r}); from parfocal.worker")
    assert start != process._START
    return start


@pytest.fixture(scope="module")
def client():
    started = Client(sys.executable, VERSION, 60.0, "do this")
    yield started
    started.close()


def test_results_are_those_of_core_and_the_worker_stays(client, nuclei):
    here = parfocal.measure_image_focus(nuclei, None, (nuclei > 60).astype(int))
    there = client.call("measure_image_focus", nuclei, None, (nuclei > 60).astype(int))
    first = client._process
    assert type(there) is type(here)
    np.testing.assert_array_equal(list(there.features().values()), list(here.features().values()))
    assert there.objects.keys() == here.objects.keys()
    np.testing.assert_array_equal(there.planes[0].patches.probabilities, here.planes[0].patches.probabilities)
    assert client.call("is_marked_file", "nothing.tif") is False
    assert client._process is first


@pytest.mark.parametrize(
    ("kind", "match", "name", "arguments"),
    [
        (
            ValueError,
            r"pixel_size_um must be in \[0.001, 100.0\] um, got -1",
            "measure_image_focus",
            {"pixel_size_um": -1},
        ),
        (TypeError, "unexpected keyword argument 'size'", "measure_image_focus", {"size": 1}),
        (ModelError, "no model 'x' for focus_quality: give one of", "measure_image_focus", {"model": "x"}),
        (FileNotFoundError, "no such file or folder: /nowhere", "find_images", {"paths": ["/nowhere"]}),
        (ValueError, "call must be one of measure_image_focus, .*, got 'system'", "system", {}),
    ],
)
def test_errors_come_back_as_what_they_are_with_their_text(kind, match, name, arguments, client, nuclei):
    given = [] if name == "find_images" else [nuclei]
    with pytest.raises(kind, match=match) as raised:
        client.call(name, *given, **arguments)
    assert type(raised.value) is kind


@starts
def test_a_fault_of_parfocal_comes_with_its_trace(troubled):
    with pytest.raises(RuntimeError, match=r"(?s)a fault of ours.*Traceback.*find_images"):
        troubled().call("find_images", ["break"])


def test_steps_are_told_to_who_listens_here_and_what_he_raises_ends_the_call(client, nuclei, tmp_path):
    heard = []
    with listening(lambda *told: heard.append(told)):
        client.call("measure_image_focus", np.stack([nuclei, nuclei]))
    assert heard == [(0, 2), (1, 2), (2, 2)]

    class Stopped(Exception):
        pass

    def stop(done, count):
        raise Stopped

    stopped = client._process
    with pytest.raises(Stopped), listening(stop):
        client.call("measure_image_focus", nuclei)
    assert not stopped.is_alive()
    assert client.call("is_marked_file", "nothing.tif") is False


def test_a_worker_that_was_killed_meanwhile_is_started_again(client, nuclei):
    client.call("is_marked_file", "nothing.tif")
    killed = client._process
    killed._process.kill()
    killed._process.wait()
    assert client.call("is_marked_file", "nothing.tif") is False
    assert client._process is not killed


@starts
def test_a_call_at_which_the_worker_dies_is_done_once_more_and_then_lost_alone(troubled, tmp_path):
    image = tmp_path / "image.png"
    image.touch()
    client = troubled()
    with pytest.raises(CallLost, match="worker ended 2 times at find_images, exit code 3: .*out of luck"):
        client.call("find_images", ["die"])
    assert client.call("find_images", [str(image)]) == [image]
    with pytest.raises(FileNotFoundError, match="die once"):
        client.call("find_images", ["die once", str(tmp_path / "died")])
    assert (tmp_path / "died").exists()


@starts
def test_a_worker_without_a_sign_of_life_is_ended_and_the_next_call_gets_another(troubled, tmp_path):
    image = tmp_path / "image.png"
    image.touch()
    client = troubled(patience_s=5.0)
    with pytest.raises(CallLost, match="was ended at find_images: it gave no sign of life for 5 s"):
        client.call("find_images", ["hang"])
    assert client._process is None
    assert client.call("find_images", [str(image)]) == [image]


@starts
def test_what_libraries_print_and_several_threads_do_not_come_between(troubled, tmp_path):
    client, found = troubled(), []
    images = [tmp_path / f"{number}.png" for number in range(6)]
    for image in images:
        image.touch()

    def ask(image):
        with pytest.raises(FileNotFoundError):
            client.call("find_images", ["print"])
        found.append(client.call("find_images", [str(image)])[0] == image)

    threads = [threading.Thread(target=ask, args=(image,)) for image in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6


@starts
def test_no_python_another_version_and_no_parfocal_are_told_with_what_to_do(make_client, monkeypatch, tmp_path):
    with pytest.raises(
        EngineError, match=r"moved.python, the Python that does .* work, cannot be started \(.*\): do this"
    ):
        make_client(python=str(tmp_path / "moved.python")).call("find_images", [])
    with pytest.raises(EngineError, match=r"must have Parfocal 9.9, it is Parfocal 0.1.0: do this"):
        make_client(version="9.9").call("find_images", [])
    monkeypatch.setattr(
        process, "_START", process._START.replace("import sys;", "import sys; sys.modules['appose'] = None;")
    )
    with pytest.raises(
        EngineError, match=r"Parfocal does not run in .*(?s:exit code 1: .*import of appose.*): do this"
    ):
        make_client().call("find_images", [])


@starts
def test_packages_and_settings_of_the_host_do_not_reach_the_worker(make_client, monkeypatch, tmp_path):
    (tmp_path / "appose.py").write_text("raise SystemExit('shadow')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LD_LIBRARY_PATH", "of the host")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "")
    assert make_client().call("is_marked_file", "nothing.tif") is False
    assert process.environment()["LD_LIBRARY_PATH"] == ""


def test_libraries_of_a_program_by_pyinstaller_are_not_those_of_the_worker_on_windows(monkeypatch):
    told = []
    kernel = SimpleNamespace(SetDllDirectoryW=told.append)
    monkeypatch.setattr(process.ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    with process.own_libraries():
        assert told == []
    monkeypatch.setattr(sys, "_MEIPASS", "its folder", raising=False)
    with pytest.raises(OSError, match="no such program"), process.own_libraries():
        assert told == [None]
        raise OSError("no such program")
    assert told == [None, "its folder"]


@starts
@pytest.mark.parametrize("end", ["pass", "os.killpg(0, signal.SIGTERM)", 'client.call("find_images", ["hang"])'])
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signal")
def test_the_worker_and_the_shared_file_go_with_the_host_however_it_ends(end):
    """By itself, ended together with the worker, and killed while the worker is at work and hangs."""
    code = f"""
    import os, signal, sys
    from parfocal.progress import listening
    from parfocal.worker import process
    from parfocal.worker.client import Client

    process._START = {troubled_start()!r}
    client = Client(sys.executable, "{VERSION}", 60.0, "")
    client.call("is_marked_file", "nothing.tif")
    print(client._memory.path, client._process._process.pid, flush=True)
    with listening(lambda *told: os.kill(os.getpid(), 9)):
        {end}
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    host = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, start_new_session=True)
    memory, pid = host.stdout.split()
    assert wait_until(lambda: not is_running(int(pid)))
    assert not Path(memory).exists()


@starts
def test_files_of_hosts_that_were_killed_together_with_their_worker_go_at_the_next_start_and_others_stay(tmp_path):
    code = (
        "import os; from parfocal.worker.exchange import SharedFile; print(SharedFile().path, flush=True); os.abort()"
    )
    told = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=120)
    left, held = Path(told.stdout.strip()), SharedFile()
    other = held.path.with_name("parfocal-memory-00000000-of-another-computer")
    try:
        assert told.returncode
        assert not left.exists()
        other.touch()
        following = SharedFile()
        following.close()
        assert held.path.exists()
        assert other.exists()
    finally:
        held.close()
        other.unlink(missing_ok=True)


def test_a_file_that_was_cleared_away_is_made_anew(client, nuclei):
    client.call("is_marked_file", "nothing.tif")
    before = client._memory.path
    before.unlink()
    result = client.call("measure_image_focus", nuclei)
    assert result.estimate.answered
    assert client._memory.path != before
    assert not before.exists()


@starts
def test_a_call_at_a_worker_that_hangs_ends_where_another_thread_closes_it(troubled):
    client, closed = troubled(), threading.Event()

    def close():
        client.close()
        closed.set()

    def begun(*told):
        threading.Thread(target=close).start()

    with pytest.raises(CallLost, match="worker was closed at find_images"), listening(begun):
        client.call("find_images", ["hang"])
    assert closed.wait(60)
    assert (client._process, client._memory) == (None, None)


@starts
def test_ctrl_c_ends_a_call_at_a_worker_that_hangs_and_the_worker(troubled):
    client, asked = troubled(), []

    def interrupt(*told):
        asked.append(client._process)
        threading.Thread(target=signal.raise_signal, args=[signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt), listening(interrupt):
        client.call("find_images", ["hang"])
    assert not asked[0].is_alive()
    assert client._process is None


def wait_until(holds, patience_s=60):
    pause = threading.Event()
    for _ in range(patience_s * 20):
        if holds():
            return True
        pause.wait(0.05)
    return False


def is_running(pid):
    """Whether it is there and no zombie, which nobody may wait for here."""
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
