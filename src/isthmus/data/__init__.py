"""Floor 2: where the rows come from."""

from isthmus.core.extras import MissingExtraError
from isthmus.data.idx import read_idx
from isthmus.data.named import Dataset, DatasetUnavailableError, load_dataset

__all__ = ["Dataset", "DatasetUnavailableError", "MissingExtraError", "load_dataset", "read_idx"]
