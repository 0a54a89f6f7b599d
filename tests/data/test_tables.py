from dataclasses import dataclass

import numpy as np
import pytest
import torch

from isthmus.core.registry import REGISTERED, register
from isthmus.data.encoding import decoded, encoded
from isthmus.data.fields import Cells, Field
from isthmus.data.survey import Survey
from isthmus.data.tables import TableScaling, exponential, logarithmic, table_likelihood
from isthmus.parts.likelihoods import Gaussian

ROWS = 40
RANDOM = np.random.default_rng(0)
DAY = 86_400
NORMAL = RANDOM.normal(size=ROWS)
COLUMNS = {
    "real": (Field("real", "float", "float64"), NORMAL),
    "tail": (Field("tail", "float", "float64"), np.exp(3 * NORMAL)),
    "cents": (Field("cents", "float", "float64"), np.round(NORMAL - 5, 2)),
    "heavy": (Field("heavy", "float", "float64"), NORMAL**3),
    "large": (Field("large", "integer", "int64"), RANDOM.integers(-(2**62), 2**62, ROWS)),
    "when": (Field("when", "time", "t", "s"), np.arange(ROWS) * 37 * DAY // 2),
    "days": (Field("days", "time", "Date", "D"), np.arange(ROWS) * 40),
    "shift": (Field("shift", "time", "t", "s"), np.arange(ROWS) * 8 * 3600),
    "month": (Field("month", "time", "Date", "D"), np.arange(ROWS) * 30),
    "span": (Field("span", "duration", "t", "s"), RANDOM.integers(0, 9 * DAY, ROWS)),
    "flag": (Field("flag", "boolean", "bool"), NORMAL > 0),
    "kind": (Field("kind", "text", "object"), RANDOM.choice(["a", "b", "c"], ROWS).astype(object)),
    "grade": (Field("grade", "category", "category", levels=("x", "y", "z"), ordered=True), None),
    "count": (Field("count", "integer", "int64"), RANDOM.poisson(3, ROWS)),
    "rate": (Field("rate", "integer", "int64"), RANDOM.poisson(2, ROWS)),
}
SAID = {
    "heavy": "student_t",
    "rate": "poisson",
    "when": "trend",
    "days": "trend",
    "shift": "date-time",
    "month": "date-time",
}


def table(gaps=True):
    fields, pieces = [], []
    for place, (field, values) in enumerate(COLUMNS.values()):
        values = np.array(["x", "y", "z"] * 20, dtype=object)[:ROWS] if values is None else values
        missing = np.zeros(ROWS, dtype=bool)
        missing[[place, 20 + place]] = gaps
        fields.append(field)
        pieces.append(Cells(values, missing))
    survey = Survey(SAID)
    survey.look(fields, pieces)
    columns = survey.columns()
    return columns, TableScaling(columns), torch.from_numpy(encoded(columns, fields, pieces))


def test_cells_and_their_columns():
    columns, scaling, raw = table()
    assert raw.shape == (ROWS, scaling.numbers)
    cells = scaling(raw, torch.float64)
    assert cells.shape == (ROWS, scaling.cells) == (ROWS, len(scaling.feature_group))
    groups = scaling.likelihood_groups
    assert sum(sum(sizes) for _, sizes, _ in groups) == scaling.cells
    order = [
        "gaussian",
        "student_t",
        "gaussian",
        "gaussian",
        "bernoulli",
        "categorical",
        "negative_binomial",
        "poisson",
    ]
    assert [group.likelihood for group in groups] == order
    assert [group.scored for group in groups] == [True, True, False, *[True] * 5], "trends are scored by their position"
    # All cells of a column are there, or none of them.
    for index in range(len(columns)):
        gone = cells[:, scaling.feature_group == index].isnan()
        assert (gone.any(1) == gone.all(1)).all()
        assert gone.any(1).nonzero().flatten().tolist() == [index, 20 + index]


def test_there_and_back():
    _, scaling, raw = table()
    back = scaling.inverse(scaling(raw, torch.float64))
    for index in scaling.laid_out("date-time"):
        place = scaling.places[index]
        assert back[:, place].isnan().all(), "a time cannot be rebuilt from its place in the calendar"
        back[:, place : place + 2] = raw[:, place : place + 2]
    torch.testing.assert_close(back.isnan(), raw.isnan())
    columns = scaling.columns
    for column, place in zip(columns, scaling.places, strict=True):
        tolerance = 0.0
        if column.name in ("real", "tail", "heavy"):
            tolerance = 1e-12 * float(raw[:, place].nan_to_num().abs().max())
        if column.name == "large":  # 62 bits, of which a float has 53
            value, other = (rows[:, place] * 2.0**32 + rows[:, place + 1] for rows in (raw, back))
            torch.testing.assert_close(other, value, rtol=1e-14, atol=2**11, equal_nan=True)
            continue
        one, other = (rows[:, place : place + column.numbers] for rows in (raw, back))
        torch.testing.assert_close(other, one, rtol=0, atol=tolerance, equal_nan=True, msg=str(column.name))


def test_times_next_to_others_that_have_the_place_in_the_calendar():
    _, scaling, raw = table(gaps=False)
    cells = scaling(raw, torch.float64)
    torch.testing.assert_close(scaling.inverse(cells, near=raw)[:, scaling.places[5] :], raw[:, scaling.places[5] :])
    later = raw.clone()
    places = [scaling.places[index] for index in scaling.laid_out("date-time")]
    later[:, places[0] + 1] = (later[:, places[0] + 1] + 3600) % DAY
    torch.testing.assert_close(
        scaling(scaling.inverse(cells, near=later), torch.float64), cells, msg="an hour later, and taken back"
    )


def test_scaled_cells_are_standard():
    _, scaling, raw = table()
    real = scaling(raw, torch.float64)[:, : len(scaling.real)]
    for cell in real.T:
        seen = cell[~cell.isnan()]
        assert float(seen.mean()) == pytest.approx(0, abs=1e-9)
        assert float(seen.std(correction=0)) == pytest.approx(1)


def test_log_derivatives_are_those_of_the_map():
    columns, scaling, raw = table(gaps=False)
    raw.requires_grad_()
    cells = scaling(raw, torch.float64)
    found = scaling.log_derivatives(cells.detach())
    assert (found[:, len(scaling.real) :] == 0).all()
    for cell, index in enumerate(scaling.real):
        (gradient,) = torch.autograd.grad(cells[:, cell].sum(), raw, retain_graph=True)
        # By the unit of the value itself: days for times, not their halves.
        unit = 2.0**32 if columns[index].name == "large" else 1.0
        expected = (gradient[:, scaling.places[index]] / unit).log()
        torch.testing.assert_close(found[:, cell], expected, rtol=1e-9, atol=1e-9)


def test_missing_cells_have_no_derivative():
    _, scaling, raw = table()
    cells = scaling(raw, torch.float64)
    found = scaling.log_derivatives(cells)
    assert torch.isfinite(found).all()
    assert (found[cells.isnan()] == 0).all()


def test_log_volume_is_the_sum_over_the_cells():
    _, scaling, raw = table()
    cells = scaling(raw, torch.float64)
    torch.testing.assert_close(scaling.log_volume(cells), -scaling.log_derivatives(cells).sum(1))


def test_cells_are_summed_by_column():
    columns, scaling, raw = table(gaps=False)
    cells = scaling(raw, torch.float64)
    found = scaling.by_column(cells)
    assert found.shape == (ROWS, len(columns))
    for index in range(len(columns)):
        torch.testing.assert_close(found[:, index], cells[:, scaling.feature_group == index].sum(1))
    named = [index for index, column in enumerate(columns) if column.kind == "category"]
    assert (found[:, named] == 1).all()


def test_nothing_is_saved_and_everything_moves_with_the_module():
    columns, scaling, raw = table()
    assert scaling.state_dict() == {}
    assert {"mean", "log_constant", "high", "low", "cell_of_code"} <= dict(scaling.named_buffers()).keys()
    assert scaling.shifted
    torch.testing.assert_close(
        TableScaling(columns)(raw, torch.float64), scaling(raw, torch.float64), rtol=0, atol=0, equal_nan=True
    )


def test_each_group_has_the_likelihood_of_its_name():
    _, scaling, _ = table()
    found = table_likelihood(scaling)
    assert [type(family).__name__ for family in found.families] == [
        "Gaussian",
        "StudentT",
        "Gaussian",
        "Gaussian",
        "Bernoulli",
        "Categorical",
        "NegativeBinomial",
        "Poisson",
    ]
    assert found.scored == (True, True, False, True, True, True, True, True)
    assert sum(found.cells) == scaling.cells
    assert found.feature_group == tuple(scaling.feature_group.tolist())


def test_a_likelihood_of_the_user_has_its_place_among_the_others():
    @register("likelihood", column="real")
    @dataclass
    class Logistic(Gaussian):
        """For this test."""

    fields = [Field(name, "float", "float64") for name in "abcd"]
    pieces = [Cells(NORMAL, np.zeros(ROWS, dtype=bool))] * 4
    survey = Survey({"a": "student_t", "b": "logistic", "d": "laplace"})
    try:
        survey.look(fields, pieces)
        scaling = TableScaling(survey.columns())
        assert scaling.likelihood_groups == [
            (name, (1,), True) for name in ("gaussian", "laplace", "logistic", "student_t")
        ]
        assert scaling.feature_group.tolist() == [2, 3, 1, 0]
        assert isinstance(table_likelihood(scaling).families[2], Logistic)
    finally:
        del REGISTERED["likelihood", "logistic"]
    with pytest.raises(ValueError, match="unknown likelihood of a column 'logistic'"):
        table_likelihood(scaling)


def test_a_buffer_is_filled():
    _, scaling, raw = table()
    out = torch.empty(ROWS, scaling.cells, dtype=torch.float32)
    found = scaling(raw, torch.float32, out)
    assert found.data_ptr() == out.data_ptr()
    torch.testing.assert_close(out, scaling(raw, torch.float64).float(), equal_nan=True)


def surveyed(values, field=None, kinds=None):
    field = field or Field("x", "text", "object")
    piece = Cells(np.asarray(values), np.zeros(len(values), dtype=bool))
    survey = Survey(kinds or {})
    survey.look([field], [piece])
    columns = survey.columns()
    return columns, TableScaling(columns), torch.from_numpy(encoded(columns, [field], [piece]))


def test_rare_categories_share_a_cell_and_unknown_ones_another():
    names = [f"{i:02d}" for i in range(70) for _ in range(2 if i < 64 else 1)]
    columns, scaling, raw = surveyed(np.array(names, dtype=object))
    assert scaling.cells == 66
    unknown = torch.full((1, 1), float(len(columns[0].levels)), dtype=torch.float64)
    cells = scaling(torch.cat([raw, unknown]), torch.float64)
    assert (cells.sum(1) == 1).all()
    assert cells[-1].argmax() == 65
    assert (cells[128:-1].argmax(1) == 64).all()
    back = scaling.inverse(cells[:-1])
    torch.testing.assert_close(back[:128], raw[:128])
    assert columns[0].levels[int(back[-1])] == "64", "the first of the rare ones stands for them"


def test_a_cell_of_unknown_categories_only_is_never_the_likeliest():
    _, scaling, _ = surveyed(np.array(["a", "b", "b"], dtype=object))
    assert scaling.inverse(torch.tensor([[0.1, 0.2, 0.7]])).item() == 1


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([-(2**63), 2**63 - 1, 5], np.int64),
        ([2**63 - 1, 2**53 + 1, -1], np.int64),
        ([0, 2**64 - 1, 2**63], np.uint64),
    ],
)
def test_large_whole_numbers_end_where_they_end(values, dtype):
    values = np.array(values, dtype=dtype)
    columns, scaling, _ = surveyed(values, Field("x", "integer", str(values.dtype)))
    (cells,) = decoded(columns, scaling.inverse(torch.tensor([[-1e9], [1e9]])).numpy())
    low, high = (int(value) for value in cells.values)
    assert int(values.min()) <= low <= high <= int(values.max())


