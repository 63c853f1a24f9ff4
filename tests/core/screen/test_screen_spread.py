from __future__ import annotations

import pytest
from distributed import Client
from screen_stand_ins import dies_twice, tries

from parfocal.screen import spread as spreads
from parfocal.screen.place import Place
from parfocal.screen.spread import Spread
from parfocal.screen.task import ScreenTask


@pytest.mark.current_python
def test_a_file_whose_process_dies_is_tried_again_alone_twice(scheduler, monkeypatch):
    monkeypatch.setattr(spreads, "_LOOK_S", 0.1)
    tries.clear()
    tasks = [ScreenTask(f"/p/{name}.tif") for name in ("a", "always", "b", "twice", "c", "d")]
    with Client(scheduler, set_as_default=False) as client:
        done = list(Spread(client, dies_twice, (), Place(), lambda count: None).each(tasks))
    reasons = {task.path: reason for task, rows, reason in done if not rows}
    assert list(reasons) == ["/p/always.tif"] and "process that worked on it died" in reasons["/p/always.tif"]
    assert len(done) == len(tasks) and {task.path for task, _, _ in done} == {task.path for task in tasks}
    assert tries == {"a": 1, "always": 3, "b": 1, "twice": 3, "c": 1, "d": 1}
