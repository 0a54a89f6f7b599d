"""`isthmus tune`: a search for better parameters than the defaults."""

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import Building
from isthmus.cli.output import Force, refuse_output
from isthmus.cli.telling import Telling
from isthmus.cli.verbs.train import CLASSES, Kind


def tune(
    data: DataPath,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="MODEL", help="The model file of the best one.")],
    reading: Reading,
    building: Building,
    telling: Telling,
    kind: Annotated[
        Kind | None, typer.Option("--as", help="What is tuned.  [default: an autoencoder, or what --config says]")
    ] = None,
    objective: Annotated[
        str, typer.Option(metavar="NAME", help="auto, error, score, probe, auroc or impute; see the docs on tuning.")
    ] = "auto",
    search: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="To search: latent=2:64, learning_rate=1e-4:1e-2:log, preset=variational,k_sparse; may be repeated.",
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="How many, the defaults included.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="Time for the trials.")] = None,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record of all trials; with it a search goes on, or is shared by processes."),
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Hold out the last rows, for rows in the order of time; else random ones.")
    ] = False,
    page: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table and plot as HTML.")] = None,
    force: Force = False,
) -> None:
    """Search for parameters better than the defaults, or say that the defaults stand; write the best model.

    The labels of --target, if given, are what trials are compared by. Ctrl-C ends the search with the best so far.

    Example: isthmus tune loans.csv --id loan_id --seconds 300 --journal search.journal -o best.isthmus
    """
    from isthmus.cli.searching import space_of
    from isthmus.cli.summary import facts_of
    from isthmus.estimators.records import write_records
    from isthmus.tasks.tuning import tune as tuned

    for path in (out, page):
        if path is not None:
            refuse_output(path, data, force=force)
    estimator = building.estimator(None if kind is None else CLASSES[kind])
    space = space_of(search or [])
    file = building.reading(reading).open(data, telling)
    found = tuned(
        file.data,
        file.target,
        model=estimator,
        objective=objective,
        space=space or None,
        trials=trials,
        seconds=seconds,
        journal=journal,
        holdout="last" if last else "random",
        random_state=building.seed if journal is not None else building.seed or 0,
        on_trial=lambda row: telling.note(" ".join(f"{name} {value}" for name, value in row.items())),
    )
    best = found.best_estimator_
    best.save(out)
    written = [str(out), *map(str, write_records(best, out))]
    if page is not None:
        written.append(str(found.to_html(page)))
    facts = {
        **facts_of(best),
        "verdict": str(found.verdict),
        "best_params": found.best_params_,
        "trials": found.flat(),
        "files": written,
    }
    telling.result(facts, lambda: f"{found!r}\nwritten: {', '.join(written)}")
