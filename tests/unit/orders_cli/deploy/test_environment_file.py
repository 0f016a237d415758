from pathlib import Path

import pytest

from orders_cli.deploy.environment_file import Environment, load_environment
from orders_cli.deploy.stack_parameters import parameter_names, stack_parameters
from orders_cli.failures import SettingWrong
from tests.support.template import INFRA, read_template

SAVED = """
[prod]
application = "shop"
rate = "2/s"
[prod.network]
vpc_id = "vpc-1"
subnet_ids = ["subnet-1", "subnet-2"]
public_ip = true
[prod.api]
url = "https://api.example.com/orders/{order_id}"
[prod.pipeline]
Lanes = 4
[prod.consumer]
TaskCpu = "1024"
"""


def body(template: str) -> str:
    return (INFRA / f"{template}.yaml").read_text(encoding="utf-8")


def load(folder: Path, text: str = SAVED, name: str = "prod") -> Environment:
    file = folder / "orders.toml"
    file.write_text(text, encoding="utf-8")
    return load_environment(file, name)


@pytest.mark.parametrize("template", ["pipeline", "consumer"])
def test_every_parameter_of_a_template_is_found(template: str) -> None:
    assert list(parameter_names(body(template))) == list(read_template(template).body["Parameters"])


def test_the_fields_become_the_parameters_of_both_stacks(tmp_path: Path) -> None:
    environment = load(tmp_path)

    pipeline = stack_parameters(environment, "pipeline", body("pipeline"), {"CodeKey": "k"})
    consumer = stack_parameters(environment, "consumer", body("consumer"), {"Image": "i"})

    assert pipeline == {"Application": "shop", "Rate": "2/s", "Lanes": "4", "CodeKey": "k"}
    assert consumer == {
        "Application": "shop",
        "Rate": "2/s",
        "VpcId": "vpc-1",
        "SubnetIds": "subnet-1,subnet-2",
        "PublicIp": "ENABLED",
        "ApiUrl": "https://api.example.com/orders/{order_id}",
        "Architecture": "X86_64",
        "TaskCpu": "1024",
        "Image": "i",
    }


def test_other_processors_are_asked_for_in_the_template_s_words(tmp_path: Path) -> None:
    environment = load(tmp_path, SAVED.replace("[prod]", '[prod]\narchitecture = "arm64"'))

    found = stack_parameters(environment, "consumer", body("consumer"), {"Image": "i"})

    assert (
        found["Architecture"]
        in read_template("consumer").body["Parameters"]["Architecture"]["AllowedValues"]
    )
    assert found["Architecture"] == "ARM64"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("Lane = 4", "did you mean Lanes?"),
        ("CodeKey = 'x'", "is decided by orders deploy"),
        ("Rate = '1/s'", "is set twice"),
    ],
)
def test_a_wrong_parameter_is_named(tmp_path: Path, wrong: str, sentence: str) -> None:
    environment = load(tmp_path, SAVED.replace("Lanes = 4", wrong))

    with pytest.raises(SettingWrong, match="pipeline") as refused:
        stack_parameters(environment, "pipeline", body("pipeline"), {})

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("rate =", "rates =", "prod.rates is unknown; did you mean rate?"),
        ("vpc_id =", "vpc =", "prod.network.vpc is unknown; did you mean vpc_id?"),
        ('"shop"', '"Shop"', "prod.application is wrong"),
        ("[prod]", "[live]", "has no environment [prod]"),
        ("[prod]", "[prod", "cannot be read"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text = SAVED.replace(old, new, 1) if new != "[live]" else SAVED.replace("[prod", "[live")

    with pytest.raises(SettingWrong) as refused:
        load(tmp_path, text)

    assert sentence in str(refused.value)


def test_a_secret_in_the_place_of_its_arn_is_refused_and_not_shown(tmp_path: Path) -> None:
    text = SAVED.replace("url =", 'token_secret_arn = "s3cr3t"\nurl =')

    with pytest.raises(SettingWrong, match="token_secret_arn") as refused:
        load(tmp_path, text)

    assert "s3cr3t" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingWrong, match="does not exist"):
        load_environment(tmp_path / "orders.toml", "prod")
