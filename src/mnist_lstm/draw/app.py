"""The server of the page: three files, the model's facts, and an answer to each drawing; for this machine alone."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from mnist_lstm.core.inference.decode import PictureError
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.draw.reading import Reader

PAGE = Path(__file__).parent / "page"
HOSTS = ("127.0.0.1", "localhost", "::1")
MOST_BYTES = 2**20  # of a drawing
KIND = "image/png"  # what no page of another origin may post without asking first
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def application(checkpoint: Checkpoint) -> FastAPI:
    """The page on this trained classifier."""
    reader = Reader(checkpoint)
    app = FastAPI(openapi_url=None)
    app.add_middleware(LoopbackOnly)

    @app.get("/model")
    def model() -> dict[str, Any]:
        return reader.about

    @app.post("/read")
    async def read(request: Request) -> dict[str, Any]:
        if request.headers.get("content-type") != KIND:
            raise HTTPException(415, f"a drawing must be sent as {KIND}")
        content = await _body(request)
        try:
            return await run_in_threadpool(reader.read, content)
        except PictureError as error:
            raise HTTPException(422, str(error)) from None

    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            raise HTTPException(413, f"a drawing must have at most {MOST_BYTES} bytes")
    return bytes(content)


class LoopbackOnly:
    """Refuses requests by another name than this machine's own, or from a page of another origin.

    A page elsewhere could let its name point here (DNS rebinding) or post here; neither carries these headers.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or hands on to the page with the headers that keep it to itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = _refusal({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        await (PlainTextResponse(refused, 403) if refused else self._app)(scope, receive, sent)


def _refusal(headers: dict[str, str]) -> str:
    """Why a request is refused, empty where it is not."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if _hostname(f"//{host}") not in HOSTS:
        return f"the host must be one of {', '.join(HOSTS)}, not {host!r}"
    return f"the origin must be this page, not {origin!r}" if origin not in (None, f"http://{host}") else ""


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
