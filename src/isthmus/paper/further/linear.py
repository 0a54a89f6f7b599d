"""PCA and the linear autoencoder on Iris: two scatter plots cannot tell whether they are the same; angles can."""

from typing import Any

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper.claims import Claim
from isthmus.paper.further.chapter import Chapter, Picture
from isthmus.paper.runs import Images
from isthmus.parts.likelihoods import Gaussian
from isthmus.reports import figures

PRINTED_SHARES = (72.96, 22.85, 3.67, 0.52)
STEPS = 1000
AT_PCA, TRAINED, BEFORE = "linear, started at PCA", "linear, from random weights", "the same before training"


def models(seed: int) -> dict[str, AutoEncoder]:
    """Return linear 4-2-4 networks: trained from PCA, from random weights, and those not trained."""
    settings: dict[str, Any] = {
        "likelihood": Gaussian(variance=1.0),
        "scale": "none",
        "batch_size": 150,
        "validation_fraction": 0.0,
        "random_state": seed,
        "threads": 1,
    }
    return {
        AT_PCA: zoo.linear(2, epochs=STEPS, **settings),
        TRAINED: zoo.linear(2, epochs=STEPS, init="orthogonal", learning_rate=0.1, **settings),
        # A rate too small to change anything that can be seen.
        BEFORE: zoo.linear(2, epochs=1, init="orthogonal", learning_rate=1e-9, **settings),
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Fit PCA and the three, compare the planes that they span; neither images nor epochs matter here."""
    iris = load_iris()
    X = StandardScaler().fit_transform(iris.data).astype(np.float32)
    pca = PCA().fit(X)
    plane = pca.components_[:2].T
    fitted = {name: model.fit(X) for name, model in models(seed).items()}
    shares = 100 * pca.explained_variance_ratio_
    best = float(np.square(X - (X @ plane) @ plane.T).mean())
    rows: dict[str, dict[str, float]] = {"PCA": {"error": best, "largest angle, °": 0.0, "smallest angle, °": 0.0}}
    for name, model in fitted.items():
        network: Any = model.network_
        angles = np.degrees(subspace_angles(network.decoder.weights[0].detach().double().numpy(), plane))
        rows[name] = {
            "error": float(np.square(X - model.reconstruct(X)).mean()),
            "largest angle, °": float(angles.max()),
            "smallest angle, °": float(angles.min()),
        }
    trained, before = rows[TRAINED], rows[BEFORE]
    printed = " %, ".join(f"{share:.2f}" for share in shares)
    return Chapter(
        title="PCA and the linear autoencoder, on Iris",
        paragraphs=[
            f"Iris, standardised: four measures of 150 flowers, of whose variance the principal components explain "
            f"{printed} %. The notebook compares PCA with a linear autoencoder (4-2-4) by two scatter plots, which "
            "differ by a linear map even where both models are equal: the squared error fixes the plane, not the axes "
            "in it (Baldi and Hornik 1989). The principal angles between the planes do not depend on the axes.",
        ],
        columns=["", "error", "largest angle, °", "smallest angle, °"],
        rows=rows,
        pictures=[picture(fitted[TRAINED].transform(X), X @ plane, iris.target_names[iris.target])],
        claims=[
            Claim(
                "The explained variances of Iris are 72.96, 22.85, 3.67 and 0.52 %.",
                bool(np.abs(shares - PRINTED_SHARES).max() < 0.01),
                f"They are {printed} %.",
            ),
            Claim(
                "A linear autoencoder with squared error learns the plane of PCA.",
                trained["largest angle, °"] < 0.1 and trained["error"] < best * (1 + 1e-4),
                f"After {STEPS} steps from random weights the larger angle to PCA's plane is "
                f"{trained['largest angle, °']:.2g}° (before: {before['largest angle, °']:.0f}°), the error "
                f"{trained['error']:.6f} (PCA {best:.6f}). Started at PCA it stays within "
                f"{rows[AT_PCA]['largest angle, °']:.2g}°.",
            ),
        ],
    )


def picture(codes: np.ndarray, scores: np.ndarray, names: np.ndarray) -> Picture:
    """Draw PCA's scores, the codes, and the codes brought to PCA's axes by the best linear map."""
    centred = codes - codes.mean(0)
    turned = centred @ np.linalg.lstsq(centred, scores, rcond=None)[0]
    panels = {"PCA": scores, "linear autoencoder": codes, "the same, on PCA's axes": turned}
    return Picture(
        "iris",
        figures.png(figures.scatter_plots(panels, names)),
        "150 flowers by two numbers each. Middle: as the linear autoencoder, trained from random weights, happens "
        "to lay its axes. Right: the same codes after the linear map that brings them nearest to PCA's.",
    )
