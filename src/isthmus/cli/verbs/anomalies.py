"""`isthmus anomalies`: which rows are odd, how sure, and because of what."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.input import Reading
from isthmus.cli.model_options import DataOrModel, Then, model_and_data
from isthmus.cli.output import Output, refuse_output
from isthmus.cli.telling import Telling

if TYPE_CHECKING:
    from isthmus import AnomalyDetector

PANEL = "Detector"
"""Under which heading help lists the options of a new detector."""


class Setting(StrEnum):
    """What is known of the rows that a detector is trained on."""

    CONTAMINATED = "contaminated"
    CLEAN = "clean"


def anomalies(
    first: DataOrModel,
    output: Output,
    reading: Reading,
    telling: Telling,
    then: Then = None,
    setting: Annotated[
        Setting, typer.Option(help="Whether DATA may hold anomalies, or is known to be normal.", rich_help_panel=PANEL)
    ] = Setting.CONTAMINATED,
    method: Annotated[
        str, typer.Option(metavar="NAMES", help="auto, or methods such as neighbours,ranks.", rich_help_panel=PANEL)
    ] = "auto",
    fdr: Annotated[
        float | None,
        typer.Option(help="Greatest share of normal rows among those called anomalies.", rich_help_panel=PANEL),
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Share of normal rows that is called anomalies.", rich_help_panel=PANEL)
    ] = None,
    contamination: Annotated[
        float | None, typer.Option(help="Share of DATA that is called anomalies.", rich_help_panel=PANEL)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same detector.", rich_help_panel=PANEL)] = 0,
    save: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="Write the detector to a file.", rich_help_panel=PANEL)
    ] = None,
    reasons: Annotated[int, typer.Option(min=0, help="Rows that are explained, the oddest ones.")] = 100,
    top: Annotated[int | None, typer.Option(min=1, help="Write the oddest rows alone, the oddest first.")] = None,
    page: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page of the oddest rows, HTML.")] = None,
) -> None:
    """Write for every row its score, p-value, whether it is an anomaly, and why.

    With DATA alone a detector is trained on these rows, which may hold anomalies; with MODEL DATA a detector from a
    file looks at new rows. With --target, a column of known anomalies, it says how well they are found.

    Example: isthmus anomalies loans.csv --id loan_id -o odd.csv
    """
    from isthmus import AnomalyDetector
    from isthmus.cli.anomaly_table import anomaly_table, oddest, quality
    from isthmus.cli.model_options import load_model, refuse_kind
    from isthmus.reports.anomalies import anomalies_page

    model, data = model_and_data(first, then)
    output.refuse(data, model)
    for path in (save, page):
        if path is not None:
            refuse_output(path, data, model, force=output.force)
    if model is None:
        new = AnomalyDetector(
            setting.value,
            method if "," not in method else tuple(name.strip() for name in method.split(",")),
            fdr=fdr,
            alpha=alpha,
            contamination=contamination,
            random_state=seed,
        )
        file = reading.open(data, telling)
        telling.training(each_epoch=False)
        detector = new.fit(file.data)
    else:
        loaded = load_model(model)
        refuse_kind(loaded, AnomalyDetector, model, "anomalies")
        detector, file = loaded, reading.open(data, telling, loaded)
    table, labels = anomaly_table(detector, file, reasons)
    output.write(oddest(table, top))
    written = [output.out]
    if save is not None:
        detector.save(save)
        written.append(str(save))
    if page is not None:
        anomalies_page(detector, file.data, page)
        written.append(str(page))
    measured = {} if file.target is None else quality(table, file.target)
    facts = {"rows": file.rows, "anomalies": int(labels.sum()), **measured, "files": written}
    telling.result(facts, lambda: told(detector, facts, model is None), aside=output.standard)


def told(detector: "AnomalyDetector", facts: dict[str, object], fitted: bool) -> str:
    """Return what is said at the end."""
    lines = [f"{facts['anomalies']:,} of {facts['rows']:,} rows are anomalies"]
    if fitted:
        lines.append(str(detector.decision_))
        if detector.floor_ is not None:
            lines.append(str(detector.floor_))
    if "auroc" in facts:
        lines.append(
            f"against the labels: AUROC {facts['auroc']:.3f}, average precision {facts['average_precision']:.3f} "
            f"({facts['known_anomalies']:,} known anomalies)"
        )
    files = facts["files"]
    assert isinstance(files, list)
    return "\n".join([*lines, f"written: {', '.join(files)}"])
