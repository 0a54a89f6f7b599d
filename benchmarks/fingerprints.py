"""Hash what every preset, table, stream and task computes, to see whether a change of structure changes a number.

Run it before and after::

    python -m benchmarks.fingerprints before.json        # write them
    python -m benchmarks.fingerprints after.json --against before.json

A hash is of the bytes of codes, reconstructions and scores, computed on one thread from one seed; values of the first
rows are kept beside it, so that a comparison can tell how large a difference is. Run both on the same machine.
"""

import argparse
import hashlib
import inspect
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import scipy.sparse

import isthmus
from isthmus import AnomalyDetector, AutoEncoder, Imputer
from isthmus.zoo.family import FAMILIES

KEPT = 200
"""Values of each result that are kept for comparison."""
SETTINGS: dict[str, dict[str, Any]] = {
    "k_sparse": {"latent": 32, "top_k": 8},
    "overcomplete": {"latent": 80},
    "winner_take_all": {"latent": 32},
    "contractive": {"latent": 16},
    "convolutional": {"shape": "signal", "channels": (4, 8)},
    "convolutional_variational": {"shape": "signal", "channels": (4, 8)},
    "vector_quantised": {"codes": 64, "width": 2},
    "importance_weighted": {"samples": 3},
}


def digits() -> np.ndarray:
    """(1797, 64) in [0, 1], float32."""
    from sklearn.datasets import load_digits

    return (load_digits().data / 16).astype(np.float32)


def mixed_frame(rows: int = 400, counts: bool = True) -> pd.DataFrame:
    """Return a table with numbers, text, counts, booleans, times and gaps."""
    rng = np.random.default_rng(5)
    size = rng.normal(size=rows)
    frame = pd.DataFrame(
        {
            "size": size,
            "weight": 3 * size + rng.normal(size=rows),
            "price": np.exp(size + rng.normal(size=rows)).round(2),
            "city": np.array(["Lyon", "Lille", "Nice"])[np.clip(np.round(size + 1), 0, 2).astype(int)],
            "grade": pd.Categorical(
                np.array(["low", "mid", "high"])[np.clip(np.round(size + 1), 0, 2).astype(int)],
                ["low", "mid", "high"],
                ordered=True,
            ),
            "member": rng.random(rows) < 0.4,
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, rows), unit="s"),
        }
    )
    if counts:
        frame["visits"] = rng.poisson(np.exp(1 + 0.5 * size))
    for name in ("size", "price", "city"):
        frame.loc[rng.random(rows) < 0.1, name] = None
    return frame


def presets() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Every preset on digits."""
    for family in FAMILIES.values():
        for make in family:
            yield f"preset {make.__name__}", lambda make=make: preset(make)


def preset(make: Callable[..., Any]) -> dict[str, Any]:
    X = digits()
    settings = {"latent": 8, "epochs": 3, "random_state": 0} | SETTINGS.get(make.__name__, {})
    found = used(make(**settings).fit(X[:600]), X[600:900])
    partial = make(**settings).partial_fit(X[:300]).partial_fit(X[300:600])
    return found | {"partial_fit": partial.transform(X[600:900])}


def used(model: Any, X: Any) -> dict[str, Any]:
    """Return what a model makes of rows."""
    found = {
        "transform": model.transform(X),
        "reconstruct": model.reconstruct(X),
        "score_samples": model.score_samples(X),
        "score_columns": model.score_columns(X),
        "reconstruction_error": model.reconstruction_error(X),
        "val_loss": model.history_["loss"],
    }
    if hasattr(model, "sample"):
        found["sample"] = model.sample(20, random_state=0, noise=False)
        found["sample with noise"] = model.sample(20, random_state=0, noise=True)
    if hasattr(model, "log_likelihood"):
        found["log_likelihood"] = model.log_likelihood(X[:20], importance_samples=5)
    if hasattr(model, "indices"):
        found["indices"] = model.indices(X)
    return found


def weighted() -> dict[str, Any]:
    """Sample weights."""
    X, weight = digits(), np.random.default_rng(0).integers(0, 3, 600).astype(float)
    return used(AutoEncoder(8, epochs=3, random_state=0).fit(X[:600], sample_weight=weight), X[600:800])


def settings() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Yield settings of `AutoEncoder` on digits."""
    from isthmus import KL, L1, Dense, Gaussian, Laplace, StudentT

    known: dict[str, dict[str, Any]] = {
        "defaults": {},
        "share": {"latent": 0.8},
        "paper": {"hidden": (128,), "activation": "relu", "init": "torch", "schedule": "constant"},
        "tanh": {"activation": "tanh"},
        "tied": {"decoder": "tied"},
        "learned variance": {"likelihood": Gaussian("learned"), "scale": "standard"},
        "bernoulli": {"likelihood": "bernoulli"},
        "continuous bernoulli": {"likelihood": "continuous_bernoulli"},
        "laplace": {"likelihood": Laplace(), "scale": "standard"},
        "student": {"likelihood": StudentT(), "scale": "standard"},
        "norm": {"encoder": Dense((32,), norm="batch", dropout=0.1)},
        "two penalties": {"code": "gaussian", "penalty": [KL(), L1()]},
        "layerwise": {"hidden": (64, 32), "init": "layerwise"},
        "float64": in_float64(),
        "adamw": {"optimizer": "adamw", "schedule": "one_cycle"},
        "minmax": {"scale": "minmax"},
    }
    for name, given in known.items():
        yield f"setting {name}", lambda given=given: fitted_digits(given)


