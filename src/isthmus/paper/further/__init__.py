"""The paper's "to go further": one module per topic trains models, draws figures and checks claims."""

from collections.abc import Callable

from isthmus.paper.further import adversarial, contraction, denoising, linear, sparsity, variational
from isthmus.paper.further.chapter import Chapter
from isthmus.paper.images import Images

CHAPTERS: dict[str, Callable[[Images, int, int], Chapter]] = {
    "denoising": denoising.study,
    "overcomplete": contraction.study,
    "sparse": sparsity.study,
    "variational": variational.study,
    "adversarial": adversarial.study,
    "linear": linear.study,
}
"""The chapters by name, in the order of the report: functions of (images, epochs, seed)."""

__all__ = ["CHAPTERS", "Chapter"]
