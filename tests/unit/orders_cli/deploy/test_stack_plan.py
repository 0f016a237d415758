import pytest

from orders_cli.deploy.stack_plan import ResourceChange, StackPlan

STREAM, TABLE, BUCKET = "AWS::Kinesis::Stream", "AWS::DynamoDB::Table", "AWS::S3::Bucket"


def modified(kind: str, replacement: str, *properties: str) -> ResourceChange:
    return ResourceChange("Modify", "It", kind, replacement, properties)


@pytest.mark.parametrize("kind", [STREAM, TABLE, BUCKET])
@pytest.mark.parametrize("replacement", ["True", "Conditional"])
def test_what_holds_orders_may_not_be_replaced(kind: str, replacement: str) -> None:
    assert modified(kind, replacement, "Name").is_loss


@pytest.mark.parametrize("kind", [STREAM, TABLE, BUCKET])
def test_what_holds_orders_may_not_be_removed(kind: str) -> None:
    assert ResourceChange("Remove", "It", kind).is_loss


def test_a_conditional_replacement_without_a_known_property_is_a_loss() -> None:
    assert modified(STREAM, "Conditional").is_loss
    assert modified(STREAM, "Conditional", "RetentionPeriodHours", "Name").is_loss


def test_what_is_always_changed_in_place_is_no_loss() -> None:
    change = modified(STREAM, "Conditional", "RetentionPeriodHours", "ShardCount")

    assert not change.is_loss
    assert change.sentence == "change It (Kinesis::Stream): RetentionPeriodHours, ShardCount"


def test_anything_else_may_be_replaced_and_the_plan_says_so() -> None:
    task = ResourceChange("Modify", "ConsumerTask", "AWS::ECS::TaskDefinition", "True", ("Cpu",))

    assert not task.is_loss
    assert task.sentence == "replace ConsumerTask (ECS::TaskDefinition): Cpu"


def test_a_plan_names_losses_first() -> None:
    added = ResourceChange("Add", "Alarm", "AWS::CloudWatch::Alarm")
    removed = ResourceChange("Remove", "Ledger", TABLE)

    plan = StackPlan("shop-pipeline", "id", is_new=False, changes=(added, removed))

    assert plan.lines == [
        "shop-pipeline: an update",
        "  remove Ledger (DynamoDB::Table)",
        "  create Alarm (CloudWatch::Alarm)",
    ]
    assert plan.losses == (removed,)


def test_an_empty_plan_says_that_there_is_nothing_to_change() -> None:
    plan = StackPlan("shop-pipeline", "", is_new=False, changes=())

    assert plan.is_empty
    assert plan.lines == ["shop-pipeline: nothing to change"]
