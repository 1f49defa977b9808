"""Files inside the page, so that the page alone can be mailed."""

from base64 import b64encode
from html import escape

LARGEST = 1_000_000  # bytes of a file; larger ones lie beside the page only
_KINDS = {"csv": "text/csv", "svg": "image/svg+xml"}


def download(name: str, content: str, words: str) -> str:
    """A link that saves `content` as a file called `name`; where that is too large, where the file lies."""
    data = content.encode()
    if len(data) > LARGEST:
        return f"{escape(words)}: figures/{escape(name)} beside this page"
    kind = _KINDS[name.rpartition(".")[2]]
    return f'<a download="{escape(name)}" href="data:{kind};base64,{b64encode(data).decode()}">{escape(words)}</a>'
