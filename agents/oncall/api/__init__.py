"""The operations: what the pages show and do, for programs."""
