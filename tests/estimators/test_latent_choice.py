"""`latent="auto"`: known numbers of factors, few rows, kinds of columns, weights, and what is kept."""

import numpy as np
import pytest

from isthmus import AutoEncoder, load
from isthmus.estimators.latent_curve import LatentCurve


def table(rows, columns, rank, noise, seed, unequal=False):
    generator = np.random.default_rng(seed)
    loadings, spread = generator.normal(size=(rank, columns)), np.full(columns, noise)
    if unequal:
        spread *= np.exp(0.7 * generator.normal(size=columns))
    return generator.normal(size=(rows, rank)) @ loadings + spread * generator.normal(size=(rows, columns))


def auto(X, **settings):
    return AutoEncoder("auto", random_state=0, epochs=1, **settings).fit(X)


@pytest.mark.parametrize("unequal", [False, True])
@pytest.mark.parametrize(("rank", "rows", "columns"), [(2, 60, 10), (5, 120, 20), (10, 250, 25)])
def test_known_numbers_of_factors(rank, rows, columns, unequal):
    for seed, noise in enumerate((0.2, 0.6)):
        assert abs(auto(table(rows, columns, rank, noise, seed, unequal)).latent_ - rank) <= 1


def test_twenty_rows():
    assert auto(table(20, 8, 2, 0.3, 0)).latent_ in (1, 2, 3)


def test_the_rule_is_one_standard_error_or_a_hundredth_of_the_gain():
    behind, errors = [4.54, 0.54, 0.04, 0.0], [1, 0.5, 0.01, 0]
    curve = LatentCurve([0, 1, 2, 3], [-9.0, -5.0, -4.5, -4.46], behind, errors, rows=9, parts=3)
    assert (curve.chosen, curve.best) == (2, 3)
    assert LatentCurve([0, 1], [-1.0, -2.0], [0.0, 1.0], [0.0, 0.1], rows=9, parts=3).chosen == 1


def test_what_is_in_the_curve():
    pandas = pytest.importorskip("pandas")
    model = auto(table(150, 10, 2, 0.3, 0))
    curve = model.latent_curve_
    assert (curve.chosen, len(curve), curve.columns[0]) == (model.latent_, len(list(curve)), "latent")
    frame = curve.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["behind"].min() == 0
    np.testing.assert_allclose(frame["score"].max() - frame["score"], frame["behind"], atol=1e-12)
    assert f"latent={model.latent_}" in repr(curve)
    assert "<table>" in curve._repr_html_()
    with pytest.raises(KeyError, match="no column 'loss'"):
        curve["loss"]


def test_it_is_saved(tmp_path):
    model = auto(table(150, 10, 2, 0.3, 0))
    model.save(tmp_path / "model")
    back = load(tmp_path / "model")
    assert back.latent_curve_.to_dict() == model.latent_curve_.to_dict()
    assert (back.latent, back.latent_) == ("auto", model.latent_)


def test_a_number_has_no_curve():
    model = AutoEncoder(2, epochs=1, random_state=0).fit(table(50, 5, 2, 0.3, 0))
    assert not hasattr(model, "latent_curve_")


def test_too_few_rows_are_told():
    with pytest.raises(ValueError, match=r"latent='auto' .* needs at least 10 rows .* got 8: take a whole number"):
        auto(table(8, 5, 2, 0.3, 0))


def test_weights_count_as_rows():
    X = table(400, 10, 2, 0.5, 0)
    X[200:] = table(200, 10, 5, 0.5, 1)
    weight = np.r_[np.ones(200), np.full(200, 1e-9)]
    model = AutoEncoder("auto", random_state=0, epochs=1).fit(X, sample_weight=weight)
    assert abs(model.latent_ - 2) <= 1


@pytest.mark.filterwarnings("ignore:latent=1 is not smaller")
def test_constants_copies_and_one_column():
    X = table(100, 6, 2, 0.3, 0)
    assert auto(np.column_stack([X, np.ones(100)])).latent_ == auto(X).latent_
    assert auto(np.random.default_rng(0).normal(size=(50, 1))).latent_ == 1
    assert auto(np.random.default_rng(0).normal(size=(100, 6))).latent_ == 1


def test_cells_of_a_category_are_no_factors():
    pandas = pytest.importorskip("pandas")
    generator = np.random.default_rng(0)
    frame = pandas.DataFrame(table(400, 8, 2, 0.4, 0), columns=list("abcdefgh"))
    for name in ("one", "two", "three"):
        frame[name] = generator.choice(["x", "y", "z"], 400)
    frame.loc[::9, "a"] = np.nan
    assert abs(auto(frame).latent_ - 2) <= 1


def test_the_plot():
    pytest.importorskip("matplotlib").use("agg")
    curve = auto(table(60, 6, 2, 0.3, 0)).latent_curve_
    axes = curve.plot()
    assert axes.get_ylabel() == "held-out log-density (nats per row)"
    assert axes.get_legend().get_texts()[0].get_text() == f"chosen: {curve.chosen}"


def test_streams_choose_by_the_first_chunk():
    X = table(300, 10, 2, 0.3, 0)
    model = AutoEncoder("auto", random_state=0).partial_fit(X[:150]).partial_fit(X[150:])
    assert abs(model.latent_ - 2) <= 1
