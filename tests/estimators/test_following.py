"""Streams whose columns change: the error on rows of the stream's ordinary kind stays at that of PCA of the stream."""

import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.decomposition import IncrementalPCA
from sklearn.preprocessing import StandardScaler

from isthmus import AutoEncoder, Gaussian

ROWS, FEATURES, RANK, PLACE = 60, 10, 3, 4


def stream(seed=0, chunks=12):
    """Chunks and held-out rows of rank 3 with noise, columns of very different units; ordinary throughout."""
    rng = np.random.default_rng(seed)
    directions, units = rng.normal(size=(RANK, FEATURES)), 10.0 ** rng.uniform(-2, 2, FEATURES)
    means = units * rng.normal(size=FEATURES)

    def drawn(rows):
        noise = 0.3 * rng.normal(size=(rows, FEATURES))
        return (rng.normal(size=(rows, RANK)) @ directions + noise) * units + means

    return [drawn(ROWS) for _ in range(chunks)], drawn(1000)


def changed(chunk, factor):
    """A chunk in which one column moves by a factor of what it does ordinarily."""
    chunk = chunk.copy()
    chunk[:, PLACE] = chunk[:, PLACE].mean() + factor * (chunk[:, PLACE] - chunk[:, PLACE].mean())
    return chunk


def error(rebuilt, rows):
    return float((((rebuilt - rows) ** 2).mean(0) / rows.var(0)).mean())


def model(**settings):
    return AutoEncoder(**{"latent": RANK, "hidden": (16,), "random_state": 0} | settings)


def error_of(chunks, rows, **settings):
    ae = model(**settings)
    for chunk in chunks:
        ae.partial_fit(chunk)
    return error(ae.reconstruct(rows), rows), ae


def floor(chunks, rows):
    scaler, pca = StandardScaler(), IncrementalPCA(RANK)
    for chunk in chunks:
        scaler.partial_fit(chunk)
        pca.partial_fit(scaler.transform(chunk))
    rebuilt = pca.inverse_transform(pca.transform(scaler.transform(rows)))
    return error(scaler.inverse_transform(rebuilt), rows)


@pytest.fixture(scope="module")
def ordinary():
    return stream()


@pytest.mark.parametrize("place", [0, 5])
@pytest.mark.parametrize("factor", [0, 1e-6, 1e-3, 1e-1, 10, 1e3, 1e6])
def test_one_chunk_unlike_the_others_leaves_no_error(ordinary, factor, place):
    chunks, rows = ordinary
    given = [changed(chunk, factor) if number == place else chunk for number, chunk in enumerate(chunks)]
    assert error_of(given, rows)[0] < 1.1 * floor(chunks, rows) + 0.01


@pytest.mark.parametrize("seed", range(3))
def test_an_even_stream_is_at_its_floor(seed):
    chunks, rows = stream(seed)
    assert error_of(chunks, rows)[0] < 1.05 * floor(chunks, rows)


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_a_slow_drift_is_followed(ordinary, rate):
    chunks, rows = ordinary
    given = [chunk + rate * (n - len(chunks) + 1) * rows.std(0) for n, chunk in enumerate(chunks)]
    assert error_of(given, rows)[0] < 1.3 * floor(given, rows)


def test_another_level_is_followed(ordinary):
    chunks, rows = ordinary
    given = [chunk if number > 3 else chunk + 50 * rows.std(0) for number, chunk in enumerate(chunks)]
    assert error_of(given, rows)[0] < 1.1 * floor(chunks[4:], rows)


def test_a_rest_in_between_is_not_taken_for_the_column(ordinary):
    chunks, rows = ordinary
    given = [*chunks[:4], *(changed(chunk, 1e-3) for chunk in chunks[4:8])]
    ae = error_of(given, rows)[1]
    assert ae.scaling_.scale[PLACE] > 0.3 * rows[:, PLACE].std()


@pytest.mark.parametrize("factor", [0, 1e-6, 1e6])
@pytest.mark.parametrize("settings", [{"hidden": ()}, {"likelihood": Gaussian("columns")}, {"corruption": "masking"}])
def test_other_networks_follow_too(ordinary, factor, settings):
    chunks, rows = ordinary
    given = [changed(chunks[0], factor), *chunks[1:]]
    assert error_of(given, rows, **settings)[0] < 2 * error_of(chunks, rows, **settings)[0] + 0.05


