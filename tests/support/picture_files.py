"""Files of pictures."""

import io
from typing import Any

from numpy.typing import NDArray
from PIL import Image


def file_of(picture: Image.Image | NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    """What Pillow writes of a picture."""
    shown = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    shown.save(content := io.BytesIO(), kind, **options)
    return content.getvalue()
