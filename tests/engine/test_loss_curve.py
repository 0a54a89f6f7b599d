import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from isthmus.engine.loss_curve import HEIGHT, LEFT, RIGHT, TOP, WIDTH, axis, loss_curve, ticks

SVG = "{http://www.w3.org/2000/svg}"


def drawn(epochs, losses):
    return ET.fromstring(loss_curve(epochs, losses))


def points(root):
    """Every point of every line, and every dot, as (x, y)."""
    found = []
    for line in root.iter(f"{SVG}polyline"):
        found += [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    return found + [(float(dot.get("cx")), float(dot.get("cy"))) for dot in root.iter(f"{SVG}circle")]


@pytest.mark.parametrize("epochs", [1, 2, 3, 20, 1000])
def test_every_finite_loss_is_a_point_inside_the_plot(epochs):
    numbers = list(range(epochs + 1))
    losses = {"loss": [math.nan, *(3 / e for e in numbers[1:])], "val_loss": [4 / (1 + e) - 2 for e in numbers]}
    found = points(drawn(numbers, losses))
    assert len(found) == 2 * epochs + 1
    assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT for x, y in found)


def test_losses_fall_as_they_should():
    found = points(drawn([1, 2, 3], {"loss": [3.0, 2.0, 1.0]}))
    (x1, y1), (x2, y2), (x3, y3) = found
    assert x1 < x2 < x3
    assert y1 < y2 < y3, "pixels grow downwards"
    assert y3 - y2 == pytest.approx(y2 - y1, abs=0.11)


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf])
def test_a_gap_breaks_the_line_and_loses_no_other_value(gap):
    root = drawn(range(1, 7), {"loss": [1.0, 2.0, gap, 3.0, gap, 4.0]})
    assert len(points(root)) == 4
    assert len(list(root.iter(f"{SVG}polyline"))) == 1
    assert len(list(root.iter(f"{SVG}circle"))) == 2


def test_one_epoch_is_a_dot():
    root = drawn([1], {"loss": [-1234.5]})
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    assert "1" in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("losses", [{}, {"loss": []}, {"loss": [math.nan, math.inf]}])
def test_nothing_to_draw(losses):
    assert loss_curve(range(len(losses.get("loss", []))), losses) == ""


def test_names_are_escaped():
    root = drawn([1, 2], {"<b>&loss": [1.0, 2.0]})
    assert "<b>&loss" in [text.text for text in root.iter(f"{SVG}text")]
    assert root.find(f"{SVG}title").text == "<b>&loss per epoch"


def test_both_axes_have_names_and_epochs_are_whole():
    labels = [text.text for text in drawn([1, 2], {"loss": [10.0, 20.0], "val_loss": [20.0, 30.0]}).iter(f"{SVG}text")]
    assert {"epoch", "nats per row", "loss", "val_loss", "1", "2"} <= set(labels)
    assert labels.count("1") == 1


@pytest.mark.parametrize("values", [(0, 1), (-1e-9, 1e-9), (1e6, 1.0001e6), (-7, 30), (5, 5), (0, 0), (-1e200, 1e200)])
def test_ticks_are_round_few_and_on_the_axis(values):
    along = axis(values, 0, 100)
    found = ticks(along)
    assert 1 <= len(found) <= 11
    assert all(-1e-6 <= along.pixel(tick) <= 100 + 1e-6 for tick in found)
    assert all(float(f"{b - a:.3g}") > 0 for a, b in pairwise(found))
