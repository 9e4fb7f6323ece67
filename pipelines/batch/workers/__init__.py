"""Who runs tasks: processes on this machine or a Ray cluster, watched and tuned."""
