"""Every preset of the zoo on MNIST: reconstruction error, codes, and the property that gives the preset its name.

python -m benchmarks.zoo [--quick] [--full] [--promises] [--only NAME ...] [--json FILE]

Table. Every preset is trained once with seed 0, for 12 epochs on one thread: dense ones are 784-256-32-256-784 (sparse
and contractive ones have a single layer of 256 or 1,000 units). `error` is the mean squared error per pixel on the
10,000 test images, with grey levels in [0, 1]. `probe` is the accuracy in % on all test images of a multinomial
logistic regression on standardised codes of all training images. Published, with a linear classifier: raw pixels 92.80,
k-sparse codes of 1,000 units with k = 25 98.65, denoising ones 98.05 (Makhzani and Frey 2013); contractive ones,
fine-tuned, 98.86 (Rifai et al. 2011). `seconds` is the training time.

Facts. "L0": units that are on per test image; "lifetime": share of images for which a unit is on; "jacobian": ‖∂z/∂x‖²;
"TC": mutual information of coordinates of codes drawn for 1,000 test images, summed over the pairs; "codebook": share
of the codewords that the test images use; "active": coordinates of the posterior's mean with a variance above 0.01;
"fréchet": distance of 10,000 samples from the test images on features of a small classifier trained here (not the FID);
the distance of 10,000 training images is printed first. "Plain" is the same shape without the penalty.

What presets promise by their names, on six data sets, is in `benchmarks/promises.py` (--promises).

Likelihoods. 784-400-20 variational and importance-weighted (k = 5) models of binarised images (each pixel drawn once),
log p(x) of 1,000 test images by 500 importance samples. Published, for other networks and many more epochs, dynamic
binarisation: VAE 86.76 nats (one stochastic layer, 200 + 200 units, 50 latent), IWAE k = 5 85.54, k = 50 84.78 (Burda,
Grosse and Salakhutdinov 2016).

--full: 60 epochs instead of 12 for the features with published errors (k-sparse, winner-take-all, denoising and
contractive ones of 1,000 units, also fine-tuned with the labels). The likelihoods use 784-200-200-50 and k = 50 over
100 epochs.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Generator

from benchmarks import promises
from benchmarks.features import SmallClassifier, fine_tuned, grey, linear_probe
from isthmus import AutoEncoder, Bernoulli, Compute, Dense, Deterministic, Masking, zoo
from isthmus.core import jacobian
from isthmus.core.divergences import pairwise_information
from isthmus.data import load_dataset

LATENT, WIDE = 32, 256
DENSE = {"latent": LATENT, "hidden": (256,)}
PRESETS: dict[str, Callable[..., AutoEncoder]] = {
    "linear": lambda **s: zoo.linear(LATENT, **s),
    "undercomplete": lambda **s: zoo.undercomplete(**DENSE, **s),
    "stacked": lambda **s: zoo.stacked(LATENT, (256, 128), **s),
    "ordered": lambda **s: zoo.ordered(**DENSE, **s),
    "denoising": lambda **s: zoo.denoising(**DENSE, **s),
    # Of single pixels and dense layers; `benchmarks.restoring` measures what it is for, images with holes.
    "masked": lambda **s: zoo.masked(
        LATENT, encoder=Dense((256,)), corruption=Masking(0.25, mark=True, score="hidden"), **s
    ),
    "overcomplete": lambda **s: zoo.overcomplete(1000, **s),
    "sparse": lambda **s: zoo.sparse(WIDE, **s),
    "k_sparse": lambda **s: zoo.k_sparse(1000, 25, **s),
    "winner_take_all": lambda **s: zoo.winner_take_all(1000, **s),
    "contractive": lambda **s: zoo.contractive(WIDE, **s),
    "variational": lambda **s: zoo.variational(**DENSE, **s),
    "variational, bernoulli": lambda **s: zoo.variational(**DENSE, likelihood="bernoulli", **s),
    "beta_tcvae": lambda **s: zoo.beta_tcvae(**DENSE, **s),
    "importance_weighted": lambda **s: zoo.importance_weighted(**DENSE, **s),
    "wasserstein": lambda **s: zoo.wasserstein(**DENSE, **s),
    "info_vae": lambda **s: zoo.info_vae(**DENSE, **s),
    "adversarial": lambda **s: zoo.adversarial(**DENSE, **s),
    "vector_quantised": lambda **s: zoo.vector_quantised(**DENSE, **s),
    "finite_scalar_quantised": lambda **s: zoo.finite_scalar_quantised(**DENSE, **s),
    "convolutional": lambda **s: zoo.convolutional((28, 28), LATENT, (16, 32), **s),
    "convolutional_variational": lambda **s: zoo.convolutional_variational((28, 28), LATENT, (16, 32), **s),
}
FEATURES: dict[str, Callable[..., AutoEncoder]] = {
    "k_sparse": PRESETS["k_sparse"],
    "winner_take_all": PRESETS["winner_take_all"],
    "denoising, 1,000 units": PRESETS["overcomplete"],
    "contractive, 1,000 units": lambda **s: zoo.contractive(1000, **s),
}
"""Networks whose errors have been published."""
PLAIN = {
    "contractive": lambda **s: AutoEncoder(WIDE, (), code=Deterministic("sigmoid"), decoder="tied", **s),
    "beta_tcvae": PRESETS["variational"],
    "sparse": lambda **s: AutoEncoder(WIDE, (), code=Deterministic("sigmoid"), **s),
}
"""Networks of the same shape without what the preset adds."""


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the 5,000 embedded images, 6 epochs")
    parser.add_argument("--only", nargs="+", choices=[*PRESETS, *FEATURES], help="presets to measure (default: all)")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    parser.add_argument("--promises", action="store_true", help="what presets promise, on six data sets, instead")
    parser.add_argument("--full", action="store_true", help="the longer protocols instead of the table")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.promises:
        promises.measured(given.quick, list(promises.PARTS), list(promises.DATA), 1, given.json)
        return
    data = load_dataset("mnist-5k" if given.quick else "mnist")
    settings = {"epochs": 6 if given.quick else 12, "compute": Compute(threads=1), "random_state": 0}
    results = longer(data, given.quick, given.only) if given.full else table(data, settings, given.only)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


def show(name: str, row: dict[str, Any]) -> None:
    """Print one line."""
    cells = [f"{key} {value:.5g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()]
    print(f"{name:<27}{'  '.join(cells)}", flush=True)


def table(data: Any, settings: dict[str, Any], only: list[str] | None) -> dict[str, dict[str, Any]]:
    """Measure PCA, the presets, and the likelihoods of binarised images."""
    classifier = SmallClassifier(data, epochs=5)
    results = {
        "classifier": {"accuracy": classifier.accuracy, "fréchet of training images": classifier.of_training_images},
        "pca": pca_row(data),
    }
    for name, row in results.items():
        show(name, row)
    for name in only or PRESETS:
        results[name] = measured(name, data, settings, classifier)
        show(name, results[name])
    return results if only else results | likelihoods(data, settings, (400,), 20, 5)


def longer(data: Any, quick: bool, only: list[str] | None) -> dict[str, dict[str, Any]]:
    """Measure what is published: features under a linear classifier and fine-tuned, and likelihoods."""
    settings = {"epochs": 2 if quick else 60, "compute": Compute(threads=1), "random_state": 0}
    results = {}
    for name in only or FEATURES:
        model, row = fitted(FEATURES[name], data, settings)
        row["probe"] = probe(model.transform(data.X), model.transform(data.X_test), data)
        row["fine-tuned"] = fine_tuned(model, data)
        results[name] = row
        show(name, row)
    if only:
        return results
    return results | likelihoods(data, settings | {"epochs": 2 if quick else 100}, (200, 200), 50, 50)


def fitted(make: Callable[..., AutoEncoder], data: Any, settings: dict[str, Any]) -> tuple[AutoEncoder, dict[str, Any]]:
    """Train a model; return it with the seconds and the error."""
    start = time.perf_counter()
    model = make(**settings).fit(data.X)
    seconds = time.perf_counter() - start
    error = float(np.mean((model.reconstruct(data.X_test) / 255 - grey(data.X_test).numpy()) ** 2))
    return model, {"seconds": seconds, "error": error}


def measured(name: str, data: Any, settings: dict[str, Any], classifier: SmallClassifier) -> dict[str, Any]:
    """Train a preset and measure it."""
    model, row = fitted(PRESETS[name], data, settings)
    row["probe"] = probe(model.transform(data.X), model.transform(data.X_test), data)
    if model.network_.prior is not None:
        row["fréchet"] = classifier.distance(model.sample(10_000, random_state=0, noise=False))
    return row | facts(name, model, data, settings)


def pca_row(data: Any) -> dict[str, Any]:
    """Measure PCA of the same size, and the probe on raw pixels."""
    train, test = grey(data.X).numpy(), grey(data.X_test).numpy()
    pca = PCA(LATENT, svd_solver="covariance_eigh").fit(train)
    error = float(np.mean((pca.inverse_transform(pca.transform(test)) - test) ** 2))
    codes = probe(pca.transform(train), pca.transform(test), data)
    return {"error": error, "probe": codes, "probe of raw pixels": probe(train, test, data)}


def probe(train: np.ndarray, test: np.ndarray, data: Any) -> float:
    """Return the accuracy in % of a linear classifier on codes."""
    return linear_probe(train, test, data.y, data.y_test)


def facts(name: str, model: AutoEncoder, data: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Measure the property that gives a preset its name, next to a plain network of the same shape."""
    plain = PLAIN[name](**settings).fit(data.X) if name in PLAIN else None
    found: dict[str, Any] = {}
    if name in ("k_sparse", "winner_take_all", "sparse"):
        z = model.transform(data.X_test)
        on = np.abs(z) > (0.5 if name == "sparse" else 0)
        found = {"L0": float(on.sum(1).mean()), "lifetime": float(on.mean(0).mean()), "mean code": float(z.mean())}
        if plain is not None:
            found["mean code, plain"] = float(plain.transform(data.X_test).mean())
    if name in ("contractive", "beta_tcvae"):
        what, measure = ("jacobian", jacobian_norm) if name == "contractive" else ("TC", correlation)
        found = {what: measure(model, data), f"{what}, plain": measure(plain, data)}
    if name in ("vector_quantised", "finite_scalar_quantised"):
        found["codebook"] = len(np.unique(model.indices(data.X_test))) / model.network_.code.count
    if model.network_.code.has_posterior:
        found["active"] = model.history_.health["active_units"]
    return found


