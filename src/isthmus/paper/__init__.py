"""Floor 8: the paper "AutoEncoders" (Dieye, Negho and Djaha, AMMI 2023), reproduced in full by `isthmus reproduce`.

Where to find what the paper shows, and what is measured beside it:

================================================  ============================================================
in the paper                                      reproduced in
================================================  ============================================================
its four networks and how they are trained        `networks`: `planned_runs`, `estimator`; `training`: `fit`
its data, MNIST                                   `images`
equations (2) to (4), mean squared error          `equations.minimum_of_squared_error`
equations (5) to (7), binary cross-entropy        `equations.minimum_of_cross_entropy`
training losses printed in the notebook           `claims.printed_losses`
Figure 2, the undercomplete autoencoder           `figures`, "figure-2"
Figures 3 to 6, test images rebuilt               `figures`, "figure-3" to "figure-6"
statements about PCA, losses and the code         `claims`
"to go further", one module per topic             `further`
------------------------------------------------  ------------------------------------------------------------
PCA with as many numbers, for comparison          `pca`
the same networks with the library's defaults     `networks`: runs whose recipe is "isthmus"
the size of the bottleneck                        `networks`: runs named "bottleneck-…"; `claims.bottleneck_summary`
================================================  ============================================================

`reproduction.reproduce` runs everything; `report` writes `results.json`, the figures and `report.html`.
"""

from isthmus.paper.reproduction import reproduce

__all__ = ["reproduce"]
