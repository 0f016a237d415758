"""What is a worker called in KCL's lease table?"""


def kcl_worker_id(worker_id: str, number: int) -> str:
    """The KCL workerId: the leaseOwner of the leases that worker `number` holds.

    It is the same at each start, because a new name waits over two minutes for the old one's
    leases.
    """
    return f"{worker_id}-{number}"
