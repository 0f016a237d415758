"""What is the whole ledger, in memory?"""

from ledger.memory.claims import MemoryClaims
from ledger.memory.dead_letters import MemoryDeadLetters
from ledger.memory.history import MemoryHistory
from ledger.memory.lanes import MemoryLanes
from ledger.memory.pace import MemoryPace
from ledger.memory.redrives import MemoryRedrives
from ledger.memory.rows import Rows
from ledger.memory.uploads import MemoryUploads


class MemoryLedger(
    MemoryUploads,
    MemoryLanes,
    MemoryDeadLetters,
    MemoryRedrives,
    MemoryClaims,
    MemoryPace,
    MemoryHistory,
):
    """Every port of the ledger in one; any thread may call it.

    It keeps every promise of the ledger but one: it ends with the process.
    """

    def __init__(self) -> None:
        super().__init__(Rows())
