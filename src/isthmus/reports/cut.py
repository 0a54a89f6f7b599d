"""Texts that are cut where they are too long for a page, whose size is bounded."""

LONGEST, LONGEST_SENTENCE = 60, 400
"""Characters of a name, label or value, and of a sentence, beyond which it is cut."""


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text, cut where it is too long.

    >>> cut("a long text", 7)
    'a long…'
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
