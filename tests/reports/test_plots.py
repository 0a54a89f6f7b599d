import sys

import numpy as np
import pytest

from isthmus.core.extras import MissingExtraError
from isthmus.reports import plots

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((10, 16))
LABELS = np.arange(60) % 10

FIGURES = {
    "image_rows": lambda: plots.image_rows({"original": IMAGES, "rebuilt": IMAGES}, (4, 4)),
    "filter_grid": lambda: plots.filter_grid({"a": IMAGES, "b": np.zeros((20, 16))}, (4, 4), side=4),
    "curves": lambda: plots.curves({"a": ([1, 2], [0.1, 0.2])}, x="epoch", y="error", levels={"PCA": 0.15}),
    "log_curves": lambda: plots.curves({"a": ([1, 2], [0.1, 0.2])}, x="size", y="error", log_x=True),
    "scatter_plots": lambda: plots.scatter_plots({"a": RANDOM.normal(size=(60, 2))}, LABELS),
    "scatter_and_others": lambda: plots.scatter_plots(
        {"a": RANDOM.normal(size=(60, 2))}, LABELS, unlabelled={"b": RANDOM.normal(size=(9, 2))}
    ),
    "mosaics": lambda: plots.mosaics({"a": IMAGES, "b": IMAGES}, (4, 4), 5),
    "layer_diagram": lambda: plots.layer_diagram({"a": [784, 128, 64, 128, 784]}),
}


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_figures_become_png_files(draw):
    picture = plots.png(draw())
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) > 2000


def test_pixels_are_shown_in_the_order_of_the_image():
    figure = plots.image_rows({"": np.arange(16.0)[None] / 15}, (4, 4))
    assert np.array_equal(figure.axes[0].images[0].get_array(), np.arange(16.0).reshape(4, 4) / 15)


def test_a_mosaic_is_read_line_by_line():
    figure = plots.mosaics({"a": IMAGES[:6]}, (4, 4), 3)
    shown = figure.axes[0].images[0].get_array()
    assert shown.shape == (8, 12)
    np.testing.assert_array_equal(shown[4:, 8:], IMAGES[5].reshape(4, 4))


def test_bars_are_as_high_as_the_roots_of_the_widths():
    axis = plots.layer_diagram({"": [100, 25, 100]}).axes[0]
    assert [bar.get_height() for bar in axis.patches[:3]] == [1, 0.5, 1]


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'isthmus\[report\]'"):
        plots.new_figure(1, 1)
