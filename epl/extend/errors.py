"""What is wrong with a function or annotation that somebody registers."""


class BadExtension(Exception):
    """A registration that cannot be: the message names the function and says what it lacks."""
