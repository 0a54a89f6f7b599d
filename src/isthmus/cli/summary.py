"""What a fitted model is and what it won: in sentences, and as facts for JSON."""

from collections.abc import Iterator

from isthmus import AnomalyDetector, AutoEncoder, Imputer
from isthmus.cli.input import schema_of
from isthmus.core.document import Plain
from isthmus.estimators.floor import Floor

Model = AutoEncoder | AnomalyDetector | Imputer


def facts_of(model: Model) -> dict[str, object]:
    """Return the facts about a fitted model that JSON can hold."""
    facts: dict[str, object] = {
        "kind": type(model).__name__,
        "columns": model.n_features_in_,
    }
    if isinstance(model, AutoEncoder):
        floor = floor_of(model)
        return facts | {
            "latent": model.latent_,
            "epochs": model.n_iter_,
            "stopped": model.history_.stopped,
            "floor": None if floor is None else floor_facts(floor),
        }
    if isinstance(model, AnomalyDetector):
        return facts | {
            "methods": list(model.method_),
            "because": model.reason_,
            "threshold": model.threshold_,
            "anomalies_in_training": int(model.labels_.sum()),
            "decision": str(model.decision_),
            "floor": None if model.floor_ is None else str(model.floor_),
        }
    return facts | {"filled_by": {str(column.name): column.filled_by for column in model.floor_}}


def floor_of(model: AutoEncoder) -> Floor | None:
    """Return the floor of an autoencoder; None if none was measured."""
    fitted = model.fitted_model()
    return None if fitted is None else fitted.record.floor


def floor_facts(floor: Floor) -> dict[str, object]:
    """Return the numbers of a floor."""
    low, high = floor.interval
    return {
        "method": floor.method,
        "error": floor.error,
        "model_error": floor.model_error,
        "gain": floor.gain,
        "interval": [low, high],
        "rows": floor.rows,
        "returned": floor.returned,
    }


def summary_of(model: Model) -> str:
    """Return some lines on a fitted model."""
    return "\n".join(sentences(model))


def sentences(model: Model) -> Iterator[str]:
    """Yield the lines of `summary_of`."""
    if isinstance(model, AutoEncoder):
        yield f"autoencoder: {model.n_features_in_:,} columns as {model.latent_:,} numbers per row"
        yield f"training: {model.history_.stopped}; weights of epoch {model.history_.best_epoch}"
        floor = floor_of(model)
        if floor is not None:
            yield str(floor)
    elif isinstance(model, AnomalyDetector):
        yield f"anomaly detector: {', '.join(model.method_)} ({model.reason_})"
        yield str(model.decision_)
        if model.floor_ is not None:
            yield str(model.floor_)
    else:
        yield f"imputer of {model.n_features_in_:,} columns; error of each method on hidden cells:"
        yield repr(model.floor_)


def columns_of(model: Model) -> dict[str, Plain]:
    """Return the columns that a model was trained on, as options of a recipe; nothing if they have no names."""
    names = schema_of(model).names
    return {} if names is None else {"columns": [str(name) for name in names]}


def described(model: Model) -> str:
    """Return what a model is, how it was trained, its columns and its parameters."""
    parts = [summary_of(model)]
    if isinstance(model, AutoEncoder):
        parts.append(str(model.fit_report_))
    columns = schema_of(model).columns
    if columns is not None:
        parts.append(str(columns))
    return "\n\n".join([*parts, f"parameters:\n{model!r}"])
