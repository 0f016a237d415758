"""How many connections do the open files that this process may have allow?"""

import resource

CONNECTIONS = 1_024
BACKLOG = 128  # asyncio accepts as many in one go, before the first of them can be refused
_EACH = 2  # the connection, and the second descriptor that it is read by
_OTHERS = BACKLOG + 64


def connections_allowed() -> int:
    """The most connections that leave a descriptor for everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS
    return max(1, min(CONNECTIONS, (soft - _OTHERS) // _EACH))


def allow_connections() -> None:
    """Raise this process's limit of open files as far as it is needed and may be raised."""
    wanted = CONNECTIONS * _EACH + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
