"""`RecipeError`: what is wrong in a recipe, and where in it."""

from isthmus.core.document import Steps


class RecipeError(ValueError):
    """A recipe has something that it cannot have; the message says where, unless it does by itself.

    Parameters
    ----------
    steps : tuple of str and int
        The keys and indices that lead to it.
    message : str
        What was expected, and what came.

    Examples
    --------
    >>> str(RecipeError(("penalty", 0, "beta"), "a number was expected"))
    'penalty.0.beta: a number was expected'
    """

    def __init__(self, steps: Steps, message: str) -> None:
        where = ".".join(map(str, steps))
        said = not where or where in message.partition("(")[0].split()
        super().__init__(message if said else f"{where}: {message}")
        self.steps, self.message = steps, message

    def __reduce__(self) -> tuple[type, tuple[Steps, str]]:
        # Errors are pickled between processes; by default the constructor would get only the message.
        return type(self), (self.steps, self.message)
