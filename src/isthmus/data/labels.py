"""Row labels: pandas' index of a frame, and of a table of Arrow's or a Parquet file that pandas wrote.

Pandas stores an index as columns, or as the ends of a range, and says so in the metadata of the schema, as JSON.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from isthmus.data.arrow_tables import PANDAS, arrow, is_table, pandas_description
from isthmus.data.frames import narwhals

if TYPE_CHECKING:
    import pandas


class Labels(NamedTuple):
    """The labels of rows, as Arrow has them."""

    columns: Any
    """A table of Arrow's with the columns of the index; none for a range."""
    known: dict[str, Any]
    """Pandas' description of the table."""
    rows: int
    """How many rows there are."""

    def part(self, start: int, stop: int) -> "Labels":
        """Return the labels of consecutive rows, with the description of all."""
        stop = min(stop, self.rows)
        return Labels(self.columns.slice(start, stop - start), self.known, stop - start)


def labels_of(X: Any) -> Labels | None:
    """Return the labels of the rows of a frame of pandas, or of a table of Arrow's that was made from one."""
    if not is_table(X):
        return labels_of_index(X.index) if is_pandas(X) else None
    known = pandas_description(X.schema)
    stored = [name for name in known.get("index_columns", []) if isinstance(name, str)]
    if "index_columns" not in known or any(name not in X.schema.names for name in stored):
        return None
    return Labels(X.select(stored), known, X.num_rows)


def labels_of_index(index: "pandas.Index") -> Labels:
    """Return pandas' index as Arrow has it."""
    import pandas

    table = arrow().Table.from_pandas(pandas.DataFrame(index=index))
    return Labels(table, {**pandas_description(table.schema), "column_indexes": []}, len(index))


def is_pandas(X: object) -> TypeGuard["pandas.DataFrame"]:
    """Whether X is a frame of pandas."""
    return bool(narwhals().dependencies.is_pandas_dataframe(X))


def joined(pieces: Sequence[Labels | None]) -> Labels | None:
    """Return the labels of pieces, one after the other; None if the pieces have none, or different kinds."""
    first = pieces[0] if pieces else None
    if first is None or any(piece is None or piece.columns.schema != first.columns.schema for piece in pieces):
        return None
    known = [piece for piece in pieces if piece is not None]
    return Labels(arrow().concat_tables([p.columns for p in known]), first.known, sum(p.rows for p in known))


def pandas_index(X: Any) -> "pandas.Index | None":
    """Return the labels of the rows of X, a frame or `Labels`, as pandas has them; None if there are none."""
    if is_pandas(X):
        return X.index
    labels = X if isinstance(X, Labels) else labels_of(X)
    if labels is None or not labels.known["index_columns"]:
        return None
    first = labels.known["index_columns"][0]
    if isinstance(first, dict):
        return range_index(first, labels.rows)
    return with_labels(None, labels).to_pandas().index


def stored_index(X: Any) -> "pandas.Index | None":
    """Return the labels of rows that were taken from a frame or a table of Arrow's, as pandas has them.

    None if there are none, or if a table of Arrow's describes them by the ends of a range: these tell nothing of the
    rows that are left of it.
    """
    if not is_table(X):
        return pandas_index(X) if is_pandas(X) else None
    labels = labels_of(X)
    return None if labels is None or labels.columns.num_columns == 0 else with_labels(None, labels).to_pandas().index


def range_index(ends: dict[str, Any], rows: int) -> "pandas.Index | None":
    """Return the range that pandas describes by its ends; None if it has another number of rows."""
    import pandas

    found = pandas.RangeIndex(ends["start"], ends["stop"], ends["step"], name=ends["name"])
    return found if len(found) == rows else None


def labelled(frame: Any, labels: Labels | None) -> Any:
    """Return a frame of any library with labels, if its library has any."""
    if is_table(frame):
        return with_labels(frame, labels)
    if not is_pandas(frame):
        return frame
    index = None if labels is None else pandas_index(labels)
    return frame.reset_index(drop=True) if index is None else frame.set_axis(index, axis=0)


def with_labels(table: Any, labels: Labels | None) -> Any:
    """Add labels to a table of Arrow's, as pandas stores them: as columns, and in the metadata.

    Parameters
    ----------
    table
        Rows; None for the labels alone.
    labels
        Of the rows; None adds nothing.
    """
    if labels is None:
        return table
    names = [] if table is None else table.column_names
    labels = renamed(labels, names)
    found = labels.columns if table is None else table
    for name in [] if table is None else labels.columns.column_names:
        found = found.append_column(labels.columns.schema.field(name), labels.columns.column(name))
    kept = [column for column in labels.known["columns"] if column["field_name"] in found.column_names]
    whole = {column["field_name"] for column in kept} >= set(names)
    axis = labels.known.get("column_indexes", []) if whole and names else []
    metadata = {**labels.known, "columns": kept, "column_indexes": axis}
    return found.replace_schema_metadata({PANDAS: json.dumps(metadata).encode()})


def renamed(labels: Labels, taken: Sequence[str]) -> Labels:
    """Return labels whose columns have none of the names that are taken: pandas' own names for an index instead."""
    old = labels.columns.column_names
    new = {name: f"__index_level_{place}__" if name in taken else name for place, name in enumerate(old)}
    known = {
        **labels.known,
        "index_columns": [one if isinstance(one, dict) else new.get(one, one) for one in labels.known["index_columns"]],
        "columns": [
            {**column, "field_name": new.get(column["field_name"], column["field_name"])}
            for column in labels.known["columns"]
        ],
    }
    return Labels(labels.columns.rename_columns(list(new.values())), known, labels.rows)
