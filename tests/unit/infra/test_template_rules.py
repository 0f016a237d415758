"""Are parameters that cannot work refused before anything is made?"""

from itertools import product

import pytest

from consumer.adapters.api_url import parse_api_url
from orders.rate import RateError, parse_rate
from orders.retention import RETENTION_CHOICES_HOURS
from tests.support.template import Template, read_template
from tests.support.template_answer import NEEDED, parameters, refusals, value_of

# docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
FARGATE = {
    "256": ["512", "1024", "2048"],
    "512": ["1024", "2048", "3072", "4096"],
    "1024": ["2048", "3072", "4096", "5120", "6144", "7168", "8192"],
    "2048": [str(gigabytes * 1024) for gigabytes in range(4, 17)],
    "4096": [str(gigabytes * 1024) for gigabytes in range(8, 31)],
}
ON_EC2 = {"LaunchType": "EC2", "ClusterName": "ours"}
API = "https://api.example.com"


@pytest.fixture
def consumer() -> Template:
    return read_template("consumer")


@pytest.fixture
def pipeline() -> Template:
    return read_template("pipeline")


@pytest.mark.parametrize("name", ["consumer", "pipeline"])
def test_the_defaults_are_taken(name: str) -> None:
    assert refusals(read_template(name), {}) == []


def test_of_the_pairs_of_cpu_and_memory_those_that_fargate_has_are_taken(
    consumer: Template,
) -> None:
    choices = consumer.body["Parameters"]
    pairs = product(choices["TaskCpu"]["AllowedValues"], choices["TaskMegabytes"]["AllowedValues"])

    taken = {
        (cpu, memory)
        for cpu, memory in pairs
        if not refusals(consumer, {"TaskCpu": cpu, "TaskMegabytes": memory})
    }

    memories = choices["TaskMegabytes"]["AllowedValues"]
    assert taken == {(cpu, m) for cpu, allowed in FARGATE.items() for m in allowed if m in memories}
    assert len(taken) == 12


def test_a_wrong_pair_is_named_with_the_right_ones(consumer: Template) -> None:
    (sentence,) = refusals(consumer, {"TaskCpu": "256", "TaskMegabytes": "8192"})

    assert sentence == "With TaskCpu 256, TaskMegabytes is 512, 1024 or 2048"


def test_ec2_takes_any_pair_and_no_public_address(consumer: Template) -> None:
    assert refusals(consumer, ON_EC2 | {"TaskCpu": "256", "TaskMegabytes": "8192"}) == []

    (sentence,) = refusals(consumer, ON_EC2 | {"PublicIp": "ENABLED"})

    assert sentence.startswith("ECS gives a task on EC2 no public address")
    assert refusals(consumer, {"PublicIp": "ENABLED"}) == []


def test_ec2_needs_a_cluster(consumer: Template) -> None:
    (sentence,) = refusals(consumer, {"LaunchType": "EC2"})

    assert sentence == "LaunchType EC2 needs ClusterName, a cluster that has instances"


@pytest.mark.parametrize(
    "given",
    [
        {"ApiTokenSecretArn": "arn", "ApiTokenParameter": "/orders/token"},
        {"ApiAuth": "oauth2"},
        {"ApiAuth": "oauth2", "ApiTokenUrl": f"{API}/token"},
        {"ApiAuth": "sigv4"},
        {"ApiKeySecretArn": "arn"},
    ],
)
def test_halves_of_a_sign_in_are_refused(consumer: Template, given: dict[str, str]) -> None:
    assert len(refusals(consumer, given)) >= 1


@pytest.mark.parametrize(
    "url",
    [
        f"{API}/orders/{{order_id}}",
        f"{API}:8443/orders/{{order_id}}?shop=12&via=paced",
        f"{API}/{{customer_id}}/{{upload}}/{{order_id}}",
        f"{API}/",
    ],
)
def test_an_address_that_the_consumer_can_use_is_taken(consumer: Template, url: str) -> None:
    assert refusals(consumer, {"ApiUrl": url}) == []
    assert parse_api_url(url).secure


@pytest.mark.parametrize(
    "url",
    [
        f"{API}/orders?id={{order_id}}",
        f"{API}/orders/{{order}}",
        f"{API}/orders#{{order_id}}",
        f"{API}:0/orders/{{order_id}}",
        f"{API}",
        "http://api.example.com/orders/{order_id}",
        "https://user:secret@api.example.com/orders/{order_id}",
        "https://{order_id}.example.com/",
    ],
)
def test_an_address_that_the_consumer_cannot_use_is_refused(consumer: Template, url: str) -> None:
    assert refusals(consumer, {"ApiUrl": url})


