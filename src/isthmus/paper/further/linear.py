"""PCA and the linear autoencoder on Iris, compared by the angles between the planes that they span."""

from collections.abc import Mapping

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from isthmus import zoo
from isthmus.engine import Compute
from isthmus.estimators import AutoEncoder
from isthmus.paper import numbers
from isthmus.paper.claim import Claim, Source, below, every
from isthmus.paper.colours import COLOURS, Whose
from isthmus.paper.further.chapter import Chapter, Column
from isthmus.paper.images import Images
from isthmus.paper.networks import decoder_weights
from isthmus.paper.numbers import counted, decimal, listed
from isthmus.paper.picture import Panel, Picture
from isthmus.parts.likelihoods import Gaussian
from isthmus.reports import plots

PRINTED_SHARES = (72.96, 22.85, 3.67, 0.52)
"""Explained variances in %, as printed in the notebook."""
STEPS = 1000
AT_PCA, TRAINED, BEFORE = "linear, started at PCA", "linear, from random weights", "the same before training"
WHOSE: dict[str, Whose] = {"PCA": "pca", AT_PCA: "isthmus", TRAINED: "isthmus", BEFORE: "isthmus"}
ERROR, LARGEST, SMALLEST = "error", "largest angle, °", "smallest angle, °"
EXPLANATION = (
    "The data are four standardised measurements of 150 iris flowers. The principal components explain "
    "{printed} of their variance. The notebook compares PCA with a linear autoencoder (4-2-4) by two "
    "scatter plots. These differ by a linear map even if both models are equal: the squared error determines "
    "the plane, not the axes in it (Baldi and Hornik 1989). The principal angles between the planes do not "
    "depend on the axes."
)


def models(seed: int) -> dict[str, AutoEncoder]:
    """Return linear 4-2-4 networks: trained from PCA, trained from random weights, and not trained."""
    return {
        AT_PCA: network(seed, STEPS),
        TRAINED: network(seed, STEPS, init="orthogonal", learning_rate=0.1),
        # The learning rate is too small to change the weights visibly.
        BEFORE: network(seed, 1, init="orthogonal", learning_rate=1e-9),
    }


def network(seed: int, epochs: int, init: str = "pca", learning_rate: float | str = "auto") -> AutoEncoder:
    """Return a linear 4-2-4 network that takes one step per epoch and minimises the squared error."""
    return zoo.linear(
        2,
        epochs=epochs,
        init=init,
        learning_rate=learning_rate,
        likelihood=Gaussian(variance=1.0),
        scale="none",
        batch_size=150,
        validation=0.0,
        random_state=seed,
        compute=Compute(threads=1),
    )


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Fit PCA and the networks, and compare the planes that they span; images and epochs are not used."""
    iris = load_iris()
    X = StandardScaler().fit_transform(iris.data).astype(np.float32)
    pca = PCA().fit(X)
    plane = pca.components_[:2].T
    fitted = {name: model.fit(X) for name, model in models(seed).items()}
    shares = 100 * pca.explained_variance_ratio_
    best = float(np.square(X - (X @ plane) @ plane.T).mean())
    rows = {"PCA": {ERROR: best, LARGEST: 0.0, SMALLEST: 0.0}}
    rows |= {name: measures(model, X, plane) for name, model in fitted.items()}
    printed = listed([f"{share:.2f} %" for share in shares])
    return Chapter(
        title="PCA and the linear autoencoder, on Iris",
        paragraphs=[EXPLANATION.format(printed=printed)],
        columns=[Column(ERROR, numbers.ERROR), Column(LARGEST, 2), Column(SMALLEST, 2)],
        rows=rows,
        whose=WHOSE,
        pictures=[picture(fitted[TRAINED].transform(X), X @ plane, iris.target_names[iris.target])],
        claims=[
            Claim(
                "The explained variances of Iris are 72.96, 22.85, 3.67 and 0.52 %.",
                Source.NOTEBOOK,
                bool(np.abs(shares - PRINTED_SHARES).max() < 0.01),
                f"They are {printed}.",
            ),
            the_plane_is_learned(rows),
        ],
        about_images=False,
    )


def measures(model: AutoEncoder, X: np.ndarray, plane: np.ndarray) -> dict[str, float]:
    """Return the error, and the angles between the plane of a network and that of PCA, (F, 2)."""
    angles = np.degrees(subspace_angles(decoder_weights(model).double().numpy(), plane))
    return {
        ERROR: float(np.square(X - model.reconstruct(X)).mean()),
        LARGEST: float(angles.max()),
        SMALLEST: float(angles.min()),
    }


def the_plane_is_learned(rows: Mapping[str, Mapping[str, float]]) -> Claim:
    """Compare the plane that is trained from random weights with that of PCA."""
    best, trained = rows["PCA"][ERROR], rows[TRAINED]
    return Claim(
        "A linear autoencoder with squared error learns the plane of PCA.",
        Source.NOTEBOOK,
        every(below(trained[LARGEST], 0.1), trained[ERROR] < best * (1 + 1e-4)),
        f"After {counted(STEPS, 'step')} from random weights the larger angle to PCA's plane is "
        f"{angle(trained[LARGEST])} (before training {angle(rows[BEFORE][LARGEST])}), and the error is "
        f"{decimal(trained[ERROR], numbers.ERROR)} (PCA {decimal(best, numbers.ERROR)}). A network that starts at PCA "
        f"ends with {angle(rows[AT_PCA][LARGEST])}.",
    )


def angle(degrees: float) -> str:
    """Return an angle in words."""
    return f"{degrees:.2f}°" if degrees >= 0.005 else "less than 0.01°"


def picture(codes: np.ndarray, scores: np.ndarray, names: np.ndarray) -> Picture:
    """Draw PCA's scores, the codes, and the codes after the linear map that brings them closest to PCA's scores."""
    centred = codes - codes.mean(0)
    turned = centred @ np.linalg.lstsq(centred, scores, rcond=None)[0]
    panels: dict[str, tuple[np.ndarray, Whose]] = {
        "PCA": (scores, "pca"),
        "linear autoencoder": (codes, "isthmus"),
        "the same, on PCA's axes": (turned, "isthmus"),
    }
    ink = [COLOURS[""]] * len(np.unique(names))
    drawn = [
        Panel(title, plots.png(plots.scatter_classes(points, names, ink, shapes=True)), whose)
        for title, (points, whose) in panels.items()
    ]
    caption = (
        "150 flowers by two numbers each; the shape of a point is its species. First PCA; then the axes that the "
        "linear autoencoder happens to find from random weights; then the same codes after the linear map that brings "
        "them closest to PCA's scores."
    )
    return Picture("iris", caption, drawn, "plots")
