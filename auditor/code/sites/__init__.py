"""Where code touches Bull and BullMQ: constructions, enqueues, processors, listeners, closings, as raw values."""
