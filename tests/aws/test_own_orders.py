"""Orders of one's own through the real Lambda (ministack): the model of the how-to page."""

from collections.abc import Iterator

import pytest

from orders.envelope import OrderEnvelope
from orders.invalid_report import read_report_parts, report_folder
from orders.upload import UploadId
from sandbox.code_archive import CHECKOUT
from tests.support.producer_pipeline import Pipeline, deployed_pipeline

pytestmark = pytest.mark.aws

LANES = 3
ORDERS = 300


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("own")
    how_to = (CHECKOUT / "docs" / "how-to" / "own-orders.md").read_text(encoding="utf-8")
    (folder / "models").mkdir()
    (folder / "models" / "shop.py").write_text(how_to.split("```python\n")[1].split("```")[0])
    parameters = {
        "Lanes": str(LANES),
        "OrderModel": "models.shop:ShopOrder",
        "OrderIdField": "number",
    }
    with deployed_pipeline(folder / "aws", parameters, models=folder / "models") as deployed:
        yield deployed


def test_lines_of_json_keep_their_bytes_and_bring_their_ids(pipeline: Pipeline) -> None:
    lines = [b'{"total": "1.50", "number":"S-%d","customer":"C"}' % (n % 50) for n in range(ORDERS)]
    lines[9] = b'{"number":"s-1","customer":"C","total":1}'

    upload = pipeline.upload(b"\n".join(lines), "uploads/own.jsonl")
    account = pipeline.when_read(upload)

    assert (account.enqueued, account.upload.progress.invalid) == (ORDERS - 1, 1)
    lanes = by_lane(pipeline, upload)
    assert {one.line: one.body for lane in lanes for one in lane} == {
        number: line for number, line in enumerate(lines, 1) if number != 10
    }
    assert_ids_in_file_order(lanes, {n + 1: f"S-{n % 50}" for n in range(ORDERS) if n != 9})
    keys = pipeline.s3.list_objects_v2(
        Bucket=pipeline.bucket, Prefix=report_folder("reports/", upload)
    )["Contents"]
    report = pipeline.s3.get_object(Bucket=pipeline.bucket, Key=keys[0]["Key"])["Body"].read()
    (invalid,) = read_report_parts([report])
    assert (invalid.line, invalid.reason) == (
        10,
        "number: String should match pattern '^S-[0-9]+$'",
    )


def test_csv_records_become_json_with_their_ids(pipeline: Pipeline) -> None:
    records = b"".join(b"C,S-%d,2,9.50,x\n" % (n % 50) for n in range(ORDERS))

    upload = pipeline.upload(b"customer,number,pieces,total,more\n" + records, "uploads/own.csv")
    pipeline.when_read(upload)

    lanes = by_lane(pipeline, upload)
    assert_ids_in_file_order(lanes, {n + 2: f"S-{n % 50}" for n in range(ORDERS)})
    bodies = {one.line: one.body for lane in lanes for one in lane}
    assert bodies[2] == b'{"customer":"C","number":"S-0","pieces":2,"total":"9.50","more":"x"}'


def by_lane(pipeline: Pipeline, upload: UploadId) -> list[list[OrderEnvelope]]:
    return list(pipeline.seen(upload).orders.values())


def assert_ids_in_file_order(lanes: list[list[OrderEnvelope]], ids: dict[int, str]) -> None:
    """Each id is in one lane, its orders there in the order of their lines."""
    assert len(lanes) == LANES
    assert {one.line: one.order_id for lane in lanes for one in lane} == ids
    sets = [{one.order_id for one in lane} for lane in lanes]
    assert sum(map(len, sets)) == len(set(ids.values()))
    for lane in lanes:
        assert [one.line for one in lane] == sorted(one.line for one in lane)
