"""The network: torch modules only, no files, clocks, threads or asyncio."""
