"""Honesty: whether a sorter still tells restored images from sharp ones, as the paper asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.report.sections import Section
from parfocal.restoration.baselines import richardson_lucy
from parfocal.restoration.comparison import by_networks
from parfocal.restoration.dataset import image_level
from parfocal.restoration.evaluation.exposures import Exposure, exposures
from parfocal.restoration.evaluation.plan import SIDES, Found, Plan
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.kernels import level_psf
from parfocal.restoration.restorers import Restorer
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.scores import roc_auc

if TYPE_CHECKING:
    import pandas as pd

_TEXT = (
    "Area under the curve of the sorter `{sorter}`, images of a row against the sharp images exposed by the same"
    " camera ({photons:g} photoelectrons in bright structures): 1 where the sorter tells every one of them from the"
    " sharp ones, 0.5 where it cannot. Figure S11 of Xue et al. (2021) has 0.9953 for defocused and 0.6951 for"
    " restored images. A low value says that restored images look in focus to a network, not that they are right. An"
    " image without a measured level is judged as it is, since it comes out unchanged. `richardson_lucy` has the true"
    " PSF, 30 iterations."
)


def sections(plan: Plan) -> Found:
    """Judge sharp, blurred and restored images by the sorter."""
    import pandas as pd

    restorers = plan.restorers()
    rows: list[dict[str, Any]] = []
    for one in exposures(plan):
        for method, image in _shown(one, restorers).items():
            judged = flag_defocused(image, check_level=False, model=plan.sorter)
            rows.append({**one.about, "method": method, "probability": judged.probability, "status": judged.status})
    scores = pd.DataFrame(rows)
    written = []
    for side, about in SIDES.items():
        part = scores[scores["held_out"] == side]
        if not part.empty:
            text = f"{_verdict(part)} {_TEXT.format(sorter=plan.sorter, photons=plan.photons)}"
            title = f"Restored against sharp images, {about} ({part['image'].nunique()} images)"
            written.append(Section(title, text, (_areas(part), _means(part))))
    return Found(tuple(written), scores)


def _shown(one: Exposure, restorers: dict[str, Restorer]) -> dict[str, np.ndarray]:
    seen = Intensity.of(one.blurred).apply(one.blurred)
    shown = {"sharp": one.sharp, "blurred": one.blurred}
    restored = by_networks(one.blurred, restorers, image_level(one.blurred))
    shown.update({name: restored.get(name, one.blurred) for name in restorers})
    shown["richardson_lucy"] = richardson_lucy(seen - min(0.0, float(np.percentile(seen, 0.1))), level_psf(one.level))
    return shown


def _areas(part: pd.DataFrame) -> pd.DataFrame:
    """Area under the curve by level, of each method against the sharp images of the same level."""
    import pandas as pd

    methods = [name for name in part["method"].unique() if name != "sharp"]
    rows = [{"AUC at level": f"{level:g}", **_area_row(own, methods)} for level, own in part.groupby("level")]
    rows.append({"AUC at level": "all", **_area_row(part, methods)})
    return pd.DataFrame(rows)


def _area_row(own: pd.DataFrame, methods: list[str]) -> dict[str, float]:
    sharp = own.loc[own["method"] == "sharp", "probability"].to_numpy(float)
    row = {}
    for name in methods:
        other = own.loc[own["method"] == name, "probability"].to_numpy(float)
        row[name] = roc_auc(np.concatenate([sharp, other]), np.repeat([False, True], [len(sharp), len(other)]))
    return row


def _means(part: pd.DataFrame) -> pd.DataFrame:
    """Mean probability of defocus that the sorter gives, by level and method."""
    table = part.pivot_table(index="level", columns="method", values="probability", sort=False).sort_index()
    table.insert(0, "mean probability at level", [f"{level:g}" for level in table.index])
    return table.reset_index(drop=True)


def _verdict(part: pd.DataFrame) -> str:
    last = _areas(part).iloc[-1]
    told = ", ".join(f"{name} {last[name]:.4f}" for name in last.index[1:])
    return f"Over all levels: {told}."
