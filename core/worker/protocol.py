"""What goes between a host and the worker, beside what Appose itself defines.

A request to execute has the name of a task as its script, and these inputs:

`protocol`
    Version of this protocol, a whole number; others are refused.
`arguments`
    Of the command by name, without its arrays. Text is read as what a person wrote; empty text and null mean that the
    command's own default holds.
`image`
    NDArray of Appose, (y, x) or (z, y, x), colours last. Or of a stack that is not restored `planes`, their number,
    and `window`, an NDArray of the same that holds a few. The task then says in `info` of an update `planes_from`, the
    index of the first that is to be laid there; the host does, and sends a task `planes` with this index as `first`
    and the uuid of the other as `of`.
`selection`, `mask`
    NDArray (y, x), above 0 where the host's selection is, and where another image says; both may be left out.
`labels`
    NDArray (y, x) of whole numbers, the objects of commands that have any; may be left out.
`title`, `metadata`, `channel`
    Name of the image; text that ImageJ has of it, which may state optics and mark it as restored; and number of its
    channel, from 0, among those that the text names. May be left out.
`calibration`
    `unit`, `pixel_width` and, of a stack, `plane_distance` as the host states them; may be left out. What the image
    states counts where no argument is given.
`each_plane`, `patches`, `drawings`
    Whether the answer has `planes`, the patches of `measure_image_focus`, and what is drawn of beads.
`uncertainty`
    NDArray of float32 and of the image's shape, for the argument of that name.

The outputs are `features` (numbers by name), `status`, `reason`, `warnings`; `planes`, a list of the same for each
plane of a stack; `objects`, the same by label; `patches` of each plane, with `level_rgb`, the colours of the levels;
`profiles`, `circles` and `table` of beads (`parfocal.worker.drawings`);
`provenance`, which is empty unless the image was restored: then the restored pixels lie in the memory of `image`, and
the uncertainty in that of `uncertainty`. All memory is the host's: it makes and frees it, and the worker does not use
it after its answer.

Batches take `arguments` alone, with `folder` and `output` among them, and answer `counts` by status, `files` written
and `table`, the first of them.

Labelling goes on between its tasks (`parfocal.worker.labelling`): `label_begin` takes `arguments`, `label_press` a
`key`, `label_plane` a `plane`, and each answers what is seen then; `label_picture` writes its pixels into the NDArray
`picture`, uint8 of `height` and `width`; `label_end` answers `lines`, what came out. It needs a worker of its own.

So does holding focus (`parfocal.fiji_bridge.scripts.held`), with the core of the host: `hold_begin` takes `arguments`;
`hold_next`, asked again and again, takes `commands` and `answers`, and gives `requests` and what is `seen`.

A host in Python has whole results back (`parfocal.worker.client`): `call` takes the `name` of one of
`parfocal.worker.calls.CALLS`, `arguments`, a list of those by place and those by name, and `memory`, the path of a file
of the host. It answers `result`, in the form of `parfocal.worker.codec`: nothing is left out and floats are the same to
the last bit. Arrays lie in the file, those of the arguments first and then those of the result over them; text, numbers
and fields of classes are JSON. The file is the host's; the worker reads it before it begins, writes it before it
answers, and removes it where the host has gone.

The task `hello` takes `protocol` alone and answers `protocol`, `parfocal` (version), `python`, `pid` and `tasks`.

A number that is not finite is text: `NaN`, `Infinity`, `-Infinity`. JSON has no such numbers, and readers of it fail.
A task that fails answers with `error`, a text to show; `info` has the `type` of what a person can mend, else the
`trace`. Progress comes as updates with `current` and `maximum`. A task that is to be cancelled ends before its next
step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PROTOCOL = 1


def check_protocol(inputs: Mapping[str, Any]) -> None:
    """Raise ValueError where a host speaks another version."""
    spoken = inputs.get("protocol")
    if spoken != PROTOCOL:
        raise ValueError(
            f"protocol must be {PROTOCOL}, which this Parfocal speaks, got {spoken!r}: "
            "install the scripts of the host again, from the Parfocal that it is to use"
        )


def plain(value: Any) -> Any:
    """A value as it goes over: numbers that are not finite as text, numpy's numbers and arrays as Python's."""
    if isinstance(value, np.ndarray):
        # Patches are many: only what may not go over as it is is looked at one by one.
        safe = value.dtype.kind in "biu" or (value.dtype.kind == "f" and np.isfinite(value).all())
        return value.tolist() if safe else plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(part) for part in value]
    return value
