"""The page on models and the data of a file, which two commands write."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus import AnomalyDetector, AutoEncoder, Imputer, report
from isthmus.cli.anomaly_table import row_labels

if TYPE_CHECKING:
    from isthmus import Findings
    from isthmus.data.files import DataFile


def write_page(
    models: Sequence[AutoEncoder | AnomalyDetector | Imputer],
    file: "DataFile",
    path: Path,
    *,
    title: str | None,
    findings: "Findings",
    model: Path,
    source: str,
) -> None:
    """Write the report of fitted models and a file, with its ids and its target.

    Parameters
    ----------
    models, file, path
        What it shows, and where it goes.
    title
        The heading; the name of the file if there is none.
    findings
        What `check` found.
    model
        The file of the first model, for the lines of code on the page.
    source
        How the user named the data.
    """
    report(
        models,
        file.data,
        path,
        title=title or file.name,
        target=file.target,
        target_name=file.target_name,
        ids=row_labels(file),
        findings=list(findings),
        files=[str(model)],
        source=source,
    )