def test_values_are_rounded_and_end_as_the_columns_do():
    _, scaling, _ = surveyed(np.array([0.25, 1.5, 3.0]), Field("x", "float", "float64"))
    found = scaling.inverse(torch.linspace(-9, 9, 50)[:, None])[:, 0].numpy()
    assert found.min() == 0.25
    assert found.max() == 3
    np.testing.assert_array_equal(found, np.round(found, 2))
    _, counts, _ = surveyed(np.array([0, 1, 7]), Field("x", "integer", "int8"))
    assert counts.inverse(torch.tensor([[1.4], [500.0]])).tolist() == [[1], [7]]


@pytest.mark.parametrize("sort", ["time", "duration"])
@pytest.mark.parametrize(("unit", "step"), [("s", 3600), ("ms", 5), ("ns", 10**6)])
def test_times_are_rounded_as_they_were(sort, unit, step):
    ticks = {"s": DAY, "ms": DAY * 1000, "ns": DAY * 10**9}[unit]
    values = 18_000 * ticks + np.array([0, 1, 3, 7]) * step
    kinds = {"x": "trend"} if sort == "time" else None
    columns, scaling, _ = surveyed(values, Field("x", sort, "t", unit), kinds)
    assert columns[0].step == step
    cells = torch.zeros(50, scaling.cells)
    cells[:, 0] = torch.linspace(-2, 2, 50)
    raw = scaling.inverse(cells)
    assert (raw[:, 1] % step == 0).all()


@pytest.mark.parametrize("constant", [0.1, 3.0])
def test_logarithms_and_back(constant):
    values = torch.tensor([-1e6, -1.0, 0.0, 1e-9, 5.0], dtype=torch.float64)
    constants = torch.full_like(values, constant)
    torch.testing.assert_close(exponential(logarithmic(values, constants), constants), values)


def test_real_columns_are_shifted_and_scaled_as_an_affine_scaling_says():
    from isthmus import AutoEncoder

    X = np.random.default_rng(0).normal(3, 2, size=(200, 3))
    with_gaps = np.where(np.arange(200)[:, None] % 10 == [0, 1, 2], np.nan, X)
    scaling = AutoEncoder(1, epochs=1, random_state=0).fit(with_gaps).scaling_
    np.testing.assert_allclose(scaling.shift, np.nanmean(with_gaps, axis=0))
    np.testing.assert_allclose(scaling.scale, np.nanstd(with_gaps, axis=0))
