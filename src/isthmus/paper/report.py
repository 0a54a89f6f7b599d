"""Writing the reproduction: `results.json`, the figures and `report.html`."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from isthmus.core.files import atomic_write
from isthmus.paper.claims import PRINTED_LOSSES, bottleneck_summary, claims
from isthmus.paper.figures import figures
from isthmus.paper.further import Chapter
from isthmus.paper.images import Images
from isthmus.paper.results import Result, wide_result
from isthmus.paper.tables import as_json, further_as_json, table
from isthmus.reports.page import page

TITLES = {"mnist": "MNIST", "mnist-5k": "5,000 images of MNIST", "digits": "scikit-learn's 8×8 digits"}
"""The data sets as the report names them."""
MNIST_ROWS = 60_000


class Options(NamedTuple):
    """The options of the reproduction that the report shows."""

    epochs: int
    seeds: Sequence[int]
    quick: bool


def write_report(
    out: Path,
    images: Images,
    results: Sequence[Result],
    chapters: Mapping[str, Chapter],
    options: Options,
    seconds: float,
) -> Path:
    """Write `results.json`, the figures as PNG and `report.html` into the folder `out`; return the path of the page."""
    first = {result.run.name: result for result in reversed(results)}
    verdicts = claims(first, whole_mnist=len(images.train) == MNIST_ROWS)
    content = as_json(images, results, verdicts) | ({"further": further_as_json(chapters)} if chapters else {})
    write_text(out / "results.json", json.dumps(content, indent=1, allow_nan=False))
    drawn = figures(first, images)
    drawn |= {picture.name: picture.png for chapter in chapters.values() for picture in chapter.pictures}
    for name, picture in drawn.items():
        write_bytes(out / f"{name}.png", picture)
    text = page(
        files("isthmus.paper") / "report.html",
        pictures=drawn,
        images=images,
        data_title=TITLES[images.name],
        results=first,
        wide=wide_result(first),
        rows=table(results),
        main_names=[name for name in first if not name.startswith("bottleneck-")],
        bottleneck_names=[name for name in first if name.startswith("bottleneck-")],
        trained_names=[name for name, result in first.items() if result.run.epochs == options.epochs],
        dark_pixels=int((images.test == 0).all(axis=0).sum()),
        whole_mnist=len(images.train) == MNIST_ROWS,
        printed=PRINTED_LOSSES,
        claims=verdicts,
        chapters=list(chapters.values()),
        bottleneck_summary=bottleneck_summary(first),
        seconds=seconds,
        **options._asdict(),
    )
    write_text(out / "report.html", text)
    return out / "report.html"


def require_writable(folder: Path) -> None:
    """Create the folder if it does not exist and write a file in it, so that a wrong folder fails before training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "results.json.try", "{}")
        (folder / "results.json.try").unlink()
    except OSError as error:
        raise OSError(f"cannot write the report to the folder {folder} ({error}); choose another folder") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file; it appears whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file; it appears whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
