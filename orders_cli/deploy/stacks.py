"""CloudFormation: change sets of a stack, carrying them out, and the stack's outputs."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn
from uuid import uuid4

from botocore.exceptions import ClientError

from orders_cli.deploy.stack_plan import ResourceChange, StackPlan
from orders_cli.failures import CommandFailed

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        ChangeTypeDef,
        DescribeChangeSetOutputTypeDef,
        StackTypeDef,
    )

_POLL_SECONDS = 2.0
_LIMIT_SECONDS = 3_600.0
_NOTHING = ("didn't contain changes", "No updates are to be performed")


class Stacks:
    """The stacks of one account and region."""

    def __init__(
        self,
        client: "CloudFormationClient",
        *,
        tell: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self._client = client
        self._tell = tell
        self._sleep = sleep
        self._poll_seconds = poll_seconds

    def plan(self, stack: str, body: str, parameters: Mapping[str, str]) -> StackPlan:
        """Make a change set. Whoever does not carry it out drops it. Raises CommandFailed."""
        found = self._find(stack)
        status = found["StackStatus"] if found else ""
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise CommandFailed(
                f"The stack {stack} is being changed already ({status}).",
                hint="Wait for its end, then run this again.",
            )
        if status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}:
            raise CommandFailed(
                f"The first creation of the stack {stack} failed, and it cannot be changed.",
                hint="Run `orders destroy`, then `orders deploy` again.",
            )
        is_new = status in {"", "REVIEW_IN_PROGRESS"}
        made = self._client.create_change_set(
            StackName=stack,
            ChangeSetName=f"orders-{uuid4().hex}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=body,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in sorted(parameters.items())
            ],
            Capabilities=["CAPABILITY_IAM"],
            # A stack that was destroyed leaves what holds orders: a new one takes it over.
            ImportExistingResources=is_new,
        )
        return self._described(stack, made["Id"], is_new=is_new)

    def drop(self, plan: StackPlan) -> None:
        """Remove a change set, and the empty stack that it made."""
        if plan.is_empty:
            return
        self._client.delete_change_set(ChangeSetName=plan.id, StackName=plan.stack)
        found = self._find(plan.stack) if plan.is_new else None
        # Somebody else may have created the stack meanwhile: that one is theirs.
        if found and found["StackStatus"] == "REVIEW_IN_PROGRESS":
            self._client.delete_stack(StackName=plan.stack)

    def carry_out(self, plan: StackPlan) -> None:
        """Execute a change set and wait for its end, with progress. Raises CommandFailed."""
        seen = self._events(plan.stack)
        self._client.execute_change_set(ChangeSetName=plan.id, StackName=plan.stack)
        self._wait(plan.stack, set(seen))

    def delete(self, stack: str) -> bool:
        """Delete a stack and wait; False if there is none. Raises CommandFailed."""
        found = self._find(stack)
        if found is None:
            return False
        seen = set(self._events(stack))
        # By its id: a deleted stack has lost its name.
        self._client.delete_stack(StackName=stack)
        self._wait(found["StackId"], seen)
        return True

    def outputs(self, stack: str) -> dict[str, str] | None:
        """The outputs of a stack; None if there is no such stack."""
        found = self._find(stack)
        if found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def parameters(self, stack: str) -> dict[str, str]:
        """The parameters that a stack has now; empty if there is no such stack."""
        found = self._find(stack)
        listed = found.get("Parameters", []) if found else []
        return {one["ParameterKey"]: one.get("ParameterValue", "") for one in listed}

    def _find(self, stack: str) -> "StackTypeDef | None":
        try:
            found = self._client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        is_gone = not found or (
            found[0]["StackStatus"] == "DELETE_COMPLETE" and not stack.startswith("arn:")
        )
        return None if is_gone else found[0]

    def _described(self, stack: str, change_set: str, *, is_new: bool) -> StackPlan:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while True:
            found = self._client.describe_change_set(ChangeSetName=change_set, StackName=stack)
            if found["Status"] in {"CREATE_COMPLETE", "FAILED"} or time.monotonic() > deadline:
                break
            self._sleep(self._poll_seconds)
        plan = StackPlan(stack, change_set, is_new, self._all_changes(found))
        if found["Status"] == "CREATE_COMPLETE":
            return plan
        self.drop(plan)
        reason = found.get("StatusReason", found["Status"])
        if any(words in reason for words in _NOTHING):
            return StackPlan(stack, "", is_new, ())
        raise CommandFailed(f"CloudFormation refuses the change of {stack}: {reason.rstrip('.')}.")

    def _all_changes(self, first: "DescribeChangeSetOutputTypeDef") -> tuple[ResourceChange, ...]:
        changes, page = [*first.get("Changes", [])], first
        while page.get("NextToken"):
            page = self._client.describe_change_set(
                ChangeSetName=first["ChangeSetId"],
                StackName=first["StackName"],
                NextToken=page["NextToken"],
            )
            changes += page.get("Changes", [])
        return tuple(_change(one) for one in changes)

    def _events(self, stack: str) -> dict[str, tuple[str, str, str]]:
        """Event id to resource, status and reason; the oldest first."""
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack)
        events = [event for page in pages for event in page["StackEvents"]]
        return {
            one["EventId"]: (
                one.get("LogicalResourceId", ""),
                one.get("ResourceStatus", ""),
                one.get("ResourceStatusReason", ""),
            )
            for one in reversed(events)
        }

    def _wait(self, stack: str, seen: set[str]) -> None:
        failed: tuple[str, str] | None = None
        has_begun = False  # until then, the status is that of the time before
        deadline = time.monotonic() + _LIMIT_SECONDS
        while True:
            found = self._find(stack)
            for event, (name, status, reason) in self._events(stack).items():
                if event in seen:
                    continue
                seen.add(event)
                has_begun = True
                self._tell(f"  {status.lower().replace('_', ' ')}: {name}")
                if status.endswith("_FAILED") and failed is None:
                    failed = (name, reason)
            status = found["StackStatus"] if found else "DELETE_COMPLETE"
            if has_begun and not status.endswith("_IN_PROGRESS"):
                break
            if time.monotonic() > deadline:
                raise CommandFailed(f"The stack {stack} is still {status} after an hour.")
            self._sleep(self._poll_seconds)
        if "ROLLBACK" in status or status.endswith("_FAILED"):
            _fail(stack, status, failed)


def _fail(stack: str, status: str, failed: tuple[str, str] | None) -> NoReturn:
    why = f"{failed[0]}: {failed[1].rstrip('.')}" if failed else "CloudFormation gives no reason"
    raise CommandFailed(
        f"The stack {stack} ended as {status}. The first that failed was {why}.",
        hint="Whatever held orders is as it was. Correct the cause, then run this again.",
    )


def _change(listed: "ChangeTypeDef") -> ResourceChange:
    one = listed.get("ResourceChange", {})
    targets = [detail.get("Target", {}) for detail in one.get("Details", [])]
    names = (str(target.get("Name") or target.get("Attribute") or "") for target in targets)
    return ResourceChange(
        action=one.get("Action", "Modify"),
        name=one.get("LogicalResourceId", ""),
        kind=one.get("ResourceType", ""),
        replacement=one.get("Replacement", ""),
        properties=tuple(dict.fromkeys(name for name in names if name)),
    )
