import numpy as np
import pytest
from sklearn.decomposition import PCA

from isthmus.data import load_dataset
from isthmus.paper.images import images_of
from isthmus.paper.networks import Run
from isthmus.paper.pca import fit_pca


@pytest.fixture(scope="module")
def digits():
    return images_of(load_dataset("digits"))


def test_pca_is_scikit_learns_at_every_size(digits):
    runs = [Run(f"pca-{k}", "pca", k) for k in (2, 8)]
    for run, result in zip(runs, fit_pca(runs, digits), strict=True):
        pca = PCA(run.latent).fit(digits.train)
        expected = np.square(pca.inverse_transform(pca.transform(digits.test)) - digits.test).mean()
        assert result.quality.mse == pytest.approx(expected, rel=1e-4)
        assert result.clipped_mse < result.quality.mse
