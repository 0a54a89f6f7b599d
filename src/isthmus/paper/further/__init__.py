"""The paper's "to go further", a chapter a module: each trains its own models, draws them and says what they show."""

from isthmus.paper.further import adversarial, contraction, denoising, linear, sparsity, variational
from isthmus.paper.further.chapter import Chapter

CHAPTERS = {
    "denoising": denoising.study,
    "overcomplete": contraction.study,
    "sparse": sparsity.study,
    "variational": variational.study,
    "adversarial": adversarial.study,
    "linear": linear.study,
}
"""By name, in the order of the report: functions of (images, epochs, seed)."""

__all__ = ["CHAPTERS", "Chapter"]
