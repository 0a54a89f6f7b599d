"""Text as a number, truth value, None or text, by the rules of YAML 1.2."""

import json
import math
import re

from isthmus.core.document import Plain

WORDS: dict[str, bool | None] = {
    word: value
    for words, value in ((("null", "none"), None), (("true",), True), (("false",), False))
    for name in words
    for word in (name, name.capitalize(), name.upper())
}
"""What a word means; "None" is Python's word, and "none" stays text, since some parameters have that choice."""
del WORDS["none"]
WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
NOT_A_NUMBER = (".nan", ".NaN", ".NAN")


def scalar_of(text: str) -> bool | int | float | str | None:
    """Return what a text means where no quotes are around it.

    Unlike YAML 1.1, in which "no" is false and "1e-3" is text, only "true" and "false" are truth values, and every
    number that Python writes is a number.

    Examples
    --------
    >>> scalar_of("1e-3"), scalar_of("16"), scalar_of("true"), scalar_of("null"), scalar_of("no")
    (0.001, 16, True, None, 'no')
    """
    if text in ("", "~"):
        return None
    if text in WORDS:
        return WORDS[text]
    if WHOLE.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if FRACTION.fullmatch(text):
        return float(text)
    if sign := INFINITE.fullmatch(text):
        return -math.inf if sign[1] == "-" else math.inf
    return math.nan if text in NOT_A_NUMBER else text


def value_of(text: str) -> Plain:
    """Return what a text means on a command line: a scalar, a list "[a, b]", or JSON.

    Raises
    ------
    ValueError
        If it begins like a list or JSON and is neither.

    Examples
    --------
    >>> value_of("[128, 64]"), value_of("[gaussian, trees]"), value_of('{"l1": {"weight": 0.1}}'), value_of('"16"')
    ([128, 64], ['gaussian', 'trees'], {'l1': {'weight': 0.1}}, '16')
    """
    text = text.strip()
    if text[:1] not in ("[", "{", '"'):
        return scalar_of(text)
    try:
        found: Plain = json.loads(text)
    except json.JSONDecodeError as error:
        inside = text[1:-1]
        if text[:1] == "[" and text[-1:] == "]" and not set(inside) & set('[]{}"'):
            return [scalar_of(item.strip()) for item in inside.split(",")] if inside.strip() else []
        raise ValueError(f"{text!r} is no JSON ({error.msg} at character {error.pos + 1})") from None
    return found
