import numpy as np

from isthmus import AutoEncoder
from isthmus.estimators.html import fitted_html, sections_of, with_html


def test_titles_are_escaped_and_contents_kept():
    assert fitted_html([("a < b", "<p>x</p>"), ("c", "")]) == (
        "<details open><summary>a &lt; b</summary><p>x</p></details><details open><summary>c</summary></details>"
    )
    assert fitted_html([]) == ""


def test_html_is_added_where_there_is_some():
    bundle = {"text/html": "<p>", "text/plain": "x"}
    assert with_html(bundle, "more") == {"text/html": "<p>more", "text/plain": "x"}
    assert bundle["text/html"] == "<p>"
    assert with_html({"text/plain": "x"}, "more") == {"text/plain": "x"}


def test_sections_tell_of_training_and_columns():
    X = np.random.default_rng(0).normal(size=(40, 3))
    settings = {"latent": 2, "hidden": (4,), "epochs": 1, "random_state": 0}
    numbers = AutoEncoder(**settings).fit(X).model_
    gaps = AutoEncoder(**settings).fit(np.where(X > 2, np.nan, X)).model_
    titles = [title for title, _ in sections_of(numbers)]
    assert titles == [f"fitted: 2 numbers per code, {numbers.weights:,} weights", "history"]
    assert [title for title, _ in sections_of(gaps)][1:] == ["history", "columns"]
    for title, content in sections_of(gaps):
        assert content.startswith("<"), title
