"""Secrets that tests look for wherever something is printed or written."""


def shows_canary(text: str) -> bool:
    """Whether a piece of a secret CANA…RYX1 is to be read."""
    return "CANA" in text or "RYX1" in text
