"""Streams of tables: one kind of column after the other is at rest, or wild, in the first chunk."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from isthmus import AutoEncoder, Callback
from isthmus.data import new_levels
from isthmus.data.reading import read_table
from isthmus.data.rows import Rows
from isthmus.estimators.following_tables import STATISTICS, follow_table, moments_of

pytestmark = pytest.mark.filterwarnings("ignore:column .* the place of its times:UserWarning")

ROWS = 80
WHEN = pd.Timestamp("2020-01-01")


def drawn(rng, directions, rows):
    noise = 0.3 * rng.normal(size=(rows, 8))
    hidden = (rng.normal(size=(rows, 2)) @ directions + noise) / np.sqrt((directions**2).sum(0) + 0.09)
    return pd.DataFrame(
        {
            "real": 5 * hidden[:, 0] + 100,
            "small": 0.01 * hidden[:, 1],
            "tail": np.exp(1.5 * hidden[:, 2]),
            "count": rng.poisson(np.exp(1 + hidden[:, 3])),
            "flag": hidden[:, 4] > 0,
            "kind": np.array(["a", "b", "c"])[np.digitize(hidden[:, 5], [-0.4, 0.4])],
            "grade": pd.Categorical.from_codes(
                np.digitize(hidden[:, 6], [-0.4, 0.4]), ["low", "mid", "top"], ordered=True
            ),
            "when": WHEN + pd.to_timedelta(np.round(hidden[:, 7] * 100), unit="h"),
        }
    )


@pytest.fixture(scope="module")
def ordinary():
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(2, 8))
    return [drawn(rng, directions, ROWS) for _ in range(10)], drawn(rng, directions, 600)


def scaled(column, factor):
    centre = column.mean()
    return centre + (column - centre) * factor


CHANGES = {
    "real at rest": ("real", lambda column: scaled(column, 0.0)),
    "real nearly at rest": ("real", lambda column: scaled(column, 1e-6)),
    "real wild": ("real", lambda column: scaled(column, 1e6)),
    "small wild": ("small", lambda column: scaled(column, 1e3)),
    "tail at rest": ("tail", lambda column: column * 0 + 1.0),
    "tail small": ("tail", lambda column: column * 1e-3),
    "count at rest": ("count", lambda column: column * 0 + 2),
    "flag at rest": ("flag", lambda column: column & False),
    "kind at rest": ("kind", lambda column: column.where(column == "a", "a")),
    "grade at rest": ("grade", lambda column: column.where(column == "mid", "mid")),
    "when at rest": ("when", lambda column: column.where(column == WHEN, WHEN)),
    "when wild": ("when", lambda column: scaled(column, 100)),
}


def trained(chunks, **settings):
    ae = AutoEncoder(**{"latent": 2, "hidden": (16,), "random_state": 0} | settings)
    for chunk in chunks:
        ae.partial_fit(chunk)
    return ae


@pytest.fixture(scope="module")
def even(ordinary):
    return trained(ordinary[0])


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.filterwarnings("ignore:column .kind. holds categories:UserWarning")
@pytest.mark.filterwarnings("ignore:column .when. is ignored. its times go through no day:UserWarning")
def test_a_first_chunk_unlike_the_others_leaves_no_error(ordinary, even, name):
    chunks, rows = ordinary
    column, change = CHANGES[name]
    ae = trained([chunks[0].assign(**{column: change(chunks[0][column])}), *chunks[1:]])
    assert ae.reconstruction_error(rows).mean() < 1.3 * even.reconstruction_error(rows).mean()
    rebuilt, as_even = ae.reconstruct(rows), even.reconstruct(rows)
    for other in {"real", "small"} - {column}:
        error, usual = (((one[other] - rows[other]) ** 2).mean() for one in (rebuilt, as_even))
        assert error < 1.5 * usual, other


def test_the_units_of_an_even_stream_are_those_of_all_rows(ordinary, even):
    whole = pd.concat(ordinary[0])
    columns = {column.name: column for column in even.columns_}
    for name in ("real", "small"):
        assert columns[name].mean == pytest.approx(whole[name].mean(), rel=1e-6, abs=1e-6)
        assert columns[name].deviation == pytest.approx(whole[name].std(ddof=0), rel=1e-6)
        assert (columns[name].smallest, columns[name].largest) == (whole[name].min(), whole[name].max())
    assert columns["count"].largest == whole["count"].max()


def test_reconstructions_leave_the_range_of_the_first_chunk(ordinary):
    chunks, rows = ordinary
    first = chunks[0].assign(real=100.0, count=np.minimum(chunks[0]["count"], 1) + 1)
    rebuilt = trained([first, *chunks[1:]]).reconstruct(rows)
    assert rebuilt["real"].max() > 104
    assert (rebuilt["real"] % 1 != 0).any()  # the first chunk had whole numbers
    assert rebuilt["count"].max() > 3


def test_a_stream_begins_with_what_the_model_knows(ordinary):
    ae = AutoEncoder(latent=2, hidden=(16,), epochs=2, random_state=0).fit(ordinary[0][0])
    likelihood, scaling = ae.network_.likelihood, ae.scaling_
    found = moments_of(scaling, likelihood, ROWS)
    values = found.all.part(0, scaling.cells)
    assert len(found.all.mean) == STATISTICS * scaling.cells
    np.testing.assert_allclose(values.mean[:2], ordinary[0][0][["real", "small"]].mean(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(values.deviation[:2], ordinary[0][0][["real", "small"]].std(ddof=0), rtol=1e-6)
    before = {name: tensor.clone() for name, tensor in likelihood.state_dict().items()}
    ae.partial_fit(ordinary[0][0])  # the same rows again: nothing to follow but rounding
    for name in ("centre", "middle"):
        np.testing.assert_allclose(ae.network_.likelihood.state_dict()[name], before[name], atol=1e-5)


def test_small_changes_of_units_change_no_reconstruction(ordinary):

    chunks, rows = ordinary
    ae = trained(chunks[:3])
    before = ae.network_.eval()
    table = read_table(rows, ae.model_.schema, caller="Test")
    x = Rows(table).table[0:50]

    def rebuilt(scaling):

        with torch.no_grad():
            theta = before(scaling(x, ae.model_.dtype)).theta
        return scaling.values(theta[:, : len(scaling.real)], rounded=False).numpy()

    first = rebuilt(ae.scaling_)
    later, _, jumped = follow_table(ae.network_, ae.scaling_, ae.model_.record.stream, Rows(table), 0.0)
    assert not jumped
    inside = (first > ae.scaling_.smallest.numpy()) & (first < ae.scaling_.largest.numpy())
    np.testing.assert_allclose(rebuilt(later)[inside], first[inside], rtol=1e-4, atol=1e-3)


def test_a_training_that_fails_leaves_the_model_as_it_was(ordinary):
    chunks, rows = ordinary
    ae = trained(chunks[:2])
    before, columns = ae.score_samples(rows), ae.columns_

    def broken(*_):
        raise RuntimeError("stop")

    class Stop(Callback):
        on_step_end = broken

    with pytest.raises(RuntimeError, match="stop"):
        ae.set_params(callbacks=[Stop()]).partial_fit(chunks[2].assign(real=1e6 * chunks[2]["real"]))
    assert ae.columns_ is columns
    np.testing.assert_array_equal(ae.score_samples(rows), before)


# -- what later chunks may bring ---------------------------------------------------------------------------------------


def test_another_order_of_columns(ordinary):
    chunks, rows = ordinary
    turned = [chunks[0], *(chunk[chunk.columns[::-1]] for chunk in chunks[1:3])]
    np.testing.assert_array_equal(trained(turned).transform(rows), trained(chunks[:3]).transform(rows))


def test_gaps_that_the_first_chunk_had_not(ordinary):
    chunks, rows = ordinary
    gaps = [chunks[0]]
    for number, chunk in enumerate(chunks[1:]):
        chunk = chunk.astype({"count": "Int64", "flag": "boolean"})
        for place, name in enumerate(chunk.columns):
            chunk.loc[chunk.index[(number + place) % 5 :: 5], name] = None
        gaps.append(chunk)
    ae = trained(gaps)
    assert np.isfinite(ae.score_samples(rows)).all()
    assert ae.reconstruction_error(rows).mean() < 1


def test_a_column_that_falls_silent(ordinary):
    chunks, rows = ordinary
    ae = trained([*chunks[:3], *(chunk.assign(real=np.nan) for chunk in chunks[3:5])])
    assert next(iter(ae.columns_)).deviation == pytest.approx(5, rel=0.2)
    assert np.isfinite(ae.score_samples(rows)).all()


def test_a_column_without_values_at_first_may_be_kept_for_later(ordinary):
    chunks, rows = ordinary
    first = chunks[0].assign(real=np.nan)
    ae = trained([first, *chunks[1:]], columns={"real": "real"})
    assert ae.columns_[0].kind == "real"
    assert ((ae.reconstruct(rows)["real"] - rows["real"]) ** 2).mean() < 0.6 * rows["real"].var()


def test_values_of_a_column_that_had_none_are_named(ordinary):
    chunks, _ = ordinary
    with pytest.warns(UserWarning, match="column 'real' is ignored: it has no values"):
        ae = trained([chunks[0].assign(real=np.nan)])
    with pytest.warns(
        UserWarning, match=r"'real' had no values when the model first saw it.*columns=\{'real': 'real'\}"
    ):
        ae.partial_fit(chunks[1])


@pytest.mark.parametrize("form", ["text", "categories", "records"])
@pytest.mark.filterwarnings("ignore:column .kind. holds categories:UserWarning")
def test_new_categories_are_learned(ordinary, form):
    chunks, rows = ordinary
    later = [chunk.assign(kind=chunk["kind"].replace({"c": "b"})) for chunk in chunks[1:]]
    given = [chunks[0].assign(kind="a"), *later]
    if form == "categories":
        given = [chunk.astype({"kind": "category"}) for chunk in given]
    sources = [lambda chunk=chunk: [chunk] for chunk in given] if form == "records" else given
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "column 'when'")
        ae = trained(sources)
    kind = ae.columns_[5]
    assert kind.levels == ("a", "b")
    rebuilt = ae.reconstruct(rows)["kind"]
    assert (rebuilt.astype(object) == rows["kind"].replace({"c": "b"})).mean() > 0.75


@pytest.mark.filterwarnings("ignore:column .kind. holds categories:UserWarning")
def test_many_new_categories_are_bounded(ordinary, monkeypatch):

    monkeypatch.setattr(new_levels, "MOST_KNOWN", 5)
    chunks, rows = ordinary
    names = [f"n{place}" for place in range(ROWS // 2)] * 2
    ae = trained([chunks[0], chunks[1].assign(kind=names), chunks[2]])
    assert len(ae.columns_[5].levels) == 5
    assert np.isfinite(ae.score_samples(rows.assign(kind="never seen"))).all()
