"""What training on makes of pairs that are out of the model's domain: one half of a field to train, one to test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.evaluation.stacks import RealStack
from parfocal.report.sections import Section
from parfocal.restoration.comparison import by_classical, by_networks
from parfocal.restoration.dataset import image_level
from parfocal.restoration.evaluation.plan import Plan
from parfocal.restoration.evaluation.real_pairs import RealPair, pairs_of
from parfocal.restoration.evaluation_figure import Example, draw_examples
from parfocal.restoration.restorers import make_restorer
from parfocal.restoration.scores import score
from parfocal.restoration.training import train_restorer

if TYPE_CHECKING:
    import pandas as pd

# Stacks of one field in and out of focus whose pairs are registered.
TRANSFERRED = ("light-sheet fields", "histology pair")
_WHOLE = 1 << 20
_TEXT = (
    "The model trained on for {steps} steps with `train_restorer` (`start_from`, `defocused`), at a tenth of its"
    " rate, on the left half of one field, and tested on the right half, which it has not seen; a colour image is"
    " taken as gray. It shows whether a handful of pairs moves the model towards another kind of image, on the same"
    " sample and the same day; it does not show what it does on another sample. `before` is the model as it is, told"
    " that the image were widefield fluorescence; `after` is the trained one; Richardson-Lucy has the Gaussian that"
    " suits the truth best."
)


def transfer_section(plan: Plan, stacks: Sequence[RealStack]) -> Section:
    """Train on each of the stacks named above that is there; draws `transfer.png`."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    examples: list[Example] = []
    for stack in stacks:
        if stack.name in TRANSFERRED:
            pairs = list(pairs_of(stack, _WHOLE))
            trained = _trained(stack.name, pairs, plan)
            done = [_tested(pair, plan, trained) for pair in pairs]
            rows += [row for row, _ in done]
            examples += [example for _, example in done[:3]]
    if not rows:
        return Section("Transfer", f"None of {', '.join(TRANSFERRED)} lies below the folder.")
    draw_examples(plan.path("transfer.png"), examples)
    table: pd.DataFrame = pd.DataFrame(rows)
    table.to_csv(plan.path("transfer.csv"), index=False)
    return Section("Transfer", f"{_verdict(table)} {_TEXT.format(steps=plan.steps)}", (table,), ("transfer.png",))


def _verdict(table: pd.DataFrame) -> str:
    told = []
    for name, own in table.groupby("stack", sort=False):
        gain, over = ((own["SSIM after"] - own[f"SSIM {rival}"]).mean() for rival in ("blurred", "before"))
        told.append(f"{name}: SSIM {gain:+.3f} over the blurred image, {over:+.3f} over the model before.")
    return " ".join(told)


def _trained(name: str, pairs: Sequence[RealPair], plan: Plan) -> str:
    """Folder of the model trained on the left halves; one that is finished is taken as it is."""
    folder = plan.path(f"transfer/{name.replace(' ', '_')}")
    model = folder / "model"
    if not (model / "config.json").exists():
        focused, defocused = _write_halves(folder, pairs)
        begun = (model / "training.json").exists()
        train_restorer(
            str(focused), str(model), str(defocused), start_from=plan.models[0], steps=plan.steps, resume=begun
        )
    return str(model)


def _write_halves(folder: Path, pairs: Sequence[RealPair]) -> tuple[Path, Path]:
    """Write the left halves as `train_restorer` reads them: one in focus, the defocused ones in subfolders."""
    import tifffile

    focused, defocused = folder / "focused", folder / "defocused"
    for place, pixels in [(focused, pairs[0].sharp_yx), *((defocused / str(p.plane), p.image_yx) for p in pairs)]:
        place.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(place / "field.tif", np.asarray(pixels[:, : pixels.shape[1] // 2], np.float32))
    return focused, defocused


def _tested(pair: RealPair, plan: Plan, trained: str) -> tuple[dict[str, Any], Example]:
    """Row of the table and the images of the right half."""
    width = pair.truth_yx.shape[1]
    truth, blurred = (half[:, width // 2 :] for half in (pair.truth_yx, np.asarray(pair.image_yx, np.float32)))
    level = image_level(blurred)
    # As in training: level 0 where none could be measured.
    networks = {"before": make_restorer("network", plan.models[0]), "after": make_restorer("network", trained)}
    found = {"blurred": blurred, **by_networks(blurred, networks, level if level == level else 0.0)}
    found.update(by_classical(blurred, truth, float("nan"), wiener=False))
    row: dict[str, Any] = {"stack": pair.stack.name, "plane": pair.plane, "um from focus": pair.about["distance_um"]}
    for value in ("ssim", "psnr"):
        row.update({f"{value.upper()} {name}": getattr(score(one, truth), value) for name, one in found.items()})
    return row, Example(f"{pair.stack.name}, plane {pair.plane}", found, truth)
