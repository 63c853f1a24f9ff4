"""Commands tell how far they have come, and can be ended."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest

from parfocal import flag_defocused, measure_bead_focal_plane, measure_image_focus, restore_defocus
from parfocal.progress import listening, steps

STACK = np.random.default_rng(3).integers(0, 255, (3, 96, 96)).astype(np.uint8)
COMMANDS = {
    "focus": lambda: measure_image_focus(STACK),
    "flag": lambda: flag_defocused(STACK),
    "restore": lambda: restore_defocus(STACK, method="wiener", defocus_level=3.0),
    "beads": lambda: measure_bead_focal_plane(STACK, 1.0, 8.0, 2.0),
}


class Stopped(Exception):
    pass


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_tells_how_many_planes_are_done(command):
    heard = []
    with listening(lambda done, total: heard.append((done, total))):
        command()
    assert heard[:4] == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_exception_of_the_listener_ends_the_command_and_nobody_listens_afterwards(command):
    heard = []

    def stop(done, total):
        heard.append(done)
        raise Stopped

    with pytest.raises(Stopped), listening(stop):
        command()
    command()
    assert heard == [0]


def test_only_the_thread_that_listens_is_told():
    heard = []
    with listening(lambda done, total: heard.append(done)):
        thread = Thread(target=lambda: list(steps([1, 2])))
        thread.start()
        thread.join()
    assert heard == []


def test_steps_gives_every_item_once():
    assert list(steps(["a", "b"])) == ["a", "b"]
