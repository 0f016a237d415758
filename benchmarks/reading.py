"""How fast, and in how much memory, is a file of orders read, checked and packed?

On one core, in one run, the same lines:

    ours        the producer's reading: split, check, envelope, KPL aggregate, hashes of the ids
    without ids the same with ORDERS_DUPLICATES=allow, which keeps no hashes
    yardstick   json + pydantic + aws_kinesis_agg, as one would write it with the libraries
    ceiling     `Order.model_validate_json` alone, on lines in memory

With --own-orders also our reading with two other rules for the same lines:

    own model   a pydantic model as ORDERS_ORDER_MODEL names it: `Order` itself
    mapping     a mapping of the same fields, as ORDERS_ORDER_MAPPING names it

Every figure is the best of several rounds. They alternate, so that other processes on the
machine disturb them equally. Peak memory is that of a child process which reads a generated file,
less what it had after its imports. With --end-to-end the file also passes through the real Lambda
of a sandbox into its stream, with shard pacing off and on.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from aws_kinesis_agg.aggregator import RecordAggregator
from boto3.session import Session

from benchmarks.chain import chain, order_lines
from ledger.dynamodb.connect import open_ledger
from ledger.uploads.upload import LaneTail
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import format_of
from orders.id_hashes import id_hashes
from orders.id_parts import write_id_part
from orders.order import ORDER_FIELDS, Order
from orders.order_mapping import MappedField, OrderMapping, rules_of_mapping
from orders.order_rules import ORDINARY, OrderRules
from orders.own_model import rules_of_model
from orders.parsed_lines import FilePosition
from orders.upload import UploadId, lane_hash_key, partition_key, upload_id
from producer_lambda.enqueuing import PART_IDS
from producer_lambda.packing import Packing
from producer_lambda.s3 import READ_BYTES

UPLOAD = UploadId("0123456789abcdef0123")
KEY = partition_key(UPLOAD, 0)
HASH_KEY = lane_hash_key(UPLOAD, 0, 1)
AGGREGATE_BYTES = 200_000
MEMORY_LINES = (1_000_000, 5_000_000)
END_TO_END_SECONDS = 900.0


def ours(content: bytes, rules: OrderRules = ORDINARY, *, keeps_ids: bool = True) -> Iterable[int]:
    """Sizes of the records that the producer would put, which by default also keeps the ids."""
    return _packed(lambda offset: _chunks(content, offset), rules, keeps_ids=keeps_ids)


def own_rules() -> Mapping[str, OrderRules]:
    """Other rules for the same lines."""
    types = {"quantity": "integer", "unit_price": "any", "placed_at": "date-time"}
    fields = {name: MappedField(type=types.get(name, "string")) for name in ORDER_FIELDS}  # type: ignore[arg-type]
    fields["placed_at"].required = False
    return {
        "own model": rules_of_model(Order, "order_id"),
        "mapping": rules_of_mapping(OrderMapping(id="order_id", fields=fields)),
    }


def yardstick(content: bytes) -> Iterable[int]:
    """The same job with the usual libraries."""
    aggregator = RecordAggregator(max_size=AGGREGATE_BYTES)
    for number, line in enumerate(content.splitlines(), 1):
        Order.model_validate(json.loads(line))
        envelope = json.dumps({"v": 1, "line": number, "order": line.decode()})
        full = aggregator.add_user_record(KEY, envelope.encode(), HASH_KEY)
        if full:
            yield len(full.get_contents()[2])
    yield len(aggregator.clear_and_get().get_contents()[2])


def ceiling(lines: list[bytes]) -> None:
    """Pydantic alone."""
    check = Order.model_validate_json
    for line in lines:
        check(line)


def measure(count: int, rounds: int, others: Mapping[str, OrderRules]) -> None:
    """Print the three rates, and ours against the other two; beside them ours by other rules."""
    content = b"".join(order_lines(count))
    lines = content.splitlines()
    contenders: Mapping[str, Callable[[], object]] = {
        "ours": lambda: sum(ours(content)),
        "without ids": lambda: sum(ours(content, keeps_ids=False)),
        "yardstick": lambda: sum(yardstick(content)),
        "ceiling": lambda: ceiling(lines),
        **{name: partial(_read_by, content, rules) for name, rules in others.items()},
    }
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, contender in contenders.items():
            started = time.process_time()
            contender()
            best[name] = min(best[name], time.process_time() - started)
    print(f"{count:,} lines of {len(content) / count - 1:.0f} bytes, one core, best of {rounds}")
    for name, seconds in best.items():
        print(f"  {name:<11} {count / seconds:>9,.0f} orders/s  {seconds:6.2f} s")
    added = (sum(ours(content)) - len(content) + count) / count
    print(f"  ours against the ceiling    {best['ceiling'] / best['ours']:.2f}  (0.65 wanted)")
    print(f"  ours against the yardstick  {best['yardstick'] / best['ours']:.1f}x (2x wanted)")
    print(f"  an envelope adds            {added:.1f} bytes an order (60 allowed)")


def measure_memory() -> None:
    """Print the peak of a child process for a shorter and a longer file."""
    print("peak memory above the start of the process (150 MB allowed)")
    for count in MEMORY_LINES:
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            file.writelines(order_lines(count))
            file.flush()
            child = [sys.executable, __file__, "--read", file.name]
            peak = subprocess.run(child, capture_output=True, text=True, check=True).stdout
        print(f"  {count:>9,} lines  {float(peak):6.1f} MB")


def read_file(path: str) -> None:
    """In the child: read, check and pack a file; print the peak of its memory in MB."""
    start = _peak_megabytes()
    with Path(path).open("rb") as file:

        def open_at(offset: int) -> Iterator[bytes]:
            file.seek(offset)
            return iter(lambda: file.read(READ_BYTES), b"")

        sum(_packed(open_at, ORDINARY, keeps_ids=True))
    print(_peak_megabytes() - start)


def measure_end_to_end(count: int) -> None:
    """Print how long a file takes from the bucket into the stream, through the real Lambda."""
    content = b"".join(order_lines(count))
    streamed_bytes = sum(ours(content))
    for pacing in ("none", "1000000"):
        options = ["--rate", "none", "--no-consumer"]
        with chain(options, ORDERS_SHARD_BYTES_PER_SECOND=pacing) as sandbox:
            os.environ.update(sandbox.environment)
            seconds = _read_end_to_end(content)
        print(
            f"end to end, shard pacing {pacing}: {count:,} orders in {seconds:.1f} s, "
            f"{count / seconds:,.0f} orders/s, {streamed_bytes / seconds / 1e6:.3f} MB/s"
            " into one shard"
        )


def _read_end_to_end(content: bytes) -> float:
    bucket, key = os.environ["ORDERS_BUCKET"], "uploads/benchmark.jsonl"
    ledger = open_ledger(os.environ["ORDERS_LEDGER_TABLE"])
    stored = Session().client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    upload = upload_id(bucket, key, stored["VersionId"])
    started_at = time.monotonic()
    while time.monotonic() - started_at < END_TO_END_SECONDS:
        account = ledger.read_account(upload)
        if account and account.upload.read_complete:
            return time.monotonic() - started_at
        time.sleep(0.1)
    raise SystemExit("the file was not read in time")


def _read_by(content: bytes, rules: OrderRules) -> None:
    sum(ours(content, rules))


def _packed(
    open_at: Callable[[int], Iterable[bytes]], rules: OrderRules, *, keeps_ids: bool
) -> Iterator[int]:
    hashes = array("Q")
    packing = Packing(UPLOAD, (LaneTail(),), aggregate_bytes=AGGREGATE_BYTES)
    form = format_of("orders.jsonl")
    for batch in parse_file(open_at, form, FilePosition(), ReadingLimits(rules=rules)):
        if keeps_ids:
            hashes.extend(id_hashes(batch.order_ids))
            if len(hashes) >= PART_IDS:
                write_id_part(hashes)
                hashes = array("Q")
        for aggregate in packing.add(batch):
            yield len(aggregate.payload)
    yield from (len(aggregate.payload) for aggregate in packing.end())


def _chunks(content: bytes, offset: int) -> Iterator[bytes]:
    for start in range(offset, len(content), READ_BYTES):
        yield content[start : start + READ_BYTES]


def _peak_megabytes() -> float:
    """The most memory of this program so far, without that of the one that forked it."""
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # bytes on macOS


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description="Reading, checking and packing orders.")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-memory", action="store_true", help="skip the peak memory")
    parser.add_argument(
        "--end-to-end", action="store_true", help="also through the Lambda of a sandbox"
    )
    parser.add_argument(
        "--own-orders", action="store_true", help="also by a model and a mapping of one's own"
    )
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read_file(options.read)
        return
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    measure(options.lines, options.rounds, own_rules() if options.own_orders else {})
    if cores:
        os.sched_setaffinity(0, cores)
    if not options.no_memory:
        measure_memory()
    if options.end_to_end:
        measure_end_to_end(options.lines)


if __name__ == "__main__":
    main()
