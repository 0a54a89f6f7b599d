"""Floor 8: the paper "AutoEncoders" (Dieye, Negho and Djaha, AMMI 2023), reproduced in full by `isthmus reproduce`.

Where to find what the paper shows, and what is measured beside it:

================================================  ============================================================
in the paper                                      reproduced in
================================================  ============================================================
its four networks and how they are trained        `networks`: `planned_runs`, `estimator`; `training`: `fit`
its data, MNIST                                   `images`
equations (1) to (7)                              `equations.html`, typeset; `equations.tested`, in words
(2) to (4), mean squared error                    `equations.minimum_of_squared_error`
(5) to (7), binary cross-entropy                  `equations.minimum_of_cross_entropy`
training losses printed in the notebook           `claims.printed_losses`
Figure 2, the undercomplete autoencoder           `figures.paper_figures`
Figures 3 to 6, test images rebuilt               `figures.paper_figures`
statements about PCA, losses and the code         `claims`; `claim`: when a number is enough for a verdict
"to go further", one module per topic             `further`
------------------------------------------------  ------------------------------------------------------------
PCA with as many numbers, for comparison          `pca`
the same networks with the library's defaults     `networks`: runs whose recipe is "isthmus"
the size of the bottleneck                        `networks`: runs named "bottleneck-…"; `claims.bottleneck_summary`
what the checks after each fit say                `findings`
================================================  ============================================================

`reproduction.reproduce` runs everything; `report` writes `results.json`, the figures and `report.html`. One file each
says what a colour means (`colours`), how a quantity is written (`numbers`), which runs allow a verdict (`options`) and
how figures are laid out (`picture`, `plane`).
"""

from isthmus.paper.reproduction import reproduce

__all__ = ["reproduce"]
