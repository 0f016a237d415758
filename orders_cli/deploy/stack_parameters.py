"""Which parameters a stack gets: those of the environment, checked against the template's."""

import re
from collections.abc import Mapping, Sequence

from orders_cli.deploy.environment_file import Environment, Parameter, suggestion
from orders_cli.failures import SettingWrong

MADE_HERE: Mapping[str, Sequence[str]] = {
    "pipeline": ("Application", "CodeBucket", "CodeKey"),
    "consumer": ("Application", "Image", "ImageRepositoryArn"),
}
"""What the command decides itself; the file may not set them."""
_TOP_LEVEL = re.compile(r"^Parameters:\n((?:[ #].*\n|\n)*)", re.MULTILINE)
_NAME = re.compile(r"^  ([A-Za-z][A-Za-z0-9]*):", re.MULTILINE)


def parameter_names(template: str) -> tuple[str, ...]:
    """The parameters of a template of ours, which is YAML with an indent of two."""
    section = _TOP_LEVEL.search(template)
    return tuple(_NAME.findall(section[1])) if section else ()


def stack_parameters(
    environment: Environment, template: str, body: str, made: Mapping[str, str]
) -> dict[str, str]:
    """Every parameter that is not the template's default, as CloudFormation takes it.

    template: `pipeline` or `consumer`; body: its text; made: those that the command decides.
    Raises SettingWrong for a name that the template does not have.
    """
    names = dict.fromkeys(parameter_names(body))
    own = environment.pipeline if template == "pipeline" else environment.consumer
    for name in own:
        place = f"{template}.{name} of the environment {environment.application}"
        if name in MADE_HERE[template]:
            raise SettingWrong(f"{place} is decided by orders deploy; remove it.")
        if name not in names:
            raise SettingWrong(
                f"{place} is no parameter of infra/{template}.yaml; {suggestion(name, names)}"
            )
    general = {
        name: _text(value)
        for name, value in _general(environment, template).items()
        if value is not None
    }
    twice = sorted(set(general) & set(own))
    if twice:
        raise SettingWrong(
            f"{twice[0]} is set twice for {environment.application}: by a field of its own, and "
            f"in {template}.",
            hint="Keep one of them.",
        )
    set_here = general | {name: _text(value) for name, value in own.items()} | dict(made)
    return {name: value for name, value in set_here.items() if name in names}


def _general(environment: Environment, template: str) -> Mapping[str, Parameter | None]:
    shared: dict[str, Parameter | None] = {
        "Application": environment.application,
        "Rate": environment.rate,
        "RetentionHours": environment.retention_hours,
        "LogDays": environment.log_days,
        "AlarmTopicArn": environment.alarm_topic_arn,
    }
    if template == "pipeline" or environment.api is None:
        return shared
    network, api = environment.network, environment.api
    public_ip = (
        None if network.public_ip is None else "ENABLED" if network.public_ip else "DISABLED"
    )
    return shared | {
        "VpcId": network.vpc_id or None,
        "SubnetIds": network.subnet_ids or None,
        "PublicIp": public_ip,
        "ApiUrl": api.url or None,
        "ApiMethod": api.method,
        "ApiAuth": api.auth,
        "ApiTokenSecretArn": api.token_secret_arn,
        "ApiTokenParameter": api.token_parameter,
        "Architecture": environment.architecture.upper(),
    }


def _text(value: Parameter) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(value)
        case _:
            return str(value)
