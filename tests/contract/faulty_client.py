"""Faults of DynamoDB: lost answers, late answers and refusals."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError, ReadTimeoutError

if TYPE_CHECKING:
    from botocore.exceptions import _ClientErrorResponseTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient

WRITES = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})

Call = Callable[..., Any]
Fault = Callable[[str, Call, dict[str, Any]], Any]


class FaultyClient:
    """A real client, each of whose writes goes through `fault`."""

    def __init__(self, client: "DynamoDBClient", fault: Fault) -> None:
        self._client = client
        self._fault = fault

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real client has
        attribute = getattr(self._client, name)
        if name not in WRITES:
            return attribute
        return lambda **request: self._fault(name, attribute, request)


def with_fault(client: "DynamoDBClient", fault: Fault) -> "DynamoDBClient":
    return cast("DynamoDBClient", FaultyClient(client, fault))


def tried_twice(_: str, call: Call, request: dict[str, Any]) -> Any:  # noqa: ANN401
    """The write took effect, its answer was lost, and botocore sent it again by itself."""
    with suppress(ClientError):  # the answer that nobody saw
        call(**request)
    return call(**request)


class LostAnswers:
    """After `skip` writes one takes effect without an answer, however often botocore tries."""

    def __init__(self, *, skip: int = 0) -> None:
        self.skip = skip

    def __call__(self, _: str, call: Call, request: dict[str, Any]) -> Any:  # noqa: ANN401
        answer = call(**request)
        self.skip -= 1
        if self.skip == -1:
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1:1")
        return answer


class Meanwhile:
    """Between what was read and the next `times` writes (after `skip`), somebody else acts."""

    def __init__(self, act: Callable[[], object], *, times: int = 1, skip: int = 0) -> None:
        self.act = act
        self.times = times
        self.skip = skip

    def __call__(self, _: str, call: Call, request: dict[str, Any]) -> Any:  # noqa: ANN401
        if self.skip:
            self.skip -= 1
        elif self.times:
            self.times -= 1
            self.act()
        return call(**request)


def refused_with(code: str, *, reasons: Sequence[str] = ()) -> Fault:
    """reasons: why each write of a transaction was cancelled, as codes."""

    def refuse(name: str, _: Call, __: dict[str, Any]) -> Any:  # noqa: ANN401
        told: _ClientErrorResponseTypeDef = {"Error": {"Code": code, "Message": "no"}}
        if reasons:
            told["CancellationReasons"] = [{"Code": reason} for reason in reasons]
        raise ClientError(told, name)

    return refuse
