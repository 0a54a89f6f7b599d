"""What holds for every estimator and every preset of the library; a new one is added to `ESTIMATORS` by its name."""

import pickle
import random
import warnings
from copy import deepcopy
from html.parser import HTMLParser
from unittest import SkipTest

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import isthmus
from isthmus import AnomalyDetector, AutoEncoder, Compute, Imputer, Masking, load
from isthmus.estimators.plain import plain_parameters
from isthmus.zoo.family import FAMILIES

ESTIMATORS = [AutoEncoder, *(preset for presets in FAMILIES.values() for preset in presets)]
"""Callables without arguments."""

SETTINGS = {
    "k_sparse": {"latent": 32, "top_k": 8},
    "overcomplete": {"latent": 66},
    "winner_take_all": {"latent": 32},
    "contractive": {"latent": 16},
    "convolutional": {"shape": "signal", "channels": (4, 8)},
    "convolutional_variational": {"shape": "signal", "channels": (4, 8)},
    "vector_quantised": {"codes": 64, "width": 2},
    "importance_weighted": {"samples": 3},
}
"""What a preset is asked for that the others are not."""

NARROW = {"denoising": {"hidden": (64,)}, "masked": {"hidden": (64,)}, "stacked": {"hidden": (32, 16)}}
"""Smaller networks for what holds of every size."""

NO_BETTER_THAN_PCA = {"overcomplete", "sparse", "k_sparse", "winner_take_all", "contractive"}
"""Presets that pay for something else with reconstruction."""

DRAWN = {
    "overcomplete",
    "ordered",
    "denoising",
    "masked",
    "winner_take_all",
    "variational",
    "beta_tcvae",
    "importance_weighted",
    "wasserstein",
    "info_vae",
    "adversarial",
    "vector_quantised",
    "convolutional_variational",
}
"""Presets for which weight 2 is the same as twice the row on average only: each row has noise or a place of its own."""


MEMORISED = "standardised, its 9 rows are memorised, and rounding errors grow from step to step"
"""Why weights of scikit-learn's dense check are repeated rows up to rounding only, at first."""


def in_law_only(estimator):
    """Return which of scikit-learn's checks cannot hold to the last digit, and why."""
    names = [make.__name__ for make in ESTIMATORS[1:] if repr(short(make, random_state=None)) == repr(estimator)]
    if "k_sparse" in names:
        return {"check_sample_weight_equivalence_on_dense_data": MEMORISED}
    if not DRAWN.intersection(names):
        return {}
    why = "noise is drawn, or winners and codewords are counted, for each row, however much it weighs"
    return {f"check_sample_weight_equivalence_on_{kind}_data": why for kind in ("dense", "sparse")}


pytestmark = [
    # Few epochs leave codes in which health finds something; and what is overcomplete is so on purpose.
    pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning"),
    pytest.mark.filterwarnings("ignore:latent=.* is not smaller than:UserWarning"),
]

DIGITS = (load_digits().data / 16).astype(np.float32)
TRAINED, HELD_OUT = DIGITS[:1400], DIGITS[1400:]
SMALL = DIGITS[:400]
FEW = SMALL[:120]
METHODS = ["transform", "reconstruct", "score_samples", "reconstruction_error"]

every = pytest.mark.parametrize("make", ESTIMATORS, ids=lambda make: make.__name__)


def short(make, **settings):
    """Return the estimator with little to do."""
    own = SETTINGS.get(make.__name__, {}) | NARROW.get(make.__name__, {})
    return make(**{"latent": 8, "epochs": 3, "random_state": 0} | own | settings)


@pytest.fixture(scope="module")
def fitted():
    """Each estimator fitted once; tests do not change them."""
    known = {}

    def fit(make):
        if make not in known:
            known[make] = short(make).fit(SMALL)
        return known[make]

    return fit


def results(estimator, X=SMALL):
    return [getattr(estimator, method)(X) for method in METHODS]


