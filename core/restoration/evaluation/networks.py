"""The paper's comparison of its ResUNet with a plain UNet (figure S9), and with the default, at an equal budget."""

from __future__ import annotations

from dataclasses import replace

from parfocal.report.sections import Section
from parfocal.restoration.evaluation.exposures import exposures
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.evaluation.small_networks import (
    BATCH_SIZE,
    CROP_PX,
    LOSS,
    StudyImages,
    StudySampler,
    scored,
    study_images,
    trained,
)
from parfocal.restoration.evaluation.tables import by_level, overall
from parfocal.restoration.network import ARCHITECTURES
from parfocal.restoration.restorers import Restorer

_TEXT = (
    "Each network from random weights, by the recipe of its config but for the loss, `{loss}` for all: in so few"
    " steps SSIM alone teaches little (see `losses`). {steps} steps of {batch} crops of {crops} px of the same images;"
    " `xue2021` and `unet` have {filters} filters at the finest scale (64 in the paper, which trains for some 175,000"
    " steps). `default` is given Wiener filters of the image and learns to choose among them; the others see the image"
    " alone. The models that `--model` and `--further-models` name stand beside them as they are."
)


def sections(plan: Plan) -> Found:
    """Train one network of each architecture, score them and the models of the plan on held-out images."""
    import pandas as pd

    images = study_images(plan)
    restorers = {f"{name}, from scratch": _from_scratch(plan, images, name) for name in ARCHITECTURES}
    restorers.update({f"{name}, as it is": restorer for name, restorer in plan.restorers().items()})
    scores = pd.DataFrame([row for one in exposures(plan) for row in scored(one, restorers, {})])
    crops = " or ".join(str(width) for width in sorted(set(CROP_PX.values())))
    text = _TEXT.format(loss=LOSS, steps=plan.steps, batch=BATCH_SIZE, crops=crops, filters=plan.first_filters)
    section = Section("Networks", text, (overall(scores, "method"), by_level(scores, "ssim", "SSIM at level")))
    return Found((section,), scores)


def _from_scratch(plan: Plan, images: StudyImages, architecture: str) -> Restorer:
    own = replace(plan, network=architecture)
    train, validation = (StudySampler(scenes, architecture, plan.seed) for scenes in (images.train, images.validation))
    return trained(own, architecture, train, validation)
