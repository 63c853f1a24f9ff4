"""The paper's comparison of losses (figure S7): L1, SSIM, both, and the default's, at an equal budget."""

from __future__ import annotations

from parfocal.report.sections import Section
from parfocal.restoration.evaluation.exposures import exposures
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.evaluation.small_networks import StudySampler, budget_text, scored, study_images, trained
from parfocal.restoration.evaluation.tables import by_level, overall
from parfocal.restoration.losses import LOSSES

_TEXT = (
    "`l1_100ssim` is the paper's combination L1 + 100 (1 - SSIM), `ssim_4l1` the loss of the default network. In the"
    " paper SSIM alone reaches the highest SSIM, and a lower mean absolute error than the combination."
)


def sections(plan: Plan) -> Found:
    """Train one small network with each loss and score them on held-out images."""
    import pandas as pd

    images = study_images(plan)
    train, validation = (StudySampler(s, plan.network, plan.seed) for s in (images.train, images.validation))
    restorers = {loss: trained(plan, loss, train, validation, loss=loss) for loss in LOSSES}
    scores = pd.DataFrame([row for one in exposures(plan) for row in scored(one, restorers, {})])
    tables = (overall(scores, "method"), by_level(scores, "ssim", "SSIM at level"))
    best = tables[0].set_index("method").drop("blurred")
    verdict = f"Highest SSIM: `{best['SSIM'].idxmax()}`; lowest mean absolute error: `{best['MAE'].idxmin()}`."
    section = Section("Losses", f"{verdict} {_TEXT} {budget_text(plan)}", tables)
    return Found((section,), scores)
