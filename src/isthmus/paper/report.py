"""Writing the reproduction: `results.json`, the figures and `report.html`."""

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from isthmus.core.files import atomic_write
from isthmus.paper import equations, figures, numbers
from isthmus.paper.claim import MARGIN, Claim, Source, tally
from isthmus.paper.claims import PRINTED_LOSSES, bottleneck_summary, claims
from isthmus.paper.colours import COLOURS
from isthmus.paper.findings import Finding
from isthmus.paper.further import Chapter
from isthmus.paper.images import Images
from isthmus.paper.options import Options, is_whole_mnist
from isthmus.paper.picture import Picture
from isthmus.paper.plane import PlanePicture
from isthmus.paper.results import Result, wide_result
from isthmus.paper.tables import as_json, further_as_json, table, title
from isthmus.reports.page import page

TITLES = {"mnist": "MNIST", "mnist-5k": "5,000 images of MNIST", "digits": "scikit-learn's 8×8 digits"}
"""The data sets as the report names them."""
REPOSITORY = "https://github.com/RegisKonan/FinalProject"
"""The authors' public repository, with the companion notebooks."""


class Drawn(NamedTuple):
    """The figures of the page, apart from those of chapters."""

    papers: Mapping[int, Picture]
    own: Mapping[str, Picture]
    planes: Sequence[PlanePicture]
    sizes: Sequence[figures.Size]

    def all_with(self, chapters: Collection[Chapter]) -> list[Picture]:
        """Return every figure of the page."""
        planes = [*self.planes, *(plane for chapter in chapters for plane in chapter.planes)]
        pictures = [*self.papers.values(), *self.own.values(), *(size.picture for size in self.sizes)]
        pictures += [picture for chapter in chapters for picture in chapter.pictures]
        return pictures + [plane.picture for plane in planes]


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
    verdicts = claims(results, images, options)
    chapters = {name: with_verdicts(chapter, images, options) for name, chapter in chapters.items()}
    content = as_json(images, results, verdicts) | ({"further": further_as_json(chapters)} if chapters else {})
    write_text(out / "results.json", json.dumps(content, indent=1, allow_nan=False))
    drawn = Drawn(
        figures.paper_figures(first, images),
        figures.own_figures(first, images),
        figures.planes(first, images),
        figures.sizes(first, images),
    )
    for one in drawn.all_with(chapters.values()):
        write_bytes(out / f"{one.name}.png", one.png())
    text = page(
        files("isthmus.paper"),
        "report.html",
        numbers=numbers,
        colours=COLOURS,
        repository=REPOSITORY,
        images=images,
        data_title=TITLES[images.name],
        whole_mnist=is_whole_mnist(images),
        options=options,
        results=first,
        wide=wide_result(first),
        rows=table(results),
        main_names=[name for name in first if not name.startswith("bottleneck-")],
        bottleneck_names=[name for name in first if name.startswith("bottleneck-")],
        trained=losses_by_epoch(first),
        dark_pixels=int((images.test == 0).all(axis=0).sum()),
        printed=PRINTED_LOSSES,
        claims={source: [claim for claim in verdicts if claim.source is source] for source in Source},
        tally=tally,
        margin=MARGIN,
        findings=findings_of(first),
        tested=equations.tested(
            {"Figures 3 to 5": first["paper-sigmoid-mse"].widths, "Figure 6": first["paper-8-4"].widths}
        ),
        **drawn._asdict(),
        chapters=list(chapters.values()),
        bottleneck_summary=bottleneck_summary(first),
        seconds=seconds,
    )
    write_text(out / "report.html", text)
    return out / "report.html"


def with_verdicts(chapter: Chapter, images: Images, options: Options) -> Chapter:
    """Return the chapter without the verdicts that this run does not allow."""

    def checked(claim: Claim) -> Claim:
        if not chapter.about_images:
            return claim.without_verdict(options.too_quick)
        own = claim.source is Source.ISTHMUS
        return claim.without_verdict(options.too_short if own else options.not_the_papers(images))

    return dataclasses.replace(chapter, claims=[checked(claim) for claim in chapter.claims])


def losses_by_epoch(results: Mapping[str, Result]) -> dict[str, list[float]]:
    """Return the training losses of the networks at the paper's sizes, by title."""
    kept = (result for name, result in results.items() if result.run.epochs and not name.startswith("bottleneck-"))
    return {title(result.run): result.train_loss for result in kept}


def findings_of(results: Mapping[str, Result]) -> list[Finding]:
    """Return what the checks said of each run."""
    return [Finding(title(result.run), text) for result in results.values() for text in result.findings]


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
