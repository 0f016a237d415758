"""How is the sandbox's API controlled, by the requests under `/_sandbox/`?"""

from pydantic import BaseModel, ConfigDict, ValidationError

from orders.rate import RateError, parse_rate
from sandbox.api.decision import ThrottledApi
from sandbox.api.faults import Fault
from sandbox.api.responses import Response, problem, value

_ALLOWED = {
    "/_sandbox/requests": "GET",
    "/_sandbox/faults": "POST, DELETE",
    "/_sandbox/rate": "POST",
}


class _RateBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rate: str


def control(api: ThrottledApi, method: str, target: str, body: bytes, now: float) -> Response:
    """Carry out one request under `/_sandbox/`; `now` in seconds of the arrivals' clock."""
    path = target.partition("?")[0]
    try:
        match (method, path):
            case ("GET", "/_sandbox/requests"):
                dropped = f"Sandbox-Dropped: {api.log.dropped}"
                return Response(200, api.log.lines(), (dropped,), "application/x-ndjson")
            case ("POST", "/_sandbox/faults"):
                fault = Fault.model_validate_json(body)
                with api.lock:
                    api.faults.add(fault, now)
                    return value({"faults": api.faults.count(now)})
            case ("DELETE", "/_sandbox/faults"):
                with api.lock:
                    api.faults.clear()
                return value({"faults": 0})
            case ("POST", "/_sandbox/rate"):
                rate = parse_rate(_RateBody.model_validate_json(body).rate)
                with api.lock:
                    api.gap.rate = rate
                return value({"rate": str(rate)})
            case _ if path in _ALLOWED:
                allowed = _ALLOWED[path]
                return problem(405, f"{path} takes {allowed} only.", (f"Allow: {allowed}",))
            case _:
                return problem(404, f"There are only {', '.join(_ALLOWED)}.")
    except ValidationError as error:
        return problem(400, _sentence(error))
    except RateError as error:
        return problem(400, str(error))


def _sentence(error: ValidationError) -> str:
    complaints = (
        ": ".join([*map(str, problem["loc"]), problem["msg"]])
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return "; ".join(complaints) + "."