def jacobian_norm(model: Any, data: Any) -> float:
    """Return the mean of ‖∂z/∂x‖² over 500 test images."""
    x = grey(data.X_test[:500])
    return jacobian.exact(lambda rows: model.network_.encode(rows).mean, x).mean().item()


@torch.no_grad()
def correlation(model: Any, data: Any) -> float:
    """Return the mutual information between coordinates of the codes of 1,000 test images, summed over the pairs."""
    posterior = model.network_.encode(grey(data.X_test[:1000])).posterior
    noise = torch.empty_like(posterior.mean).normal_(generator=Generator().manual_seed(0))
    return float(pairwise_information(posterior.mean + posterior.stddev * noise, posterior).mean())


def likelihoods(
    data: Any, settings: dict[str, Any], hidden: tuple[int, ...], latent: int, samples: int
) -> dict[str, dict[str, Any]]:
    """Train on binarised images and estimate log p(x)."""
    rng = np.random.default_rng(0)
    train, test = (
        (rng.random(X.shape, dtype=np.float32) < grey(X).numpy()).astype(np.uint8) for X in (data.X, data.X_test[:1000])
    )
    results = {}
    shape: dict[str, Any] = {"hidden": hidden, "likelihood": Bernoulli(), "scale": "none"}
    for name, model in (
        ("variational", zoo.variational(latent, **shape, **settings)),
        ("importance_weighted", zoo.importance_weighted(latent, samples, **shape, **settings)),
    ):
        start = time.perf_counter()
        model.fit(train)
        seconds = time.perf_counter() - start
        nats = -float(model.log_likelihood(test, importance_samples=500).mean())
        bound = float(np.nanmin(model.history_["val_loss"]))
        results[f"{name}, bits"] = {"seconds": seconds, "-log p(x), nats": nats, "validation bound": bound}
        show(f"{name}, bits", results[f"{name}, bits"])
    return results


if __name__ == "__main__":
    main()