def in_float64() -> dict[str, Any]:
    """Return the setting of float64, which was a parameter of its own once."""
    compute = getattr(isthmus, "Compute", None)
    return {"precision": "float64"} if compute is None else {"compute": compute(precision="float64")}


def fitted_digits(given: dict[str, Any]) -> dict[str, Any]:
    X = digits()
    return used(AutoEncoder(**{"latent": 8, "epochs": 3, "random_state": 0} | given).fit(X[:600]), X[600:800])


def tables() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Mixed frames."""

    def mixed(counts: bool, **given: Any) -> dict[str, Any]:
        frame = mixed_frame(counts=counts)
        model = AutoEncoder(4, epochs=5, random_state=0, **given).fit(frame[:300])
        return used(model, frame[300:]) | {"columns": repr(model.columns_)}

    yield "table without counts", lambda: mixed(False)
    yield "table with counts", lambda: mixed(True)
    yield "table student_t", lambda: mixed(False, columns={"weight": "student_t"})
    yield "table poisson", lambda: mixed(True, columns={"visits": "poisson"})
    yield "table orthogonal", lambda: mixed(False, init="orthogonal")

    def numbers() -> dict[str, Any]:
        frame = mixed_frame()[["weight", "visits"]].assign(twice=lambda f: 2 * f.weight)
        return used(AutoEncoder(2, epochs=5, random_state=0).fit(frame[:300]), frame[300:])

    yield "frame of numbers", numbers

    def gaps() -> dict[str, Any]:
        X = digits()
        X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
        return used(AutoEncoder(8, epochs=3, random_state=0).fit(X[:400]), X[400:500])

    yield "array with gaps", gaps


def sparse() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Sparse matrices, narrow and wide."""

    def counts(columns: int, likelihood: str) -> dict[str, Any]:
        X = scipy.sparse.random_array((500, columns), density=0.03, rng=np.random.default_rng(0), format="csr")
        X.data[:] = 1 + np.floor(4 * X.data) if likelihood != "bernoulli" else 1.0
        return used(AutoEncoder(5, epochs=3, random_state=0, likelihood=likelihood).fit(X[:400]), X[400:])

    for columns in (100, 2000):
        for likelihood in ("poisson", "multinomial", "negative_binomial", "bernoulli", "gaussian"):
            yield f"sparse {columns} {likelihood}", lambda c=columns, name=likelihood: counts(c, name)


def streams() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Yield sources that are read in pieces."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    X = digits().astype(np.float64)

    def fitted(source: Any, use: Any) -> dict[str, Any]:
        model = AutoEncoder(8, epochs=2, random_state=0).fit(source)
        return {name: np.asarray(getattr(model, name)(use)) for name in ("transform", "reconstruct", "score_samples")}

    def function() -> dict[str, Any]:
        return fitted(lambda: iter(np.array_split(X, 7)), X[:100])

    def npy() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/x.npy", X)
            return fitted(f"{folder}/x.npy", f"{folder}/x.npy")

    def parquet() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            table = pa.table({f"c{j}": X[:, j] for j in range(20)})
            pq.write_table(table, f"{folder}/x.parquet", row_group_size=300)
            return fitted(Path(folder), Path(folder))

    def mixed_parquet() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            mixed_frame(counts=False).to_parquet(f"{folder}/x.parquet", row_group_size=150)
            model = AutoEncoder(4, epochs=2, random_state=0).fit(Path(folder))
            return {name: getattr(model, name)(Path(folder)) for name in ("transform", "score_samples")}

    yield "stream function", function
    yield "stream npy", npy
    yield "stream parquet", parquet
    yield "stream mixed parquet", mixed_parquet


NAMES = {"histogram": "marginals", "mahalanobis": "linear", "residual": "mahalanobis"}
"""Methods whose names an older version had otherwise."""


