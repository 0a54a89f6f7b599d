"""Reading frames: pandas, polars, Arrow tables and whatever else narwhals knows, taken apart column by column.

Reading gives plain arrays (`Cells`) and a `Schema`, from which `isthmus.data.frame_building` can build a frame of the
same kind again.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

from isthmus.data.arrow_tables import unlabelled
from isthmus.data.fields import Cells, Name, Schema
from isthmus.data.frame_columns import narwhals, read_column

if TYPE_CHECKING:
    import pandas
    import pyarrow

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
        If two columns have the same name, or one has a name that is no name beside the others.
    """
    names = names_of(X)
    frame = narwhals().from_native(unlabelled(X), eager_only=True)
    yield from zip(names, frame.iter_columns(), strict=True)


def names_of(X: Frame) -> list[Name]:
    """Return the names of the columns of a frame, as the frame has them; pandas' index, if it is stored, is no column.

    Raises
    ------
    ValueError
        If two columns have the same name, or one has a name that is no name beside the others.
    """
    X = unlabelled(X)
    if narwhals().dependencies.is_pandas_dataframe(X):
        names = cast("pandas.DataFrame", X).columns.tolist()
        refuse_odd_names(names)
        return names
    if narwhals().dependencies.is_pyarrow_table(X):
        names = cast("pyarrow.Table", X).column_names
        refuse_repeated_names(names)
        return names
    return narwhals().from_native(X, eager_only=True).columns


def refuse_odd_names(names: list[Name]) -> None:
    """Raise a `ValueError` unless the columns of a frame of pandas have names that tell them apart, of one type."""
    refuse_repeated_names(names)
    nameless = [name for name in names if name is None or name != name]
    others = [name for name in names if not isinstance(name, str)]
    odd = nameless or (others if len(others) < len(names) else [])
    if odd:
        # In a column of text, pandas keeps missing names missing.
        call = "df.columns.map(str)" if nameless else "df.columns.astype(str)"
        raise ValueError(
            f"the name of a column is {odd[0]!r} ({type(odd[0]).__name__}), and if one name is text, all must be; call "
            f"df.columns = {call}"
        )


def refuse_repeated_names(names: list[Name]) -> None:
    """Raise a `ValueError` if two columns have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"two columns are called {twice[0]!r}; give each a name of its own")


def axis_names(X: Frame) -> tuple[str | None, ...]:
    """Return what pandas calls the axis of the columns, or each of its levels; () if that has no name."""
    if not narwhals().dependencies.is_pandas_dataframe(X):
        return ()
    names = cast("pandas.DataFrame", X).columns.names
    return () if all(name is None for name in names) else tuple(None if name is None else str(name) for name in names)


def in_order(X: Frame, names: list[Name]) -> Frame:
    """Return a frame with its columns in this order, if it has just these; else the frame as it is."""
    found = names_of(X)
    if found == names or len(found) != len(names) or set(found) != set(names):
        return X
    if narwhals().dependencies.is_pandas_dataframe(X):
        frame = cast("pandas.DataFrame", X)
        return frame.iloc[:, [found.index(name) for name in names]]
    return cast(Frame, narwhals().from_native(X, eager_only=True).select(names).to_native())


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
    return Schema(backend_of(X), tuple(field for field, _ in found), axis_names(X)), [cells for _, cells in found]
