"""Text between two markers of a document, which a script writes."""


def between(text: str, begin: str, end: str, inside: str) -> str:
    """A text with what stands between two markers replaced."""
    head, rest = text.split(begin)
    return f"{head}{begin}\n{inside}\n{end}{rest.split(end)[1]}"
