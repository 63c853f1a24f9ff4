from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from conftest import table_of

from parfocal.screen.screen import screen_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as here are those of POSIX")
_GIVE_UP_S = 120


def started(output, *more):
    command = [
        sys.executable,
        "-m",
        "parfocal.cli",
        "screen",
        "-o",
        str(output),
        "--workers",
        "2",
        "--no-report",
        *more,
    ]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(run, output, count):
    """Wait until so many files are in the journal, or the run has ended."""
    journal, given_up = output / "results" / "part-000001.jsonl", time.monotonic() + _GIVE_UP_S
    while run.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < count):
        assert time.monotonic() < given_up, f"{count} files are not done"
        time.sleep(0.002)


def kill_a_worker(run, chance):
    """SIGKILL to one of the processes that work, as a machine short of memory sends it; the run stands still for it."""
    run.send_signal(signal.SIGSTOP)
    children = psutil.Process(run.pid).children(recursive=True)
    working = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    os.kill(chance.choice(working).pid, signal.SIGKILL)
    run.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def undisturbed(small_screen, tmp_path_factory):
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    screen_files([small_screen], output, {"restore": True}, workers=1)
    return table_of(output)


@pytest.mark.current_python
@pytest.mark.parametrize("seed", [1])
def test_a_run_that_is_killed_at_random_moments_and_gone_on_with_equals_an_undisturbed_one(
    small_screen, tmp_path, undisturbed, seed
):
    output, chance, known = tmp_path / "out", random.Random(seed), 0
    for number in range(3):
        run = started(output, *((small_screen, "--restore") if number == 0 else ("--resume",)))
        wait_for(run, output, known + 1)
        kill_a_worker(run, chance)
        wait_for(run, output, known + chance.randint(2, 3))
        run.kill()
        run.communicate()
        journal = (output / "results" / "part-000001.jsonl").read_bytes()
        assert journal.count(b"\n") >= known  # what was done stays
        known = journal.count(b"\n")
    assert known < 16, "the run has to be killed before its end"
    last = started(output, "--resume")
    told = last.communicate(timeout=_GIVE_UP_S)
    assert last.returncode == 0, told
    assert table_of(output).equals(undisturbed)


@pytest.mark.current_python
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_a_run_that_can_be_gone_on_with(small_screen, tmp_path, number):
    output = tmp_path / "out"
    run = started(output, small_screen)
    wait_for(run, output, 1)
    # A terminal sends Ctrl-C to all processes of a run.
    os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
    _, told = run.communicate(timeout=_GIVE_UP_S)
    assert run.returncode == 130 and f"go on with: parfocal screen -o {output} --resume" in told
    assert "Traceback" not in told and (output / "results" / "part-000001.jsonl").exists()
