"""What a smaller training set costs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from parfocal.report.sections import Section
from parfocal.restoration.evaluation.exposures import exposures
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.evaluation.small_networks import StudySampler, budget_text, scored, study_images, trained
from parfocal.restoration.evaluation.tables import by_level, overall
from parfocal.training.images import TrainingImage

SHARES = (1 / 64, 1 / 16, 1 / 4, 1.0)
_TEXT = (
    "Share of the training fields, over all sources together, in the order of a hash of their names. All networks are"
    " trained for the same number of steps, so that few images are seen more often."
)


def sections(plan: Plan) -> Found:
    """Train on shares of the fields and score on held-out images."""
    import pandas as pd

    images = study_images(plan)
    validation = StudySampler(images.validation, plan.network, plan.seed)
    restorers: dict[str, Any] = {}
    for share in SHARES:
        kept = share_of(images.images, share)
        name = f"{len(kept)} of {len(images.images)} images"
        scenes = [scene for image, scene in zip(images.images, images.train) if image in kept]
        if name not in restorers:
            folder = f"share_{len(kept)}"
            restorers[name] = trained(plan, folder, StudySampler(scenes, plan.network, plan.seed), validation)
    scores = pd.DataFrame([row for one in exposures(plan) for row in scored(one, restorers, {})])
    tables = (overall(scores, "method"), by_level(scores, "ssim", "SSIM at level"))
    return Found((Section("Size of the training set", f"{_TEXT} {budget_text(plan)}", tables),), scores)


def share_of(images: Sequence[TrainingImage], share: float) -> set[TrainingImage]:
    """Images of a share of the fields, one field at least; smaller shares are parts of larger ones."""
    fields = sorted(
        {(i.source, i.field) for i in images}, key=lambda name: hashlib.sha256(repr(name).encode()).digest()
    )
    kept = set(fields[: max(1, math.ceil(share * len(fields)))])
    return {image for image in images if (image.source, image.field) in kept}
