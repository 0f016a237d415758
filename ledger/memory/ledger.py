"""The whole ledger in memory, for tests and the simulation."""

from ledger.memory.claims import MemoryClaims
from ledger.memory.dead_letters import MemoryDeadLetters
from ledger.memory.documents import MemoryDocuments
from ledger.memory.fingerprints import MemoryFingerprints
from ledger.memory.uploads import MemoryUploads


class MemoryLedger(
    MemoryUploads, MemoryDeadLetters, MemoryFingerprints, MemoryClaims, MemoryDocuments
):
    """Every port of the ledger in one; any thread may call it.

    It keeps every promise of the ledger but one: it ends with the process.
    """
