"""Background work: the worker, the handlers of jobs, and the outbox."""
