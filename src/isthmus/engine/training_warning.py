"""`TrainingWarning`: the warning category for training runs that ended early."""


class TrainingWarning(UserWarning):
    """Training ended otherwise than planned; the estimator is usable, and the message says what to do.

    It is issued when the loss stops being finite, when the user interrupts training with Ctrl-C, and when the trained
    code is wholly or partly unused, such as after a posterior collapse.

    Examples
    --------
    Turn it into an error, for example in a pipeline that nobody watches:

    >>> import warnings
    >>> from isthmus import TrainingWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", TrainingWarning)
    """
