"""The oddest rows, why they are odd, and what would make them normal."""

import numpy as np

from isthmus.reports.anomalies import odd_rows_html
from isthmus.reports.contact_sheets import Sheet, ends_of, heat, sheet, side_for, thumbnails
from isthmus.reports.context import Context
from isthmus.reports.registration import Content, Tile, section
from isthmus.reports.rendering import rendered
from isthmus.tasks.anomaly.odd_rows import OddRows

IMAGES = 12
"""Images that are shown."""
REASONS = 3
"""Columns per row."""


@section("anomalies", order=60, title="Anomalies")
def anomalies(context: Context) -> Content | None:
    """Show the oddest rows."""
    detector, found = context.detector, context.odd_rows
    if detector is None or found is None:
        return None
    labels = dict(zip(context.sample.places.tolist(), context.labels, strict=True))
    html = rendered(
        "anomalies.html",
        rows=odd_rows_html(found, detector.method_, REASONS, 3, labels),
        decision=str(detector.decision_),
        reason=detector.reason_,
        setting=detector.setting,
        sample=context.sample,
        picture=None if context.image_shape is None else images_of(context, found),
        pvalues=found.pvalues is not None,
    )
    tile = Tile(
        f"{found.anomalies:,}", f"of {found.rows:,} rows are anomalies: rows that do not belong with the others"
    )
    return Content(html, (tile,))


def images_of(context: Context, found: OddRows) -> Sheet:
    """Return the oddest images, what was expected, and which pixels make them odd."""
    shape = context.image_shape
    assert shape is not None, "asked for images only"
    ends = ends_of(context.values)
    seen, expected = (
        thumbnails(rows[:IMAGES], shape, side_for(shape), ends) for rows in (found.values, found.expected)
    )
    parts = found.explanation.contributions[:IMAGES].clip(0)
    parts = parts / np.maximum(parts.max(axis=1, keepdims=True), 1e-300)
    maps = thumbnails(parts, shape, side_for(shape), (0.0, 1.0))
    maps = heat(maps if maps.ndim == 3 else maps.mean(-1))
    if seen.ndim == 3:
        seen, expected = (np.repeat(images[..., None], 3, axis=-1) for images in (seen, expected))
    return sheet(np.concatenate([seen, expected, maps]), len(seen), "the oddest images, what was expected, and why")
