from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import table_of

pytestmark = [
    pytest.mark.current_python,
    pytest.mark.skipif(os.name == "nt", reason="signals as here are those of POSIX"),
]
_GIVE_UP_S = 240


def started(output, hold_at, moment, *more, workers=1):
    script = Path(__file__).with_name("screen_held.py")
    command = [sys.executable, script, hold_at, moment, "-o", output, "--workers", workers, "--no-report", *more]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(run, output, count):
    """Wait until so many files are in the journal."""
    given_up = time.monotonic() + _GIVE_UP_S
    while journal(output).count(b"\n") < count:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < given_up, f"{count} files are not done"
        time.sleep(0.002)


def journal(output):
    path = output / "results" / "part-000001.jsonl"
    return path.read_bytes() if path.exists() else b""


def kill_a_worker(run, chance):
    """SIGKILL to one of the processes that work, as a machine short of memory sends it; the run stands still for it."""
    run.send_signal(signal.SIGSTOP)
    children = psutil.Process(run.pid).children(recursive=True)
    working = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    os.kill(chance.choice(working).pid, signal.SIGKILL)
    run.send_signal(signal.SIGCONT)


def end_with(run, number):
    """Send a signal; Ctrl-C goes to all processes of a run, as a terminal sends it. Gives what the run says."""
    os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
    return run.communicate(timeout=_GIVE_UP_S)[1]


def test_a_run_that_is_ended_again_and_again_and_gone_on_with_equals_an_undisturbed_one(small_screen, tmp_path, done):
    output, chance, known = tmp_path / "out", random.Random(1), 0
    for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        moment, first = chance.choice(("before", "after")), known == 0
        held = known + chance.randint(2, 3) if first else known + 1
        given = (small_screen, "--restore") if first else ("--resume",)
        run = started(output, held, moment, *given, workers=2 if first else 1)
        if first:
            wait_for(run, output, 1)
            kill_a_worker(run, chance)
        wait_for(run, output, held - (moment == "before"))
        said = end_with(run, number)
        assert "resource_tracker" not in said
        if number == signal.SIGKILL:
            assert run.returncode == -number
        else:
            assert run.returncode == 130 and f"go on with: parfocal screen -o {output} --resume" in said
            assert "Traceback" not in said
        known = journal(output).count(b"\n")
        assert known == held - (moment == "before")  # what was done stays
    last = started(output, 99, "after", "--resume")
    told = last.communicate(timeout=_GIVE_UP_S)
    assert last.returncode == 0, told
    assert table_of(output).equals(table_of(done[0]))
    sessions = json.loads((output / "run.json").read_text())["sessions"]
    # The second may be killed before it begins.
    hows = [part["how"] for part in sessions]
    assert (hows[0], hows[-3:]) == ("unknown", ["stopped", "stopped", "finished"])
    times = [part[name] for part in sessions for name in ("begun", "ended")]
    assert times == sorted(times)
    assert not (output / ".parfocal-running").exists()
