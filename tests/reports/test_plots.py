import sys
from io import BytesIO

import matplotlib.image
import matplotlib.text
import numpy as np
import pytest

from isthmus.core.extras import MissingExtraError
from isthmus.reports import plots
from isthmus.reports.plots import Line

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((10, 16))
LABELS = np.arange(60) % 10
TEN = [f"#{k}{k}{k}" for k in range(10)]
PIXELS = plots.pixels_png(IMAGES)

FIGURES = {
    "curves": lambda: plots.curves({"a": Line([1, 2], [0.1, 0.2])}, x="epoch", y="error", levels={"b": (0.1, "#fff")}),
    "log_curves": lambda: plots.curves({"a": Line([1, 2], [0.1, 0.2])}, x="size", y="error", log_x=True),
    "scatter": lambda: plots.scatter(RANDOM.normal(size=(60, 2)), like=RANDOM.normal(size=(9, 2))),
    "scatter_classes": lambda: plots.scatter_classes(RANDOM.normal(size=(60, 2)), LABELS, TEN),
    "scatter_shapes": lambda: plots.scatter_classes(RANDOM.normal(size=(60, 2)), LABELS, TEN, shapes=True),
    "scatter_square": lambda: plots.scatter_square(RANDOM.random((60, 2)), LABELS, TEN),
    "composed_rows": lambda: plots.composed({"a": PIXELS, "b": PIXELS}, side_by_side=False),
    "composed_panels": lambda: plots.composed({"a": PIXELS, "b": PIXELS}, side_by_side=True),
    "layer_diagram": lambda: plots.layer_diagram([784, 128, 64, 128, 784]),
}


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_figures_become_png_files(draw):
    picture = plots.png(draw())
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) > 2000


@pytest.mark.parametrize("draw", [FIGURES[name] for name in ("curves", "scatter", "scatter_square", "layer_diagram")])
def test_plots_are_equally_wide_and_have_one_font_size(draw):
    figure = draw()
    assert figure.get_size_inches()[0] == plots.WIDTH
    texts = [text for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert {text.get_fontsize() for text in texts} <= {plots.FONT}


@pytest.mark.parametrize("side_by_side", [False, True])
def test_labels_of_composed_pictures_are_whole(side_by_side):
    labels = {"isthmus, 64 numbers": PIXELS, "an original image": PIXELS}
    figure = plots.composed(labels, side_by_side=side_by_side)
    for text in figure.texts:
        box = text.get_window_extent()
        assert min(box.x0, box.y0) >= 0
        assert (box.x1, box.y1) <= tuple(figure.bbox.max)


def test_pixels_are_kept_one_by_one():
    grey = np.arange(12.0).reshape(3, 4) / 11
    read = matplotlib.image.imread(BytesIO(plots.pixels_png(grey)), format="png")
    assert read.shape[:2] == (3, 4)
    np.testing.assert_allclose(read[..., 0], grey, atol=1 / 255)


def test_tiles_are_read_line_by_line():
    shown = plots.tiles(IMAGES[:5], (4, 4), 3)
    assert shown.shape == (9, 14)
    np.testing.assert_array_equal(shown[5:, 5:9], IMAGES[4].reshape(4, 4))
    assert (shown[4] == 1).all()
    assert (shown[5:, 10:] == 1).all()


def test_weights_of_zero_are_grey_and_the_largest_is_at_an_end():
    shown = plots.around_grey(np.array([[0.0, -2.0, 1.0], [0.0, 0.0, 0.0]]))
    assert shown.tolist() == [[0.5, 0.0, 0.75], [0.5, 0.5, 0.5]]


def test_labels_hide_no_other():
    places = np.concatenate([np.zeros((6, 2)), RANDOM.normal(0.5, 0.02, size=(4, 2))])
    moved = plots.apart(places, 0.06)
    between = np.sqrt(np.square(moved[:, None] - moved[None]).sum(2)) + np.eye(10)
    assert between.min() >= 0.06
    far = np.array([[0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(plots.apart(far, 0.06), far, atol=1e-5)


def test_no_class_lies_on_top_of_the_others():
    axis = plots.scatter_classes(RANDOM.normal(size=(60, 2)), LABELS, TEN).axes[0]
    (points,) = axis.collections
    drawn = points.get_facecolors()[:, 0]
    assert len(np.unique(drawn)) == 10
    assert len(np.unique(drawn[:20])) > 5


def test_bars_are_as_high_as_the_roots_of_the_widths():
    axis = plots.layer_diagram([100, 25, 100]).axes[0]
    assert [bar.get_height() for bar in axis.patches[:3]] == [1, 0.5, 1]


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'isthmus\[report\]'"):
        plots.new_figure(1, 1)
