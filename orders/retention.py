"""How long may the stream keep an order? The values of RetentionHours in infra/pipeline.yaml.

A list, not a range: the template's alarm follows it, and CloudFormation cannot compute.
"""

RETENTION_CHOICES_HOURS = (
    *(24, 48, 72, 96, 120, 144, 168, 240, 336, 504),
    *(720, 1080, 1440, 2160, 2880, 4320, 6480, 8760),
)


def retention_of_at_least(hours: float) -> int | None:
    """The smallest choice that is long enough; None where no retention is."""
    return next((choice for choice in RETENTION_CHOICES_HOURS if choice >= hours), None)
