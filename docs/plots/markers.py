"""Text between two markers of a document, written by a script."""


def between(text: str, begin: str, end: str, inside: str) -> str:
    """Return a text in which the part between two markers is replaced."""
    head, rest = text.split(begin)
    return f"{head}{begin}\n{inside}\n{end}{rest.split(end)[1]}"
