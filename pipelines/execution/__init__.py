"""Running stages in threads: queues, meters, memory, and networks that are shared."""
