"""What the name of a column hints at. A hint alone finds nothing: it tells apart what the values leave open."""

import re

from isthmus.data.fields import Name

IDENTIFIERS = {"id", "uuid", "guid", "key", "idx", "index", "no", "nr", "identifier"}
"""Last words of names of columns that tell rows, or what rows belong to, apart."""
SUBJECTS = {
    *("patient", "subject", "user", "customer", "client", "person", "member", "speaker", "session", "device", "sensor"),
    *("machine", "household", "player", "student", "participant", "visitor", "account", "driver", "vehicle"),
}
"""Last words of names of columns that tell to whom or what a row belongs."""
TIMES = {"timestamp", "time", "ts", "date", "datetime", "epoch", "created", "updated"}
"""Last words of names of columns that tell when."""
CODES = {
    *("zip", "zipcode", "postcode", "postal", "plz", "code", "sku", "isbn", "ean", "phone", "store", "shop", "branch"),
    *("district", "region", "county", "country", "state", "category", "type", "class", "cluster", "department", "dept"),
    *("sector", "product", "item"),
}
"""Last words of names of columns whose numbers are names."""


def words_of(name: Name) -> list[str]:
    """Return the words of a name in lower case.

    >>> words_of("customer_ID"), words_of("zipCode"), words_of(3)
    (['customer', 'id'], ['zip', 'code'], [])
    """
    if not isinstance(name, str):
        return []
    # Some files write the type of a column behind a colon: "user_id:token".
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.partition(":")[0])
    return [word.lower() for word in re.split(r"[^0-9A-Za-zÀ-ÿ]+", parted) if word]


def ends_in(name: Name, words: set[str]) -> bool:
    """Whether the last word of a name is one of these."""
    return bool(words_of(name)) and words_of(name)[-1] in words