@pytest.mark.parametrize(
    ("url", "port"), [(f"{API}/a:b", "443"), (f"{API}:443/", "443"), (f"{API}:8443/a", "8443")]
)
def test_the_security_group_lets_aws_and_the_port_of_the_api_out(
    consumer: Template, url: str, port: str
) -> None:
    told = parameters(consumer, {"ApiUrl": url})

    (group,) = consumer.of_type("AWS::EC2::SecurityGroup").values()
    rules = [
        {name: value_of(rule[name], told) for name in rule} for rule in group["SecurityGroupEgress"]
    ]

    aws = {"0.0.0.0/0", "::/0"}
    api = {"0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"}
    opened = {(rule.get("CidrIp") or rule["CidrIpv6"], rule["FromPort"]) for rule in rules}
    assert opened == {(one, "443") for one in aws} | {(half, port) for half in api}
    assert len(rules) == len(opened)
    assert all(rule["FromPort"] == rule["ToPort"] for rule in rules)


def test_a_token_endpoint_on_a_port_that_is_closed_is_refused(consumer: Template) -> None:
    oauth2 = {"ApiAuth": "oauth2", "ApiClientId": "shop"}

    assert refusals(consumer, oauth2 | {"ApiTokenUrl": f"{API}/token?tenant=1"}) == []
    assert refusals(consumer, oauth2 | {"ApiTokenUrl": f"{API}:8443/token"})


@pytest.mark.parametrize("template", ["consumer", "pipeline"])
@pytest.mark.parametrize(
    "rate",
    [
        *("none", "1/s", "0.5/s", "2000/s", "1999.5/s", "10/m", "90000/m", "1/h", "86400.5/h"),
        *("0/s", "0.0/s", "00/m", "2001/s", "3000/s", "1/d", "-1/s", "1", ".5/s", "1e3/s", "0.5/h"),
    ],
)
def test_a_rate_is_taken_if_the_consumer_takes_it(template: str, rate: str) -> None:
    try:
        parse_rate(rate)
    except RateError:
        assert refusals(read_template(template), {"Rate": rate})
    else:
        assert refusals(read_template(template), {"Rate": rate}) == []


@pytest.mark.parametrize("quota", ["0/d", "100/0h", "1/d,0/h", "5"])
def test_a_quota_of_nothing_is_refused(consumer: Template, quota: str) -> None:
    assert refusals(consumer, {"Quota": quota})
    assert refusals(consumer, {"Quota": "50000/d,10000/24h"}) == []


def test_the_expiry_alarm_follows_the_retention(pipeline: Template) -> None:
    alarm = pipeline.of_type("AWS::CloudWatch::Alarm")["OrderAgeAlarm"]
    retentions = RETENTION_CHOICES_HOURS

    assert pipeline.body["Parameters"]["RetentionHours"]["AllowedValues"] == [*retentions]
    assert alarm["Threshold"] == {
        "Fn::FindInMap": ["ExpiryAlarm", {"Ref": "RetentionHours"}, "Milliseconds"]
    }
    thresholds = pipeline.body["Mappings"]["ExpiryAlarm"]
    assert {hours: row["Milliseconds"] for hours, row in thresholds.items()} == {
        str(hours): hours * 3_600_000 * 2 // 3 for hours in retentions
    }
    assert refusals(pipeline, {"RetentionHours": "100"})


def test_the_retention_is_said_in_one_place() -> None:
    said = [
        (template, name)
        for template in NEEDED
        for name in read_template(template).body["Parameters"]
        if "Retention" in name or "Expiry" in name
    ]

    assert said == [("pipeline", "RetentionHours")]


def test_no_workers_is_a_stop_that_notifies_nobody_of_an_absent_consumer(
    consumer: Template,
) -> None:
    assert refusals(consumer, {"Workers": "0"}) == []

    stopped = consumer.body["Conditions"]["IsStopped"]
    assert value_of(stopped, parameters(consumer, {"Workers": "0"}))
    assert not value_of(stopped, parameters(consumer, {}))
    alarms = consumer.of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    silent = {name for name, alarm in alarms.items() if "ActionsEnabled" in alarm}
    assert silent == {"ConsumerAbsentAlarm", "LeasesNotRenewedAlarm"}
    assert all(
        alarms[n]["ActionsEnabled"] == {"Fn::If": ["IsStopped", False, True]} for n in silent
    )
