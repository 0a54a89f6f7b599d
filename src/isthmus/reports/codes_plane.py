"""Codes in a plane: their two numbers, or their two principal components; and what places of it decode to."""

from dataclasses import dataclass

import numpy as np

from isthmus.reports.cells import written


@dataclass(frozen=True, eq=False)
class Plane:
    """Codes (n, K) in a plane.

    Attributes
    ----------
    points : ndarray of shape (n, 2)
        Where each code lies.
    axes : tuple of str
        What the two axes are.
    centre, directions : ndarray of shape (K,) and (2, K) or None
        The code at the origin, and the directions of the axes in the space of codes; None where the second axis is
        not a direction of codes.
    """

    points: np.ndarray
    axes: tuple[str, str]
    centre: np.ndarray | None
    directions: np.ndarray | None

    def codes(self, points: np.ndarray) -> np.ndarray | None:
        """Return the codes (m, K) at points (m, 2); None where the plane is none of codes."""
        if self.centre is None or self.directions is None:
            return None
        found: np.ndarray = self.centre + points @ self.directions
        return found

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The corners (2,) of the part that is drawn: far codes do not press the others together."""
        low, high = np.quantile(self.points, (0.02, 0.98), axis=0)
        reach = np.maximum(high - low, 1e-12)
        least, most = self.points.min(0), self.points.max(0)
        return np.maximum(least, low - 0.6 * reach), np.minimum(most, high + 0.6 * reach)


def plane_of(codes: np.ndarray, errors: np.ndarray) -> Plane:
    """Return the plane of codes (n, K), whose rows have these reconstruction errors (n,).

    A code of one number is drawn beside the error.

    Examples
    --------
    >>> plane = plane_of(np.array([[0.0, 1.0], [2.0, 3.0]]), np.zeros(2))
    >>> plane.points.tolist(), plane.codes(plane.points).tolist()
    ([[0.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [2.0, 3.0]])
    """
    codes = codes.astype(np.float64)
    size = codes.shape[1]
    if size == 1:
        return Plane(np.column_stack([codes[:, 0], errors]), ("the code", "reconstruction error"), None, None)
    if size == 2:
        return Plane(codes, ("first number of the code", "second number"), np.zeros(2), np.eye(2))
    centre = codes.mean(0)
    _, lengths, directions = np.linalg.svd(codes - centre, full_matrices=False)
    directions = np.concatenate([directions, np.zeros((2, size))])[:2]
    total = max(float(np.square(lengths).sum()), 1e-300)
    shares = [100 * float(length) ** 2 / total for length in lengths[:2]]
    names = tuple(
        f"{which} principal component of the codes ({written(share)} % of their variance)"
        for which, share in zip(("first", "second"), [*shares, 0.0, 0.0], strict=False)
    )
    return Plane((codes - centre) @ directions.T, (names[0], names[1]), centre, directions)


def related(values: np.ndarray, points: np.ndarray, categorical: list[bool]) -> np.ndarray:
    """Return how much each column (n, columns) goes with places in the plane (n, 2): a squared correlation, (columns,).

    Of names, only the most frequent one counts. Columns that do not vary have 0.
    """
    found = np.zeros(values.shape[1])
    axes = points - points.mean(0)
    for place, names in enumerate(categorical):
        column = values[:, place]
        there = ~np.isnan(column)
        if there.sum() < 3:
            continue
        column, own = column[there], axes[there]
        if names:
            codes, counts = np.unique(column, return_counts=True)
            column = (column == codes[counts.argmax()]).astype(np.float64)
        column = column - column.mean()
        total = float(column @ column)
        if total > 0 and np.isfinite(total):
            weights = np.linalg.lstsq(own, column, rcond=None)[0]
            found[place] = 1 - float(np.square(column - own @ weights).sum()) / total
    return found
