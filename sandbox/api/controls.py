"""How is the sandbox's API told to misbehave, by `/_sandbox/faults` and `/_sandbox/rate`?"""

from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from orders.rate import Rate, RateError, parse_rate
from sandbox.api.answers import Answer, Listing, problem, value
from sandbox.api.decision import Desk
from sandbox.api.faults import Fault, FaultKind

_DAY_SECONDS = 86_400


def _header_text(wanted: object) -> object:
    return (
        str(wanted) if isinstance(wanted, int | float) and not isinstance(wanted, bool) else wanted
    )


class FaultBody(BaseModel):
    """The body of POST /_sandbox/faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: (
        Annotated[
            str,
            BeforeValidator(_header_text),
            Field(min_length=1, max_length=100, pattern=r"^[ -~]+$"),
        ]
        | None
    ) = None
    latency_seconds: Annotated[float, Field(ge=0, le=_DAY_SECONDS)] | None = None
    for_seconds: Annotated[float, Field(gt=0, le=_DAY_SECONDS)] | None = None
    for_requests: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    order_id: Annotated[str, Field(min_length=1, max_length=1_024)] | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if (self.kind is FaultKind.STATUS) != (self.status is not None):
            raise ValueError("status goes with kind status, and only with it")
        if self.retry_after is not None and self.kind is not FaultKind.STATUS:
            raise ValueError("retry_after goes with kind status only")
        if self.kind is FaultKind.SLOW and not self.latency_seconds:
            raise ValueError("kind slow needs latency_seconds above 0")
        return self

    def fault(self) -> Fault:
        """The same as a value; a drip without latency_seconds pauses a second a byte."""
        usual_seconds = 1.0 if self.kind is FaultKind.DRIP else 0.0
        latency_seconds = usual_seconds if self.latency_seconds is None else self.latency_seconds
        return Fault(
            self.kind,
            self.status,
            self.retry_after,
            latency_seconds,
            self.for_seconds,
            self.for_requests,
            self.order_id,
        )


class RateBody(BaseModel):
    """The body of POST /_sandbox/rate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: str

    def parsed(self) -> Rate:
        """The rate. Raises RateError."""
        return parse_rate(self.rate)


def control(desk: Desk, method: str, target: str, body: bytes, now: float) -> Answer | Listing:
    """Carry out one request under `/_sandbox/`; `now` in seconds of the arrivals' clock."""
    path = target.partition("?")[0]
    try:
        match (method, path):
            case ("GET", "/_sandbox/requests"):
                return Listing()
            case ("POST", "/_sandbox/faults"):
                desk.faults.add(FaultBody.model_validate_json(body).fault(), now)
                return value({"faults": desk.faults.count(now)})
            case ("DELETE", "/_sandbox/faults"):
                desk.faults.clear()
                return value({"faults": 0})
            case ("POST", "/_sandbox/rate"):
                desk.gap.rate = RateBody.model_validate_json(body).parsed()
                return value({"rate": str(desk.gap.rate)})
            case (_, "/_sandbox/requests"):
                return problem(405, "GET lists the requests.", ("Allow: GET",))
            case (_, "/_sandbox/faults"):
                return problem(
                    405, "POST adds a fault, DELETE clears all.", ("Allow: POST, DELETE",)
                )
            case (_, "/_sandbox/rate"):
                return problem(405, "POST sets the rate.", ("Allow: POST",))
            case _:
                return problem(404, "There are requests, faults and rate under /_sandbox/.")
    except ValidationError as error:
        return problem(400, _sentence(error))
    except RateError as error:
        return problem(400, str(error))


def _sentence(error: ValidationError) -> str:
    complaints = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(part) for part in detail["loc"])
        complaints.append(f"{where}: {detail['msg']}" if where else detail["msg"])
    return "; ".join(complaints) + "."