def assert_same_bits(one, other):
    for a, b in zip(results(one), results(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@parametrize_with_checks(
    [AutoEncoder(), *(short(make, random_state=None) for make in ESTIMATORS[1:])], expected_failed_checks=in_law_only
)
def test_scikit_learns_checks(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:
        pytest.fail(f"skipped: {skipped}")


@every
def test_every_parameter_gets_a_gradient(make, fitted):
    network = deepcopy(fitted(make).network_).train()
    network.seed(torch.Generator().manual_seed(0))
    x = torch.from_numpy(SMALL).to(next(network.parameters()).dtype)
    sum(term.mean() for term in network.terms(x).values()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


@every
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("rows", [2, 37])
def test_terms_are_one_finite_number_a_row(make, fitted, training, rows):
    network = deepcopy(fitted(make).network_).train(training)
    network.seed(torch.Generator().manual_seed(0))
    x = torch.from_numpy(SMALL[:rows]).to(next(network.parameters()).dtype)
    terms = network.terms(x)
    assert terms
    for name, values in terms.items():
        assert values.shape == (rows,), name
        assert torch.isfinite(values).all(), name


@every
def test_using_it_twice_gives_the_same_bits(make, fitted):
    assert_same_bits(fitted(make), fitted(make))


@every
def test_same_seed_same_bits(make, fitted):
    assert_same_bits(short(make).fit(SMALL), fitted(make))


@every
def test_random_state_objects(make):
    for kind in (np.random.RandomState, np.random.default_rng):
        one, other = (short(make, random_state=kind(3), epochs=1).fit(FEW) for _ in range(2))
        assert_same_bits(one, other)


@every
def test_other_seed_other_model(make, fitted):
    assert not np.array_equal(short(make, random_state=1).fit(SMALL).transform(SMALL), fitted(make).transform(SMALL))


@every
def test_no_seed_is_another_one_each_time(make):
    one, other = (short(make, random_state=None, epochs=1).fit(FEW) for _ in range(2))
    assert not np.array_equal(one.transform(SMALL), other.transform(SMALL))


def global_states():
    return torch.get_rng_state().tolist(), repr(np.random.get_state()), random.getstate()  # noqa: NPY002


@every
@pytest.mark.parametrize("random_state", [0, None])
def test_global_random_states_are_neither_read_nor_written(make, fitted, random_state):
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        before = global_states()
        made = short(make, random_state=random_state).fit(SMALL)
        found = results(made)
        made.inverse_transform(made.transform(SMALL))
        made.partial_fit(FEW)
        assert global_states() == before
        if random_state is not None:
            for one, other in zip(found, results(fitted(make)), strict=True):
                np.testing.assert_array_equal(one, other)


@every
@pytest.mark.parametrize("method", METHODS)
def test_a_row_is_on_its_own(make, fitted, method):
    function = getattr(fitted(make), method)
    whole = function(DIGITS)
    order = np.random.default_rng(0).permutation(len(DIGITS))
    np.testing.assert_array_equal(function(DIGITS[order]), whole[order])
    np.testing.assert_array_equal(function(DIGITS[:300]), whole[:300])
    np.testing.assert_array_equal(function(np.asfortranarray(DIGITS)), whole)
    for row in (0, 255, 256, 1000, 1796):
        np.testing.assert_array_equal(function(DIGITS[row : row + 1]), whole[row : row + 1])


@every
def test_a_loaded_model_goes_on_as_the_saved_one(make, tmp_path):
    made = short(make).fit(SMALL)
    made.save(tmp_path / "model.isthmus")
    loaded = load(tmp_path / "model.isthmus")
    assert_same_bits(made.partial_fit(SMALL), loaded.partial_fit(SMALL))


@pytest.mark.slow
@every
def test_other_processes(make):
    # Every process measures for itself which library multiplies faster, and the two round differently.
    fitted = short(make, compute=Compute(matmul="torch")).fit(FEW)
    jobs = [joblib.delayed(clone(fitted).fit)(FEW), joblib.delayed(fitted.transform)(SMALL)]
    trained, codes = joblib.Parallel(n_jobs=2, backend="loky", max_nbytes=1)(jobs)  # memory-mapped and read-only
    assert_same_bits(trained, fitted)
    np.testing.assert_array_equal(codes, fitted.transform(SMALL))


@every
def test_better_than_the_mean_and_pca_on_rows_held_out(make):
    made = make(**{"latent": 8, "random_state": 0} | SETTINGS.get(make.__name__, {})).fit(TRAINED)
    error = np.mean((made.reconstruct(HELD_OUT) - HELD_OUT) ** 2)
    assert made.reconstruction_error(HELD_OUT).mean() == pytest.approx(error, rel=1e-5)
    assert error < np.mean((TRAINED.mean(0) - HELD_OUT) ** 2)
    if make.__name__ not in NO_BETTER_THAN_PCA:
        pca = PCA(made.latent_, random_state=0).fit(TRAINED)
        assert error <= np.mean((pca.inverse_transform(pca.transform(HELD_OUT)) - HELD_OUT) ** 2)


@every
def test_what_has_a_prior_is_generative(make, fitted):
    made = fitted(make)
    if made.network_.prior is None:
        assert not hasattr(made, "sample")
        return
    drawn = made.sample(300, random_state=0)
    assert drawn.shape == (300, 64)
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(drawn, made.sample(300, random_state=0))
    assert not np.array_equal(drawn, made.sample(300, random_state=1))
    assert np.isfinite(made.sample(3, random_state=0, noise=True)).all()


@every
def test_a_line_between_rows_ends_at_their_reconstructions(make, fitted):
    made = fitted(make)
    lines = made.interpolate(SMALL[:3], SMALL[3:6], steps=5)
    assert lines.shape == (3, 5, 64)
    np.testing.assert_allclose(lines[:, 0], made.inverse_transform(made.transform(SMALL[:3])), atol=1e-5)
    np.testing.assert_allclose(lines[:, -1], made.inverse_transform(made.transform(SMALL[3:6])), atol=1e-5)
    np.testing.assert_array_equal(made.interpolate(SMALL[0], SMALL[3], steps=5), lines[0])


@every
def test_log_likelihood_of_a_row_is_its_own(make, fitted):
    made = fitted(make)
    code = made.network_.code
    if code.codewords or not (code.has_posterior or code.activation is not None):
        assert not hasattr(made, "log_likelihood")
        return
    whole = made.log_likelihood(SMALL, importance_samples=7)
    assert whole.shape == (400,)
    np.testing.assert_array_equal(made.log_likelihood(SMALL[37:38], importance_samples=7), whole[37:38])
    assert made.log_likelihood(SMALL, importance_samples=50).mean() > whole.mean() - 0.01


GAPS = SMALL[:200].copy()
GAPS[np.random.default_rng(0).random(GAPS.shape) < 0.1] = np.nan


def takes_gaps(make):
    return short(make).__sklearn_tags__().input_tags.allow_nan


@pytest.mark.filterwarnings("ignore:column .* is ignored:UserWarning")
@every
def test_tables_with_gaps(make, tmp_path):
    if not takes_gaps(make):
        with pytest.raises(ValueError, match=r"missing cells \(NaN\), and .*take "):
            short(make).fit(GAPS)
        return
    made = short(make, epochs=2).fit(GAPS)
    whole = results(made, GAPS)
    assert all(
        np.isfinite(result).all() or method == "reconstruct" for method, result in zip(METHODS, whole, strict=True)
    )
    ignored = [column.kind == "ignored" for column in made.columns_]
    np.testing.assert_array_equal(np.isnan(made.reconstruct(GAPS)).all(0), ignored)
    order = np.random.default_rng(0).permutation(len(GAPS))
    made.save(tmp_path / "model.isthmus")
    others = [clone(made).fit(GAPS), pickle.loads(pickle.dumps(made)), load(tmp_path / "model.isthmus")]
    for place, method in enumerate(METHODS):
        np.testing.assert_array_equal(getattr(made, method)(GAPS[order]), whole[place][order])
        np.testing.assert_array_equal(getattr(made, method)(GAPS[37:38]), whole[place][37:38])
        for other in others:
            np.testing.assert_array_equal(getattr(other, method)(GAPS), whole[place])


# -- what holds for every public estimator: autoencoders, and those of tasks ------------------------------------------


def imputer(latent=8, epochs=3, random_state=0):
    member = AutoEncoder(latent, (16,), epochs=epochs, corruption=Masking(0.3, value=None), compute=Compute(threads=1))
    return Imputer(member, members=2, random_state=random_state)


def detector(latent=8, epochs=3, random_state=0):
    return AnomalyDetector(method="mahalanobis", random_state=random_state)


PUBLIC = [*ESTIMATORS, imputer, detector]
"""Callables without arguments. A new public estimator is added here."""

every_public = pytest.mark.parametrize("make", PUBLIC, ids=lambda make: make.__name__)
WHOLE = FEW[:, 16:40]
ROWS = np.where(np.random.default_rng(0).random(WHOLE.shape) < 0.1, np.nan, WHOLE)
"""Three lines of pixels: what an imputer does grows faster than the number of columns."""


def rows_for(make):
    """Return rows to fit the estimator to, with gaps if it takes them."""
    return ROWS if short(make).__sklearn_tags__().input_tags.allow_nan else WHOLE


def told(estimator, X):
    """Return everything that a fitted estimator says of rows."""
    methods = [method for method in (*METHODS, "predict") if hasattr(estimator, method)]
    assert methods, "an estimator without results would pass every test"
    return [getattr(estimator, method)(X) for method in methods]


def assert_told_the_same(one, other, X):
    for a, b in zip(told(one, X), told(other, X), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def public():
    """Each estimator fitted once; tests do not change them."""
    known = {}

    def fit(make):
        if make not in known:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="column .* is ignored")
                known[make] = short(make).fit(rows_for(make))
        return known[make]

    return fit


def test_every_public_estimator_is_tested():
    kinds = [getattr(isthmus, name) for name in isthmus.__all__]
    public = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseEstimator)}
    assert public == {type(short(make)) for make in PUBLIC}


@every_public
def test_a_file_holds_the_estimator(make, public, tmp_path):
    made = public(make)
    made.save(tmp_path / "model.isthmus")
    loaded = load(tmp_path / "model.isthmus", compute=None, parts=())
    assert type(loaded) is type(made)
    assert plain_parameters(loaded) == plain_parameters(made)
    assert loaded.n_features_in_ == made.n_features_in_
    assert_told_the_same(loaded, made, rows_for(make))
    loaded.save(tmp_path / "again.isthmus")
    again = load(tmp_path / "again.isthmus")
    assert_told_the_same(again, made, rows_for(make))


@every
def test_a_file_holds_the_decoder(make, fitted, tmp_path):
    fitted(make).save(tmp_path / "model.isthmus")
    loaded = load(tmp_path / "model.isthmus")
    codes = np.eye(loaded.latent_)
    np.testing.assert_array_equal(loaded.inverse_transform(codes), fitted(make).inverse_transform(codes))


@pytest.mark.filterwarnings("ignore:column .* is ignored:UserWarning")
@every_public
def test_clone_is_unfitted_and_equal(make, public):
    made = clone(public(make))
    assert repr(made) == repr(public(make))
    assert made.get_params(deep=False).keys() == public(make).get_params(deep=False).keys()
    with pytest.raises(NotFittedError):
        told(made, rows_for(make))
    assert_told_the_same(made.fit(rows_for(make)), public(make), rows_for(make))


@every_public
def test_pickle(make, public):
    assert_told_the_same(pickle.loads(pickle.dumps(public(make))), public(make), rows_for(make))


@every_public
def test_parameters_are_got_and_set(make):
    made = short(make)
    given = made.get_params(deep=False)
    other = type(made)().set_params(**given)
    for name, value in other.get_params(deep=False).items():
        assert value is given[name], name
    assert repr(other) == repr(made)
    for name, value in made.get_params().items():
        made.set_params(**{name: value})
    assert repr(other) == repr(made)
    with pytest.raises(ValueError, match=f"Invalid parameter 'laent' for estimator {type(made).__name__}"):
        made.set_params(laent=3)


class Balanced(HTMLParser):
    """Raises if a tag is closed that is not the last one opened."""

    VOID = ("br", "input", "img", "meta", "link", "path", "polyline", "line", "rect")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


@every_public
def test_it_shows_in_notebooks(make, public):
    before, after = short(make), public(make)
    for estimator in (before, after):
        html = estimator._repr_html_()
        parser = Balanced()
        parser.feed(html)
        assert parser.open == []
        assert type(estimator).__name__ in html
        bundle = estimator._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "text/html"}
        assert bundle["text/plain"] == repr(estimator)
    # What is fitted comes after what scikit-learn shows of the parameters.
    assert "<details open><summary>" not in before._repr_html_()
    assert "<details open><summary>" in after._repr_html_()
    assert "<details open><summary>" in after._repr_mimebundle_()["text/html"]


@pytest.mark.filterwarnings("ignore:column .* is ignored:UserWarning")
@every_public
def test_names_of_columns(make, public, tmp_path):
    pandas = pytest.importorskip("pandas")
    names = [f"pixel {place}" for place in range(24)]
    frame = pandas.DataFrame(WHOLE, columns=names)
    assert not hasattr(public(make), "feature_names_in_")
    assert public(make).n_features_in_ == 24
    made = short(make, epochs=1).fit(frame)
    assert made.feature_names_in_.tolist() == names
    assert made.feature_names_in_.dtype == object
    made.save(tmp_path / "model.isthmus")
    assert load(tmp_path / "model.isthmus").feature_names_in_.tolist() == names
    with pytest.raises(ValueError, match=r"feature names should match|other columns than in fit"):
        told(made, frame.rename(columns={"pixel 3": "pixel"}))
    assert not hasattr(made.fit(WHOLE), "feature_names_in_")


@every_public
def test_nothing_is_told_before_fit(make, tmp_path):
    made = short(make)
    with pytest.raises(NotFittedError, match=f"This {type(made).__name__} instance is not fitted yet"):
        made.save(tmp_path / "model.isthmus")
    assert list(tmp_path.iterdir()) == []
    for name in ("n_features_in_", "feature_names_in_", "columns_"):
        assert not hasattr(made, name)
    with pytest.raises(NotFittedError):
        told(made, SMALL)
