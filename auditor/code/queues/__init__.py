"""The sites as the model shows them: queues, producers, workers and connections with their options."""
