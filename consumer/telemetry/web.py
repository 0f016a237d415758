"""The worker's HTTP endpoints."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from consumer.telemetry.exposition import CONTENT_TYPE, Exposition
from consumer.telemetry.health import Finding, all_fine, liveness, readiness
from consumer.telemetry.page import TEMPLATES, make_page
from consumer.telemetry.snapshot import Snapshot

_SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(
    look: Callable[[], Snapshot],
    exposition: Exposition,
    *,
    workers: int,
    watcher_lives: Callable[[], bool],
) -> Starlette:
    """The web application; `look` returns the present snapshot."""
    css = (TEMPLATES / "status.css").read_text(encoding="utf-8")

    def metrics(_: Request) -> Response:
        return Response(exposition.text(look()), headers={"Content-Type": CONTENT_TYPE})

    def healthz(_: Request) -> Response:
        return _answer(liveness(look(), workers=workers, watcher_lives=watcher_lives()))

    def readyz(_: Request) -> Response:
        return _answer(readiness(look(), workers=workers))

    def status(_: Request) -> Response:
        snapshot = look()
        findings = [
            *liveness(snapshot, workers=workers, watcher_lives=watcher_lives()),
            *readiness(snapshot, workers=workers),
        ]
        return HTMLResponse(make_page(snapshot, findings).render(), headers=_SAFE)

    def stylesheet(_: Request) -> Response:
        return Response(css, media_type="text/css", headers=_SAFE)

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/", status),
            Route("/status.css", stylesheet),
        ]
    )


def _answer(findings: list[Finding]) -> Response:
    fine = all_fine(findings)
    body = {
        "fine": fine,
        "findings": [{"name": f.name, "fine": f.is_fine, "says": f.says} for f in findings],
    }
    return JSONResponse(body, status_code=200 if fine else 503, headers=_SAFE)