@pytest.mark.parametrize(
    "settings", [{"likelihood": "laplace"}, {"decoder": "tied", "hidden": (6,)}, {"init": "orthogonal"}]
)
def test_networks_that_cannot_absorb_units_change_them_at_a_jump(ordinary, settings):
    chunks, rows = ordinary
    given = [changed(chunks[0], 1e-6), *chunks[1:]]
    assert error_of(given, rows, **settings)[0] < 1.2


def test_sparse_chunks_follow(ordinary):
    chunks, rows = ordinary
    dense = [changed(chunks[0] - chunks[0].mean(0), 0), *(chunk - chunks[0].mean(0) for chunk in chunks[1:])]
    one, ae = error_of(dense, rows - chunks[0].mean(0))
    other, sparse = error_of([scipy.sparse.csr_array(chunk) for chunk in dense], rows - chunks[0].mean(0))
    assert one == pytest.approx(other, rel=1e-2)
    torch.testing.assert_close(ae.scaling_.scale, sparse.scaling_.scale, rtol=1e-6, atol=0)


@pytest.mark.parametrize("rows", [1, 7])
def test_chunks_of_few_rows_begin_to_move(ordinary, rows):
    chunks, held_out = ordinary
    whole = np.concatenate(chunks)
    given = [changed(whole[:60], 0), *(whole[start : start + rows] for start in range(60, 60 + 50 * rows, rows))]
    assert error_of(given, held_out)[0] < 1


def test_scores_follow_a_jump(ordinary):
    chunks, rows = ordinary
    plain = error_of(chunks, rows, likelihood=Gaussian("columns"))[1].score(rows)
    wild = error_of([changed(chunks[0], 1e6), *chunks[1:]], rows, likelihood=Gaussian("columns"))[1].score(rows)
    assert wild > plain - 1


def test_all_columns_at_rest_at_first(ordinary):
    chunks, rows = ordinary
    with pytest.warns(UserWarning, match=r"all values before this chunk were in \[0, 1\], and column 0 now goes from"):
        found, ae = error_of([np.zeros((ROWS, FEATURES)), *chunks], rows)
    assert found < 1.1 * floor(chunks, rows)
    assert ae.latent_ == RANK
    assert ae.n_iter_ == len(ae.history_) == 1 + len(chunks)


def test_values_that_leave_0_to_1(ordinary):
    chunks, rows = ordinary
    unit = [(chunk - rows.min(0)) / (rows.max(0) - rows.min(0)) for chunk in chunks]
    inside = np.clip(unit[0], 0, 1)
    with pytest.warns(UserWarning, match="training begins again with this chunk, its columns scaled"):
        ae = model(latent=0.9).partial_fit(inside).partial_fit(unit[1] * 10)
    size = ae.latent_
    ae.partial_fit(unit[2] * 10)
    assert ae.latent_ == size == model(latent=0.9).partial_fit(inside).latent_


def test_the_history_says_where_training_began_again(ordinary):
    chunks, rows = ordinary
    ae = error_of([changed(chunks[0], 0), *chunks[1:]], rows)[1]
    assert ae.history_.init.startswith("pca (exact), again at chunk ")
    assert (ae.history_["learning_rate"] <= 0.005).all()


def test_a_network_that_is_better_than_pca_goes_on():
    rng = np.random.default_rng(0)
    angle = rng.uniform(-3, 3, 6000)
    curve = np.column_stack([np.sin(angle), np.cos(angle), angle / 2, np.sin(2 * angle)]) @ rng.normal(size=(4, 8))
    ae, chunks = model(latent=2, hidden=(32,)), np.array_split(curve + 0.01 * rng.normal(size=curve.shape), 60)
    for _ in range(2):
        for chunk in chunks:
            ae.partial_fit(chunk)
    whole = np.concatenate(chunks)
    pca = StandardScaler().fit(whole)
    leading = IncrementalPCA(2).fit(pca.transform(whole))
    flat = pca.inverse_transform(leading.inverse_transform(leading.transform(pca.transform(whole))))
    assert error(ae.reconstruct(whole), whole) < 0.5 * error(flat, whole)
    assert ae.history_.init == "pca (exact)"


def test_it_is_reproducible(ordinary):
    chunks, rows = ordinary
    given = [changed(chunks[0], 0), *chunks[1:5]]
    one, other = error_of(given, rows)[1], error_of(given, rows)[1]
    np.testing.assert_array_equal(one.transform(rows), other.transform(rows))
