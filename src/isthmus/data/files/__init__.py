"""Files of data: read in any format as estimators take them, and written in any format, whole or not at all."""

from isthmus.data.files.opening import DataFile, open_file
from isthmus.data.files.writing import write_table

__all__ = ["DataFile", "open_file", "write_table"]