def anomalies() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Every method of detection."""
    new = next(iter(inspect.signature(AnomalyDetector).parameters)) == "setting"
    for setting in ("clean", "contaminated"):
        for method in ("denoiser", "residual", "likelihood", "mahalanobis", "neighbours", "histogram", "auto"):
            name = method if new else NAMES.get(method, method)
            yield f"anomaly {setting} {method}", lambda m=name, s=setting: detected(m, s)
        yield f"anomaly mixed {setting}", lambda s=setting: detected_mixed(s)
    yield "anomaly held out", held_out


def detected(method: str, setting: str) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6)) + 0.2 * rng.normal(size=(300, 6))
    detector = AnomalyDetector(method=method, setting=setting, random_state=0).fit(X)
    new = np.concatenate([X[:20], X[:20] + rng.normal(size=(20, 6))])
    explained = detector.explain(new[20:25])
    return {
        "score_samples": detector.score_samples(new),
        "predict": detector.predict(new),
        "decision_scores": detector.decision_scores_,
        "contributions": explained.contributions,
        "expected": explained.expected,
    }


def detected_mixed(setting: str) -> dict[str, Any]:
    frame = mixed_frame(counts=False)
    detector = AnomalyDetector(setting=setting, random_state=0).fit(frame[:300])
    explained = detector.explain(frame[300:305])
    return {
        "score_samples": detector.score_samples(frame[300:]),
        "contributions": explained.contributions,
        "expected": explained.expected,
    }


def held_out() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 2)) @ rng.normal(size=(2, 6)) + 0.2 * rng.normal(size=(1500, 6))
    detector = AnomalyDetector(setting="clean", fdr=0.1, random_state=0).fit(X)
    drift = detector.drift(X[:200] + 1)
    return {
        "pvalues": detector.pvalues(X[:50] + 1),
        "weighted": detector.pvalues(X[:50], weighted=True),
        "threshold": np.array([detector.threshold_]),
        "drift": np.array([drift.evidence, float(drift.since or 0)]),
    }


def imputers() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Yield the imputer, on mixed tables and on numbers."""

    def frame(counts: bool) -> dict[str, Any]:
        imputer = Imputer(members=2, random_state=0).fit(mixed_frame(counts=counts))
        return {
            "transform": imputer.transform(mixed_frame(counts=counts)),
            "draw": next(imputer.draws(mixed_frame(counts=counts), 1, random_state=0)),
        }

    def numbers() -> dict[str, Any]:
        X = digits()[:300, 20:44]
        X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
        return {"transform": Imputer(members=2, random_state=0).fit_transform(X)}

    yield "imputer mixed", lambda: frame(False)
    yield "imputer counts", lambda: frame(True)
    yield "imputer numbers", numbers


def everything() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """All cases, by name."""
    yield "weights", weighted
    for part in (presets, settings, tables, sparse, streams, anomalies, imputers):
        yield from part()


def plain(value: Any) -> tuple[bytes, list[Any]]:
    """Return the bytes of a result, and some of its values."""
    if isinstance(value, pd.DataFrame):
        text = value.to_csv(float_format="%.17g")
        return text.encode(), [str(cell) for cell in value.to_numpy(dtype=object).ravel()[:KEPT]]
    if isinstance(value, str):
        return value.encode(), [value]
    array = np.ascontiguousarray(value)
    return array.tobytes(), array.ravel()[:KEPT].tolist()


def fingerprint(results: dict[str, Any]) -> dict[str, Any]:
    """Return the hash of each result, and some of its values."""
    found = {}
    for name, value in results.items():
        content, some = plain(value)
        found[name] = {"hash": hashlib.sha256(content).hexdigest()[:16], "some": some}
    return found


def difference(one: list[Any], other: list[Any]) -> str:
    """Say how far some values are apart."""
    try:
        a, b = np.array(one, dtype=np.float64), np.array(other, dtype=np.float64)
    except ValueError:
        return f"{sum(x != y for x, y in zip(one, other, strict=False))} of {len(one)} cells differ"
    if a.shape != b.shape:
        return f"shapes {a.shape} and {b.shape}"
    return f"at most {np.nanmax(np.abs(a - b), initial=0):.3g}, of values up to {np.nanmax(np.abs(a), initial=0):.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--against", type=Path, help="an earlier output to compare with")
    parser.add_argument("--only", nargs="*", default=[""], help="beginnings of the names of cases")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    before = json.loads(options.against.read_text()) if options.against else {}
    found: dict[str, Any] = {}
    same = other = 0
    for name, case in everything():
        if not name.startswith(tuple(options.only)):
            continue
        try:
            found[name] = fingerprint(case())
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}")
            found[name] = {}
        for what, known in before.get(name, {}).items():
            now = found[name].get(what)
            if now is not None and now["hash"] == known["hash"]:
                same += 1
                continue
            other += 1
            print(f"{name}, {what}: " + ("missing" if now is None else difference(known["some"], now["some"])))
        sys.stdout.flush()
        options.output.write_text(json.dumps(found))
    print(f"{len(found)} cases; {same} results the same, {other} differ" if before else f"{len(found)} cases")


if __name__ == "__main__":
    main()
