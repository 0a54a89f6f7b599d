"""Reading frames: pandas, polars, Arrow tables and whatever else narwhals knows, taken apart column by column.

Reading gives plain arrays (`Cells`) and a `Schema`, from which `isthmus.data.frame_building` can build a frame of the
same kind again.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

from isthmus.data.fields import Cells, Name, Schema
from isthmus.data.frame_columns import narwhals, read_column

if TYPE_CHECKING:
    import pandas

    from isthmus.data.frame_columns import FrameSeries


class Frame(Protocol):
    """A table of named columns: of pandas, polars, Arrow or another library that narwhals knows."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...


def is_frame(X: object) -> TypeGuard[Frame]:
    """Whether X is a frame of pandas, polars, Arrow or another library that narwhals knows."""
    kind = type(X)
    if kind.__module__.split(".")[0] in ("numpy", "scipy", "builtins", "torch") or not hasattr(X, "shape"):
        return False
    if not any(hasattr(X, name) for name in ("columns", "column_names", "schema")):
        return False
    return narwhals().dependencies.is_into_dataframe(X)


def columns_of(X: Frame) -> Iterator[tuple[Name, "FrameSeries"]]:
    """Iterate over the columns of a frame: the frame's own name of each, and the column as a series of narwhals.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    if narwhals().dependencies.is_pandas_dataframe(X):
        names = cast("pandas.DataFrame", X).columns
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            raise ValueError(f"two columns are called {twice!r}; give each a name of its own")
    frame = narwhals().from_native(X, eager_only=True)
    yield from zip(names_of(X), frame.iter_columns(), strict=True)


def names_of(X: Frame) -> list[Name]:
    """Return the names of the columns of a frame, as the frame has them."""
    if narwhals().dependencies.is_pandas_dataframe(X):
        return cast("pandas.DataFrame", X).columns.tolist()
    return narwhals().from_native(X, eager_only=True).columns


def backend_of(X: Frame) -> str:
    """Return the name of the library that a frame belongs to, such as "pandas" or "polars"."""
    return str(narwhals().from_native(X, eager_only=True).implementation.value).lower()


def read(X: Frame) -> tuple[Schema, list[Cells]]:
    """Take a frame apart.

    Raises
    ------
    ValueError
        If a column holds values of several types, or of a type that is neither numbers, categories nor times; the
        message names the column.
    """
    found = [read_column(name, series) for name, series in columns_of(X)]
    return Schema(backend_of(X), tuple(field for field, _ in found)), [cells for _, cells in found]
