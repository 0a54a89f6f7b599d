"""One digit against the rest, in images and speech: the AUROC of our detector, IsolationForest and PCA."""

import os
from argparse import Namespace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import wavfile
from scipy.signal import spectrogram
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from benchmarks.cached import Cache, Job, complete, digest

NAMES = ("IsolationForest", "PCA", "isthmus")
FRAMES, BANDS = 16, 16
"""Number of time frames and frequency bands into which a spoken digit is divided."""


@lru_cache(maxsize=2)
def digits(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return rows and classes for training, then for testing."""
    if kind == "mnist":
        from isthmus.data import load_dataset

        data = load_dataset("mnist")
        return data.X, data.y, data.X_test, data.y_test
    files = sorted(Path(os.environ["ISTHMUS_DATA"], "fsdd", "recordings").glob("*.wav"))
    rows = np.stack([spoken(path) for path in files])
    labels = np.array([int(path.name.split("_")[0]) for path in files])
    # The data set defines the first five recordings of each speaker and digit as test data.
    test = np.array([int(path.stem.split("_")[2]) < 5 for path in files])
    return rows[~test], labels[~test], rows[test], labels[test]


def spoken(path: Path) -> np.ndarray:
    """Return the log power of a recording in FRAMES time frames and BANDS frequency bands, (FRAMES · BANDS,)."""
    rate, signal = wavfile.read(path)
    signal = np.pad(signal.astype(np.float64), (0, max(0, 256 - len(signal))))
    _, _, power = spectrogram(signal, rate, nperseg=256, noverlap=192)
    loud = np.log10(power + 1e-3)
    in_time = np.stack([part.mean(1) for part in np.array_split(loud, FRAMES, axis=1) if part.shape[1]], axis=1)
    in_time = np.pad(in_time, ((0, 0), (0, FRAMES - in_time.shape[1])), mode="edge")
    return np.stack([part.mean(0) for part in np.array_split(in_time, BANDS, axis=0)]).ravel()


def measured(job: Job) -> dict[str, Any]:
    """Fit on one digit and score the test rows of all digits."""
    X, y, X_test, y_test = digits(job["table"])
    fitted = X[y == job["seed"]]
    if job["contender"] == "IsolationForest":
        scores = -IsolationForest(random_state=0).fit(fitted).score_samples(X_test)
    elif job["contender"] == "PCA":
        model = PCA(0.9, svd_solver="full").fit(fitted.astype(np.float64))
        reconstructed = model.inverse_transform(model.transform(X_test.astype(np.float64)))
        scores = np.square(X_test - reconstructed).sum(1)
    else:
        from isthmus import AnomalyDetector

        scores = -AnomalyDetector(setting="clean", random_state=0).fit(fitted).score_samples(X_test)
    return {"auroc": float(roc_auc_score(y_test != job["seed"], scores))}


def compare(options: Namespace, cache: Cache) -> dict[str, Any]:
    """Measure what is missing and print every digit."""
    jobs: list[Job] = [
        {"part": "classes", "table": kind, "seed": digit, "contender": name, "settings": digest(FRAMES, BANDS)}
        for kind in options.tables or ("mnist", "spoken")
        for digit in range(10)
        for name in NAMES
    ]
    failed = 0 if options.report_only else complete(jobs, measured, cache, options.processes, options.redo)
    summary: dict[str, Any] = {}
    for kind in dict.fromkeys(job["table"] for job in jobs):
        print(
            f"\n{kind}: AUROC in %, each digit against the rest\n{'':18}{''.join(f'{d:7}' for d in range(10))}   mean"
        )
        for name in NAMES:
            row = [cache.get(job) for job in jobs if (job["table"], job["contender"]) == (kind, name)]
            values = [100 * found["auroc"] for found in row if found]
            print(f"{name:18}{''.join(f'{value:7.1f}' for value in values)}{np.mean(values):7.1f}")
            summary[f"{kind}, {name}"] = values
    return summary | {"failed": failed}
