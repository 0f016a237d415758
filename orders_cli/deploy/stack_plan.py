"""What a change set would do, in words, and whether it would touch what holds orders."""

from collections.abc import Sequence
from dataclasses import dataclass

HOLDS_ORDERS = {
    "AWS::Kinesis::Stream": "stream",
    "AWS::DynamoDB::Table": "table",
    "AWS::S3::Bucket": "bucket",
}
# CloudFormation says "Conditional" where it has not worked out what a parameter comes to. These are
# changed in place, whatever the value: "Update requires" of its resource reference.
_IN_PLACE = {
    "AWS::Kinesis::Stream": {
        *("RetentionPeriodHours", "ShardCount", "StreamEncryption", "StreamModeDetails", "Tags"),
    },
    "AWS::DynamoDB::Table": {
        *("BillingMode", "DeletionProtectionEnabled", "PointInTimeRecoverySpecification"),
        *("SSESpecification", "Tags", "TimeToLiveSpecification"),
    },
    "AWS::S3::Bucket": {
        *("BucketEncryption", "LifecycleConfiguration", "LoggingConfiguration"),
        *("NotificationConfiguration", "OwnershipControls", "PublicAccessBlockConfiguration"),
        *("Tags", "VersioningConfiguration"),
    },
}
_VERBS = {
    "Add": "create",
    "Modify": "change",
    "Remove": "remove",
    "Import": "take over the existing",
    "Dynamic": "perhaps change",
}


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource of a change set; `replacement` is True, False, Conditional or empty."""

    action: str
    name: str
    kind: str
    replacement: str = ""
    properties: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What would happen to it."""
        verb = _VERBS.get(self.action, self.action.lower())
        if self._may_be_replaced:
            verb = "replace" if self.replacement == "True" else "perhaps replace"
        what = f"{verb} {self.name} ({self.kind.removeprefix('AWS::')})"
        return f"{what}: {', '.join(self.properties)}" if self.properties else what

    @property
    def is_loss(self) -> bool:
        """Would orders, or what is known about them, be left behind or deleted?"""
        return self.kind in HOLDS_ORDERS and (self.action == "Remove" or self._may_be_replaced)

    @property
    def _may_be_replaced(self) -> bool:
        if self.replacement != "Conditional":
            return self.replacement == "True"
        changed = set(self.properties)
        return not changed or not changed <= _IN_PLACE.get(self.kind, set())


@dataclass(frozen=True, slots=True)
class StackPlan:
    """A change set: id is empty where there is nothing to change."""

    stack: str
    id: str
    is_new: bool
    changes: tuple[ResourceChange, ...]

    @property
    def is_empty(self) -> bool:
        """Is there nothing to change?"""
        return not self.id

    @property
    def lines(self) -> list[str]:
        """The plan for people: a headline, then a line for each resource."""
        if self.is_empty:
            return [f"{self.stack}: nothing to change"]
        if not self.changes:
            return [f"{self.stack}: outputs or tags only"]
        title = "a new stack" if self.is_new else "an update"
        return [f"{self.stack}: {title}", *(f"  {one.sentence}" for one in _sorted(self.changes))]

    @property
    def losses(self) -> tuple[ResourceChange, ...]:
        """What is refused."""
        return tuple(one for one in self.changes if one.is_loss)


def _sorted(changes: Sequence[ResourceChange]) -> list[ResourceChange]:
    """What is gone for good comes first."""
    return sorted(
        changes,
        key=lambda one: (
            not one.is_loss,
            list(_VERBS).index(one.action) if one.action in _VERBS else len(_VERBS),
            one.name,
        ),
    )
