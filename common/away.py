"""The error of a store that does not respond."""


class AwayError(ConnectionError):
    """Something that this server depends on does not respond; a client that needs it should try again later."""
