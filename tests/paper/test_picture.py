from io import BytesIO

import matplotlib.image
import numpy as np

from isthmus.paper import picture

IMAGES = np.random.default_rng(0).random((6, 4))


def read(png):
    return matplotlib.image.imread(BytesIO(png), format="png")


def test_rows_are_labelled_and_know_whose_they_are():
    made = picture.rows("both", "Two rows.", {"a": IMAGES, "b": IMAGES}, (2, 2), {"b": "pca"})
    assert [(panel.label, panel.whose) for panel in made.panels] == [("a", ""), ("b", "pca")]
    assert read(made.panels[0].png).shape[:2] == (2, 6 * 3 - 1)
    assert read(made.png()).shape[1] > 500


def test_mosaics_have_columns():
    made = picture.mosaics("one", "One.", {"a": IMAGES}, (2, 2), 3)
    assert read(made.panels[0].png).shape[:2] == (5, 8)
    assert made.png() == made.panels[0].png


def test_filters_are_grey_where_they_are_zero():
    made = picture.filters("weights", "Weights.", {"a": np.zeros((4, 4))}, (2, 2), {"a": "paper"}, side=2)
    shown = read(made.panels[0].png)[..., 0]
    np.testing.assert_allclose(shown[:2, :2], 0.5, atol=0.01)
