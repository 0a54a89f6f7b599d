"""`report`: one page that says what a model has learned of a table, whatever the table and the model."""

import math
from collections.abc import Sequence
from pathlib import Path

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from isthmus.core.checks import whole_number
from isthmus.core.files import atomic_write
from isthmus.data.images import RowShape
from isthmus.reports.context import Context, HasModel, HasSchema, schema_of, shape_of_images
from isthmus.reports.cut import cut
from isthmus.reports.describing import first_tiles, sentences
from isthmus.reports.findings import Finding
from isthmus.reports.registration import sections
from isthmus.reports.rendering import rendered
from isthmus.reports.sampling import Sample, sample_of, values_beside
from isthmus.reports.targets import Target
from isthmus.tasks.anomaly.shown import shown

MOST_ANOMALIES = 100
"""Anomalies at most, so that the page stays small."""


def report(
    model: object,
    X: object,
    path: str | Path,
    *,
    title: str | None = None,
    target: str | ArrayLike | None = None,
    target_name: str | None = None,
    ids: str | ArrayLike | None = None,
    findings: Sequence[Finding] = (),
    image_shape: RowShape | None = None,
    rows: int = 10_000,
    anomalies: int = 20,
    files: Sequence[str] = (),
    source: str = "",
) -> Path:
    """Write a page on what a model has learned of a table: one HTML file of at most 3 MB, whatever the table.

    The page needs no connection, can be read on a phone and printed, and explains its terms. It shows the columns as
    they were read, the course of training, what the model won over the best simple method, rows beside their
    reconstructions, the columns that the code keeps, the plane of codes, a probe of the target, anomalies with their
    reasons, filled gaps, made-up rows, and how all was made: as far as the models have these.

    Parameters
    ----------
    model : AutoEncoder, AnomalyDetector or Imputer, or a sequence of them
        Fitted, on the columns of X; at most one of each kind.
    X : as in `fit`
        The rows to show; those that the model was fitted on, or others.
    path : str or Path
        The HTML file; it appears whole or not at all, and replaces one that is there.
    title : str, optional
        The heading. By default it names the data and the models.
    target : str or array-like of shape (n,), optional
        What is known of the rows: the name of a column of X, or one value per row. Codes are coloured by it, and a
        simple model predicts it from them. If the models do not know the column, it is left out of X.
    target_name : str, optional
        What to call a target that is given by its values.
    ids : str or array-like of shape (n,), optional
        What the rows are called: the name of a column of X, or one label per row. By default the index of pandas, or
        the positions of the rows. If the models do not know the column, it is left out of X.
    findings : sequence of Finding, default=()
        What was found in the data or the model before, the worst first: objects with `severity`, `where`, `number`,
        `consequence` and `mend`.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of each row, if rows are images that come flat. By default as in
        `fit`, or as a convolutional encoder has it.
    rows : int, default=10,000
        Rows that are looked at; of a longer table, as many are drawn at random, and of a very wide one fewer.
    anomalies : int, default=20
        Number of the oddest rows to show, at most 100.
    files : sequence of str, default=()
        The file of each model, for the lines of code that the page ends with.
    source : str, default=""
        Where X comes from, such as the name of its file, for the heading and these lines.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If X does not suit the model, or a parameter is invalid.
    NotFittedError
        If a model is not fitted.
    MissingExtraError
        If jinja2 is not installed.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from isthmus import AutoEncoder
    >>> iris = load_iris()
    >>> ae = AutoEncoder(2, epochs=3, random_state=0).fit(iris.data)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report(ae, iris.data, f"{folder}/iris.html", target=iris.target_names[iris.target]).name
    'iris.html'
    """
    models = models_of(model)
    refuse_path(Path(path))
    whole_number("rows", rows, 2)
    if not 1 <= anomalies <= MOST_ANOMALIES:
        raise ValueError(
            f"anomalies must be from 1 to {MOST_ANOMALIES}, so that the page stays small; got {anomalies!r}"
        )
    schema = schema_of(models)
    shape = shape_of_images(schema, models) if image_shape is None else tuple(image_shape)
    refuse_other_size(shape, schema.n_features)
    extra = [name for name in named(target, ids) if name not in schema.labels]
    sample = sample_of(X, schema, rows, extra)
    context = Context(
        models,
        sample,
        schema,
        labels_of(X, sample, ids),
        None if target is None else target_of(X, sample, target, target_name),
        tuple(findings),
        shape,
        anomalies,
        tuple(map(str, files)),
        source,
    )
    content = page_of(context, title)
    with atomic_write(Path(path)) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return Path(path)


def page_of(context: Context, title: str | None) -> str:
    """Return the page."""
    built = [(section, section.build(context)) for section in sections()]
    shown = [(section, content) for section, content in built if content is not None]
    tiles = [*first_tiles(context), *(tile for _, content in shown for tile in content.tiles)]
    return rendered(
        "report.html",
        title=default_title(context) if title is None else title,
        about=list(sentences(context)),
        tiles=tiles,
        sections=[(section, content.html) for section, content in shown],
    )


def default_title(context: Context) -> str:
    """Return a heading that names the data and the models."""
    names = [type(model).__name__ for model in context.models]
    data = cut(Path(context.source).name, 60) if context.source else f"{context.sample.total:,} rows"
    return f"{data}: {' and '.join(names)}"


def models_of(model: object) -> tuple[object, ...]:
    """Return the models as a tuple.

    Raises
    ------
    ValueError
        If there is none, one is not of isthmus, or two are of one kind.
    NotFittedError
        If one is not fitted.
    """
    models = tuple(model) if isinstance(model, list | tuple) else (model,)
    for one in models:
        if not isinstance(one, HasModel | HasSchema):
            raise ValueError(
                f"model must be a fitted AutoEncoder, AnomalyDetector or Imputer, or a list of them; got {one!r}"
            )
        check_is_fitted(one)
    kinds = [type(one).__name__ for one in models]
    twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
    if twice:
        raise ValueError(f"a report holds one model of each kind, and there are several of {', '.join(twice)}")
    if not models:
        raise ValueError("a report needs a model, and the list of models is empty")
    return models


def refuse_path(path: Path) -> None:
    """Raise an `OSError` if no file can be at the path; known before the work begins."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for the report does not exist; create it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file, such as {path / 'report.html'}")


def refuse_other_size(shape: RowShape | None, columns: int) -> None:
    """Raise a `ValueError` if images of a shape do not have as many pixels as there are columns."""
    if shape is not None and (len(shape) not in (2, 3) or math.prod(shape) != columns):
        raise ValueError(
            f"image_shape={shape} makes {math.prod(shape)} pixels, and rows have {columns} columns; give (height, "
            "width) or (height, width, channels)"
        )


def named(target: object, ids: object) -> list[str]:
    """Return the names of columns of X that are the target, or say what rows are called."""
    return [name for name in (target, ids) if isinstance(name, str)]


def target_of(X: object, sample: Sample, target: object, name: str | None = None) -> Target:
    """Return the target of the rows of a sample."""
    values = values_beside(X, target, sample.total, "target")
    name = target if isinstance(target, str) else name or "target"
    return Target.of(cut(name), [values[place] for place in sample.places])


def labels_of(X: object, sample: Sample, ids: object) -> tuple[str, ...]:
    """Return what the rows of a sample are called."""
    if ids is None:
        return tuple(cut(label) for label in sample.labels())
    values = values_beside(X, ids, sample.total, "ids")
    return tuple(cut(shown(values[place])) for place in sample.places)
