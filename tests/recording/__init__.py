"""Which calls to AWS do the programs make? Recorded from a real run of the sandbox."""
