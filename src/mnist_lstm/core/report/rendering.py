"""Pages and cards from the Jinja2 templates beside this file; every value that they show is escaped.

A name that a template uses and nobody gives is an error.
"""

import base64
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mnist_lstm.core.report import markdown


def environment(**options: Any) -> Environment:
    """The templates of this package."""
    return Environment(
        loader=PackageLoader("mnist_lstm.core.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )


def png(data: bytes) -> str:
    """A picture as the address of itself."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def plotly(figure: Any, with_script: bool = True, height: str = "450px") -> Markup:
    """A plotly figure as HTML; plotly's script, 4.6 MB, must stand once in a page."""
    html = figure.to_html(
        full_html=False, include_plotlyjs=with_script, default_height=height, config={"displaylogo": False}
    )
    return Markup(html)  # plotly escapes what its figures hold


HTML = environment()
HTML.filters |= {"png": png, "plotly": plotly}
MARKDOWN = environment(finalize=markdown.text)  # comes before autoescape, which leaves Markup as it is
MARKDOWN.filters |= {"block": markdown.block, "code": markdown.code, "row": markdown.row}


def render(template: str, **values: Any) -> str:
    """The page or card of a template, `*.html.j2` or `*.md.j2`, with these values."""
    templates = MARKDOWN if template.endswith(".md.j2") else HTML
    return templates.get_template(template).render(values)
