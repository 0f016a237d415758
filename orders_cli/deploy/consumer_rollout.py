"""Build the consumer's image, and plan its stack."""

from pathlib import Path

from orders_cli.deploy.account import DeployAccount
from orders_cli.deploy.image import PLATFORMS, build_and_push, find_builder
from orders_cli.deploy.image_repository import ImageRepository
from orders_cli.deploy.image_tag import image_tag
from orders_cli.deploy.stack_parameters import stack_parameters
from orders_cli.deploy.stack_plan import StackPlan
from orders_cli.failures import CommandFailed
from orders_cli.output import say
from sandbox.code_archive import CHECKOUT


def plan_consumer(account: DeployAccount, *, checkout: Path = CHECKOUT) -> StackPlan:
    """Push the image if its sources are new, and make the change set. Raises CommandFailed."""
    environment = account.environment
    body = (checkout / "infra" / "consumer.yaml").read_text(encoding="utf-8")
    stack_parameters(environment, "consumer", body, {})  # a wrong name costs no build
    ecr = account.session.client("ecr", config=account.config)
    repository = ImageRepository(ecr, f"{environment.application}-consumer")
    platform = PLATFORMS[environment.architecture]
    tag = image_tag(checkout, platform)
    image = repository.by_digest(tag)
    if image is None:
        builder = find_builder()
        say(f"orders: building the image for {platform} with {builder}")
        name = f"{repository.uri}:{tag}"
        registry = repository.registry()
        build_and_push(builder, checkout, name, platform=platform, registry=registry)
        image = repository.by_digest(tag)
    if image is None:
        raise CommandFailed(f"The image was pushed, but {repository.uri} does not have {tag}.")
    made = {"Image": image, "ImageRepositoryArn": repository.arn}
    parameters = stack_parameters(environment, "consumer", body, made)
    return account.stacks.plan(environment.stack_name("consumer"), body, parameters)
